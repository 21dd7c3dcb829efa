"""Cards, methods and their registry.

A method is a pydantic model in a file of its own. Its fields are its parameters; a subclass with a card is entered in
the registry under its file-style name (`KCenter` -> `k_center`).
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError, WithJsonSchema

from dataflywheel.contracts.complaint import explain
from dataflywheel.contracts.cost import Cost, PoolStatistics
from dataflywheel.errors import UsageError


class Card(BaseModel):
    """The literature entry of a method, listed by `flywheel methods` and cited in data set cards."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    authors: str = ""
    year: int
    paper: str = ""
    """arXiv id (`2308.12032`), DOI or URL; empty where the method has no paper."""
    category: Literal["selection", "enhancement", "synthesis", "distillation", "evolution", "signals", "proposing"]
    subcategory: str
    summary: str
    needs: tuple[str, ...] = ()
    """What the user must bring: `embedder`, `model`, `target`, `endpoint`, `labels`."""
    cost: Literal["¢", "$", "$$", "$$$", "$$$$"] = "¢"
    checked: str
    """What the implementation was checked against."""
    pays: str = ""
    """Where it is worth its cost, in a sentence: the kind of pool, of budget, of model."""
    fails: str = ""
    """Where it is known to do nothing or harm, in a sentence."""
    evidence: str = ""
    """What was measured of its worth and by whom: by the paper, or here, with the file that has the numbers."""


REGISTRY: dict[str, type[Method]] = {}
PYTHON = "python"
"""What stands in a recipe where a plain function of the user's is meant."""
STEPS: dict[str, type[Any]] = {}
"""Kinds of steps by the keyword under which they stand in a recipe."""


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
    source: ClassVar[str] = ""
    """Digest of the code of a plugin, which is no part of this package and has no version of ours; "" elsewhere."""
    of_function: ClassVar[bool] = False
    """Whether it stands for a plain function of the user's: the one of its kind that `{python: FILE:NAME}` means."""
    origin: ClassVar[str] = ""
    """The plugin that it comes from, as people know it; "" where it is shipped."""
    known_as: ClassVar[str] = ""
    """The name under which stores have what it made, where it was another once."""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if "card" not in cls.__dict__:
            return
        if not isinstance(cls.__dict__["card"], Card):
            raise UsageError(
                f"the card of {cls.__name__} is a {type(cls.__dict__['card']).__name__}; write `card: ClassVar = "
                "Card(title=..., year=..., category=..., subcategory=..., summary=..., checked=...)`"
            )
        cls.name = cls.__dict__.get("name") or snake_case(cls.__name__)
        enter(REGISTRY, cls.name, cls, "methods")

    @classmethod
    def edition(cls) -> str:
        """Name and version, and of a plugin's method the digest of its code: what a fingerprint takes of it."""
        return f"{cls.known_as or cls.name}@{cls.version}{cls.source and f'+{cls.source}'}"

    def digest(self) -> str:
        """16 hex digits over name, version and parameters: equal digest, equal result on equal input."""
        text = f"{self.edition()}:{self.model_dump_json()}"
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

    def ready(self) -> None:
        """What a plan checks before anything runs: that what it leans on beside rows and models is there.

        Raises:
            UsageError: it is not, such as an extra package; says how to get it.
        """

    def leans_on(self) -> str:
        """Identity of what its results come from beside rows, models and parameters, such as the version of a package's
        model; "" where there is no such thing. Part of a step's fingerprint."""
        return ""

    def reading_seconds(self, pool: PoolStatistics) -> float:
        """For the estimate: what reading these rows takes a model of a package that it leans on."""
        return 0.0

    def estimate(self, pool: PoolStatistics) -> Cost:
        """What one application to the pool costs; methods without a model are free at this grain."""
        return Cost()


M = TypeVar("M", bound=Method)
V = TypeVar("V")


def enter(known: dict[str, type[Any]], name: str, kind: type[Any], what: str) -> None:
    """Make a class known by its name.

    Raises:
        UsageError: another class has the name; says where both stand.
    """
    other = known.get(name)
    if other is not None and (other.__module__, other.__qualname__) != (kind.__module__, kind.__qualname__):
        raise UsageError(f"two {what} are named {name!r}: {_place(other)} and {_place(kind)}; rename yours")
    known[name] = kind


def _place(kind: type[Any]) -> str:
    """Where a class stands: its module where it is shipped, else the file."""
    if kind.__module__.partition(".")[0] == __package__.partition(".")[0]:
        return kind.__module__
    return getattr(sys.modules.get(kind.__module__), "__file__", None) or kind.__module__


def build(method: type[M], parameters: Mapping[str, Any]) -> M:
    """Instantiate a method, naming the nearest right parameter when one is unknown.

    Raises:
        UsageError: unknown or ill-typed parameter.
    """
    try:
        return method(**parameters)
    except ValidationError as error:
        raise UsageError(explain(error, method.name, list(method.model_fields))) from None
    except TypeError as error:
        named = f"{method.name}{method.origin and f' of plugin {method.origin}'}"
        if lacking := sorted(getattr(method, "__abstractmethods__", ())):
            raise UsageError(f"{named}: {method.__name__} has no {', '.join(lacking)}; write what it does") from error
        if not any("__init__" in vars(kind) for kind in method.__mro__ if issubclass(kind, Method)):
            raise  # one of our own
        raise UsageError(
            f"{named}: {error}; write no `__init__`: parameters "
            "are fields of the class, as `most: int = 3`, and a model is a field too: `model: ModelSpec`"
        ) from error


def one_method(value: Any) -> Any:
    """A method as recipes name it, as `{name: parameters}`; what is neither text nor a mapping is left to type checks.

    >>> one_method("ifd"), one_method({"ifd": None}), one_method({"ifd": {"ratio": "loss"}})
    ({'ifd': {}}, {'ifd': {}}, {'ifd': {'ratio': 'loss'}})
    >>> one_method({"python": "./checks.py:ok"}), one_method("python:./checks.py:ok")
    ({'python': {'function': './checks.py:ok'}}, {'python': {'function': './checks.py:ok'}})

    Raises:
        ValueError: several methods, or none.
    """
    if isinstance(value, str):
        name, _, function = value.partition(":")
        return {name: {"function": function}} if name == PYTHON and function else {value: {}}
    if not isinstance(value, dict):
        return value
    if len(value) != 1:
        raise ValueError(f"one method with its parameters, such as {{ifd: {{ratio: loss}}}}, not {sorted(value)}")
    ((name, parameters),) = value.items()
    if name == PYTHON and isinstance(parameters, str):
        return {name: {"function": parameters}}
    return {name: parameters or {}}


def method_spec(by: Mapping[str, V]) -> tuple[str, V]:
    """Of the one method that is named.

    >>> method_spec({"ifd": {"ratio": "loss"}})
    ('ifd', {'ratio': 'loss'})
    """
    ((name, parameters),) = by.items()
    return name, parameters


def method_specs(entry: Any) -> list[tuple[str, dict[str, Any]]]:
    """Names and parameters of the methods that stand here as recipes write them, in order; of what is neither a name
    nor a mapping, none.

    >>> method_specs("ifd"), method_specs(["longest", {"ifd": {"ratio": "loss"}}]), method_specs({"ifd": None})
    ([('ifd', {})], [('longest', {}), ('ifd', {'ratio': 'loss'})], [('ifd', {})])
    """
    if isinstance(entry, list | tuple):
        return [spec for one in entry for spec in method_specs(one)]
    named = {entry: {}} if isinstance(entry, str) else entry if isinstance(entry, Mapping) else {}
    return [(str(name), dict(given) if isinstance(given, Mapping) else {}) for name, given in named.items()]


_ONE: dict[str, Any] = {"type": "object", "minProperties": 1, "maxProperties": 1}
Named = Annotated[
    dict[str, dict[str, Any]], BeforeValidator(one_method), WithJsonSchema({"anyOf": [{"type": "string"}, _ONE]})
]
"""One method with its parameters: `name` or `{name: {parameter: value}}` in a recipe."""

UserPath = Annotated[Path, AfterValidator(Path.expanduser)]
"""A file of the user's, from the working directory or, with `~`, from their home: as `path` of a pool is read."""
