"""The kinds of methods: one verb each."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pyarrow as pa

from dataflywheel.contracts.columns import AnyArray, Columns, FloatArray
from dataflywheel.contracts.method import Method
from dataflywheel.errors import UsageError


class Signal(Method):
    """A fact about a row, measured once and kept in the store.

    `columns` maps each value column to its Arrow type; an embedding is `pa.list_(pa.float32(), d)` or a plain list.
    """

    columns: ClassVar[dict[str, pa.DataType]]
    reads: ClassVar[tuple[str, ...]] = ("messages",)
    """Columns of the row schema that `measure` looks at, besides `id`."""
    batch_size: ClassVar[int] = 2048
    uses_model: ClassVar[bool] = False
    asks: ClassVar[bool] = False
    """Measuring spends on a model that answers questions."""
    capabilities: ClassVar[tuple[str, ...]] = ()
    """What that model must offer, such as `logprobs`."""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        kinds = getattr(cls, "columns", None)
        if "card" in cls.__dict__ and not (isinstance(kinds, dict) and kinds):
            raise UsageError(
                f'{cls.__name__} has no columns; name what it measures: `columns: ClassVar = {{"count": pa.int32()}}`'
            )

    @classmethod
    def columns_by(cls, given: Mapping[str, Any]) -> dict[str, pa.DataType]:
        """The columns that it has with these parameters.

        Raises:
            ValueError: they do not fit.
        """
        return cls.columns

    def prepared(self, pool: Callable[[], pa.Table], cache: Path) -> Self:
        """This signal ready to measure: one that leans on a training on the pool makes it here, once, under `cache`.

        `pool` gives the columns `id` and `messages` of the pool's rows.
        """
        return self

    @abstractmethod
    def measure(self, batch: pa.RecordBatch) -> dict[str, pa.Array | AnyArray]:
        """Values for rows in the row schema: one array per column, plus `status` (uint8, see `Status`).

        Pure per row: neither the batch size nor the order of rows changes a value. A failed row holds null or NaN.
        """

    def model_digest(self) -> str:
        """Identity of the model behind the values, "" where there is none; part of the store's key."""
        return ""

    def key(self) -> str:
        """`name@version-digest`: the directory of this signal in the store."""
        digest = hashlib.blake2b(f"{self.digest()}:{self.model_digest()}".encode(), digest_size=8).hexdigest()
        return f"{self.name}@{self.version}-{digest}"


@dataclass
class Selection:
    """The outcome of a selector: positions into the columns it was given, best first.

    Arrays share one length m. `gain` is the increment of the objective, or the score; `reason` is one line a row or one
    for all of them.
    """

    order: AnyArray
    gain: FloatArray
    reason: str | Sequence[str]
    nested: bool = True
    """Whether a prefix of `order` is what the method would give at the smaller budget."""
    notes: dict[str, Any] = field(default_factory=dict)
    weight: FloatArray | None = None
    """How much each row is to count where it is learned, on any scale; None: all alike."""


class Selector(Method):
    """Ranks rows over columns that were measured before: no model and no I/O in here."""

    deterministic: ClassVar[bool] = True
    """False where the result depends on the generator; comparison then draws a new selection for every seed."""
    targeted: ClassVar[bool] = False
    """Whether `rank` compares rows with the evaluation rows, which then lie in `Columns.target`."""
    orders: ClassVar[bool] = False
    """Whether it chooses nothing: it is shown the rows that are kept and no others, and they are kept in its order."""
    weighs: ClassVar[bool] = False
    """Whether the rows that it gives have a `Selection.weight`: that of the selection of `budget` rows."""

    begins: ClassVar[str] = ""
    """Of a selector that goes on from the rows of earlier rounds, which then lie in `Columns.earlier`: the name of the
    one that chooses in its place in the first round. It stands in recipes with `rounds` only."""

    @abstractmethod
    def needs(self) -> tuple[str, ...]:
        """Column names (`signal.column`) that `rank` reads."""

    def may_lack(self) -> tuple[str, ...]:
        """Columns of `needs` without a value of which a row is shown to it all the same; without another it is not
        eligible."""
        return ()

    def signal_parameters(self) -> dict[str, dict[str, Any]]:
        """Parameters that the signals of `needs` must have for this selector, by signal name."""
        return {}

    def target_parameters(self) -> dict[str, dict[str, Any]]:
        """Parameters in which the signals of evaluation rows differ from those of the pool's, by signal name."""
        return {}

    def remarks(self, columns: Columns) -> dict[str, Any]:
        """What a report should say of all rows offered, those included that could not be measured; plain values."""
        return {}

    @abstractmethod
    def rank(self, columns: Columns, budget: int, rng: np.random.Generator) -> Selection:
        """At least `budget` rows in order where so many are eligible. Ties go to the smaller row id."""


@dataclass
class Decisions:
    """What a step did to rows, one entry each: parallel lists, in the order in which rows were met."""

    ids: list[str] = field(default_factory=list)
    action: list[str] = field(default_factory=list)
    """kept, dropped, changed or added."""
    reason: list[str] = field(default_factory=list)
    other: list[str | None] = field(default_factory=list)
    """The row that this decision points at: the kept copy, the matched target row, the parent, what it became."""
    score: list[float | None] = field(default_factory=list)
    notes: dict[str, Any] = field(default_factory=dict)
    """What else the step found, for the report; JSON."""

    def add(self, id: str, action: str, reason: str, other: str | None = None, score: float | None = None) -> None:
        self.ids.append(id)
        self.action.append(action)
        self.reason.append(reason)
        self.other.append(other)
        self.score.append(score)


Texts = Callable[[Sequence[str]], list[str]]
"""Rendered texts of the given row ids, for the few rows whose signal raised a question (candidate pairs)."""


class Cleaner(Method):
    """Drops rows for a reason (copies, leaks, values out of bounds), or changes them. Sees columns, and texts by id on
    demand."""

    text: ClassVar[Literal["all", "prompt", "answer", "both"]] = "all"
    """What texts are given of a row; `both`: all of it, and the worse answer of a pair."""
    guards: ClassVar[bool] = False
    """Whether it keeps evaluation rows out of what is learned."""
    keeps_meaning: ClassVar[bool] = True
    """Whether a row that it changed is the same example, and as real as the row was."""

    @abstractmethod
    def needs(self) -> tuple[str, ...]:
        """Column names (`signal.column`) that `decide` reads."""

    def facts(self, rows: Iterator[pa.RecordBatch]) -> dict[str, AnyArray]:
        """Columns that it makes itself of whole rows, in their order, under names such as `mine.value`; they are not
        kept for other steps. Most look at no more than `needs`, and give none."""
        return {}

    def signal_parameters(self) -> dict[str, dict[str, Any]]:
        """Parameters that the signals of `needs` must have for this cleaner's own, by signal name."""
        return {}

    @abstractmethod
    def decide(self, columns: Columns, texts: Texts, target: TargetView | None) -> Decisions:
        """One decision for every row of `columns`: kept, dropped or changed."""

    def change(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        """Of a row whose decision is `changed`: the new values of its columns, of `messages`, `rejected`, `tools`,
        `label`, `media` and `cells`; what is not among them stays.

        Called for a row at a time, maybe more than once, and depends on the row alone. The step gives the row its new
        id and its lineage, enters in the decision what it became, and counts rows that become the same as one.
        """
        return {}


@dataclass(frozen=True)
class TargetView:
    """Evaluation rows as cleaners see them: `columns` holds the signals they asked for; texts parallel to the ids."""

    columns: Columns
    prompts: list[str]
    answers: list[str]
