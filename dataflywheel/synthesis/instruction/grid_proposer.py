"""What methods that write for every cell of a grid share: passes over the cells, their price, and what came of each."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, PrivateAttr

from dataflywheel.contracts import Cost, PoolStatistics
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.proposing.asking import ANSWER_TOKENS, QUESTION_TOKENS, AskingProposer
from dataflywheel.proposing.kinds import Proposal
from dataflywheel.synthesis.instruction.grids import Cell, number_of_pass, told_of_cells


class GridProposer(Instructed, AskingProposer):
    """Writes from nothing: at one visit every cell is asked `each` times, whatever number of rows is wanted."""

    writes_from: ClassVar[Literal["rows", "documents", "nothing"]] = "nothing"
    whole: ClassVar[bool] = True
    calls_a_cell: ClassVar[int] = 1
    """Questions for one example."""

    each: int = Field(default=1, ge=1, le=10_000)
    """How often every cell is asked."""
    _most: int | None = PrivateAttr(default=None)

    @property
    @abstractmethod
    def cells(self) -> list[Cell]:
        """Every choice of one value for each attribute."""

    def calls_a_seed(self) -> float:
        return float(self.calls_a_cell * len(self.cells) * self.each)

    def passes(self, rng: np.random.Generator, turn: int) -> list[tuple[Cell, int]]:
        """All cells with the number of their question, pass by pass, in an order drawn at random."""
        cells, base = self.cells[: self._most], int(rng.integers(1 << 22))
        return [
            (cells[int(place)], number_of_pass(base, turn, self.each, number))
            for number in range(self.each)
            for place in rng.permutation(len(cells))
        ]

    def rehearsed(self) -> Self:
        """Two cells show all questions that there are."""
        few = self.model_copy()
        few._most = 2
        return few

    def told_of(self, came: Sequence[tuple[Proposal, str]]) -> dict[str, Any]:
        return told_of_cells(self.cells, self.each, came)

    def way_on(self) -> str:
        often = "once" if self.each == 1 else f"{self.each} times"
        return f"each of the {len(self.cells):,} cells was asked {often}: raise `each`, or name more values"

    def estimate(self, pool: PoolStatistics) -> Cost:
        """The grid says how many questions there are, whatever the rows; later questions show what was written."""
        calls = round(self.calls_a_seed())
        shown = (self.calls_a_cell - 1) * ANSWER_TOKENS / self.calls_a_cell
        read, written = round(calls * (QUESTION_TOKENS + shown)), calls * min(self.max_tokens, ANSWER_TOKENS)
        price = self.model.usd_per_mtok
        usd = (read * price.input + written * price.output) / 1e6 if price else 0.0
        return self.with_examples(Cost(calls=calls, tokens=read + written, usd=usd))
