"""Proofs of formal statements that Lean accepts: DeepSeek-Prover's step of proving, and of expert iteration."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, PrivateAttr

from dataflywheel.contracts import Card
from dataflywheel.proposing.gates.lean import Lean, stated
from dataflywheel.proposing.kinds import Check, Proposal
from dataflywheel.rows.schema import Message, Row
from dataflywheel.synthesis.instruction.generate_verify_keep import GenerateVerifyKeep

PROVE = (
    "Prove the theorem in Lean 4. Think about the proof first. End with one block of Lean that holds the theorem as it "
    "is stated, with its whole proof in place of `sorry`."
)
UNCHECKED = Check(False, "not checked", decided=False)


class LeanProofs(GenerateVerifyKeep):
    """Each seed states a theorem; `samples` proofs of it are drawn, and those that Lean accepts are kept, as the gate
    `lean` describes. With the student's folder as `model`, round after round, this is expert iteration.

    Of the published procedure it is the proving and the keeping. Statements come with the seeds: `ask_for_rows` can
    have them written, and a statement that nobody can prove brings no row.
    """

    card: ClassVar[Card] = Card(
        title="DeepSeek-Prover: Advancing Theorem Proving in LLMs through Large-Scale Synthetic Data",
        authors="Xin et al.",
        year=2024,
        paper="2405.14333",
        category="synthesis",
        subcategory="instruction",
        summary="Draws proofs of formal statements and keeps those that Lean 4 accepts.",
        needs=("endpoint", "lean"),
        cost="$$",
        checked="a stand-in for Lean: accepted proofs alone become rows; not by Lean itself, which no test machine has",
        pays="Formal statements by the thousand, and a model that proves some of them.",
        fails="Statements above the model's reach bring no row, and easy ones crowd the set.",
    )
    gates: ClassVar[tuple[str, ...]] = ("format_and_length",)

    instructions: str = PROVE
    """A system text that asks for a proof; empty for a student that was trained to give one."""
    show: ClassVar[tuple[str, ...]] = ("formal_statement",)
    lean: Lean = Field(default_factory=Lean)
    """Parameters of the gate `lean`: `{header: import Mathlib, settings: {project: my-lake-project}}`."""
    max_tokens: int = Field(default=4096, ge=16)
    _checks: bool = PrivateAttr(default=True)

    def ready(self) -> None:
        self.lean.ready()

    def leans_on(self) -> str:
        return self.lean.leans_on()

    def verified_by(self, seed: Row) -> dict[str, str]:
        found = stated(seed)
        return {} if found is None else {"statement": found.text}

    def question_of(self, seed: Row) -> list[Message]:
        """With the statement behind the last turn, where it stands in a field of the row alone."""
        turns, found = super().question_of(seed), stated(seed)
        if found is None or not turns or any(found.declared in turn["content"] for turn in turns):
            return turns
        shown = f"{turns[-1]['content'].strip()}\n\n```lean\n{found.text} := by sorry\n```".strip()
        return [*turns[:-1], {**turns[-1], "content": shown}]

    def rehearsed(self) -> LeanProofs:
        """One that has nothing checked: its questions need no Lean."""
        unchecked = self.model_copy()
        unchecked._checks = False
        return unchecked

    def verify(self, proposal: Proposal) -> Check:
        return self.lean.check_one(proposal) if self._checks else UNCHECKED
