"""What a recipe takes from the environment. A key stands in `api_key` alone: all other fields are written to disk."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from dataflywheel.contracts import UsageError
from dataflywheel.models.spec import KEY_LETTERS

_TAKEN = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
_SECRET = {"KEY", "APIKEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASS", "PW", "CREDENTIAL", "CREDENTIALS", "AUTH"}
_PUBLIC = {"ID", "UUID", "ACCOUNT", "PROJECT", "DEPLOYMENT", "SHA", "COMMIT", "HASH", "DIGEST"}
"""Words of a variable's name that say what its value is."""
_KEY = re.compile(
    r"(?:Bearer )?(?:sk[-_]\S{12,}|(?:pk|rk|gsk|xai|hf|ghp|key|api|tok)[-_](?=\S*\d)[^\s/]{16,}|AIza[\w-]{20,})"
)
_RANDOM = re.compile(
    r"(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9]{32,}|(?=.*[+=])[A-Za-z0-9+/]{32,}=*|[0-9a-f]{8}(?:-[0-9a-f]{4,12}){4}"
)
Place = tuple[str | int, ...]


class Environment:
    """Fills `${NAME}` and `${NAME:-default}` in plain data; `hidden` takes out again what was filled in."""

    def __init__(self, where: Callable[[Place], str]) -> None:
        self.where = where
        self._taken: dict[str, str] = {}

    def filled(self, value: Any) -> Any:
        """The data with its variables.

        Raises:
            UsageError: one is not set, or holds what looks like a key where that would be written to disk.
        """
        found = self._filled(value, ())
        keys = {str(one).strip() for place, one in leaves(found) if is_key(place)}
        for place, one in leaves(found):
            if not is_key(place) and any(key in str(one) for key in keys if len(key) >= KEY_LETTERS):
                raise UsageError(f"{self.where(place)}: {_named(place)} holds the key of a model, {_ONLY}")
        return found

    def hidden(self, text: str) -> str:
        """A message without the values of the environment: their variables stand there."""
        for found in sorted(self._taken, key=len, reverse=True):
            for form in (found, repr(found)[1:-1]):
                text = text.replace(form, self._taken[found])
        return text

    def _filled(self, value: Any, place: Place) -> Any:
        if isinstance(value, dict):
            return {key: self._filled(inner, (*place, str(key))) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._filled(inner, (*place, at)) for at, inner in enumerate(value)]
        return _TAKEN.sub(lambda match: self._one(match, place), value) if isinstance(value, str) else value

    def _one(self, match: re.Match[str], place: Place) -> str:
        name, found = match[1], os.environ.get(match[1], match[2])
        if found is None:
            raise UsageError(
                f"{self.where(place)}: the environment variable {name} is not set; set it, or write "
                f"${{{name}:-default}}"
            )
        if name in os.environ and len(found) >= KEY_LETTERS:
            self._taken[found] = f"${{{name}}}"
            if not is_key(place) and _looks_secret(name, found, place):
                raise UsageError(
                    f"{self.where(place)}: {_named(place)}: the variable {name} holds what looks like a key, {_ONLY}; "
                    "if it is none, name it without key, token or secret, or write the value as it is"
                )
        return found


_ONLY = 'and this field is written to disk; a key stands in `api_key: "${NAME}"` of a model, and nowhere else'


def is_key(place: Place) -> bool:
    return bool(place) and place[-1] == "api_key"


def without_variables(text: str) -> str:
    """What a text says by itself: defaults, and what stands around its variables."""
    return _TAKEN.sub(lambda match: match[2] or "", text)


def leaves(value: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Everything in plain data that holds nothing else, with the way to it."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from leaves(inner, (*place, str(key)))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from leaves(inner, (*place, at))
    else:
        yield place, value


def _looks_secret(name: str, found: str, place: Place) -> bool:
    words = set(name.upper().split("_"))
    if words & _SECRET and not words & _PUBLIC:
        return not re.search(r"\s|://", found) and not os.path.exists(found)
    if place[0] not in ("models", "signals", "steps"):
        return False
    return _KEY.fullmatch(found) is not None or (not words & _PUBLIC and _RANDOM.fullmatch(found) is not None)


def _named(place: Place) -> str:
    return ".".join(map(str, place))
