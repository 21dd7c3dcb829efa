"""A tree of tags: knowledge by field, part and subject, as a recipe or a file gives it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BeforeValidator, WithJsonSchema

MOST_LEAVES, DEEPEST = 20_000, 8
BETWEEN = " > "
EXPECTED = "expected a tree of tags, such as `{science: {physics: [heat, light]}, home: [cooking]}`, or a file of one"


def tree_of(given: Any) -> list[list[str]]:
    """What a recipe says under `tree`, as the path from the root to each leaf, in order; paths stay what they are.

    >>> tree_of({"science": {"physics": ["heat", "light"]}, "home": ["cooking"]})
    [['science', 'physics', 'heat'], ['science', 'physics', 'light'], ['home', 'cooking']]

    Raises:
        ValueError: it is no tree, or its file cannot be read.
    """
    if isinstance(given, str | Path):
        given = _read(Path(given))
    if isinstance(given, list) and given and all(isinstance(path, list) for path in given):
        paths = [[_tag(tag) for tag in path] for path in given]
    elif isinstance(given, Mapping) and given:
        paths = list(_paths(given, ()))
    else:
        raise ValueError(f"{EXPECTED}, not {str(given)[:60]!r}")
    if len(paths) > MOST_LEAVES:
        raise ValueError(f"{len(paths):,} leaves are too many; {MOST_LEAVES:,} at most")
    return [list(path) for path in dict.fromkeys(map(tuple, paths))]


def _paths(node: Any, above: tuple[str, ...]) -> Iterator[list[str]]:
    if len(above) > DEEPEST:
        raise ValueError(f"{BETWEEN.join(above)} lies too deep; {DEEPEST} tags at most")
    if isinstance(node, Mapping) and node:
        for tag, below in node.items():
            yield from _paths(below, (*above, _tag(tag)))
    elif isinstance(node, list) and node:
        for one in node:
            yield from _paths(one, above) if isinstance(one, Mapping) else [[*above, _tag(one)]]
    elif node is None and above:
        yield list(above)
    else:
        raise ValueError(f"{BETWEEN.join(above) or 'the root'} holds no tags; {EXPECTED}")


def _tag(given: Any) -> str:
    if isinstance(given, bool) or not isinstance(given, str | int | float) or not str(given).strip():
        raise ValueError(f"{given!r} is no tag; write it in quotes")
    return str(given).strip()


def _read(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror or error}; {EXPECTED}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: neither YAML nor JSON: {str(error).splitlines()[0]}") from None


Tree = Annotated[
    list[list[str]],
    BeforeValidator(tree_of),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "object", "minProperties": 1}, {"type": "array"}]}),
]
"""The path to each leaf; given as a tree, or as the path of a YAML or JSON file that holds one."""
