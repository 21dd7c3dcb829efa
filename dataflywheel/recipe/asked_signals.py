"""Signals as a recipe asks for them: by their own names or under names of its own, and of which model."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from dataflywheel import catalog
from dataflywheel.contracts import FlywheelError, Method, Signal, UsageError, build, nearest
from dataflywheel.models.spec import ModelSpec
from dataflywheel.recipe.needs import model_kind

Signals = Mapping[str, Mapping[str, Any]]
"""What a recipe says under `signals`, as `in_one_form` leaves it."""
Parameters = Mapping[str, Mapping[str, Any]]
"""Parameters by signal name."""

OF, TRAINED = "of", "trained"
RESERVED = ("row", "select")
"""Columns under these names are no signal's."""


@dataclass(frozen=True)
class Asked:
    """One signal of a recipe."""

    kind: type[Method]
    given: Mapping[str, Any]
    """Its parameters, where the defaults do not fit."""
    trained: bool = False
    """Whether the model that was trained last measures it (`of: trained`)."""

    @property
    def follows(self) -> bool:
        """Whether it changes from round to round, with the model in training."""
        return self.trained or getattr(self.kind, "own_model", None) == TRAINED

    @property
    def same(self) -> str:
        """Equal for what is measured once, under whatever names."""
        return f"{self.kind.name}:{json.dumps(dict(self.given), sort_keys=True, default=str)}:{self.trained}"


def asked_signal(signals: Signals, name: str, wanted: Parameters | None = None) -> Asked:
    """The signal of that name, its own or the recipe's, with the recipe's parameters; those `wanted` by a step go over
    these.

    >>> asked = asked_signal({"prompts": {"embedding": {"part": "prompt"}}}, "prompts")
    >>> asked.kind.name, asked.given, asked.follows
    ('embedding', {'part': 'prompt'}, False)

    Raises:
        UsageError: there is no such signal.
    """
    signal, entry = name, signals.get(name, {})
    own = own_names(signals)
    if name in own:
        signal, entry = own[name], signals[name][own[name]]
    elif own and name not in catalog.names():
        raise UsageError(f"there is no signal {name!r}{nearest(name, [*own, *catalog.names(Signal)])}")
    given = {**entry, **(wanted or {}).get(name, {})}
    return Asked(catalog.get(signal), given, given.pop(OF, None) == TRAINED)


def own_names(signals: Signals) -> dict[str, str]:
    """The names that are a recipe's own, and the signal that each stands for."""
    if not signals:
        return {}
    known = catalog.names(Signal)
    return {name: next(iter(entry)) for name, entry in signals.items() if name not in known}


@contextmanager
def called(signals: Signals, name: str) -> Iterator[None]:
    """Within, errors begin with the name that the recipe has for the signal, where that is one of its own: a recipe may
    have several of a kind."""
    try:
        yield
    except FlywheelError as error:
        if name not in own_names(signals) or str(error).startswith(f"signals.{name}: "):
            raise
        raise type(error)("\n".join(f"signals.{name}: {line}" for line in str(error).splitlines())) from error


class UnsoundError(ValueError):
    """Entries under `signals` that mean nothing, each with what is wrong with it."""

    def __init__(self, bad: Mapping[str, str]) -> None:
        super().__init__("; ".join(bad.values()))
        self.bad = bad


def in_one_form(value: Any) -> Any:
    """What a recipe says under `signals`: parameters by signal, `of` among them; under a name of its own the signal
    with its parameters. What is no mapping is left to type checks.

    >>> in_one_form({"likelihood": None, "prompts": "embedding"})
    {'likelihood': {}, 'prompts': {'embedding': {}}}
    >>> in_one_form({"lately": {"likelihood": {}, "of": "trained"}})
    {'lately': {'likelihood': {'of': 'trained'}}}

    Raises:
        UnsoundError: a name that no column can have, no signal or several under it, or a model that is not known.
    """
    if not isinstance(value, dict):
        return value
    known, found, bad = catalog.names(Signal), dict[str, Any](), dict[str, str]()
    for name, entry in value.items():
        try:
            found[str(name)] = _checked(str(name), entry, known)
        except ValueError as error:
            bad[str(name)] = str(error)
    if bad:
        raise UnsoundError(bad)
    return found


def _checked(name: str, entry: Any, known: list[str]) -> Any:
    found = _entry(name, entry, known)
    if isinstance(found, dict):
        kind, given = (name, found) if name in known else next(iter(found.items()))
        _check_of(name, catalog.get(kind), given)
    return found


def _entry(name: str, entry: Any, known: list[str]) -> Any:
    if name in known:
        return {} if entry is None else entry
    if name in RESERVED or name in catalog.names() or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", name):
        raise ValueError(_no_name(name, entry, known))
    entry = {entry: {}} if isinstance(entry, str) else entry
    if not isinstance(entry, dict):
        raise ValueError(_what_stands_there(name, known))
    inner = dict(entry)
    of = {OF: inner.pop(OF)} if OF in inner else {}
    if len(inner) != 1 or next(iter(inner)) not in known:
        raise ValueError(_what_stands_there(name, known, next(iter(inner), "") if len(inner) == 1 else ""))
    ((signal, given),) = inner.items()
    if given is not None and not isinstance(given, dict):
        raise ValueError(f"{name}: {signal} takes parameters, such as `{{{signal}: {{}}}}`, not {given!r}")
    return {signal: {**(given or {}), **of}}


def _no_name(name: str, entry: Any, known: list[str]) -> str:
    meant = entry in known if isinstance(entry, str) else isinstance(entry, dict) and any(key in known for key in entry)
    if name in catalog.names() and not meant:
        card = catalog.get(name).card
        return f"{name!r} is no signal but of {card.category}, {card.subcategory}; `flywheel methods` lists the signals"
    taken = name in RESERVED or name in catalog.names()
    why = "is taken" if taken else "is no name of a column: letters, digits, _ and - after a letter"
    return f"{name!r} {why}; give the signal another name"


def _what_stands_there(name: str, known: list[str], inner: str = "") -> str:
    """What is wrong with an entry whose name is no signal's: a signal misspelt, here or within, or none at all."""
    within = f"there is no signal {inner!r}{nearest(inner, known)}"
    if inner and "did you mean" in within and "did you mean" not in nearest(name, known):
        return within
    form = f"a name of your own stands for one signal with its parameters: `{name}: {{embedding: {{part: prompt}}}}`"
    return f"there is no signal {name!r}{nearest(name, known)}; {form}" + (f"; and {within}" if inner else "")


def _check_of(name: str, kind: type[Method], given: Mapping[str, Any]) -> None:
    if OF not in given:
        return
    if given[OF] != TRAINED:
        raise ValueError(f"{name}: `of: trained` means the model that was trained last, and {given[OF]!r} is not known")
    if model_kind(kind) != "model":
        able = [n for n in catalog.names(Signal) if model_kind(catalog.get(n)) == "model"]
        raise ValueError(
            f"{name}: `of: trained` is for {', '.join(able)}; the model in training does not measure {kind.name}"
        )
    if "model" in given:
        raise ValueError(f"{name}: `of: trained` and `model` name two models; leave one of them out")


def check_parameters(signals: Signals) -> None:
    """Raises UsageError: a parameter that a signal does not take, or not so; nothing was measured yet."""
    for name in signals:
        with called(signals, name):
            _check_one(asked_signal(signals, name))


def _check_one(asked: Asked) -> None:
    model = {"model": ModelSpec(builtin="tiny")} if "model" in asked.kind.model_fields else {}
    build(asked.kind, {**model, **asked.given})
