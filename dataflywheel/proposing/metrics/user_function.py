"""A metric of the user's own: a function in a file that the recipe names."""

from __future__ import annotations

import hashlib
import importlib.util
import math
from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

from dataflywheel.contracts import Card, Mark, Metric, UsageError

NOT_SCORED = "the function gave nothing"
FAILED = "the function failed"
Score = Callable[[str, dict[str, Any]], float | None]


class Python(Metric):
    """What a function of the user's gives for an answer and its row: a number, higher is better, or None.

    Written `metric: {python: ./metrics.py:score}`. The function takes the answer's text and the row as a dictionary in
    the row schema. The file is the user's own, named in their recipe, and runs as they do. Where it gives no number, or
    an error, the row is not scored, and counted.
    """

    card: ClassVar[Card] = Card(
        title="The user's own function",
        authors="",
        year=2026,
        paper="",
        category="evolution",
        subcategory="metrics",
        summary="Scores answers by a Python function of the user's.",
        needs=("target",),
        checked="functions that give numbers, nothing, other things and errors",
    )
    share: ClassVar[bool] = False

    function: str
    """File and function, as `./metrics.py:score`; from the working directory or, with `~`, from the user's home."""

    def mark(self, answer: str, row: Mapping[str, Any]) -> Mark:
        score = load(self.function, self.contents())
        try:
            value = score(answer, deepcopy(dict(row)))
            number = None if value is None else float(value)
        except (Exception, SystemExit) as error:
            return Mark(None, f"{FAILED}: {type(error).__name__}")
        return Mark(number) if number is not None and math.isfinite(number) else Mark(None, NOT_SCORED)

    def contents(self) -> str:
        path, _ = split(self.function)
        return hashlib.blake2b(path.read_bytes(), digest_size=8).hexdigest()


def split(function: str) -> tuple[Path, str]:
    """The file and the name of a function written `file.py:name`.

    Raises:
        UsageError: it is not so written, or the file is not there.
    """
    file, colon, name = function.rpartition(":")
    path = Path(file).expanduser()
    if not colon or not name.isidentifier() or not file.endswith(".py"):
        raise UsageError(f"metric: python: {function!r} names no function; write a file and a name: ./metrics.py:score")
    if not path.is_file():
        raise UsageError(f"metric: python: {file} is not there (looked from {Path.cwd()})")
    return path, name


@lru_cache(maxsize=16)
def load(function: str, contents: str) -> Score:
    """The function itself, loaded once for equal contents of its file.

    Raises:
        UsageError: the file cannot be run, or holds no such function.
    """
    path, name = split(function)
    spec = importlib.util.spec_from_file_location(f"user_metric_{contents}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise UsageError(f"metric: python: {path} cannot be run: {type(error).__name__}: {error}") from error
    found = getattr(module, name, None)
    if not callable(found):
        raise UsageError(f"metric: python: {path} holds no function {name!r}")
    score: Score = found
    return score
