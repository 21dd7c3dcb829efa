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
MOST_COPIES = 20
"""Answers to the same question that are compared."""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)")
_HALF = re.compile(r"[\ud800-\udfff]")
"""Half of a character, which no text file can hold: the other half was cut off."""


class FormError(ValueError):
    """Text without the JSON value that was asked for."""


class TwoAnswersError(FormError):
    """Text with two different answers to one question: a draft and what came of it, for one."""


def first_json(text: str) -> Any:
    """The first JSON object or array in the text; what stands before and behind it is passed over.

    Nothing is completed: where the first one does not end, there is none, whatever lies inside it.

    >>> first_json('Sure! ```json\\n{"score": 4}\\n``` I hope {"score": 5} helps.')
    {'score': 4}

    Raises:
        FormError: there is none, it is cut off or wrong, or it holds a key twice or a number that is not finite.
        TwoAnswersError: another object with the same `id` follows, and says something else.
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
        return _whole(value)
    except FormError:
        raise
    except (ValueError, RecursionError) as error:
        raise FormError(f"the JSON cannot be read: {error}") from None


def _refuse_another(value: Any, rest: str) -> None:
    if not isinstance(value, dict) or not isinstance(value.get("id"), str):
        return
    same = re.compile(r'\{\s{0,20}"id"\s{0,5}:\s{0,5}' + re.escape(json.dumps(value["id"])))
    for found in islice(same.finditer(rest), MOST_COPIES):
        try:
            other = _DECODER.raw_decode(rest[found.start() :])[0]
        except (ValueError, RecursionError):
            other = None
        if other != value:
            raise TwoAnswersError(f"two different answers to {value['id']} stand in the text")


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
