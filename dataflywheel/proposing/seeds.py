"""Which seeds are written from next: all of a slice before any twice, slices in turn while rows of them are missing."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dataflywheel.contracts import REGISTRY, Cleaner
from dataflywheel.proposing.ledger import Entry, Fate
from dataflywheel.rows.schema import Row


def first_tag(row: Row) -> str:
    """The slice of a row where nothing else says it."""
    return row["tags"][0] if row["tags"] else ""


def is_made(row: Row) -> bool:
    """Whether a method wrote the row; one that a cleaner changed is what it was."""
    kind = REGISTRY.get(row["made_by"])
    cleaned = kind is not None and issubclass(kind, Cleaner) and kind.keeps_meaning
    return not cleaned and bool(row["parents"] or row["made_by"])


@dataclass(frozen=True)
class Taken:
    """A seed for one wave, how often it was visited before, and the slice that its rows count for."""

    row: Row
    turn: int
    slice: str


class SeedQueues:
    """The seeds of each wanted slice in an order that depends on the random seed alone; in their own without one.

    Without `place` all seeds are of one slice. `visits`: how often each is written from, at most; None: without end,
    in another order at each pass. `most`: rows that a visit gives, at most.
    """

    def __init__(
        self,
        seeds: Sequence[Row],
        place: Callable[[Row], str] | None,
        wanted: Mapping[str, int],
        visits: int | None,
        seed: int | None,
        most: int = 1,
    ) -> None:
        groups: dict[str, list[Row]] = {name: [] for name in wanted}
        for row in seeds:
            name = "" if place is None else place(row)
            if name in groups:
                groups[name].append(row)
        if seed is not None:
            rng = np.random.default_rng([seed, 15485863])
            groups = {name: [rows[i] for i in rng.permutation(len(rows))] for name, rows in groups.items()}
        self.groups, self.visits, self.seed, self.most = groups, visits, seed, most
        self.at = dict.fromkeys(groups, 0)
        self.rate = dict.fromkeys(groups, float(most))

    def take(self, missing: Mapping[str, int], room: int) -> list[Taken]:
        """Up to `room` seeds of the slices that miss rows, one of each in turn; of no slice many more than it needs."""
        need = {name: self._visits(n, self.rate[name]) for name, n in missing.items() if n > 0}
        taken: list[Taken] = []
        while len(taken) < room:
            before = len(taken)
            for name in need:
                if need[name] > 0 and self._left(name) and len(taken) < room:
                    turn, place = divmod(self.at[name], len(self.groups[name]))
                    if turn and not place:
                        self._shuffle(name, turn)
                    taken.append(Taken(self.groups[name][place], turn, name))
                    self.at[name] += 1
                    need[name] -= 1
            if len(taken) == before:
                break
        return taken

    def _visits(self, rows: int, rate: float) -> int:
        return round(rows / rate + 0.5) if self.most == 1 else math.ceil(rows / rate)

    def take_all(self, missing: Mapping[str, int]) -> list[Taken]:
        """All seeds of the slices that miss rows, each once, as far as visits are left."""
        wanted = {name: len(self.groups[name]) for name, n in missing.items() if n > 0}
        self.rate = dict.fromkeys(self.rate, 1.0)
        return self.take(wanted, sum(wanted.values()))

    def learn(self, entries: Sequence[Entry]) -> None:
        """How many good rows a visit of each slice's seeds has given so far: at most `most` are counted on."""
        good = Counter(e.slice for e in entries if e.fate in (Fate.ACCEPTED, Fate.SURPLUS))
        for name, visited in self.at.items():
            self.rate[name] = min(float(self.most), max(good[name], 1) / max(visited, 1))

    def used_up(self, missing: Mapping[str, int]) -> str:
        """Why nothing more can be written for the slices that miss rows; seeds of the others could not help."""
        short = [name for name, rows in missing.items() if rows > 0]
        seeds = sum(len(self.groups[name]) for name in short)
        empty = [name for name in short if name and not self.groups[name]]
        nothing = f"; none belongs to {', '.join(empty)}" if empty else ""
        if self.visits is None or not seeds:
            return f"there is no seed to write from{nothing}"
        often = "once" if self.visits == 1 else f"{self.visits} times"
        return f"every one of the {seeds:,} seeds that could help was used {often}{nothing}"

    def _shuffle(self, name: str, turn: int) -> None:
        """Another order for the next pass, so that seeds which are shown together are not always the same."""
        if self.visits is None and self.seed is not None:
            rows = self.groups[name]
            order = np.random.default_rng([self.seed, 15485863, turn]).permutation(len(rows))
            self.groups[name] = [rows[i] for i in order]

    def _left(self, name: str) -> bool:
        there = len(self.groups[name])
        return bool(there) if self.visits is None else self.at[name] < self.visits * there
