"""Which writer the next dollar buys: by rows a seed at first, by measured learning curves where they tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal, Self, get_args

import numpy as np
from pydantic import Field, PrivateAttr

from dataflywheel.contracts import Allocation, Card, FloatArray, Operator, Policy, RoundResult, Writer
from dataflywheel.evolution.feedback.writers_curves import curves, per_row, reckoned

OPERATORS: tuple[Operator, ...] = get_args(Operator)
"""From the one for few rows a seed to the one for many."""


class NextWriter(Policy):
    """Several steps that write share a budget: most of it goes to the one whose rows are worth most for the money.

    Before anything is measured the ratio decides: of all rows that the writers are to bring over the rows that they
    write from. Below `few` it takes other answers to the questions that there are, from `many` on new questions, and
    rephrasings between; where no step does that, the one whose operator is nearest.

    As rounds are measured, a learning curve is fitted to each writer that had rows in a measured round: what its rows
    gained, less and less the more there are of them, and how fast less is learned too. The curves say what the same
    money would gain by each, a row's price being what its writer cost for all proposals by accepted row; where one
    writer has no price, the same number of rows is compared. Another writer takes the place of the ratio's where it is
    better with a probability of `sure`; within noise the ratio's choice stays.

    The paper says which way the ratio decides. The two thresholds, the curves and the shares for trying are ours.
    """

    name: ClassVar[str] = "next_writer"
    card: ClassVar[Card] = Card(
        title="Balancing Cost and Effectiveness of Synthetic Data Generation Strategies for LLMs",
        authors="Chan et al.",
        year=2024,
        paper="2409.19759",
        category="evolution",
        subcategory="feedback",
        summary="Spends the next budget on new answers, rephrasings or new questions: by rows a seed, then by what "
        "each was measured to gain for its price.",
        needs=("target",),
        cost="¢",
        checked="every ratio by hand; the curves' posterior against draws by plain regression; simulated learning "
        "curves of two other shapes with known crossings, choices counted outside the noise",
        pays="Two or three steps that write in another way from the same few rows, and a budget that only one of them "
        "can spend well.",
        fails="Evaluations noisier than what a round gains tell no writers apart, and the ratio's choice then stays "
        "whether it fits these data or not: enlarge the target, or take `uniform`.",
    )
    over: ClassVar[Literal["slices", "arms"]] = "arms"
    writers_only: ClassVar[bool] = True

    few: float = Field(default=4, gt=0)
    """Rows a seed below which other answers are bought."""
    many: float = Field(default=16, gt=0)
    """Rows a seed from which on new questions are bought."""
    trying: float = Field(default=0.5, ge=0, le=0.5)
    """Share of every second round, from the second on, for the writer that has brought least so far beside the chosen
    one; 0: what the ratio chose is never compared with anything. Rounds of equal shares would tell no writers apart."""
    sure: float = Field(default=0.8, gt=0.5, lt=1)
    """Probability of being better from which on another writer takes the place of the ratio's choice."""
    operators: dict[str, Operator] = {}
    """By the step's place, as `03-generate`: what it adds, where not what its method says, such as a method that does
    both or one of your own."""

    _writers: Mapping[str, Writer] = PrivateAttr(default_factory=dict)

    def knowing(self, writers: Mapping[str, Writer]) -> Self:
        known = self.model_copy()
        known._writers = dict(writers)
        return known

    def allocate(
        self, rounds: Sequence[RoundResult], names: Sequence[str], budget: int, rng: np.random.Generator
    ) -> Allocation:
        ordered = sorted(names)
        if not ordered:
            return Allocation({}, {})
        first, why = self.by_ratio(ordered)
        best, said = self._by_curves(rounds, ordered, first, budget, rng)
        others = [name for name in ordered if name != best]
        amounts = dict.fromkeys(ordered, 0)
        reasons = dict.fromkeys(ordered, "waits: the money buys more elsewhere, or its turn to be tried comes later")
        tried = int(budget * self.trying) if len(rounds) % 2 and others else 0
        if tried:
            least = min(others, key=lambda name: (_brought(rounds[1:], name), name))
            amounts[least] = tried
            reasons[least] = "tried, as the one that has brought least in measured rounds"
        amounts[best] = budget - tried
        reasons[best] = said if best != first else f"{why}; {said}"
        return Allocation({name: amounts[name] for name in names}, {name: reasons[name] for name in names})

    def by_ratio(self, names: Sequence[str]) -> tuple[str, str]:
        """The writer for so many rows a seed, of names in alphabetical order, and why."""
        ratio = self.ratio(names)
        wanted = OPERATORS[0 if ratio < self.few else 1 if ratio < self.many else 2]
        place = OPERATORS.index(wanted)
        found = min(names, key=lambda name: abs(OPERATORS.index(self.adds(name)) - place))
        bound = {
            "answers": f"below {self.few:g}",
            "rephrasings": f"from {self.few:g} and below {self.many:g}",
            "questions": f"from {self.many:g} on",
        }[wanted]
        said = f"{ratio:.3g} rows a seed: {bound} {wanted} are worth most"
        nearest = "" if self.adds(found) == wanted else f", and of what is there {self.adds(found)} come nearest"
        return found, said + nearest

    def ratio(self, names: Sequence[str]) -> float:
        """Rows wanted of all these writers by row that the one with most seeds has; 0 where none is known."""
        known = [self._writers[name] for name in names if name in self._writers]
        return sum(one.rows for one in known) / max([1, *(one.seeds for one in known)])

    def adds(self, name: str) -> Operator:
        """What a step adds to the rows that it writes from."""
        known = self._writers.get(name)
        return self.operators.get(name, known.operator if known else "questions")

    def _by_curves(
        self, rounds: Sequence[RoundResult], names: Sequence[str], first: str, budget: int, rng: np.random.Generator
    ) -> tuple[str, str]:
        """The writer that the curves choose, or the ratio's, and why."""
        measured = [name for name in names if _brought(rounds[1:], name)]
        if first not in measured or len(measured) < 2:
            return first, "no two writers are measured yet"
        prices = per_row(rounds, measured)
        by = "dollar" if prices else "row"
        each = reckoned(max(1, budget), prices, measured)
        seeds = max([1, *(self._writers[name].seeds for name in names if name in self._writers)])
        drawn: FloatArray | None = curves(rounds, measured, each, seeds, rng)
        if drawn is None:
            return first, "no gain is known yet"
        middle = drawn.mean(axis=0)
        best = measured[int(middle.argmax())]
        own = measured.index(first)
        if best == first:
            return first, f"the measured gains by {by} say so too"
        chance = float((drawn[:, measured.index(best)] > drawn[:, own]).mean())
        worth = f"{best} gains {middle.max():.3g} and {first} {middle[own]:.3g} for the same {by}s"
        if chance < self.sure:
            return first, f"{worth}, within noise ({chance:.0%} sure)"
        return best, f"measured: {worth} ({chance:.0%} sure)"


def _brought(rounds: Sequence[RoundResult], name: str) -> float:
    return float(sum(one.rows.get(name, 0.0) for one in rounds))
