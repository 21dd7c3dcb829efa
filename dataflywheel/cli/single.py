"""The options that every verb has which runs one step on a pool, declared once."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_type_hints

from dataflywheel.cli.asked import (
    Asked,
    Calls,
    Can,
    Concurrency,
    Key,
    ModelName,
    Patience,
    Price,
    Timeout,
    Usd,
    limits,
    paced,
    with_models,
)
from dataflywheel.cli.options import (
    Columns,
    Embedder,
    Format,
    Origins,
    Plugins,
    Roles,
    Runs,
    Seed,
    Store,
    load_plugins,
    named,
)


def settings_of(
    ask: Asked = "",
    model: ModelName = "",
    price: Price = "",
    key: Key = "",
    can: Can = None,
    concurrency: Concurrency = None,
    timeout: Timeout = None,
    patience: Patience = None,
    usd: Usd = None,
    calls: Calls = None,
    columns: Columns = None,
    roles: Roles = None,
    plugin: Plugins = None,
    embedder: Embedder = "",
    to: Format = "messages",
    origins: Origins = True,
    seed: Seed = 0,
    runs: Runs = Path("runs"),
    home: Store = Path(".flywheel"),
) -> dict[str, Any]:
    """Who is asked and within which caps, how rows are read and written, and where what is made lies: as the functions
    of the same names take it."""
    load_plugins(plugin)
    return {
        "models": with_models(embedder, ask, model, price, key, can, paced(concurrency, timeout, patience)),
        "budget": limits(usd, calls),
        "seed": seed,
        "format": to,
        "origins": origins,
        "runs": runs,
        "home": home,
        **named(columns, roles),
    }


def with_settings(command: Callable[..., None]) -> Callable[..., None]:
    """The verb with the options of `settings_of` behind its own, in place of its last parameter `settings`."""
    shared = inspect.signature(settings_of).parameters
    own = [one for one in inspect.signature(command).parameters.values() if one.name != "settings"]
    hints = get_type_hints(settings_of, include_extras=True) | get_type_hints(command, include_extras=True)

    @functools.wraps(command)
    def verb(**given: Any) -> None:
        settings = settings_of(**{name: given.pop(name) for name in shared})
        command(**given, settings=settings)

    every = [
        one.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[one.name]) for one in [*own, *shared.values()]
    ]
    verb.__signature__ = inspect.Signature(every)  # type: ignore[attr-defined]
    verb.__annotations__ = {one.name: one.annotation for one in every} | {"return": None}
    return verb
