"""What other settings of a decontamination would drop, and what they would let through."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from dataflywheel.signals.words.leaked_rows import LONG, SHORT, Look, TargetWords

SETTINGS = (
    ("any 8-gram", SHORT, 0.0),
    ("any 13-gram, common ones too", LONG, 0.0),
    ("half of the 8-grams", SHORT, 0.5),
    ("half of the 13-grams", LONG, 0.5),
    ("70% of the 8-grams", SHORT, 0.7),
    ("all 8-grams", SHORT, 1.0),
)


class OtherSettings:
    """The largest share of the n-grams of one target text that each row of a pool holds, common ones included."""

    def __init__(self, wording: TargetWords, rows: int) -> None:
        self.wording = wording
        self.shares = {size: np.zeros(rows) for size in (LONG, SHORT) if wording.index_of(size) is not None}

    def add(self, first: int, look: Look) -> None:
        """Note the rows from `first` on."""
        for size, share in self.shares.items():
            place = self.wording.index_of(size)
            assert place is not None
            index, hits = self.wording.indices[place], look.hits[place]
            shared = index.shared(hits)
            np.maximum.at(share, first + shared.rows, shared.held / index.totals[shared.targets])

    def table(self, dropped: Collection[int]) -> list[dict[str, Any]]:
        """For each setting, from strict to loose: rows that it alone would drop, how many of these are kept as it is
        set, and how many of those dropped by words now it would let through."""
        now = np.fromiter(dropped, np.int64, len(dropped))
        found = []
        for name, size, least in SETTINGS:
            if size in self.shares:
                gone = self.shares[size] >= least if least else self.shares[size] > 0
                kept = int(gone.sum() - gone[now].sum())
                found.append(
                    {"setting": name, "rows": int(gone.sum()), "kept_now": kept, "let_through": int((~gone[now]).sum())}
                )
        return found
