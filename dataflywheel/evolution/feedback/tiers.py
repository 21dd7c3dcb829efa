"""Three tiers of evaluation rows that never mix: what steers the wheel, what chooses a model, and what is reported.

steer: feeds the next round's budget, so that generated rows may be made from its failures; never reported.
select: chooses among models and tells when to stop.
sealed: reported, and looked at once for a release.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from dataflywheel.contracts import AnyArray, FloatArray, FlywheelError, UsageError
from dataflywheel.signals.words.shingles import text_keys
from dataflywheel.store.atomic import write_json
from dataflywheel.store.lock import one_at_a_time

Tier = Literal["steer", "select", "sealed"]
TIERS: tuple[Tier, ...] = ("steer", "select", "sealed")
SHARES: dict[Tier, float] = {"steer": 0.4, "select": 0.3, "sealed": 0.3}


def split(
    ids: Sequence[str], prompts: Sequence[str], slices: Sequence[str], shares: Mapping[Tier, float] = SHARES
) -> dict[Tier, AnyArray]:
    """Positions of the rows of each tier, ascending; every row is in exactly one, and every slice in proportion.

    Rows whose prompts are the same words but for case, spacing and punctuation land in one tier.
    Decided by content alone: neither the order of rows nor a seed changes it.

    Args:
        ids: row ids (n,).
        prompts: what comes before each answer (n,); a row without a prompt stands for itself.
        slices: the skill of each row (n,).
        shares: the part of all rows that each tier gets; they add up to 1.

    Raises:
        UsageError: shares that are negative or do not add up to 1.
    """
    if set(shares) - set(TIERS) or min(shares.values()) < 0 or abs(sum(shares.values()) - 1) > 1e-6:
        raise UsageError(f"tiers: shares of {', '.join(TIERS)} must be positive and add up to 1, not {dict(shares)}")
    want = np.array([shares.get(tier, 0.0) for tier in TIERS])
    given, found = np.zeros(3), np.zeros(len(ids), dtype=np.int64)
    at_slice: dict[str, FloatArray] = {}
    for slice_name, members in _groups(ids, prompts, slices):
        held = at_slice.setdefault(slice_name, np.zeros(3))
        # What a slice still owes a tier comes first; over many small slices what all of them owe it decides.
        owed = [want * (tally.sum() + len(members)) - tally for tally in (held, given)]
        tier = int(np.argmax(np.where(want > 0, owed[0] + np.clip(owed[1], -0.5, 0.5), -np.inf)))
        found[members] = tier
        held[tier] += len(members)
        given[tier] += len(members)
    return {tier: np.flatnonzero(found == number) for number, tier in enumerate(TIERS)}


def _groups(ids: Sequence[str], prompts: Sequence[str], slices: Sequence[str]) -> list[tuple[str, list[int]]]:
    """(slice, positions) of rows that must stay together, by the hash of their prompt."""
    keys = [key or id for key, id in zip(text_keys(prompts), ids, strict=True)]
    groups: dict[str, list[int]] = {}
    for position, key in enumerate(keys):
        groups.setdefault(key, []).append(position)
    ordered = sorted(groups, key=lambda key: hashlib.blake2b(key.encode(), digest_size=16).digest())
    # A prompt that several slices share counts for the one of its smallest id.
    return [(min((ids[i], slices[i]) for i in groups[key])[1], groups[key]) for key in ordered]


class SealedLooks:
    """How often the sealed tier was looked at, and why: a JSON file that every look is entered in before it happens."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def entries(self) -> list[dict[str, Any]]:
        """All looks, granted and refused, oldest first: `release`, `model` (its digest), `purpose`, `granted`."""
        if not self.path.exists():
            return []
        try:
            looks: list[dict[str, Any]] = json.loads(self.path.read_text(encoding="utf-8"))["looks"]
            _ = [(look["release"], look["model"], look["purpose"], look["granted"]) for look in looks]
        except (ValueError, OSError, LookupError, TypeError) as error:
            raise FlywheelError(
                f"{self.path}: damaged ({type(error).__name__}), and whether the sealed tier was looked at unknown; "
                "bring it back from a copy, or move it away and say so beside the numbers"
            ) from None
        return looks

    def count(self) -> int:
        """Looks that were granted."""
        return sum(look["granted"] for look in self.entries())

    def look(self, release: str, model: str, purpose: str) -> None:
        """Enter a look at the sealed tier by the model with this digest; the same model may be looked at again.

        Raises:
            FlywheelError: another model was looked at for this release; the attempt is entered as refused.
        """
        with one_at_a_time(self.path):
            looks = self.entries()
            earlier = [look for look in looks if look["release"] == release and look["granted"]]
            granted = all(look["model"] == model for look in earlier)
            entry = {"release": release, "model": model, "purpose": purpose, "granted": granted}
            write_json(self.path, {"looks": [*looks, entry]})
        if not granted:
            raise FlywheelError(
                f"the sealed tier was looked at for release {release!r} with model {earlier[0]['model']} "
                f"({earlier[0]['purpose']}); a second model would be chosen by the rows that are reported. Compare "
                "models on the select tier, or give the release another name and say so beside its numbers"
            )
