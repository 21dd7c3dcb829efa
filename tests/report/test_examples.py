"""Which decisions a report shows: every reason from start to end of the pool, the best and the last of the kept."""

from __future__ import annotations

import pyarrow as pa

from dataflywheel.report.sections.examples import ends, spread
from dataflywheel.store.decisions import DECISION_SCHEMA


def table(rows: list[tuple[str, str, float | None]]) -> pa.Table:
    entries = [{"id": id, "action": "dropped", "reason": why, "other": None, "score": score} for id, why, score in rows]
    return pa.Table.from_pylist(entries, schema=DECISION_SCHEMA)


def test_every_reason_is_seen_the_most_frequent_first() -> None:
    long = [(f"l{i}", f"too long, {i} words: of 9", None) for i in range(9)]
    near = [(f"n{i}", f"near-duplicate: Jaccard 0.{i}", None) for i in range(3)]
    shown = [d["id"] for d in spread(table([near[0], *long, ("s", "short", None), *near[1:]]), 6)]
    assert shown == ["l0", "n0", "s", "l8", "n2"]
    assert spread(table([]), 6) == []
    assert [d["id"] for d in spread(table([(str(i), "abcdefgh"[i], None) for i in range(8)]), 3)] == ["0", "1", "2"]


def test_the_best_and_the_last_of_the_kept() -> None:
    rows = [("d", "", 0.5), ("b", "", 0.9), ("a", "", 0.9), ("c", "", None), ("e", "", float("nan")), ("f", "", -1.0)]
    assert [d["id"] for d in ends(table(rows))] == ["a", "f"]
    assert [d["id"] for d in ends(table(rows[3:5]))] == ["c", "e"]
    assert [d["id"] for d in ends(table(rows[:1]))] == ["d"]
    assert ends(table([])) == []
