"""Whether a turn is to be learned, by the marks beside its role and content."""

from __future__ import annotations

from dataflywheel.rows.formats.draft import ReadError, Record

LEARN = (
    "learn", "weight", "train", "training", "trainable", "loss", "loss_weight", "loss_scale", "do_train", "is_train",
    "train_on", "train_on_turn", "train_on_this", "loss_mask", "compute_loss", "calculate_loss", "has_loss",
    "is_target",
)  # fmt: skip
"""The names under which data sets say whether a turn is to be learned."""
PASSED_OVER = ("masked", "no_loss", "ignore_loss", "skip_loss", "not_trained", "no_train", "do_not_train")
"""The names under which they say that it is not (torchtune)."""


SPELLED = {"0": 0, "0.0": 0, "false": False, "no": False, "1": 1, "1.0": 1, "true": True, "yes": True}
MARKED = frozenset((*LEARN, *PASSED_OVER, "train_detail", "training_detail", "mask"))


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
