"""Parameters of a method as the command line takes them: `--set NAME=VALUE`."""

from __future__ import annotations

import types
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

if TYPE_CHECKING:
    from dataflywheel.contracts import Method

PLAIN = (".txt", ".md")
"""Files that hold a text, such as a prompt, and no YAML."""


def with_parameters(by: str, given: Sequence[str]) -> dict[str, Any]:
    """A method with its parameters, each written as NAME=VALUE, or as NAME=@FILE where a file holds the value.

    A parameter that is a text is the text as it stands, whatever YAML would make of it; one that stands in quotes as a
    whole is what is in them. All others are YAML, and so are files but those of text.

    Raises:
        UsageError: one without `=`, or with a value that is no YAML or a file that cannot be read.
    """
    import yaml

    from dataflywheel.errors import UsageError

    parameters: dict[str, Any] = {}
    for one in given:
        name, sign, value = one.partition("=")
        try:
            if not (sign and name):
                raise ValueError
            parameters[name] = _of_file(value[1:]) if value.startswith("@") else _value(_type(by, name), value)
        except OSError as error:
            raise UsageError(f"--set {name}: {value[1:]} cannot be read: {error.strerror}") from None
        except (ValueError, yaml.YAMLError):
            raise UsageError(f"--set takes NAME=VALUE in YAML, such as --set rounds=2, not {one!r}") from None
    return {by: parameters}


def _of_file(path: str) -> Any:
    from dataflywheel.rows.plain_yaml import read_yaml

    text = Path(path).expanduser().read_text(encoding="utf-8")
    return text.strip() if path.endswith(PLAIN) else read_yaml(text)[1]


def _value(wanted: Any, value: str) -> Any:
    import yaml

    from dataflywheel.rows.plain_yaml import read_yaml

    if not is_text(wanted):
        return read_yaml(value)[1]
    try:
        node, plain = read_yaml(value)
    except yaml.YAMLError:
        return value
    quoted = isinstance(node, yaml.ScalarNode) and node.style in ("'", '"')
    return plain if quoted or (plain is None and type(None) in get_args(wanted)) else value


def _type(by: str, name: str) -> Any:
    """The type of a method's parameter; None where there is no such method or parameter, which is said later."""
    from dataflywheel.catalog import get
    from dataflywheel.errors import UsageError

    try:
        kind: type[Method] = get(by)
    except UsageError:
        return None
    field = kind.model_fields.get(name)
    return field.annotation if field else None


def is_text(wanted: Any) -> bool:
    """Whether all that a type takes, but nothing at all, is a text, a path or one of several words.

    >>> is_text(str), is_text(str | None), is_text(Literal["a", "b"]), is_text(str | list[str]), is_text(int)
    (True, True, True, False, False)
    """
    origin, parts = get_origin(wanted), get_args(wanted)
    if origin is Annotated:
        return is_text(parts[0])
    if origin in (Union, types.UnionType):
        return all(part is type(None) or is_text(part) for part in parts)
    if origin is Literal:
        return all(isinstance(part, str) for part in parts)
    return isinstance(wanted, type) and issubclass(wanted, str | Path)
