"""Two files of answers, in any format, as pairs: matched by prompt, with references and gold labels by prompt too."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dataflywheel.contracts import Case, UsageError, Verdict
from dataflywheel.rows.diff import prompt_digest
from dataflywheel.rows.mapping import ColumnMapping
from dataflywheel.rows.reading import Input, iter_parsed
from dataflywheel.rows.text import answer_said, split_answer, transcript

SPELLINGS: Mapping[str, Verdict] = {
    **dict.fromkeys(("1", "a", "first", "true"), Verdict.FIRST),
    **dict.fromkeys(("2", "b", "second"), Verdict.SECOND),
    **dict.fromkeys(("0", "tie", "false"), Verdict.TIE),
}
"""Labels; a row that has an answer reads 1 and 0 as true and false."""


@dataclass
class Pairs:
    """Cases with the prompt that each belongs to (`prompts`, digests), and how many answers found no partner."""

    cases: list[Case] = field(default_factory=list)
    prompts: list[str] = field(default_factory=list)
    only_in_a: int = 0
    only_in_b: int = 0
    left_out: int = 0
    """Rows without a prompt or an answer, and lines that could not be read."""
    baseline: str = ""
    """Digest of B's answers: judgements against the same ones can be compared."""


@dataclass
class _Side:
    """The prompt's text and its answers by digest, in the order of the file."""

    prompts: dict[str, str] = field(default_factory=dict)
    answers: dict[str, list[str]] = field(default_factory=dict)
    left_out: int = 0

    @property
    def size(self) -> int:
        return sum(len(own) for own in self.answers.values())


def read_pairs(
    a: str | Path, b: str | Path, reference: str | Path | None = None, mapping: ColumnMapping | None = None
) -> Pairs:
    """Answers of A and B to the same prompts: of several answers to one prompt the first meets the first, and so on.

    Raises:
        FlywheelError: a path names nothing.
        UsageError: no prompt has an answer in both.
    """
    left, right = _read(a, mapping), _read(b, mapping)
    references = _read(reference, mapping).answers if reference else {}
    found = Pairs(left_out=left.left_out + right.left_out)
    for prompt, answers in left.answers.items():
        for number, both in enumerate(zip(answers, right.answers.get(prompt, []), strict=False)):
            guide = references.get(prompt, [""])[0]
            found.cases.append(Case(prompt if not number else f"{prompt}#{number}", left.prompts[prompt], both, guide))
            found.prompts.append(prompt)
    if not found.cases:
        raise UsageError(
            f"{a} and {b}: no prompt has an answer in both ({left.size} answers and {right.size}); the prompts must be "
            "the same text, so answer one file of prompts with both models"
        )
    found.only_in_a, found.only_in_b = left.size - len(found.cases), right.size - len(found.cases)
    content = "\n".join(f"{prompt}{answers!r}" for prompt, answers in sorted(right.answers.items()))
    found.baseline = hashlib.blake2b(content.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    return found


def read_gold(path: str | Path, pairs: Pairs) -> list[Verdict]:
    """The label of each pair by its prompt, INVALID for a pair without one.

    A row holds a prompt and a `label` (or answer): 1, a or first; 2, b or second; 0 or tie.

    Raises:
        UsageError: a label is none of these, or no pair has one.
    """
    labels: dict[str, list[Verdict]] = {}
    for parsed in iter_parsed(Input(str(path))):
        for row, line in zip(parsed.rows, parsed.lines, strict=True):
            said = (row["label"] or answer_said(row["messages"])).strip().lower()
            if said not in SPELLINGS:
                raise UsageError(
                    f"{path}, line {line}: the label {said[:40]!r} is none of 1, a, first (A is better), 2, b, second "
                    "(B is better), 0, tie; it stands in the field `label` beside `prompt`"
                )
            labels.setdefault(prompt_digest(row).hex(), []).append(SPELLINGS[said])
    seen: dict[str, int] = {}
    gold = []
    for prompt in pairs.prompts:
        own, number = labels.get(prompt, []), seen.get(prompt, 0)
        gold.append(own[number] if number < len(own) else Verdict.INVALID)
        seen[prompt] = number + 1
    if all(label == Verdict.INVALID for label in gold):
        raise UsageError(f"{path}: no label belongs to a prompt of the pairs; expected rows with `prompt` and `label`")
    return gold


def _read(path: str | Path, mapping: ColumnMapping | None = None) -> _Side:
    side = _Side()
    for parsed in iter_parsed(Input(str(path), mapping=mapping)):
        side.left_out += len(parsed.quarantined)
        for row in parsed.rows:
            before, final = split_answer(row["messages"])
            prompt = transcript(before)
            if not prompt.strip() or not final:
                side.left_out += 1
                continue
            digest = prompt_digest(row).hex()
            side.prompts.setdefault(digest, prompt)
            side.answers.setdefault(digest, []).append(answer_said(row["messages"]))
    return side
