"""Files of a run as the report reads them: what is absent stays absent, and what is damaged is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from dataflywheel.contracts import FlywheelError

M = TypeVar("M", bound=BaseModel)


def read_json(path: Path, absent: Any) -> Any:
    """The object in the file, or `absent` where there is none.

    Raises:
        FlywheelError: the file is there and holds no JSON object.
    """
    if not path.is_file():
        return absent
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(found, dict):
            return found
        why = "a list or a bare value"
    except ValueError as error:
        why = str(error)
    raise FlywheelError(f"{path}: not valid JSON ({why}); run the same recipe again, which makes it anew")


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a JSON Lines file; a last line that a killed process cut short is passed over."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            found.append(value)
    return found


def read_typed(path: Path, kind: type[M]) -> M:
    """What the file holds, as its class reads it; all defaults where there is no file.

    Raises:
        FlywheelError: the file holds something else.
    """
    try:
        return kind.model_validate(read_json(path, {}))
    except ValidationError as error:
        field = ".".join(map(str, error.errors()[0]["loc"]))
        raise FlywheelError(
            f"{path}: {field} is not as it was written; run the same recipe again, which makes it anew"
        ) from None
