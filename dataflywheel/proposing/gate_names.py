"""What gates are called where they are counted: one that stands twice is told from the other by its parameters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import orjson

from dataflywheel.models.spec import ModelSpec
from dataflywheel.proposing.kinds import Gate

MOST = 60
"""Characters of a parameter that are shown."""


def gate_names(gates: Sequence[Gate]) -> list[str]:
    """The name of each gate; of several with one name, with the parameters in which they differ:
    `scored (by: final_answer)`. No two are called the same."""
    names = [gate.name or type(gate).__name__ for gate in gates]
    often = Counter(names)
    called = [
        f"{name} ({told})" if often[name] > 1 and (told := _told(gate, gates)) else name
        for gate, name in zip(gates, names, strict=True)
    ]
    return [
        one if called.count(one) == 1 else f"{one} [{called[: place + 1].count(one)}]"
        for place, one in enumerate(called)
    ]


def _told(gate: Gate, gates: Sequence[Gate]) -> str:
    others = [other for other in gates if type(other) is type(gate)]
    differ = [
        name for name in type(gate).model_fields if any(getattr(gate, name) != getattr(other, name) for other in others)
    ]
    return ", ".join(f"{name}: {_said(getattr(gate, name))}" for name in differ)


def _said(value: Any) -> str:
    """A parameter in a few words; of a model its name alone, which holds no key."""
    if isinstance(value, ModelSpec):
        return value.model or value.hf or str(value.builtin)
    if isinstance(value, dict) and len(value) == 1 and not next(iter(value.values())):
        return str(next(iter(value)))
    return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode().strip('"')[:MOST]
