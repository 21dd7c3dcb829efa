"""Entity matching: which row of a second table is the same thing as a row of the first one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import Field, PrivateAttr

from dataflywheel.contracts import Card, FloatArray, UserPath
from dataflywheel.enhancement.tables.columns import Change, Column, columns_of, text_of
from dataflywheel.enhancement.tables.matching import (
    Labelled,
    Pair,
    Threshold,
    best_and_second,
    best_matches,
    by_gap,
    by_labels,
    key_of,
    labelled_pairs,
)
from dataflywheel.enhancement.tables.mended import Left, cells, proposals
from dataflywheel.enhancement.tables.pair_scores import Pairing
from dataflywheel.enhancement.tables.same_columns import same_columns
from dataflywheel.proposing.kinds import Demand, Proposal, Proposer
from dataflywheel.rows.schema import Row

NOT_TWO = "not matched, rows of two tables are wanted"
NO_COLUMNS = "not matched, the tables have no column in common"
HELD = "not matched, the column for it holds a value of the table's own"
NO_MATCH = "no row of the other table is alike enough"
ALIKE, TAKEN = "the most alike row of the other table", "stood in the row of the other table that matches"


@dataclass(frozen=True)
class Compared:
    """Two tables, the pairs that were compared, and from which score on they match."""

    pairing: Pairing
    rows: tuple[Sequence[Row], Sequence[Row]]
    keys: tuple[Sequence[str], Sequence[str]]
    pairs: Sequence[Pair]
    scores: FloatArray
    threshold: Threshold


class MatchTables(Proposer):
    """Enters into each row of a first table which row of a second one is the same thing, where one is.

    The tables are rows of two sources. Columns go together by name, others by the words that names and values share.
    Each row is compared with the rows of the other table that share most rare words with it (blocking); a pair's score
    is what both share of all their words and of those of each column, rare words and telling columns counting more,
    numbers as numbers. The threshold is the best one on labelled pairs, or lies where the scores part in two groups; if
    they do not, nothing matches. Each row has one match at most, and with `once` is the match of one. A line that is
    in both tables, letter for letter, is one row when they are read: give each table a key of its own.
    """

    card: ClassVar[Card] = Card(
        title="Entity matching by weighed words of aligned columns behind blocking by rare words",
        authors="dataflywheel",
        year=2026,
        category="enhancement",
        subcategory="tables",
        summary="Finds for rows of one table the row of another one that is the same thing, by rare words they share.",
        cost="¢",
        checked="beer and restaurant tables with known matches; tables in which nothing matches; renamed columns",
        pays="Two lists of the same things that write names, places and numbers alike but not the same.",
        fails="The same thing in other words or another language, and things that differ by a word, such as sizes.",
        evidence="Here, F1 on the pairs of the test split: beer 0.87, restaurants without their telling number 0.98 "
        "(benchmarks/tables.md).",
    )
    rewrites: ClassVar[bool] = True
    mends: ClassVar[bool] = True
    whole: ClassVar[bool] = True
    keeps_meaning: ClassVar[bool] = True

    tables: list[str] = Field(default=[], max_length=2)
    """The two sources, the one first whose rows are given a match; in the order of the pool where none are named."""
    into: str = "match"
    """The column that holds what names the matching row; a value that is there and names none of them stays."""
    key: str = ""
    """The column that names rows, and is not compared; where none is given, rows are named by the first one whose
    values all differ, or else by their ids."""
    take: list[str] = []
    """Columns of the second table whose values are taken over where the first row has none."""
    labelled: UserPath | None = None
    """A table of labelled pairs: `first` and `second`, what names a row of each table, and `match`, 1 or 0."""
    least: float | None = Field(default=None, ge=0, le=1)
    """The score from which on two rows match, in place of one that is found out."""
    once: bool = True
    """Whether a row of the second table is the match of one row alone; false where many rows name the same thing."""
    candidates: int = Field(default=10, ge=1, le=1000)
    """Rows of the second table with which each row is compared, at most."""
    _told: dict[str, Any] = PrivateAttr(default_factory=dict)

    def leans_on(self) -> str:
        """The labelled pairs, by what the file holds."""
        path = Path(self.labelled) if self.labelled is not None else None
        return hashlib.blake2b(path.read_bytes(), digest_size=8).hexdigest() if path and path.is_file() else ""

    def propose(self, demand: Demand) -> list[Proposal]:
        by = {name: [r for r in demand.seeds if r["source"] == name and cells(r)] for name in self._sources(demand)}
        if len(by) != 2 or not all(by.values()):
            why = f"{NOT_TWO}: {', '.join(by) or 'none'}"
            return proposals(demand.seeds, [], [], self.name, {row["id"]: why for row in demand.seeds})
        compared = self.compared(*by.values())
        if compared is None:
            return proposals(demand.seeds, [], [], self.name, {row["id"]: NO_COLUMNS for row in demand.seeds})
        high = [
            (pair, score)
            for pair, score in zip(compared.pairs, compared.scores.tolist(), strict=True)
            if score >= compared.threshold.score
        ]
        return self.matched(demand, compared, best_matches(high, self.once), {})

    def _sources(self, demand: Demand) -> list[str]:
        return self.tables or list(dict.fromkeys(row["source"] for row in demand.seeds if cells(row)))

    def compared(self, first: Sequence[Row], second: Sequence[Row]) -> Compared | None:
        """The scores of all pairs that blocking leaves; None where no column is in both tables."""
        one, other = (columns_of([cells(row) or {} for row in rows]) for rows in (first, second))
        columns = [pair for pair in same_columns(one, other) if not {self.into, self.key} & {*pair}]
        if not columns:
            return None
        pairing = Pairing(one, other, columns)
        pairs = pairing.candidates(self.candidates)
        scores = pairing.scores(pairs)
        keys = (
            key_of(one, self.key, [row["id"] for row in first]),
            key_of(other, self.key, [row["id"] for row in second]),
        )
        known = labelled_pairs(str(self.labelled), *keys) if self.labelled is not None else None
        threshold = self._threshold(pairing, pairs, scores, known)
        told = {"columns": [list(pair) for pair in columns], "rows": [len(first), len(second)], "pairs": len(pairs)}
        told |= {"threshold": threshold.score if np.isfinite(threshold.score) else None, "by": threshold.by}
        if known is not None:
            real = [pair for pair, same in zip(known.pairs, known.same, strict=True) if same]
            there = set(pairs)
            told["blocking"] = {"matches": len(real), "found": sum(pair in there for pair in real)}
        self._told["matching"] = told
        return Compared(pairing, (first, second), keys, pairs, scores, threshold)

    def _threshold(
        self, pairing: Pairing, pairs: Sequence[Pair], scores: FloatArray, known: Labelled | None
    ) -> Threshold:
        if self.least is not None:
            return Threshold(self.least, "`least`")
        if known is not None:
            return by_labels(pairing.scores(known.pairs), known.same)
        return by_gap(best_and_second(pairing, pairs, scores))

    def matched(
        self, demand: Demand, compared: Compared, found: Mapping[int, tuple[int, float]], left: Mapping[str, str],
        reasons: Mapping[Pair, str] | None = None, bills: Mapping[str, Any] | None = None,
    ) -> list[Proposal]:  # fmt: skip
        """A proposal a seed: rows of the first table with their match, and all others as they are."""
        first, changes, why = compared.rows[0], list[Change](), Left()
        names = {text_of(key) for key in compared.keys[1]}
        for i in range(len(first)):
            if i not in found:
                why.add(i, left.get(first[i]["id"], NO_MATCH))
                continue
            j, score = found[i]
            reason = (reasons or {}).get((i, j), ALIKE)
            before = self._held(compared.pairing.one, self.into, i)
            if text_of(before) and text_of(before) not in names:
                why.add(i, f"{HELD}; name another column as `into`")
                continue
            changes.append(Change(i, self.into, before, compared.keys[1][j], reason, score))
            changes += self._taken(compared, i, j, score)
        told = {first[row]["id"]: reason for row, reason in why.why.items()}
        self._told["matching"] |= {"matches": len(found)}
        return proposals(demand.seeds, first, changes, self.name, told, bills)

    def _taken(self, compared: Compared, i: int, j: int, score: float) -> list[Change]:
        one, other = compared.pairing.one, compared.pairing.other
        return [
            Change(i, name, self._held(one, name, i), other[name].values[j], TAKEN, score)
            for name in self.take
            if name in other and not other[name].missing[j] and (name not in one or one[name].missing[i])
        ]

    @staticmethod
    def _held(table: Mapping[str, Column], name: str, row: int) -> Any:
        return table[name].values[row] if name in table else None

    def told(self) -> dict[str, Any]:
        return dict(self._told)
