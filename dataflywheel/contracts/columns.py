"""Signals side by side, with what became of each measurement."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataflywheel.contracts.complaint import nearest
from dataflywheel.errors import UsageError

FloatArray = np.ndarray[Any, np.dtype[np.floating[Any]]]
AnyArray = np.ndarray[Any, np.dtype[Any]]


class Status(IntEnum):
    """What became of one measurement; a value other than NaN or null exists only for OK and TRUNCATED."""

    OK = 0
    TRUNCATED = 1
    EMPTY = 2
    FAILED = 3
    SKIPPED = 4


@dataclass
class Columns:
    """Signals of n rows, side by side: what selectors and filters see.

    `values["likelihood.loss_answer"]` has shape (n,), an embedding (n, d);
    `values["likelihood.status"]` holds `Status`.
    Row facts are there too: `row.source` (str), `row.tags` (list), `row.copies` (int); and, for who names them among
    what it needs, texts (str): `row.text`, `row.prompt` and `row.answer`.
    """

    ids: AnyArray
    values: dict[str, AnyArray] = field(default_factory=dict)
    target: Columns | None = None
    """The same signals of the evaluation rows, for targeted selectors, with `row.slice` (str): the skill of each."""
    earlier: Columns | None = None
    """The same signals of the rows that earlier rounds train on, for selectors that go on from these."""

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, name: str) -> AnyArray:
        if name not in self.values:
            raise UsageError(f"no column {name!r}{nearest(name, list(self.values))}")
        return self.values[name]

    def ok(self, *names: str) -> AnyArray:
        """Boolean mask (n,) of rows whose columns all hold a finite value."""
        mask = np.ones(len(self), dtype=bool)
        for name in names:
            status = self.values.get(name.split(".")[0] + ".status")
            if status is not None:
                mask &= np.asarray(status) <= Status.TRUNCATED
            value = self[name]
            if value.dtype.kind == "f":
                mask &= np.isfinite(value) if value.ndim == 1 else np.isfinite(value).all(axis=1)
        return mask

    def by_id(self) -> AnyArray:
        """Positions (n,) in the order of the ids. Arrow sorts them as they lie; numpy would make 128 bytes of each."""
        held = pa.array([str(id) for id in self.ids.tolist()], pa.string())
        return np.asarray(pc.sort_indices(held)).astype(np.int64)

    def take(self, index: AnyArray) -> Columns:
        return replace(self, ids=self.ids[index], values={k: v[index] for k, v in self.values.items()})
