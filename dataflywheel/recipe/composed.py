"""Procedures in a recipe, written out as the steps that they stand for, before anything else sees the recipe."""

from __future__ import annotations

import json
import re
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any, Self

import orjson
from pydantic import BaseModel, BeforeValidator, Field, PrivateAttr, model_validator

from dataflywheel import catalog
from dataflywheel.contracts import STEPS, Around, Composite, FlywheelError, UsageError
from dataflywheel.plugins.blame import blamed
from dataflywheel.recipe.asked_signals import in_one_form
from dataflywheel.recipe.environment import is_key, leaves

Entry = dict[str, dict[str, Any]]
"""A step as recipes have it: one name with its parameters."""
Signals = dict[str, dict[str, Any]]
MOST = 100
"""Steps that one procedure may stand for, those of procedures within it counted."""


class AtStepError(ValueError):
    """What is wrong with a step, and where it stands in the recipe."""

    def __init__(self, at: int, message: str) -> None:
        super().__init__(message)
        self.place = ("steps", at)


@dataclass(frozen=True)
class Part:
    """A step that a procedure gave."""

    entry: Entry
    names: tuple[str, ...] = ()
    """The procedures that it comes from, outermost first; none where the user wrote it."""
    at: int = 0
    """The place, from 0, of what the user wrote."""


@dataclass(frozen=True)
class WrittenOut:
    """A recipe's steps and signals once its procedures are written out, and what was written."""

    parts: Sequence[Part]
    signals: Signals
    before: Sequence[Entry]
    signals_before: Signals
    where: list[str] = field(default_factory=list, compare=False)
    """File and line of each step that was written, where they are known."""

    def names(self, index: int) -> tuple[str, ...]:
        """The procedures that the step of that place, from 1, comes from, outermost first."""
        return self.parts[index - 1].names if 0 < index <= len(self.parts) else ()

    def told(self, message: str) -> str:
        """What to say below an error that names steps of a procedure: its parameters, where it stands, and what it
        stands for; "" where it names none."""
        lines = []
        for at, entry in enumerate(self.before):
            steps = [(n, next(iter(p.entry))) for n, p in enumerate(self.parts, 1) if p.at == at and p.names]
            if not any(re.search(rf"(?<![A-Za-z_]){re.escape(step)}(?![A-Za-z_])", message) for _, step in steps):
                continue
            ((name, given),) = entry.items()
            places = [*self.where[at : at + 1], *filter(None, [catalog.get(name).origin])]
            standing = f" ({', '.join(places)})" if places else ""
            stands = ", ".join(f"{index:02d}-{step}" for index, step in steps)
            lines.append(f"{name}: {json.dumps(_open(given), ensure_ascii=False)}{standing} stands for {stands}")
        return "\n".join(lines)


def written_out(steps: Sequence[Entry], signals: Signals, around: Around) -> WrittenOut:
    """The steps of a recipe with those that its procedures stand for in their place.

    Raises:
        AtStepError: a procedure with wrong parameters, in a place that it does not fit, or that gives no steps.
    """
    known, parts, merged = _procedures(steps), [], dict(signals)
    for at, entry in enumerate(steps):
        (name,) = entry
        if name not in known:
            parts.append(Part(entry, at=at))
            continue
        try:
            made = list(_of(entry, around, known, (), merged))
        except FlywheelError as error:
            raise AtStepError(at, f"step {at + 1}, {error}") from None
        parts += [Part(one.entry, one.names, at) for one in made]
    return WrittenOut(parts, merged, steps, signals)


def _procedures(steps: Sequence[Entry]) -> set[str]:
    """Names of all procedures; they are looked for where a step is of no kind of its own."""
    return set() if all(name in STEPS for entry in steps for name in entry) else set(catalog.names(Composite))


def _of(entry: Entry, around: Around, known: set[str], within: tuple[str, ...], merged: Signals) -> Iterator[Part]:
    """The steps of one procedure, those of procedures within it written out as well."""
    (name,) = entry
    if name in within:
        raise UsageError(f"{' > '.join([*within, name])}: a procedure that stands for itself has no end")
    for place, _ in filter(lambda leaf: is_key(leaf[0]), leaves(entry)):
        raise UsageError(
            f"{'.'.join(map(str, place[:-1]))}: a key is kept secret under `models.teacher` only; move it there"
        )
    made = catalog.made(entry, Composite)
    with blamed(name):
        entries, signals = made.steps(around), made.signals(around)
        again = made.steps(around)
    _merge(merged, _plain(signals, name, "signals"), name)
    if not isinstance(entries, list | tuple):
        raise UsageError(f"{name}: its steps are no list; give one, such as `[{{'select': {{'by': 'ifd'}}}}]`")
    if _plain(entries, name, "steps") != _plain(again, name, "steps"):
        raise UsageError(
            f"{name}: asked twice, it gives other steps, so that a plan says nothing of the run; draw no random "
            "numbers, and take what may differ as a parameter"
        )
    found = 0
    for one in single_keys(_plain(entries, name, "steps"), name):
        inner = (*within, name)
        nested = next(iter(one)) in known
        for part in _of(one, around, known, inner, merged) if nested else [Part(one, inner)]:
            found += 1
            if found > MOST:
                raise UsageError(f"{name}: gives more than {MOST} steps, which no procedure needs")
            yield part
    if not found:
        raise UsageError(f"{name}: gives no steps; a procedure stands for one step at least")


def _open(given: Any) -> Any:
    """Parameters as they may be shown: without keys of models."""
    if isinstance(given, dict):
        return {name: "***" if is_key((name,)) else _open(value) for name, value in given.items()}
    return [_open(value) for value in given] if isinstance(given, list) else given


def _plain(value: Any, name: str, what: str) -> Any:
    """The values as a file would give them, so that a procedure's steps are those that a user writes."""
    try:
        return orjson.loads(orjson.dumps(value))
    except TypeError as error:
        raise UsageError(
            f"{name}: its {what} are no plain values ({error}); give texts, numbers, lists and dicts with texts as keys"
        ) from None


def _merge(merged: Signals, found: Any, name: str) -> None:
    """Add a procedure's signals to the recipe's."""
    if found and not isinstance(found, dict):
        raise UsageError(f"{name}: its signals are no names with signals; give them as `{{'mine': {{'text': {{}}}}}}`")
    try:
        signals = in_one_form(found) if found else {}
    except ValueError as error:
        raise UsageError(f"{name}: its signals: {error}") from None
    for signal, entry in signals.items():
        if merged.setdefault(signal, entry) != entry:
            raise UsageError(
                f"{name}: `signals` has {signal!r} otherwise: {merged[signal]} there, {entry} here; call yours by "
                "another name, or have the procedure once"
            )


def single_keys(steps: Sequence[Any], what: str = "") -> list[Entry]:
    """Steps in one form: `evaluate` and `{evaluate: null}` as `{evaluate: {}}`.

    Raises:
        UsageError: one is not one name with its parameters; `what` is who gave it.
    """
    found = [{step: {}} if isinstance(step, str) else step for step in steps]
    for number, step in enumerate(found, 1):
        if not isinstance(step, dict) or len(step) != 1:
            who = f"{what}: " if what else ""
            raise UsageError(
                f"{who}step {number}: expected one name with its parameters, such as `select: {{by: ifd}}`"
            )
    return [{name: given or {} for name, given in step.items()} for step in found]


@contextmanager
def told_of(composed: WrittenOut) -> Iterator[None]:
    """Errors that speak of a procedure's steps say below which procedure it is, with its parameters, and where it
    stands."""
    try:
        yield
    except FlywheelError as error:
        told = composed.told(str(error))
        if not told or told in str(error):
            raise
        raise type(error)(f"{error}\n{told}") from error


def _steps(value: Any) -> list[Entry]:
    """Raises ValueError: they are no list, or one of them is not one name with its parameters."""
    if not isinstance(value, list):
        raise ValueError("expected a list of steps, such as `- deduplicate: {near: 0.8}`")
    try:
        return single_keys(value)
    except UsageError as error:
        raise ValueError(str(error)) from None


Steps = Annotated[list[Entry], BeforeValidator(_steps), Field(min_length=1)]
"""The steps of a recipe in one form."""


class HasProcedures(BaseModel):
    """A recipe whose steps may be procedures: what reads it sees the steps that they stand for, and no procedure."""

    _composed: WrittenOut = PrivateAttr()

    @abstractmethod
    def around(self) -> Around:
        """What its procedures are told of it."""

    @model_validator(mode="after")
    def _written_out(self) -> Self:
        held = self.__dict__
        self._composed = written_out(held["steps"], held["signals"], self.around())
        # a recipe is frozen for all others
        held.update(steps=[part.entry for part in self._composed.parts], signals=self._composed.signals)
        return self

    @property
    def composed(self) -> WrittenOut:
        """How the steps came of what was written."""
        return self._composed

    def as_written(self) -> Self:
        """The recipe with its procedures as they were written."""
        found = self._composed
        return self.model_copy(update={"steps": list(found.before), "signals": found.signals_before})
