"""Rewriting, writing and distilling rows that Python holds: what became of each is in the result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import dataflywheel as fw
from dataflywheel.contracts import FlywheelError, UsageError
from dataflywheel.recipe.result import Result

MAIL = "anna.berg@garda.org"
MANUAL = """The pump is a machine that moves water from the well to the tank.

A filter is a sieve that keeps sand out of the pump.

The tank is a box of steel that holds water for one day.
"""


def pool() -> list[dict[str, Any]]:
    leads = [{"instruction": f"Who leads place {i}?", "output": f"Nobody leads place {i}."} for i in range(4)]
    return [*leads, {"instruction": "Who <b>leads</b> Garda?", "output": f"Write to {MAIL}."}]


@pytest.fixture
def where(tmp_path: Path) -> dict[str, Any]:
    return {"home": tmp_path / "store", "runs": tmp_path / "runs"}


def test_rewritten_rows_stand_beside_what_they_were(where: dict[str, Any]) -> None:
    found = fw.enhance(pool(), "redact_personal_data", **where)
    assert (len(found), found.rows_in, found.rows_out) == (1, 5, 5)
    (change,) = found.changed
    assert change.before["messages"][-1]["content"] == f"Write to {MAIL}."
    assert MAIL not in str(change.after)
    assert MAIL not in str(found.rows)
    assert change.after in found.rows
    assert (found.added, len(found.rows)) == ([], 5)
    assert found.reasons == {"nothing to redact": 4}
    assert found.to_dataset()["messages"] == found.to_pandas()["messages"].tolist()
    assert repr(found).splitlines() == [
        "1 rows rewritten by redact_personal_data; 5 rows in all", "came to nothing: nothing to redact (4)",
    ]  # fmt: skip
    assert "<b>leads" not in found._repr_html_()
    assert "&lt;b&gt;leads" in found._repr_html_()


def test_the_container_does_not_matter(where: dict[str, Any]) -> None:
    pandas, datasets = pytest.importorskip("pandas"), pytest.importorskip("datasets")
    forms: list[Any] = [pool(), pandas.DataFrame(pool()), datasets.Dataset.from_list(pool())]
    first, *others = [fw.enhance(form, "redact_personal_data", **where).rows for form in forms]
    assert all(other == first for other in others)


def test_written_rows_and_those_that_gates_turned_away(where: dict[str, Any]) -> None:
    gates = ["grounded", {"novelty": {"part": "answer", "rouge_l": 0.9}}]
    found = fw.generate([{"text": MANUAL}], {"grounded_rules": {}}, 4, visits=3, gates=gates, **where)
    assert len(found) == len(found.added) > 0
    assert all(row in found.rows for row in found.added)
    assert len(found.rows) == 1 + len(found.added)
    assert found.changed == []
    assert sum(found.reasons.values()) >= len(found.refused)
    for lost in found.refused:
        assert lost.reason
        assert lost.row is None or lost.row not in found.rows


def test_a_target_in_memory_is_kept_out_of_what_is_written(where: dict[str, Any]) -> None:
    free = fw.generate([{"text": MANUAL}], "grounded_rules", 4, visits=3, **where)
    known = [
        {"prompt": row["messages"][0]["content"], "completion": row["messages"][1]["content"]} for row in free.added
    ]
    gates = ["format_and_length", "contamination"]
    kept = fw.generate([{"text": MANUAL}], "grounded_rules", 4, visits=3, target=known, gates=gates, **where)
    assert free.added
    assert not [row for row in kept.added if row in free.added]
    assert any(lost.gate == "contamination" for lost in kept.refused)


def test_what_cannot_be_is_refused_before_anything_is_done(where: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="redact_personal_data"):
        fw.enhance(pool(), "redact_personal_dat", **where)
    with pytest.raises(TypeError, match="noname"):
        fw.enhance(pool(), "redact_personal_data", noname=1, **where)
    assert not (where["runs"]).exists()


def test_a_result_without_a_data_set_says_so(tmp_path: Path) -> None:
    with pytest.raises(FlywheelError, match="no data set, the calls were used up"):
        _ = Result(tmp_path, 5, 0, stopped="the calls were used up").rows


def test_records_that_hold_no_row_are_told_with_their_places(where: dict[str, Any]) -> None:
    good = {"prompt": "Whom?", "response": "Write to jane@example.org."}
    found = fw.enhance([good, {"bad": 1}, {**good, "prompt": "Who?"}, {"worse": []}], "redact_personal_data", **where)
    assert [line.index for line in found.unread] == [1, 3]
    assert len(found) == 2
    assert "2 records hold no row: cannot be read" in repr(found)
    assert "cannot be read" in found._repr_html_()
