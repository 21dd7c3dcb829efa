"""What every part of the system agrees on: cards, methods, signals, selectors, cleaners, budgets and decisions.

A method is a pydantic model in a file of its own. Its fields are its parameters; `Method.__init_subclass__` enters it in
the registry under its file-style name (`KCenter` -> `k_center`). Nothing here does work on rows.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, ClassVar, Literal

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, ValidationError

from dataflywheel.errors import FlywheelError, UsageError

__all__ = [
    "REGISTRY",
    "AnyArray",
    "Budget",
    "Card",
    "Cleaner",
    "Columns",
    "Cost",
    "Decisions",
    "FloatArray",
    "FlywheelError",
    "Method",
    "PoolStatistics",
    "Selection",
    "Selector",
    "Signal",
    "Status",
    "TargetView",
    "Texts",
    "UsageError",
    "build",
    "explain",
    "nearest",
    "snake_case",
]

FloatArray = np.ndarray[Any, np.dtype[np.floating[Any]]]
AnyArray = np.ndarray[Any, np.dtype[Any]]


class Status(IntEnum):
    """What became of one measurement; a value other than NaN or null exists only for OK and TRUNCATED."""

    OK = 0
    TRUNCATED = 1
    EMPTY = 2
    FAILED = 3
    SKIPPED = 4


class Card(BaseModel):
    """The literature entry of a method, listed by `flywheel methods` and cited in data set cards."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    authors: str
    year: int
    paper: str
    """arXiv id (`2308.12032`), DOI or URL; empty where the method has no paper."""
    category: Literal["selection", "enhancement", "synthesis", "distillation", "evolution", "signals"]
    subcategory: str
    summary: str
    needs: tuple[str, ...] = ()
    """What the user must bring: `embedder`, `model`, `target`, `endpoint`, `labels`."""
    cost: Literal["¢", "$", "$$", "$$$", "$$$$"] = "¢"
    checked: str
    """What the implementation was checked against."""


@dataclass(frozen=True)
class Cost:
    """An estimate or a bill. Tokens are tokens read by a model; passes are forward (or backward) passes over one row."""

    seconds: float = 0.0
    forward: int = 0
    backward: int = 0
    tokens: int = 0
    calls: int = 0
    usd: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(*(getattr(self, f) + getattr(other, f) for f in self.__dataclass_fields__))

    def as_dict(self) -> dict[str, float]:
        return {f: getattr(self, f) for f in self.__dataclass_fields__}


@dataclass(frozen=True)
class PoolStatistics:
    """What the planner knows of a pool before any step runs: counts over all rows."""

    rows: int
    chars: int
    tokens: int
    """An estimate: characters divided by 4 for text without whitespace tokens measured."""


REGISTRY: dict[str, type[Method]] = {}


def snake_case(name: str) -> str:
    """`KCenter` -> `k_center`, `IFD` -> `ifd`.

    >>> snake_case("FacilityLocation"), snake_case("KCenter"), snake_case("IFD")
    ('facility_location', 'k_center', 'ifd')
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


class Method(BaseModel):
    """One published technique. Subclasses with a `card` are entered in the registry."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    card: ClassVar[Card]
    name: ClassVar[str] = ""
    version: ClassVar[int] = 1

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if "card" not in cls.__dict__:
            return
        cls.name = cls.__dict__.get("name") or snake_case(cls.__name__)
        other = REGISTRY.get(cls.name)
        if other is not None and (other.__module__, other.__qualname__) != (cls.__module__, cls.__qualname__):
            raise TypeError(f"two methods are named {cls.name!r}: {other.__module__} and {cls.__module__}")
        REGISTRY[cls.name] = cls

    def digest(self) -> str:
        """16 hex digits over name, version and parameters: equal digest, equal result on equal input."""
        text = f"{self.name}@{self.version}:{self.model_dump_json()}"
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

    def estimate(self, pool: PoolStatistics) -> Cost:
        """What one application to the pool costs; methods without a model are free at this grain."""
        return Cost()


def build(method: type[Method], parameters: Mapping[str, Any]) -> Method:
    """Instantiate a method, naming the nearest right parameter when one is unknown.

    Raises:
        UsageError: unknown or ill-typed parameter.
    """
    try:
        return method(**parameters)
    except ValidationError as error:
        raise UsageError(explain(error, method.name, list(method.model_fields))) from None


def explain(error: ValidationError, where: str, names: Sequence[str]) -> str:
    """One line a problem: the field, what is wrong with it, and the nearest right name for an unknown one."""
    lines = []
    for problem in error.errors():
        path = ".".join(str(p) for p in problem["loc"])
        if problem["type"] == "extra_forbidden":
            lines.append(f"{where}: unknown parameter {path!r}{nearest(str(problem['loc'][-1]), names)}")
        else:
            lines.append(f"{where}: {path or 'value'}: {problem['msg']} (got {problem['input']!r})")
    return "\n".join(lines)


def nearest(name: str, names: Sequence[str]) -> str:
    """`; did you mean 'x'?` or the list of what there is."""
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; there is: {', '.join(sorted(names))}" if names else "; it takes none"


class Signal(Method):
    """A fact about a row, measured once and kept in the store.

    `columns` maps each value column to its Arrow type; an embedding is `pa.list_(pa.float32(), d)` or a plain list.
    """

    columns: ClassVar[dict[str, pa.DataType]]
    reads: ClassVar[tuple[str, ...]] = ("messages",)
    """Columns of the row schema that `measure` looks at, besides `id`."""
    batch_size: ClassVar[int] = 2048
    uses_model: ClassVar[bool] = False

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
class Columns:
    """Signals of n rows, side by side: what selectors and filters see.

    `values["likelihood.loss_answer"]` has shape (n,), an embedding (n, d). `values["likelihood.status"]` holds `Status`.
    Row facts are there too: `row.source` (str), `row.tags` (list), `row.copies` (int).
    """

    ids: AnyArray
    values: dict[str, AnyArray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, name: str) -> AnyArray:
        if name not in self.values:
            raise UsageError(f"no column {name!r}{nearest(name, list(self.values))}")
        return self.values[name]

    def ok(self, *names: str) -> AnyArray:
        """Boolean mask (n,) of rows whose columns all hold a finite value."""
        mask = np.ones(len(self), dtype=bool)
        for name in names:
            status = self.values.get(name.split(".")[0] + ".status")
            if status is not None:
                mask &= np.asarray(status) <= Status.TRUNCATED
            value = self[name]
            if value.dtype.kind == "f":
                mask &= np.isfinite(value) if value.ndim == 1 else np.isfinite(value).all(axis=1)
        return mask

    def take(self, index: AnyArray) -> Columns:
        return Columns(self.ids[index], {k: v[index] for k, v in self.values.items()})


@dataclass(frozen=True)
class Budget:
    """How much may be kept: exactly one of rows, percent of the rows offered, or tokens of the answer and prompt."""

    amount: float
    unit: Literal["rows", "percent", "tokens"]

    @classmethod
    def parse(cls, text: str | int | float) -> Budget:
        """`1000`, `"10%"` or `"50000 tokens"`.

        >>> Budget.parse("5%"), Budget.parse(300).unit
        (Budget(amount=5.0, unit='percent'), 'rows')
        """
        match = re.fullmatch(r"\s*([0-9][0-9_,]*(?:\.[0-9]+)?)\s*(%|rows?|tokens?|percent)?\s*", str(text))
        if not match:
            raise UsageError(f"budget {text!r} is not understood; write 1000, '10%' or '50000 tokens'")
        amount = float(match[1].replace(",", "").replace("_", ""))
        units: dict[str, Literal["rows", "percent", "tokens"]] = {"%": "percent", "p": "percent", "t": "tokens"}
        unit = units.get((match[2] or "rows")[0], "rows")
        if amount <= 0 or (unit == "percent" and amount > 100) or (unit == "rows" and amount != int(amount)):
            raise UsageError(f"budget {text!r} must be positive, whole for rows, and at most 100 for percent")
        return cls(amount, unit)

    def __str__(self) -> str:
        return f"{self.amount:g}%" if self.unit == "percent" else f"{self.amount:g} {self.unit}"

    def rows(self, available: int) -> int:
        """Rows to ask a selector for; all of them for a token budget, which is filled from the ranking afterwards."""
        if self.unit == "tokens":
            return available
        wanted = int(self.amount) if self.unit == "rows" else int(self.amount * available / 100 + 0.5)
        return min(wanted, available)


@dataclass
class Selection:
    """The outcome of a selector: positions into the columns it was given, best first.

    Arrays share one length m. `gain` is the method's own objective increment or score; `reason` is one line a row or one for all.
    """

    order: AnyArray
    gain: FloatArray
    reason: str | Sequence[str]
    weight: FloatArray | None = None
    nested: bool = True
    """Whether a prefix of `order` is what the method would give at the smaller budget."""
    notes: dict[str, Any] = field(default_factory=dict)


class Selector(Method):
    """Ranks rows over columns that were measured before: no model and no I/O in here."""

    deterministic: ClassVar[bool] = True
    """False where the result depends on the generator; comparison then draws a new selection for every seed."""

    @abstractmethod
    def needs(self) -> tuple[str, ...]:
        """Column names (`signal.column`) that `rank` reads."""

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
    """The row that this decision points at: the kept copy, the matched target row, the parent."""
    score: list[float | None] = field(default_factory=list)

    def add(self, id: str, action: str, reason: str, other: str | None = None, score: float | None = None) -> None:
        self.ids.append(id)
        self.action.append(action)
        self.reason.append(reason)
        self.other.append(other)
        self.score.append(score)


Texts = Callable[[Sequence[str]], list[str]]
"""Rendered texts of the given row ids, for the few rows whose signal raised a question (candidate pairs)."""


class Cleaner(Method):
    """Drops rows for a reason: copies, leaks, values out of bounds. Sees columns, and texts by id on demand."""

    text: ClassVar[Literal["all", "prompt", "answer"]] = "all"

    @abstractmethod
    def needs(self) -> tuple[str, ...]:
        """Column names (`signal.column`) that `decide` reads."""

    @abstractmethod
    def decide(self, columns: Columns, texts: Texts, target: TargetView | None) -> Decisions:
        """One decision for every row of `columns`."""


@dataclass(frozen=True)
class TargetView:
    """Evaluation rows as cleaners see them: `columns` holds the signals they asked for; texts parallel to the ids."""

    columns: Columns
    prompts: list[str]
    answers: list[str]
