"""CoachLM: a local model learns from an expert's revisions, and then revises."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from dataflywheel.contracts import Card, Cost, PoolStatistics, UserPath
from dataflywheel.enhancement.rewriting.expert_revisions import ExpertRevision, most_changed, read_revisions
from dataflywheel.models.files import folder_digest, models_folder
from dataflywheel.models.language.batching import batches
from dataflywheel.models.language.decoding import Draw, decode
from dataflywheel.models.language.language_model import MAX_TOKENS, LanguageModel, local_folder, shared_model
from dataflywheel.models.language.pool_tokenizer import rows_digest
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.training.tiny import train_tiny
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.models.training.training import train_sft
from dataflywheel.proposing.kinds import Demand, NamedGate, Proposal, Proposer
from dataflywheel.proposing.rewritten import exchange_of, revised, unchanged, unfit
from dataflywheel.rows.schema import Message, Row, message
from dataflywheel.store.lock import made_once

REQUEST = "Revise this instruction and its answer: more specific, more detailed, step by step, without mistakes."
INSTRUCTION, ANSWER = "### Instruction\n", "\n\n### Answer\n"


class CoachLM(Proposer):
    """Fine-tunes `model` on the most changed of the expert's `pairs`, once, and proposes its greedy revisions.

    A revision that cannot be read, that holds the request's own text or that did not come to an end leaves its row as
    it was. The reviser lies in the folder of models, under a name that depends on pairs, base model and settings.
    """

    card: ClassVar[Card] = Card(
        title="CoachLM: Automatic Instruction Revisions Improve the Data Quality in LLM Instruction Tuning",
        authors="Liu et al.",
        year=2023,
        paper="2311.13246",
        category="enhancement",
        subcategory="rewriting",
        summary="A local model trained on an expert's revisions, those changed most, revises every row.",
        needs=("model", "labels"),
        cost="$$",
        checked="the pairs it is taught; other forms of text are no revision; likeness to experts beside copied input",
        pays="Revisions by experts of one's own (the paper had 2,301), a local model that can be tuned on them, and "
        "rows that must not leave the house.",
        fails="It learns to write longer as much as to write better, and the built-in model is too small to revise "
        "well; compare with length-matched rows, or use `revision` with a stronger model.",
        evidence="The authors report a high-quality share of 17.7 % before and 78.9 % after; in their expert pairs "
        "the median answer grows from 188 to 395 characters. Not measured here.",
    )
    rewrites: ClassVar[bool] = True
    keeps_meaning: ClassVar[bool] = True
    gates: ClassVar[tuple[NamedGate, ...]] = (
        "format_and_length",
        "prompt_leak",
        {"meaning": {"additions": True}},
        "contamination",
    )

    model: ModelSpec = Field(default=ModelSpec(builtin="tiny"))
    """What is fine-tuned: a folder or hub name, or the built-in model, trained first on the revised texts."""
    pairs: UserPath
    """File of expert revisions, from the working directory: raw and revised instruction, input and response."""
    share: float = Field(default=0.3, gt=0, le=1)
    """Share of the pairs that is learnt from, those with the greatest edit distance."""
    train: TrainSettings = Field(default=TrainSettings(epochs=7))
    """How the reviser is fine-tuned."""
    pretrain_tokens: int = Field(default=1_000_000, ge=1)
    """Tokens that the built-in model reads before it is fine-tuned."""
    max_tokens: int = Field(default=384, ge=16)
    """Tokens of one revision, at most."""
    max_chars: int = Field(default=24_000, ge=100)
    """Longer rows are left as they are."""

    def digest(self) -> str:
        content = self.pairs.read_bytes() if self.pairs.is_file() else b""
        return hashlib.blake2b(super().digest().encode() + content, digest_size=8).hexdigest()

    def estimate(self, pool: PoolStatistics) -> Cost:
        return Cost(forward=pool.rows, tokens=2 * pool.tokens)

    def propose(self, demand: Demand) -> list[Proposal]:
        why = [unfit(row, self.max_chars) for row in demand.seeds]
        fit = [i for i, bad in enumerate(why) if not bad]
        said = dict(zip(fit, self.revisions([_raw(demand.seeds[i]) for i in fit]), strict=True))
        proposals = []
        for i, row in enumerate(demand.seeds):
            text = said.get(i)
            found = None if text is None else parse(text)
            if text is None:
                proposals.append(unchanged(row, why[i] or "truncated: no end within the model's context"))
            elif found is None:
                proposals.append(unchanged(row, "malformed: not an instruction and its answer"))
            else:
                proposals.append(revised(row, self.name, *found, shown=(REQUEST,)))
        return proposals

    def revisions(self, raw: Sequence[tuple[str, str]]) -> list[str | None]:
        """What the reviser writes to each instruction and answer; None where it does not fit or does not end."""
        if not raw:
            return []
        model = shared_model(ModelSpec(hf=str(self.reviser()), dtype=self.model.dtype))
        texts = model.chat.render([asked(*one) for one in raw], add_generation_prompt=True)
        prompts = [e.ids for e in model.chat.backend.encode_batch(texts, add_special_tokens=False)]
        room = model.context - self.max_tokens
        draws = {i: Draw(prompt, self.max_tokens) for i, prompt in enumerate(prompts) if len(prompt) <= room}
        places = list(draws)
        end = frozenset(model.chat.end_ids)
        for _, part in batches([len(draws[i].prompt) + self.max_tokens for i in places], MAX_TOKENS):
            decode(model.model, [draws[places[j]] for j in part], model.pad_id, end, model.dtype)
        return [_text(model, draws[i]) if i in draws and draws[i].ended else None for i in range(len(raw))]

    def reviser(self) -> Path:
        """The folder of the fine-tuned model; trained where it is not there yet."""
        pairs = read_revisions(self.pairs)
        lessons = [lesson(one) for one in most_changed(pairs, self.share)]
        base = self._base(pairs)
        name = f"coach-{rows_digest(lessons, folder_digest(base), self.train.version, self.train.model_dump_json())}"
        folder = models_folder() / name
        return made_once(folder, lambda: _fine_tuned(lessons, base, folder, self.train))

    def _base(self, pairs: Sequence[ExpertRevision]) -> Path:
        if self.model.builtin is None:
            return local_folder(self.model)
        texts = [[message("user", one.instruction), message("assistant", one.answer)] for one in pairs]
        return train_tiny(texts, self.model.size, tokens=self.pretrain_tokens)


def asked(instruction: str, answer: str) -> list[Message]:
    """The question to the reviser."""
    return [message("user", f"{REQUEST}\n\n{INSTRUCTION}{instruction}{ANSWER}{answer}")]


def lesson(one: ExpertRevision) -> list[Message]:
    """One conversation to learn from."""
    said = f"{INSTRUCTION}{one.instruction}{ANSWER}{one.answer}"
    return [*asked(one.raw_instruction, one.raw_answer), message("assistant", said)]


def parse(text: str) -> tuple[str, str] | None:
    """Instruction and answer of a revision, or None where it is not of that form or repeats the request.

    >>> parse("### Instruction\\nAdd 1 and 2.\\n\\n### Answer\\n3"), parse("3")
    (('Add 1 and 2.', '3'), None)
    """
    head, mark, answer = text.strip().partition(ANSWER)
    instruction = head.removeprefix(INSTRUCTION).strip()
    leaked = REQUEST in text or INSTRUCTION.strip() in instruction or ANSWER.strip() in answer
    if not mark or not head.startswith(INSTRUCTION) or leaked or not instruction or not answer.strip():
        return None
    return instruction, answer.strip()


def _fine_tuned(lessons: Sequence[list[Message]], base: Path, folder: Path, settings: TrainSettings) -> None:
    train_sft(lessons, base, folder, settings)


def _raw(row: Row) -> tuple[str, str]:
    exchange = exchange_of(row)
    return exchange.instruction, exchange.answer


def _text(model: LanguageModel, draw: Draw) -> str:
    return str(model.tokenizer.decode(draw.ids, skip_special_tokens=True))
