"""Reads a recipe; every complaint names the file, the line, the field and the way out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from dataflywheel.contracts import UsageError, nearest
from dataflywheel.contracts.complaint import said
from dataflywheel.models.spec import KEY_LETTERS
from dataflywheel.recipe.asked_signals import UnsoundError
from dataflywheel.recipe.composed import AtStepError
from dataflywheel.recipe.environment import Environment, is_key, leaves, without_variables
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.sections import Compare, Guards, Limits, Models, Source, Target, Tiers
from dataflywheel.rows.plain_yaml import read_yaml

MOST_BYTES = 1 << 20


class UnsoundSignalsError(UsageError):
    """Entries under `signals` that mean nothing; `rest` is the recipe without them, so that plan can look for more."""

    def __init__(self, said: str, rest: Recipe, dropped: frozenset[str]) -> None:
        super().__init__(said)
        self.rest, self.dropped = rest, dropped


SECTIONS: Mapping[str, type[BaseModel]] = {
    "pool": Source,
    "target": Target,
    "models": Models,
    "budget": Limits,
    "compare": Compare,
    "tiers": Tiers,
    "guards": Guards,
}


def load_recipe(path: Path) -> Recipe:
    """The recipe in a file, with `${NAME}` and `${NAME:-default}` taken from the environment.

    Raises:
        UsageError: the file is missing, not YAML, or does not fit the schema.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        text = content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise UsageError(f"{path}: cannot be read ({why}); give the path of a recipe, a YAML file") from None
    if len(content) > MOST_BYTES:
        raise UsageError(f"{path}: more than {MOST_BYTES:,} bytes, which no recipe needs; give the path of a recipe")
    try:
        node, value = read_yaml(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        at = "".join(text.splitlines()[mark.line : mark.line + 1]) if mark else ""
        hint = "; inside braces, ${NAME} needs quotes" if "${" in at else ""
        raise UsageError(f"{path}{line}: not valid YAML: {getattr(error, 'problem', error)}{hint}") from None
    if not isinstance(value, dict):
        raise UsageError(f"{path}: expected a mapping with `name`, `pool` and `steps`; see recipes/ for examples")
    _no_open_keys(value, path, node)
    return recipe_from(value, str(path), node)


def _no_open_keys(value: Mapping[str, Any], path: Path, node: yaml.Node | None) -> None:
    """Every run keeps a copy of its recipe, which may be mailed.

    Raises:
        UsageError: a model's key stands in the file in clear.
    """
    for place, key in leaves(value):
        if is_key(place) and len(without_variables(str(key or ""))) >= KEY_LETTERS:
            line, field = _line(node, place), ".".join(map(str, place))
            raise UsageError(
                f"{path}:{line}: {field}: every run keeps a copy of its recipe, so no key may stand in it; put the key "
                'in an environment variable and write `api_key: "${NAME}"`'
            )


def recipe_from(value: Mapping[str, Any], where: str = "recipe", node: yaml.Node | None = None) -> Recipe:
    """A validated recipe from plain data."""

    standing = partial(_at, where, node)
    environment = Environment(standing)

    def validated(filled: Mapping[str, Any]) -> Recipe:
        recipe = Recipe.model_validate(filled)
        recipe.composed.where.extend(standing(("steps", at)) for at in range(len(recipe.composed.before)))
        return recipe

    filled = environment.filled(value)
    try:
        return validated(filled)
    except ValidationError as error:
        told = environment.hidden("\n".join(_complaints(error, where, node)))
        causes = [problem.get("ctx", {}).get("error") for problem in error.errors()]
        if bad := {name for cause in causes if isinstance(cause, UnsoundError) for name in cause.bad}:
            kept = {name: entry for name, entry in filled["signals"].items() if str(name) not in bad}
            with suppress(ValidationError):
                raise UnsoundSignalsError(told, validated({**filled, "signals": kept}), frozenset(bad)) from None
        raise UsageError(told) from None


def _complaints(error: ValidationError, where: str, node: yaml.Node | None) -> list[str]:
    lines = []
    for problem in error.errors():
        found = problem.get("ctx", {}).get("error")
        within = found.place if isinstance(found, AtStepError) else ()
        location = [part for part in (*problem["loc"], *within) if isinstance(part, str | int)]
        place = _at(where, node, location)
        field = ".".join(str(part) for part in location)
        if problem["type"] == "extra_forbidden":
            section: type[BaseModel] = SECTIONS.get(str(location[0]), Recipe) if len(location) > 1 else Recipe
            lines.append(f"{place}: unknown field {field!r}{nearest(str(location[-1]), list(section.model_fields))}")
        elif isinstance(found, UnsoundError):
            lines.extend(
                f"{_at(where, node, [*location, name])}: {field}.{name}: {why}" for name, why in found.bad.items()
            )
        elif problem["type"] == "missing":
            lines.append(f"{place}: {field} is missing")
        elif within:
            lines.append(f"{place}: {found}")
        else:
            lines.append(f"{place}: {f'{field}: ' if field else ''}{said(problem)}")
    return lines


def _at(where: str, node: yaml.Node | None, location: Sequence[str | int]) -> str:
    """The file, and the line of that field in it."""
    return f"{where}:{line}" if (line := _line(node, location)) else where


def _line(node: yaml.Node | None, location: Sequence[str | int]) -> int | None:
    """Line of the deepest node on the way to a field."""
    if node is None:
        return None
    line = node.start_mark.line + 1
    for part in location:
        if isinstance(node, yaml.MappingNode):
            found = next(((k, v) for k, v in node.value if k.value == str(part)), None)
            if found is None:
                break
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
    return line
