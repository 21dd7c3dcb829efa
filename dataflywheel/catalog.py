"""The literature: every method that can be run, found by name, category, needs or cost."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import pkgutil
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, overload

from dataflywheel.contracts import (
    PYTHON,
    REGISTRY,
    STEPS,
    Card,
    Cleaner,
    Composite,
    Method,
    UsageError,
    build,
    method_spec,
    nearest,
)
from dataflywheel.contracts.method import M
from dataflywheel.plugins.loading import Plugin, load_file
from dataflywheel.plugins.packages import found, load_packages

ROOMS = ("signals", "proposing", "selection", "enhancement", "synthesis", "distillation", "evolution")
KINDS = (
    *("Signal", "Selector", "Cleaner", "Proposer", "Gate", "Judge", "Metric"),
    *("Reward", "Trainer", "Objective", "Sampler", "Policy", "Composite"),
)
COSTS = ("¢", "$", "$$", "$$$", "$$$$")


@functools.cache
def load(room: str) -> None:
    """Import every module of a room, which enters its methods in the registry; a room that does not exist is empty.

    Modules named `*_kernels` hold compiled loops and no method; they are left for the methods that use them.
    """
    if importlib.util.find_spec(f"dataflywheel.{room}") is None:
        return
    package = importlib.import_module(f"dataflywheel.{room}")
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not module.name.endswith("_kernels"):
            importlib.import_module(module.name)


def plugged() -> tuple[Plugin, ...]:
    """What installed packages bring, once all that is shipped is known: a name of ours is never taken from us."""
    if not (load_packages.cache_info().currsize or found()):
        return ()
    load_all()
    return load_packages()


def plugin(path: str | Path) -> list[str]:
    """Make the methods of a Python file known by their names, in this process and in those that it starts; gives the
    names. Loading a file runs it. One that has changed since is loaded again.

    Raises:
        UsageError: no such file, an error in it, nothing defined in it, or a name that is taken; says where and why.
    """
    load_all()
    plugged()
    return list(load_file(path).names)


def load_all() -> None:
    """Make known all methods and kinds of steps that are shipped."""
    for room in ROOMS:
        load(room)
    importlib.import_module("dataflywheel.recipe.steps.build")  # kinds of steps enter themselves as methods do


def names(kind: type[Method] = Method, rooms: Sequence[str] = ROOMS) -> list[str]:
    """Names of all methods of a kind (`Selector`, `Signal`, `Cleaner`) in the given rooms, sorted; those of plugins are
    in every room."""
    for room in rooms:
        load(room)
    plugged()
    return sorted(
        name for name, m in REGISTRY.items() if issubclass(m, kind) and (m.card.category in rooms or m.origin)
    )


@overload
def get(name: str) -> type[Method]: ...
@overload
def get(name: str, kind: type[M], rooms: Sequence[str] = ROOMS) -> type[M]: ...
def get(name: str, kind: type[Method] = Method, rooms: Sequence[str] = ROOMS) -> type[Method]:
    """The method of that name; `python` is the one of its kind that stands for a function of the user's.

    Raises:
        UsageError: there is none of that kind; the message gives the nearest right name, and what plugins are broken.
    """
    known = names(kind, rooms)
    if name == PYTHON and name not in known:
        name = next((one for one in known if REGISTRY[one].of_function), name)
    if name not in known and issubclass(REGISTRY.get(name, Method), Composite):
        raise UsageError(f"{name} is a procedure, which stands among the steps by its own name: `- {name}: {{...}}`")
    if name not in known:
        what = "method" if kind is Method else kind.__name__.lower()
        raise UsageError(f"{_other(name, what)}{nearest(name, known)}{broken_plugins()}")
    return REGISTRY[name]


def _other(name: str, what: str) -> str:
    """What to say of a name that is no method of the kind that is wanted."""
    load_all()
    found = REGISTRY.get(name)
    if found is None or what == "method":
        return f"there is no {what} {name!r}"
    own = [one.__name__.lower() for one in found.__mro__ if Method in one.__bases__ and one.__name__ in KINDS]
    alone = f", a step of its own in a recipe (`- {name}: {{...}}`)" if issubclass(found, Cleaner) else ""
    return f"{name} is {f'a {own[0]}' if own else 'another kind'}{alone}, and not a {what}"


def made(
    by: Mapping[str, Mapping[str, Any]], kind: type[M], usual: Mapping[str, Any] = {}, rooms: Sequence[str] = ROOMS
) -> M:
    """The method of that kind which `{name: parameters}` names; `usual` parameters are its own where it names none.

    Raises:
        UsageError: there is none, or a parameter does not fit.
    """
    name, given = method_spec(by)
    return build(get(name, kind, rooms), {**usual, **given})


def known(name: str) -> type[Method] | None:
    """The method of that name as far as modules are loaded, those of installed packages among them."""
    found = REGISTRY.get(name)
    if found is None:
        plugged()
        found = REGISTRY.get(name)
    return found


def broken_plugins() -> str:
    """What to say besides where a name is not known: it may stand in a package that cannot be loaded."""
    return "".join(f"\n{one.place} is installed and broken: {one.broken}" for one in plugged() if one.broken)


def methods(category: str | None = None, needs: str | None = None, cost: str | None = None) -> list[dict[str, Any]]:
    """Cards of the methods as plain values with their `name`, sorted by category, subcategory and name.

    Args:
        category: a category or subcategory, such as `selection` or `static`.
        needs: what the user must bring, such as `embedder`; `nothing` for methods that need nothing.
        cost: the highest cost class wanted, from `¢` to `$$$$`.

    Raises:
        UsageError: a filter that no method could match.
    """
    cards = [(name, card_of(name)) for name in [*names(), *_steps_with_cards()]]
    categories = {word for _, card in cards for word in (card.category, card.subcategory)}
    _check("category", category, categories)
    _check("needs", needs, {"nothing", *(need for _, card in cards for need in card.needs)})
    _check("cost", cost, set(COSTS))
    wanted = [
        (name, card)
        for name, card in cards
        if (category is None or category in (card.category, card.subcategory))
        and (needs is None or needs in (card.needs or ("nothing",)))
        and (cost is None or COSTS.index(card.cost) <= COSTS.index(cost))
    ]
    wanted.sort(key=lambda entry: (ROOMS.index(entry[1].category), entry[1].subcategory, entry[0]))
    return [{"name": name, **card.model_dump(mode="json"), **_from(name)} for name, card in wanted]


def card_of(name: str) -> Card:
    """The card of a method, or of a kind of step that has one.

    Raises:
        UsageError: there is none of that name.
    """
    return STEPS[name].card if name in _steps_with_cards() else get(name).card


def _steps_with_cards() -> list[str]:
    """Kinds of steps that are a method of their own, of plugins."""
    return sorted(name for name, kind in STEPS.items() if kind.origin and isinstance(getattr(kind, "card", None), Card))


def _from(name: str) -> dict[str, str]:
    kind = REGISTRY.get(name) or STEPS[name]
    return {"plugin": kind.origin} if kind.origin else {}


def _check(field: str, value: str | None, known: set[str]) -> None:
    if value is not None and value not in known:
        raise UsageError(f"methods: --{field}: there is no {value!r}{nearest(value, sorted(known))}")


def bibtex(names_wanted: Iterable[str] | None = None) -> str:
    """BibTeX entries of the papers behind the methods (all of them by default), one a paper, sorted by key.

    Methods without a paper have no entry.
    """
    return entries_of(card_of(name) for name in (names() if names_wanted is None else names_wanted))


def entries_of(cards: Iterable[Card]) -> str:
    """BibTeX entries of the papers behind these cards, as `bibtex`."""
    entries = {key_of(card): _entry(card) for card in cards if card.paper}
    return "\n\n".join(entries[key] for key in sorted(entries))


def key_of(card: Card) -> str:
    """First author, year and first long word of the title: `li2023quantity`."""
    author = re.sub(r"[^a-z]", "", card.authors.split()[0].lower()) if card.authors else "unknown"
    words = [w for w in re.findall(r"[a-z]+", card.title.lower()) if len(w) > 4]
    return f"{author}{card.year}{words[0] if words else ''}"


def _entry(card: Card) -> str:
    authors = re.sub(r",?\s+et al\.?$", " and others", card.authors)
    fields = {"title": f"{{{card.title}}}", "author": authors, "year": str(card.year)}
    if re.fullmatch(r"\d{4}\.\d{4,5}", card.paper):
        fields |= {"eprint": card.paper, "archiveprefix": "arXiv", "url": f"https://arxiv.org/abs/{card.paper}"}
    elif card.paper.startswith("10."):
        fields |= {"doi": card.paper, "url": f"https://doi.org/{card.paper}"}
    else:
        fields["url"] = card.paper
    body = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items())
    return f"@misc{{{key_of(card)},\n{body}}}"
