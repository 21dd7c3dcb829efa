"""What whoever orders, turns or compares steps asks of one, so that nobody asks what kind it is."""

from __future__ import annotations

from typing import ClassVar

from dataflywheel.contracts import Operator
from dataflywheel.recipe.schema import Recipe


class Traits:
    """The answers of a step that cleans: it changes rows, is done in every round, and brings none."""

    changes_rows: ClassVar[bool] = True
    """Whether it brings, removes or rewrites rows; else it hands on what it was given."""
    every_round: ClassVar[bool] = True
    """Whether a wheel does it in every round; else once, before the first."""
    brings: ClassVar[bool] = False
    """Whether new rows come of it, of which a round may want only so many."""
    writes: ClassVar[bool] = False
    """Whether rows come of it that a model wrote."""

    @property
    def guards(self) -> bool:
        """Whether it keeps evaluation rows out of what is learned: a comparison never leaves it out."""
        return False

    @property
    def leaves_pairs(self) -> bool:
        """Whether it trains, and leaves rows that are pairs to a later step."""
        return False

    @property
    def weighs(self) -> str:
        """The method that says how much the rows it hands on count, "" where none does."""
        return ""

    @property
    def counts_alike(self) -> bool:
        """Whether it learns from rows and does not know their weights."""
        return False

    @property
    def from_failures(self) -> bool:
        """Whether it works from what the model that was trained last got wrong."""
        return False

    @property
    def adds(self) -> Operator | None:
        """What the rows that it writes add to those that it writes from; None where it writes no new rows."""
        return None

    def learns_first(self, rows: int) -> int:
        """Of so many rows, how many it learns for a selection that goes on from them."""
        return 0

    # In a wheel

    @property
    def counts_tokens(self) -> bool:
        """Whether what it brings is counted in tokens and not in rows."""
        return False

    @property
    def has_groups(self) -> bool:
        """Whether it divides what it brings by itself, so that no policy does."""
        return False

    def whole(self, recipe: Recipe, rows: int, tokens: int) -> int:
        """Of a step that brings rows: how many, or how many tokens, in all rounds together, where so many are there."""
        return 0

    def waits(self, round: int) -> bool:
        """Whether it has nothing to work from in this round."""
        return False
