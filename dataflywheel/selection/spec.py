"""What the step `select` takes: a combination of selectors and a budget."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field, field_validator, model_validator

from dataflywheel import catalog
from dataflywheel.contracts import AnyArray, Budget, Columns, Method, Named, Selector, UsageError
from dataflywheel.plugins.blame import blamed
from dataflywheel.plugins.place import named
from dataflywheel.selection.order import SCORE, SLICE

GROUP_COLUMN = {"source": "row.source", "tag": "row.tags", "slice": SLICE}
TOKENS = ("text.tokens_prompt", "text.tokens_answer")


class Select(Method):
    """Which rows are kept: `by` scores, `then` a diversity method on a shortlist of the best, `per` a quota for every
    group.

    Several `by` are combined by the mean of a row's ranks; a row that one of them turns away is out. Percent is a
    share of the rows offered, whether or not they could be measured.
    """

    name: ClassVar[str] = "select"

    by: list[Named]
    """Selectors that score: `ifd`, `{ifd: {ratio: perplexity}}`, or a list of these."""
    then: Named | None = None
    """A selector that chooses from the shortlist, such as `facility_location`, or one that puts what is kept in order,
    such as `delt_folding`."""
    keep: str | int | float
    """The budget: `1000` rows, `10%` of the rows offered, or `50000 tokens` of prompts and answers."""
    shortlist: float = Field(default=3.0, ge=1)
    """How many times the budget is left over by `by` for `then` to choose from; more where `then` turns rows away."""
    per: Literal["source", "tag", "slice"] | None = None
    """Groups that share the budget; a row belongs to the first of its tags, and to the slice of the target that it
    names as a tag or that is nearest to it."""
    quota: Literal["proportional", "equal"] | dict[str, float] = "proportional"
    """Shares of the groups: as they are in the pool, equal, or given; what a small group cannot fill goes to the
    others."""

    @field_validator("by", mode="before")
    @classmethod
    def _many(cls, value: Any) -> Any:
        return value if isinstance(value, list) else [value]

    @model_validator(mode="after")
    def _consistent(self) -> Select:
        if not self.by:
            raise ValueError("by: name at least one selector")
        for selector in self.scorers():
            if selector.orders:
                raise ValueError(f"{selector.name} orders rows and chooses none: put it in `then`")
            if SCORE in _needs(selector):
                raise ValueError(f"{selector.name} needs a score: put it in `then`, or name a column as its `score`")
        if self.per is None and self.quota != "proportional":
            raise ValueError("quota: say of what with `per: source`, `per: tag` or `per: slice`")
        if isinstance(self.quota, dict) and not (self.quota and all(share > 0 for share in self.quota.values())):
            raise ValueError("quota: shares must be positive")
        self.selectors()
        self.budget()
        return self

    def budget(self) -> Budget:
        return Budget.parse(self.keep)

    def scorers(self) -> list[Selector]:
        return [_selector(spec) for spec in self.by]

    def chooser(self) -> Selector | None:
        """What chooses from the shortlist; None where `then` only orders."""
        found = None if self.then is None else _selector(self.then)
        return found if found is not None and not found.orders else None

    def ordering(self) -> Selector | None:
        """What puts the kept rows in order; None where `then` chooses."""
        found = None if self.then is None else _selector(self.then)
        return found if found is not None and found.orders else None

    def selectors(self) -> list[Selector]:
        """All parts of the combination, that of `then` last."""
        return [*self.scorers(), *([_selector(self.then)] if self.then else [])]

    def weighing(self) -> str:
        """The selector whose weights the kept rows have: the one that decides which are kept, where it gives any."""
        scorers = self.scorers()
        last = self.chooser() or (scorers[0] if len(scorers) == 1 else None)
        return last.name if last is not None and last.weighs else ""

    def unweighed(self) -> list[str]:
        """Selectors that give weights, which nobody sees since others decide which rows are kept."""
        return [selector.name for selector in self.selectors() if selector.weighs and selector.name != self.weighing()]

    def label(self) -> str:
        """`ifd + longest > facility_location`."""
        names = " + ".join(selector.name for selector in self.scorers())
        return names if self.then is None else f"{names} > {_selector(self.then).name}"

    @property
    def deterministic(self) -> bool:
        return all(s.deterministic for s in self.selectors())

    @property
    def targeted(self) -> bool:
        return any(selector.targeted for selector in self.selectors())

    @property
    def goes_on(self) -> bool:
        """Whether a selector goes on from what earlier rounds chose."""
        return any(selector.begins for selector in self.selectors())

    def at_first(self) -> Select:
        """The selection as the first round makes it, where nothing was chosen before."""

        def first(spec: Named) -> Named:
            begins = _selector(spec).begins
            return {begins: {}} if begins else spec

        then = None if self.then is None else first(self.then)
        return self.model_copy(update={"by": [first(spec) for spec in self.by], "then": then})

    def signal_parameters(self) -> dict[str, dict[str, Any]]:
        """What the selectors want of the signals that they read, by signal name."""
        return {name: given for s in self.selectors() for name, given in s.signal_parameters().items()}

    def target_parameters(self) -> dict[str, dict[str, Any]]:
        """In what the signals of evaluation rows differ from those of the pool's, by signal name."""
        return {name: given for s in self.selectors() for name, given in s.target_parameters().items()}

    def needs(self) -> tuple[str, ...]:
        """Columns that any part of the combination reads."""
        names = [n for s in self.selectors() for n in _needs(s) if n != SCORE]
        if self.budget().unit == "tokens":
            names += TOKENS
        if self.per is not None:
            names.append(GROUP_COLUMN[self.per])
        return tuple(dict.fromkeys(names))

    def required(self) -> tuple[str, ...]:
        """Those of the needed columns without which a row is not eligible."""
        lacked = {name for s in self.selectors() for name in s.may_lack()}
        read = {name for s in self.selectors() for name in _needs(s) if name not in s.may_lack()}
        grouped = {GROUP_COLUMN[self.per]} if self.per is not None else set()
        tokens = TOKENS if self.budget().unit == "tokens" else ()
        return tuple(name for name in self.needs() if name not in lacked - read - grouped - {*tokens})


def _selector(spec: Named) -> Selector:
    return catalog.made(spec, Selector, rooms=("selection",))


def _needs(selector: Selector) -> tuple[str, ...]:
    """Raises UsageError: it names what it needs in another way than as a list of names."""
    with blamed(selector.name):
        found = selector.needs()
    if isinstance(found, str) or not all(isinstance(name, str) for name in found):
        raise UsageError(
            f"{named(selector, 'needs')}: what it needs are names of columns, as `return ('text.chars_answer',)`, "
            f"and it gave {found!r}"
        )
    return tuple(found)


def row_tokens(columns: Columns) -> AnyArray:
    """Tokens of each row (n,), prompt and answer."""
    return np.asarray(sum((columns[name].astype(np.int64) for name in TOKENS), start=np.zeros(len(columns), np.int64)))
