"""The file by which Lean is asked whether a text proves a statement, and what its output says."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dataflywheel.proposing.lean.source import (
    Statement,
    closed,
    code_only,
    comment_left_open,
    declares,
    without_imports,
)

NOTHING = "nothing states what is to be proved"
NO_PROOF = "no proof in the answer"
META = "the proof changes Lean itself"
IMPORTS = "the proof imports what the statement does not"
BAD_STATEMENT = "the statement does not compile"
FAILED = "the proof does not compile"
OTHER = "another statement is proved"
GAP = "the proof has a gap"
AXIOMS = "the proof rests on other axioms"
SLOW = "Lean took too long"
BROKEN = "Lean ended without a verdict"
SOUND = frozenset(("propext", "Classical.choice", "Quot.sound"))
"""The axioms of Lean's own logic, on which Mathlib rests."""
_META = re.compile(
    r"(?<![\w.«])(?:axiom|macro|macro_rules|syntax|declare_syntax_cat|notation3?|infixl?|infixr|prefix|postfix|elab|elab_rules|"
    r"run_cmd|run_tac|run_elab|run_meta|by_elab|unsafe|implemented_by|extern|csimp|initialize|builtin_initialize|"
    r"opaque|init_quot|register_option|simproc|open\s+Lean|include_str|eval%|unseal|#eval!?|#exit|#guard_msgs)(?![\w'])"
    r"|\bset_option\s+(?!maxHeartbeats\b|maxRecDepth\b|linter\b)\S+|@\[[^\]]*(?:macro|elab|term_|tactic\b|command_)[^\]]*\]"
)
_BODY = re.compile(r"\s*(?::=\s*)?(by\b.*|fun\b.*|⟨.*)", re.DOTALL)
_SAID = re.compile(r"(?P<line>\d+):\d+: (?P<kind>error|warning|info)(?:\([^)]*\))?: (?P<text>[^\n]*)")


@dataclass(frozen=True)
class Asked:
    """A file, and which of its lines are whose."""

    text: str
    stated: int
    """The last line of the statement."""
    answered: int
    """The last line of the answer."""
    check: str
    """The name of the theorem that must hold at the end."""


@dataclass(frozen=True)
class Verdict:
    """Whether a statement is proved, `reason` "" where it is."""

    reason: str
    detail: str = ""
    decided: bool = True


def asked(statement: Statement, proof: str, token: str, header: str = "") -> Asked | Verdict:
    """The file: the statement with a gap for its proof, apart in a namespace; the answer; and that the theorem of the
    answer has the type of the stated one, with the axioms that this rests on. `token` is what nobody can foresee.

    The type is taken from the statement as it was read before anything of the answer, so that no definition or notation
    of the answer can change what is to be proved.
    """
    hidden = code_only(proof)
    if not hidden.strip():
        return Verdict(NO_PROOF)
    if meta := _META.search(hidden):
        return Verdict(META, meta[0].strip()[:40])
    if comment_left_open(proof):
        return Verdict(FAILED, "a comment is left open")
    own, body = without_imports(proof)
    known = (*without_imports(header)[0], *statement.imports)
    more = [one for one in own if one not in known]
    if more:
        return Verdict(IMPORTS, more[0][:80])
    if not declares(body, statement.name):
        told = _BODY.fullmatch(body)
        if told is None:
            return Verdict(NO_PROOF)
        body = f"{statement.before}\n{statement.declared} := {told[1]}"
    kept = f"Stated_{token}"
    place = "\n".join([*dict.fromkeys(known), without_imports(header)[1], f"namespace {kept}"])
    first = "\n".join([place, closed(f"{statement.before}\n{statement.declared} := by sorry"), f"end {kept}"])
    second = "\n".join([first, closed(body)])
    check = f"Checked_{token}"
    last = f"theorem {check} : type_of% @{kept}.{statement.full_name} := @_root_.{statement.full_name}"
    text = "\n".join([second, last, f"#print axioms {check}", ""])
    return Asked(text, first.count("\n") + 1, second.count("\n") + 1, check)


def verdict_of(asked: Asked, code: int | None, output: str, allowed: frozenset[str] = SOUND) -> Verdict:
    """What Lean's exit code and output say; `code` None: it was ended at the time limit."""
    if code is None:
        return Verdict(SLOW, decided=False)
    errors = [(int(one["line"]), one["text"]) for one in _SAID.finditer(output) if one["kind"] == "error"]
    if errors:
        line, text = min(errors)
        if line <= asked.stated:
            return Verdict(BAD_STATEMENT, text[:120], decided=False)
        return Verdict(FAILED if line <= asked.answered else OTHER, text[:120])
    if code:
        return Verdict(BROKEN, f"exit code {code}", decided=False)
    said = re.search(rf"'{asked.check}' (?:depends on axioms: \[(?P<axioms>[^\]]*)\]|does not depend)", output)
    if said is None:
        return Verdict(FAILED, "its check was not reached")
    axioms = [one.strip() for one in (said["axioms"] or "").split(",") if one.strip()]
    if "sorryAx" in axioms:
        return Verdict(GAP)
    others = [one for one in axioms if one not in allowed]
    return Verdict(AXIOMS, ", ".join(others)[:120]) if others else Verdict("")
