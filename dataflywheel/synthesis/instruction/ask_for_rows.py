"""A prompt of one's own for new rows, whose fields are one's own too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from dataflywheel.contracts import Card, Cost, PoolStatistics
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Request
from dataflywheel.models.endpoint.structured import Answer, Asks, Form, ask_for
from dataflywheel.proposing.asking import ANSWER_TOKENS, QUESTION_TOKENS, AskingProposer, failed, without
from dataflywheel.proposing.kinds import Demand, Proposal
from dataflywheel.rows.schema import Row
from dataflywheel.signals.rating.answer_fields import Type, form_of
from dataflywheel.synthesis.instruction.row_fields import (
    NAME,
    OWN,
    USUAL,
    by_name,
    check_fields,
    parts_of_row,
    places,
    plain_values,
    row_of,
    shown,
)

INSTRUCTIONS = (
    "The material is from training data of an assistant. Write a new example of the same kind and in the same "
    "language: about something else, as hard, and with an answer that is right and whole."
)
CHARS_PER_TOKEN = 4


def not_blank(text: str) -> str:
    """Raises ValueError: nothing stands there."""
    if not text.strip():
        raise ValueError("these instructions are blank; leave them out for the method's own")
    return text


class AskForRows(Instructed, AskingProposer):
    """Each question is your prompt, with `seeds` rows as material between marks, and gives one new row.

    A name in braces (`Make {prompt} harder, about {topic}.`) says what of the rows is shown: `prompt`, `answer`,
    `system`, `text`, `tags`, `label`, `source`, or with `show` a further field of theirs. The name stands there in the
    prompt that is sent, and the text among the material, so that no row can give orders. Without such names prompt and
    answer are shown. With `seeds: 0` nothing is, and no pool is needed; then every question is the same, and rows
    differ by chance alone.

    An answer holds exactly the `fields`: `text`, `number`, `integer`, `yes_no`, a list of choices, or a number with
    bounds. `prompt`, `answer`, `system` and `label` make the row, or whatever `columns` names for them; without a
    prompt it is a document. Fields under `tags` become tags, all others stay beside the row under their names.
    """

    card: ClassVar[Card] = Card(
        title="New rows by a prompt of one's own",
        year=2026,
        category="synthesis",
        subcategory="instruction",
        summary="Your own prompt, with rows shown or none, answered in fields of your own that make new rows.",
        needs=("endpoint",),
        cost="$",
        checked="a scripted teacher; planted answers of each form; rows that try to give orders or the answer itself",
        pays="A kind of row that no method here writes, in fields of one's own, from one prompt that can be tried on "
        "ten rows first.",
        fails="Nothing checks that an answer is right, and with `seeds: 0` rows soon repeat: add `grounded`, "
        "`answers_agree` or `scored` as a gate, or spread them by `attribute_grid`.",
        evidence="benchmarks/real_model.md: even a 135M model filled the fields in 4 of 4 replies, which says nothing "
        "of what the rows are worth.",
    )
    gates: ClassVar[tuple[str, ...]] = ("format_and_length", "refusal", "prompt_leak", "novelty")
    revisits: ClassVar[bool] = True

    instructions: Annotated[str, AfterValidator(not_blank)] = INSTRUCTIONS
    """What the model is told to do."""
    fields: dict[str, Type] = Field(default={"prompt": "text", "answer": "text"}, min_length=1)
    """What an answer must hold, in the order in which it is written."""
    columns: dict[str, str | list[str]] = {}
    """Which fields become prompt, answer, system and label, where they have other names: `{prompt: question}`, or
    `{prompt: [task, input]}`, put together."""
    tags: list[str] = []
    """Fields whose values become tags of the row."""
    seeds: int = Field(default=1, ge=0, le=20)
    """Rows shown in one question: the one that is written from, and others drawn beside it."""
    show: list[str] = []
    """What of the rows is shown beside what the prompt names, such as a further field of theirs."""
    max_chars: int = Field(default=24_000, ge=100)
    """Characters of what is shown of one row; nothing is written from a longer one, nor is it shown beside others."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        check_fields(self.fields, self.columns, self.tags)
        for name in self.show:
            if not NAME.fullmatch(name):
                raise ValueError(f"show: {name!r} is no name of a field: letters, digits and _ after a letter")
        for name in places(self.instructions):
            if name not in (*OWN, *self.show):
                raise ValueError(
                    f"{{{name}}} stands for no part of a row ({', '.join(OWN)}); where it is a further field of the "
                    f"rows, write `show: [{name}]`, and where it is a word of your prompt, leave out the braces"
                )
        if not self.seeds and (named := [*places(self.instructions), *self.show]):
            raise ValueError(f"`seeds: 0` shows no row, and {named[0]} is part of one; show a row, or leave it out")
        return self

    @classmethod
    def written_from(cls, given: Mapping[str, Any]) -> Literal["rows", "documents", "nothing"]:
        return "rows" if given.get("seeds", 1) else "nothing"

    def named(self) -> list[str]:
        """What of a row is shown."""
        return list(dict.fromkeys([*places(self.instructions), *self.show])) or list(USUAL)

    def unfit(self, seed: Row) -> str:
        held = shown(seed, self.named())
        if not held:
            return f"no {' or '.join(self.named())} in the row"
        wanted = [name for name in self.named() if name not in held]
        if wanted and (places(self.instructions) or self.show):
            return f"no {wanted[0]} in the row"
        long = sum(map(len, held.values())) > self.max_chars
        return f"longer than the {self.max_chars:,} characters that are shown (`max_chars`)" if long else ""

    def propose_with(self, client: Asks, demand: Demand) -> list[Proposal]:
        unfit = [self.unfit(seed) if self.seeds else "" for seed in demand.seeds]
        asked = [i for i, why in enumerate(unfit) if not why]
        material = {i: self._beside(demand.seeds[i], demand) for i in asked}
        requests = [self._request(material[i], demand.turns[i]) for i in asked]
        answers = dict(zip(asked, ask_for(client, requests, self.answer_form()), strict=True))
        return [
            without(unfit[i], seed) if unfit[i] else self._read(seed, material[i], answers[i])
            for i, seed in enumerate(demand.seeds)
        ]

    def _told(self) -> str:
        return by_name(self.instructions)

    def answer_form(self) -> type[Form]:
        check_fields(self.fields, self.columns, self.tags)
        return form_of(self.fields, None, type(self).__module__)

    def _beside(self, seed: Row, demand: Demand) -> list[Row]:
        """The seed and others that are drawn from all, as far as there are so many that can be shown."""
        if self.seeds < 2:
            return [seed] if self.seeds else []
        rows, every, ids = [seed], demand.every or demand.seeds, {seed["id"]}
        for place in demand.rng.permutation(len(every)):
            other = every[int(place)]
            if len(rows) == self.seeds:
                break
            if other["id"] not in ids and not self.unfit(other):
                rows.append(other)
                ids.add(other["id"])
        return rows

    def _request(self, rows: Sequence[Row], turn: int) -> Request:
        held = [shown(row, self.named()) for row in rows]
        if len(held) == 1:
            parts = held[0]
        else:
            parts = {f"{name} {i}": text for i, one in enumerate(held, 1) for name, text in one.items()}
        names = [f"`{name}`" for name in self.fields]
        listed = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
        return question(self._told(), parts, f"Write {listed} of one new row.", self.sampling, turn)

    def _read(self, seed: Row, rows: Sequence[Row], answer: Answer[Form]) -> Proposal:
        if answer.value is None:
            return failed(answer, *rows)
        values = plain_values(self.fields, answer.value.model_dump())
        parts = parts_of_row(self.fields, self.columns)
        row, why = row_of(values, parts, self.tags, rows, self.name, seed["round"])
        if row is None:
            return without(why, *rows, replies=answer.replies)
        return Proposal(tuple(one["id"] for one in rows), row, shown=(self._told(),), replies=answer.replies)

    def estimate(self, pool: PoolStatistics) -> Cost:
        """Every question holds the prompt and rows of average length, and gives one answer of average length."""
        told = QUESTION_TOKENS + len(self.instructions) // CHARS_PER_TOKEN
        read = pool.rows * told + self.seeds * pool.tokens
        written = pool.rows * min(self.max_tokens, ANSWER_TOKENS)
        price = self.model.usd_per_mtok
        usd = (read * price.input + written * price.output) / 1e6 if price else 0.0
        return self.with_examples(Cost(calls=pool.rows, tokens=read + written, usd=usd))
