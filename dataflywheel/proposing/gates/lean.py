"""Lean: a proof that Lean 4 accepts of the statement that was given, and of no other."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

from pydantic import Field

from dataflywheel.contracts import Card
from dataflywheel.proposing.kinds import PASSED, Check, Gate, Proposal, Surroundings
from dataflywheel.proposing.lean.proof import NO_PROOF, NOTHING, SOUND, Asked, asked, verdict_of
from dataflywheel.proposing.lean.run import LeanSettings, require_lean, run_lean, version
from dataflywheel.proposing.lean.source import Statement, statement_of
from dataflywheel.rows.schema import Row
from dataflywheel.rows.text import answer_said, fields_of, part_of
from dataflywheel.signals.wording.fences import blocks

LANGUAGES = frozenset(("lean", "lean4", "lean 4"))
STATEMENTS = ("formal_statement", "lean_statement", "lean4_code", "lean_code", "theorem", "statement")
MAX_CHARS = 100_000


class Lean(Gate):
    """Has Lean 4 check the proof of an answer. The statement stands in a field of the row (`formal_statement`,
    `lean_statement`, `theorem`, `statement`), or is the last theorem of the prompt; the proof is the answer's Lean
    block, or the whole answer: a file with that theorem, or what goes behind its `:=`.

    A proof passes where Lean takes it without an error, the theorem of the stated name has the stated type, and it
    rests on no axiom but those of `axioms`: with `sorry`, `native_decide` or an axiom of its own it does not. The type
    is taken from the statement before the answer is read. Answers that change Lean's syntax, run code or import what
    the statement does not import are turned away unread.

    Lean runs code while it checks: it is run by `bwrap`, without network, with nothing to write but an empty folder.
    Neither is part of this package, and a plan says where one is missing.
    """

    card: ClassVar[Card] = Card(
        title="DeepSeek-Prover: Advancing Theorem Proving in LLMs through Large-Scale Synthetic Data",
        authors="Xin et al.",
        year=2024,
        paper="2405.14333",
        category="proposing",
        subcategory="gates",
        summary="Passes proofs that Lean 4 accepts of the statement that was given.",
        needs=("lean",),
        checked="files and verdicts by a stand-in for Lean that says what the real one would: gaps, other statements, "
        "axioms, metaprograms, endless runs; not by Lean itself, which no test machine has",
        pays="Formal mathematics: with `generate_verify_keep` round after round it is expert iteration.",
        fails="A statement that says something else than its words is proved all the same.",
    )
    name: ClassVar[str] = "lean"

    settings: LeanSettings = Field(default_factory=LeanSettings)
    """Which Lean, and what one check may use: `{project: my-lake-project, seconds: 60}`."""
    header: str = ""
    """Lines before every file, such as `import Mathlib`."""
    axioms: list[str] = sorted(SOUND)
    """Axioms that a proof may rest on."""

    def ready(self) -> None:
        require_lean(self.settings)

    def leans_on(self) -> str:
        return version(self.settings)

    def lacks(self, facts: Mapping[str, Any]) -> str:
        return "" if facts.get("statement") else NOTHING

    def check(self, proposals: Sequence[Proposal], around: Surroundings) -> list[Check]:
        with ThreadPoolExecutor(max_workers=max(1, len(os.sched_getaffinity(0)))) as threads:
            return list(threads.map(self.check_one, proposals))

    def check_one(self, proposal: Proposal) -> Check:
        assert proposal.row is not None
        statement = stated(proposal.row, proposal.facts)
        if statement is None:
            return Check(False, NOTHING, decided=False)
        answer = answer_said(proposal.row["messages"])
        proof = proof_of(answer)
        if not proof or len(answer) > MAX_CHARS:
            return Check(False, NO_PROOF)
        made = asked(statement, proof, secrets.token_hex(8), self.header)
        if isinstance(made, Asked):
            made = verdict_of(made, *run_lean(made.text, self.settings), frozenset(self.axioms))
        return Check(False, made.reason, made.detail, decided=made.decided) if made.reason else PASSED


def stated(row: Row, facts: Mapping[str, Any] | None = None) -> Statement | None:
    """What is to be proved: by a fact, by a field of the row, or in its prompt."""
    fields = fields_of(row)
    named = [str((facts or {}).get("statement") or ""), *(str(fields.get(name) or "") for name in STATEMENTS)]
    prompt = part_of(row["messages"], "prompt")
    fenced = [block.body for block in blocks(prompt) if block.language in (*LANGUAGES, "")]
    return next((found for text in (*named, *reversed(fenced), prompt) if (found := statement_of(text))), None)


def proof_of(answer: str) -> str:
    """The Lean of an answer: its last block marked so, else its last block, else the whole of it."""
    fenced = blocks(answer)
    marked = [block.body for block in fenced if block.language in LANGUAGES] or [block.body for block in fenced]
    return (marked[-1] if marked else answer).strip()
