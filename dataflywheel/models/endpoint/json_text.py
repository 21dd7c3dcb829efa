"""The JSON value in an answer, with its texts as they were meant, or the reason why there is none."""

from __future__ import annotations

import json
import math
import re
from itertools import islice
from typing import Any

from dataflywheel.models.endpoint.backslashes import HURT, doubled
from dataflywheel.models.endpoint.code_strings import mended
from dataflywheel.rows.thoughts import marks_thoughts

_OPENING = re.compile(r'\{(?=\s*["}])|\[(?=\s*(?:[\[\]{"\d-]|true|false|null))')
"""Where a JSON object or array begins, told from brackets in prose by what follows."""
_KEYED = re.compile(r'\{\s{0,20}"((?:[^"\\]|\\.){1,100})"\s{0,5}:')
MOST_COPIES = 20
"""Objects behind an answer that are compared with it."""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)")
_HALF = re.compile(r"[\ud800-\udfff]")
"""Half of a character, which no text file can hold: the other half was cut off."""


class FormError(ValueError):
    """Text without the JSON value that was asked for."""


class TwoAnswersError(FormError):
    """Text with two different answers to one question: a draft and what came of it, for one."""


class QuotedError(FormError):
    """Text whose answer is copied from what was shown with the question."""


def first_json(text: str, material: str = "") -> Any:
    """The first JSON object or array in the text; what stands before and behind it is passed over.

    Nothing is completed: where the first one does not end, there is none, whatever lies inside it. One that stands
    letter for letter in `material`, which was shown with the question, is a quotation and no answer.

    >>> first_json('Sure! ```json\\n{"score": 4}\\n``` I hope {it} helps.')
    {'score': 4}

    Raises:
        FormError: there is none, it is cut off or wrong, or it holds a key twice or a number that is not finite.
        TwoAnswersError: another object with the same keys follows, and says something else.
        QuotedError: it stands in `material`.
    """
    opening = _OPENING.search(text)
    if marks_thoughts(text[: opening.start()] if opening else text):
        raise FormError("thoughts stand where the answer was to be")
    if opening is None:
        raise FormError("there is no JSON object in the answer")
    try:
        given = doubled(text[opening.start() :])
        value, end = _DECODER.raw_decode(given)
        _refuse_another(value, given[end:])
        if isinstance(value, dict) and _letters(given[:end]) in _letters(material):
            raise QuotedError("the JSON object in the answer is a quotation from the material")
        return _whole(value)
    except FormError:
        raise
    except (ValueError, RecursionError) as error:
        raise FormError(f"the JSON cannot be read: {error}") from None


def _letters(text: str) -> str:
    return "".join(text.split())


def _refuse_another(value: Any, rest: str) -> None:
    """Raises TwoAnswersError where an object with the same keys follows, whole or not, and says something else; an
    `id`, which nothing asks for, aside."""
    said = _without_id(value)
    for found in islice(_KEYED.finditer(rest), MOST_COPIES) if said else ():
        try:
            other = _DECODER.raw_decode(rest[found.start() :])[0]
        except (ValueError, RecursionError):
            differs = found[1] in value
        else:
            differs = _without_id(other).keys() == said.keys() and _without_id(other) != said
        if differs:
            raise TwoAnswersError("two different answers stand in the text")


def _without_id(value: Any) -> dict[str, Any]:
    return {name: item for name, item in value.items() if name != "id"} if isinstance(value, dict) else {}


def _whole(value: Any) -> Any:
    """The value with its texts as they were meant.

    Raises:
        FormError: a text holds a control character, or what is left of a command.
    """
    if isinstance(value, dict):
        return {name: _whole(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if not isinstance(value, str):
        return value
    if found := _CONTROL.search(value) or HURT.search(value):
        place = value[max(0, found.start() - 10) : found.end() + 10]
        raise FormError(f"a text holds a control character, as a backslash that was not doubled makes it: {place!r}")
    if _HALF.search(value):
        raise FormError("a text holds half of a character")
    return mended(value)


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise FormError("a key of the JSON object occurs twice")
    return found


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise FormError("a number of the JSON is not finite")
    return value


_DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_float=_float, parse_constant=_float, strict=False)
