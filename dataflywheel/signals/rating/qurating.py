"""QuRating: how a row fares when it is compared with others, as a strength with its standard error."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from pathlib import Path
from typing import ClassVar, Literal, Self

import numpy as np
import pyarrow as pa
from pydantic import Field

from dataflywheel.contracts import Card, Cost, FloatArray, PoolStatistics, UsageError
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.failure import failure, passing
from dataflywheel.models.endpoint.instructions import Instructions, filled
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Request
from dataflywheel.models.endpoint.structured import Answer, Asks, Form, ask_for
from dataflywheel.rows.reading import read_file
from dataflywheel.signals.rating.bradley_terry import bradley_terry, strength_against
from dataflywheel.signals.rating.rating import COST_COLUMNS, Asked, Rated, Rating, asked

INSTRUCTIONS = (
    "The material is two texts, A and B. Say which of them {criterion}. Judge nothing else; neither length nor the "
    "order in which they are shown matters."
)
ASK = "Which text {criterion}? Say in `better`: A or B."
CRITERIA = {
    "educational_value": "has the higher educational value, by explaining something step by step that is worth knowing",
    "required_expertise": "needs the greater expertise to be understood",
    "facts": "holds more facts and details about the world",
    "writing_style": "is written in the better style: clear, polished and pleasant to read",
}
FIRST = 3
"""Anchors, spread over their scale, that every row meets first."""
AT_ONCE = 2
"""Anchors that it meets in each round after that."""
MOST_ANCHORS = 100


class Choice(Form):
    limit: ClassVar[int] = 48

    better: Literal["A", "B"]


class QuRating(Instructed, Rating):
    """Column `strength`: the Bradley-Terry strength in logits against anchor rows, and its `standard_error`.

    Anchors are fixed rows. All pairs of them are compared once, which gives their strengths; each row then meets
    anchors in both orders, first some that are spread over the scale, then those nearest to where it seems to stand,
    for these tell most. So a row's value depends on no other row of the pool, all is on one connected scale, and new
    rows cost only their own comparisons. `consistent` is the share of its pairs with the same winner in both orders;
    the others count as a draw.
    """

    name: ClassVar[str] = "qurating"
    version: ClassVar[int] = 2
    card: ClassVar[Card] = Card(
        title="QuRating: Selecting High-Quality Data for Training Language Models",
        authors="Wettig et al.",
        year=2024,
        paper="2402.09739",
        category="signals",
        subcategory="rating",
        summary="Pairwise comparisons with anchor rows, in both orders, as a strength with its standard error.",
        needs=("endpoint",),
        cost="$$",
        checked="planted strengths from 20 comparisons a row at 10 % noise; a judge with a position bias",
        pays="Qualities without a scale, such as style or educational value, where grades tie at the top and 20 calls "
        "a row are paid for.",
        fails="A judge that follows the order has few `consistent` pairs, which count as draws, so that strengths tell "
        "nothing: another model, or `ask_llm` for a twentieth.",
        evidence="Its price here (`benchmarks/real_model.md`): 74 replies for 4 rows, the anchors' own pairs included; "
        "what it gains was not measured.",
    )
    answered_in: ClassVar[type[Form] | None] = Choice
    columns: ClassVar[dict[str, pa.DataType]] = {
        "strength": pa.float32(),
        "standard_error": pa.float32(),
        "consistent": pa.float32(),
        "pairs": pa.int32(),
        **COST_COLUMNS,
    }
    texts_a_call: ClassVar[int] = 2

    anchors: str
    """A file of rows in any readable format, 5 to 100 of them: a random sample of 40 from the pool serves well."""
    criterion: Literal["educational_value", "required_expertise", "facts", "writing_style"] = "educational_value"
    """What is compared."""
    comparisons: int = Field(default=10, ge=1)
    """Anchors that each row meets, each in both orders."""
    instructions: Instructions = INSTRUCTIONS
    """What the model is told to do; `{criterion}` is what is compared, in words."""

    def calls_a_row(self) -> int:
        return 2 * self.comparisons

    def estimate(self, pool: PoolStatistics) -> Cost:
        """The rows' comparisons, and those of the anchors among themselves, taken to be as long as rows."""
        n = len(anchor_rows(self.anchors, self.max_chars))
        own = super().estimate(pool)
        if not own.calls:
            return own
        share = 1 + n * (n - 1) / own.calls
        return Cost(calls=own.calls + n * (n - 1), tokens=round(own.tokens * share), usd=own.usd * share)

    def rate(self, client: Asks, rows: Sequence[Asked]) -> list[Rated]:
        anchors = anchor_rows(self.anchors, self.max_chars)
        scale = self._scale(client, anchors)
        if isinstance(scale, str):
            return [Rated(None, scale) for _ in rows]
        met: list[dict[int, Met]] = [{} for _ in rows]
        for size in _rounds(self.comparisons):
            chosen = [
                next_opponents(scale, [anchor.id != row.id for anchor in anchors], so_far, size)
                for row, so_far in zip(rows, met, strict=True)
            ]
            pairs = [(row, anchors[j]) for row, turn in zip(rows, chosen, strict=True) for j in turn]
            outcomes = iter(self._compare(client, pairs))
            for so_far, turn in zip(met, chosen, strict=True):
                so_far.update({j: next(outcomes) for j in turn})
        return [_placed(one, scale) for one in met]

    def can_ask(self, row: Asked) -> bool:
        return bool((row.prompt + row.answer).strip())

    def model_digest(self) -> str:
        contents = "".join(anchor.id for anchor in anchor_rows(self.anchors, self.max_chars))
        return hashlib.blake2b(f"{super().model_digest()}:{contents}".encode(), digest_size=8).hexdigest()

    def placeless(self) -> Self:
        return super().placeless().model_copy(update={"anchors": ""})

    def _scale(self, client: Asks, anchors: Sequence[Asked]) -> FloatArray | str:
        """Strengths of the anchors, from all pairs of them; or why there are none."""
        n = len(anchors)
        pairs = list(combinations(range(n), 2))
        outcomes = self._compare(client, [(anchors[i], anchors[j]) for i, j in pairs])
        wins = np.zeros((n, n))
        for (i, j), met in zip(pairs, outcomes, strict=True):
            if met.won is not None:
                wins[i, j], wins[j, i] = met.won, 1 - met.won
        late = passing(reply for met in outcomes for answer in met.answers for reply in answer.replies)
        if late or not wins.any():
            return f"{late or _why(outcomes)} (in comparisons of the anchors)"
        return bradley_terry(wins).value

    def _compare(self, client: Asks, pairs: Sequence[tuple[Asked, Asked]]) -> list[Met]:
        """The outcome of each pair, asked in both orders."""
        criterion = CRITERIA[self.criterion]
        asked = [self._question(criterion, *order) for one, other in pairs for order in ((one, other), (other, one))]
        answers = ask_for(client, asked, Choice)
        return [_met(answers[i], answers[i + 1]) for i in range(0, len(answers), 2)]

    def _question(self, criterion: str, one: Asked, other: Asked) -> Request:
        texts = {name: "\n\n".join(filter(None, (r.prompt, r.answer))) for name, r in (("A", one), ("B", other))}
        instructions, ask = (filled(text, criterion=criterion) for text in (self.instructions, ASK))
        return question(instructions, texts, ask)


@dataclass(frozen=True)
class Met:
    """How the first of two texts fared over both orders: `won` is 1, 0.5 or 0, or None where an answer is missing."""

    won: float | None
    answers: tuple[Answer[Choice], Answer[Choice]]


def _met(forth: Answer[Choice], back: Answer[Choice]) -> Met:
    if forth.value is None or back.value is None:
        return Met(None, (forth, back))
    return Met(((forth.value.better == "A") + (back.value.better == "B")) / 2, (forth, back))


def _placed(met: Mapping[int, Met], scale: FloatArray) -> Rated:
    """The row's strength from its readable pairs; none where there is no such pair."""
    bought = tuple(reply for one in met.values() for answer in one.answers for reply in answer.replies)
    won = {j: one.won for j, one in met.items() if one.won is not None}
    if not won:
        return Rated(None, _why(met.values()), bought)
    strength, error = strength_against(scale[list(won)], np.array(list(won.values())), np.ones(len(won)))
    consistent = sum(one != 0.5 for one in won.values()) / len(won)
    return Rated(
        {"strength": strength, "standard_error": error, "consistent": consistent, "pairs": len(won)}, "", bought
    )


def _why(met: Iterable[Met]) -> str:
    """The first answer that is missing, and why."""
    return failure(next(answer for one in met for answer in one.answers if answer.value is None))


def _rounds(comparisons: int) -> list[int]:
    """How many anchors are met in each round."""
    first = min(FIRST, comparisons)
    return [first, *(min(AT_ONCE, comparisons - done) for done in range(first, comparisons, AT_ONCE))]


def next_opponents(scale: FloatArray, may: Sequence[bool], met: Mapping[int, Met], count: int) -> list[int]:
    """Anchors to meet next: spread evenly over the order at first, then the nearest to the strength so far.

    Where no comparison could be read, the row counts as one of middle strength. Never an anchor twice, nor itself.
    """
    free = [j for j in np.argsort(scale, kind="stable").tolist() if may[j] and j not in met]
    if not met:
        return [free[(2 * i + 1) * len(free) // (2 * count)] for i in range(min(count, len(free)))]
    won = {j: one.won for j, one in met.items() if one.won is not None}
    so_far, _ = strength_against(scale[list(won)], np.array(list(won.values())), np.ones(len(won)))
    return sorted(free, key=lambda j: (abs(scale[j] - so_far), j))[:count]


def anchor_rows(path: str, max_chars: int) -> tuple[Asked, ...]:
    """The anchors, in the order of their ids.

    Raises:
        UsageError: too few rows, or too many.
    """
    place = Path(path).expanduser()
    stamp = (place.stat().st_mtime_ns, place.stat().st_size) if place.exists() else (0, 0)
    return _anchor_rows(str(place), max_chars, stamp)


@lru_cache(maxsize=8)
def _anchor_rows(path: str, max_chars: int, stamp: tuple[int, int]) -> tuple[Asked, ...]:
    """Read once; `stamp` makes a changed file a new entry of the cache."""
    table, _ = read_file(path)
    rows = dict(zip(table["id"].to_pylist(), table["messages"].to_pylist(), strict=True))
    if not 5 <= len(rows) <= MOST_ANCHORS:
        raise UsageError(f"qurating: {path} holds {len(rows)} different rows; give 5 to {MOST_ANCHORS} as anchors")
    return tuple(asked(id, rows[id], max_chars) for id in sorted(rows))
