"""The files of the user's code that a recipe names."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator

from dataflywheel.catalog import plugin
from dataflywheel.contracts import UsageError


def _loaded(value: Any) -> Any:
    """The files, whose methods are known from here on: what else the recipe says may name them.

    Raises:
        ValueError: one of them cannot be loaded; says where and why.
    """
    files = [value] if isinstance(value, str) else value
    for file in files if isinstance(files, list) else ():
        try:
            plugin(str(file))
        except UsageError as error:
            raise ValueError(str(error)) from None
    return files


PluginFiles = Annotated[list[str], BeforeValidator(_loaded)]
