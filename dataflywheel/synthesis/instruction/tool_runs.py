"""Calls of tools that are run: a function of the user's file with the arguments of a call, in the jail."""

from __future__ import annotations

import ast
import json
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from dataflywheel.proposing.limited_process import Limits, Run, run_limited

NO_FUNCTION = "not run, there is no function of that name"
FAILED = "a call failed when it was run"
_CALL = """
import json as _json
answer = _json.dumps(globals()[{name!r}](**_json.loads({given!r})), ensure_ascii=False, default=str)
"""


def functions_of(path: Path) -> tuple[str, frozenset[str]]:
    """The text of a file of Python, and the functions that it defines.

    Raises:
        ValueError: it cannot be read, is no Python, or defines none.
    """
    try:
        source = path.read_text("utf-8-sig")
        tree = ast.parse(source)
    except (OSError, ValueError, SyntaxError) as error:
        raise ValueError(f"{path}: {error}; expected a file of Python with a function for each tool") from None
    names = frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))
    if not names:
        raise ValueError(f"{path} defines no function; expected one for each tool, with its name and arguments")
    return source, names


def run_calls(source: str, calls: Sequence[Mapping[str, Any]], limits: Limits) -> list[Run]:
    """What each call comes to, as JSON text in `value`, by a process of its own; `calls` have `name`, `arguments`."""
    programs = [
        source + _CALL.format(name=call["name"], given=json.dumps(call["arguments"], sort_keys=True)) for call in calls
    ]
    each = list(dict.fromkeys(programs))
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as threads:
        runs = dict(zip(each, threads.map(lambda program: run_limited(program, limits=limits), each), strict=True))
    return [runs[program] for program in programs]
