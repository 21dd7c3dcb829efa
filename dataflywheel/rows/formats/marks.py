"""What a turn holds beside its role and content: thoughts, and whether it is to be learned."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from dataflywheel.rows.formats.draft import ReadError, Record
from dataflywheel.rows.formats.names import THOUGHTS, folded, thinks

PIECES = ("reasoning_details", "thinking_blocks")
"""The same in pieces (OpenRouter, LiteLLM), where no other name gives them as a whole."""
FEW = 2
"""A field that only sounds like thoughts holds some where it has more words (`reasoning_effort: low` has not)."""
SAID = ("text", "thinking", "content", "summary")
"""Where an object holds its thoughts."""
LEARN = (
    "learn", "weight", "train", "training", "trainable", "loss", "loss_weight", "loss_scale", "do_train", "is_train",
    "train_on", "train_on_turn", "train_on_this", "loss_mask", "compute_loss", "calculate_loss", "has_loss",
    "is_target",
)  # fmt: skip
"""The names under which data sets say whether a turn is to be learned."""
PASSED_OVER = ("masked", "no_loss", "ignore_loss", "skip_loss", "not_trained", "no_train", "do_not_train")
"""The names under which they say that it is not (torchtune)."""


SPELLED = {"0": 0, "0.0": 0, "false": False, "no": False, "1": 1, "1.0": 1, "true": True, "yes": True}
THINKING = frozenset((*THOUGHTS, *PIECES))
MARKED = frozenset((*LEARN, *PASSED_OVER, "train_detail", "training_detail", "mask"))


def read_thoughts(turn: Record, field: str) -> str | None:
    """The thoughts of a turn.

    Raises:
        ReadError: two fields give different ones.
    """
    named = named_as_thoughts(frozenset(turn)) if len(turn) > 2 else ()
    if THINKING.isdisjoint(turn) and not named:
        return None
    found = {key: said for key in THOUGHTS if (said := thoughts_in(turn.get(key)))}
    found |= {key: said for key in named if len((said := thoughts_in(turn[key])).split(maxsplit=FEW)) > FEW}
    found = found or {key: said for key in PIECES if (said := thoughts_in(turn.get(key)))}
    if len(set(found.values())) > 1:
        raise ReadError(f"{field}.{list(found)[1]}", f"other thoughts than in {next(iter(found))}; keep one of them")
    return next(iter(found.values()), None)


@lru_cache(maxsize=4096)
def named_as_thoughts(keys: frozenset[str]) -> tuple[str, ...]:
    """Further fields of a turn that speak of thoughts by their name (`think_content`, `internalThoughts`)."""
    return tuple(sorted(key for key in keys if key not in THINKING and thinks(folded(key))))


def thoughts_in(value: Any) -> str:
    """The thoughts in a text, an object that holds one, or a list of such; "" where there are none."""
    if isinstance(value, dict):
        value = next((value[key] for key in SAID if isinstance(value.get(key), str)), "")
    if isinstance(value, list):
        return "\n\n".join(filter(None, map(thoughts_in, value)))
    return value if isinstance(value, str) else ""


def read_learn(turn: Record, role: str, field: str) -> bool | None:
    """False for an assistant's turn that must not be learned; None where learning it is as usual.

    Raises:
        ReadError: a weight between none and all, or a turn to be learned that is not the assistant's.
    """
    if MARKED.isdisjoint(turn):
        return None
    for key in ("train_detail", "training_detail"):
        if turn.get(key):
            raise ReadError(f"{field}.{key}", "a turn of which parts must not be learned; only whole turns are marked")
    if role == "assistant" and turn.get("mask") is not None:
        raise ReadError(
            f"{field}.mask", "may mean that the turn is learned or that it is not; write train: true or train: false"
        )
    for key in (*LEARN, *PASSED_OVER):
        given = turn.get(key)
        if given is None:
            continue
        given = SPELLED.get(given.strip().lower(), given) if isinstance(given, str) else given
        if key in PASSED_OVER and role != "assistant":
            continue
        if key in PASSED_OVER and isinstance(given, bool | int):
            given = not given
        if not isinstance(given, bool | int | float) or given not in (0, 1):
            raise ReadError(
                f"{field}.{key}", f"expected true or false, or 0 or 1, got {given!r}; no other weight is kept"
            )
        if role != "assistant":
            if given and key != "weight":
                raise ReadError(f"{field}.{key}", f"a turn of the {role} cannot be learned; only the assistant's are")
            return None
        return None if given else False
    return None
