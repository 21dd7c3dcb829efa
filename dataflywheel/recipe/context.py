"""What every step of one execution shares: the recipe, where things lie, and how signals get their models."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from dataflywheel import catalog
from dataflywheel.contracts import Columns, Method, Signal, UsageError, build
from dataflywheel.contracts.method import M
from dataflywheel.models.files import folder_digest
from dataflywheel.models.spec import ModelSpec
from dataflywheel.proposing.kinds import Gate, Proposer
from dataflywheel.recipe.asked_signals import Asked, Parameters, asked_signal, called
from dataflywheel.recipe.asking import check_within, judge, submit_batches, teacher, writes_itself
from dataflywheel.recipe.helpers import Helper, remember
from dataflywheel.recipe.needs import asks, model_kind, signals_of
from dataflywheel.recipe.progress import Silent, Watcher
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.trained_helper import trained_helper
from dataflywheel.rows.parts import read_rows
from dataflywheel.selection.order import SLICE
from dataflywheel.signals.measure import Failed, measure
from dataflywheel.signals.measured_columns import columns
from dataflywheel.store.answers import AnswerStore
from dataflywheel.store.run import RunDirectory
from dataflywheel.store.signals import SignalStore

CHARS_PER_TOKEN = 4


@dataclass(frozen=True)
class Renewed:
    """Variants of evaluation rows: the method that wrote them, the step's place, and where they lie."""

    by: str
    place: str
    rows: Path


@dataclass(frozen=True)
class Context:
    """One execution of a recipe, as far as it has come; what is read or trained on the way makes another of it."""

    recipe: Recipe
    run: RunDirectory
    home: Path
    """The store, `.flywheel` beside the runs."""
    watcher: Watcher = field(default_factory=Silent)
    began: float = field(default_factory=time.monotonic)
    pool: Path | None = None
    target: Path | None = None
    guide: Path | None = None
    """The target rows that selection and feedback may look at: all of them, or the steering tier."""
    scored: Path | None = None
    """The target rows that are scored, where others of them guide."""
    target_digest: str = ""
    against: Path | None = None
    """What must not be trained on: the target, and the variants of its rows."""
    renewed: tuple[Renewed, ...] = ()
    trained: Path | None = None
    """The model that was trained last, in a wheel that of the best round so far."""
    cleaned: Callable[[Context], Path] | None = None
    """Gives the pool without rows that share text with the target, where there is one."""
    answers: AnswerStore | None = None
    """Open while the run may ask models."""
    _signals: dict[str, Signal] = field(default_factory=dict)
    _failed: Failed = field(default_factory=dict)
    _clean: dict[str, Path] = field(default_factory=dict)
    _trained: dict[ModelSpec, ModelSpec] = field(default_factory=dict)

    @property
    def signal_store(self) -> SignalStore:
        return SignalStore(self.home / "signals")

    @property
    def scope(self) -> str:
        """What this run's spending is entered under."""
        return str(self.run.ledger.path.parent)

    def out_of_time(self) -> bool:
        """Whether the recipe's hours are used up, what earlier attempts at this run spent included."""
        hours = self.recipe.budget.hours
        return hours is not None and self.run.ledger.earlier.seconds + time.monotonic() - self.began > hours * 3600

    def asked(self, name: str, wanted: Parameters | None = None) -> Asked:
        """What the recipe says of the signal of that name, over which the parameters `wanted` by a step go."""
        return asked_signal(self.recipe.signals, name, wanted)

    def signal(self, name: str, wanted: Parameters | None = None) -> Signal:
        """The signal of that name with the recipe's models and parameters, over which those `wanted` by a step go.

        A built-in scorer is trained on first use.

        Raises:
            UsageError: unknown signal or parameter.
        """
        asked = self.asked(name, wanted)
        if not issubclass(asked.kind, Signal):
            raise UsageError(f"{name!r} is not a signal but a {asked.kind.card.category} method")
        known = asked.same + (f":{self.trained}" if asked.follows else "")  # of another round, another signal
        if known not in self._signals:
            with called(self.recipe.signals, name):
                built = build(asked.kind, self._with_its_model(asked))
                assert isinstance(built, Signal)
                self._signals[known] = built.prepared(self._pool_rows, self.home / "models")
        return self._signals[known]

    def _with_its_model(self, asked: Asked) -> dict[str, Any]:
        """A signal's parameters with the recipe's model that it leans on."""
        given, needed = dict(asked.given), model_kind(asked.kind)
        if needed == "embedder":
            given.setdefault("embedder", self.recipe.models.embedder)
        elif needed == "teacher":
            given["model"] = self.usable(teacher(self.recipe, asked.kind, given), "teacher")
        elif needed == "model" and "model" not in given:
            own = getattr(asked.kind, "own_model", None)
            given["model"] = self._own(self.recipe.models.student, asked.kind) if own else self._measuring(asked)
        return given

    def _measuring(self, asked: Asked) -> ModelSpec:
        """The model that was trained last, for a signal that follows it and where there is one; else the scorer."""
        if asked.trained and self.trained is not None:
            return self.recipe.models.student.of(self.trained)
        return self.scorer()

    def followed(self, names: Iterable[str], wanted: Parameters | None = None) -> list[str]:
        """What the columns that follow the model in training depend on: its digest, where any of them does (`of:
        trained`), "" where nothing is trained yet."""
        if not any(self.asked(name, wanted).trained for name in signals_of(names)):
            return []
        return [folder_digest(self.trained) if self.trained is not None else ""]

    def before_training(self) -> Context:
        """The same execution where nothing is trained yet."""
        return replace(self, trained=None)

    def proposer(self, name: str, parameters: Mapping[str, Any]) -> Proposer:
        """The method that writes, with the recipe's models where it needs one.

        Raises:
            UsageError: unknown method or parameter.
        """
        return self.made(catalog.get(name, Proposer), parameters)

    def gate(self, name: str, parameters: Mapping[str, Any]) -> Gate:
        """The method that judges what was written; its models and errors are as those of `proposer`."""
        return self.made(catalog.get(name, Gate), parameters)

    def made(self, kind: type[M], parameters: Mapping[str, Any]) -> M:
        """A method with the recipe's models where it needs one."""
        given = dict(parameters)
        if "embedder" in kind.model_fields:
            given.setdefault("embedder", self.recipe.models.embedder)
        for place, which in getattr(kind, "own_models", {}).items():
            given[place] = given.get(place) or self._student(self.recipe.models.student, which)
        if asks(kind):
            spec = teacher(self.recipe, kind, given)
            itself = writes_itself(self.recipe, kind, given)
            given["model"] = self._own(spec, kind) if itself else self.usable(spec, "teacher")
            judging = judge(self.recipe, kind, parameters)
            given |= {"judge": self.usable(judging, "judge")} if judging else {}
        elif "model" in kind.model_fields and "model" not in given:
            given["model"] = self.scorer()
        return build(kind, given)

    def _own(self, spec: ModelSpec, kind: type[Method]) -> ModelSpec:
        """The student as a method wants it."""
        return self._student(spec, getattr(kind, "own_model", None))

    def _student(self, spec: ModelSpec, which: Literal["trained", "base"] | None) -> ModelSpec:
        """The student as it was trained last, where it was, or as training begins."""
        if which == "trained" and self.trained is not None:
            return spec.of(self.trained)
        return self.usable(spec, "first writer")

    def scorer(self) -> ModelSpec:
        """The model that measures likelihoods, as a folder."""
        return self.usable(self.recipe.models.scorer or self.recipe.models.student, "scorer")

    def usable(self, spec: ModelSpec, role: str) -> ModelSpec:
        """The model as a folder or endpoint: a built-in one is trained on the pool's text, once."""
        if spec.builtin is None or spec in self._trained:
            return self._trained.get(spec, spec)
        if self.pool is None:
            raise UsageError(f"a built-in {role} is trained on the pool, and there is no pool yet")
        helper, clean = Helper(spec, role), self.cleaned is not None
        given = self.pool_texts(), self.recipe.seed, self.home, self.run, self.watcher, clean
        folder = trained_helper(helper, *given)
        remember(self.recipe, helper.told, self.home, folder)
        self._trained[spec] = ModelSpec(hf=str(folder))
        return self._trained[spec]

    def pool_texts(self) -> list[Any]:
        """Messages of the pool's rows, for what is trained on the pool itself."""
        rows: list[Any] = self._pool_rows()["messages"].to_pylist()
        return rows

    def clean_pool(self) -> Path:
        """The pool without rows that share text with the target: what helpers may learn from."""
        assert self.pool is not None
        if self.cleaned is None:
            return self.pool
        if self.target_digest not in self._clean:
            self._clean[self.target_digest] = self.cleaned(self)
        return self._clean[self.target_digest]

    def _pool_rows(self) -> pa.Table:
        return read_rows(self.clean_pool(), ["id", "messages", "tools", "media", "label"])

    def measured(self, rows: Path, names: Iterable[str], step: str, wanted: Parameters | None = None) -> Columns:
        """Columns of a directory of rows, measuring what the store lacks.

        Raises:
            OverBudgetError: a cap left rows unmeasured.
            DeferredError: a batch is to answer for rows first.
        """
        names = [name for name in names if name != SLICE]
        signals = {name: self.signal(name, wanted) for name in signals_of(names)}
        store, told = self.signal_store, partial(self.watcher.advanced, step)
        for name, signal in signals.items():
            with called(self.recipe.signals, name):
                measure(rows, [signal], store, self.recipe.engine, told, self._failed)
        submit_batches()
        for signal in signals.values():
            if signal.asks:
                check_within(store, signal, read_rows(rows, ["id"])["id"].combine_chunks())
        return columns(rows, names, signals, store)

    def measuring_seconds(self, names: Iterable[str], ids: pa.Array, wanted: Parameters | None = None) -> float:
        """What measuring these columns of these rows cost, whenever it happened."""
        return sum(self.signal_store.seconds(self.signal(name, wanted).key(), ids) for name in signals_of(names))
