"""Weights that a selector gives: whose they are, that quotas hold in them, and that they reach the kept rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from dataflywheel.contracts import REGISTRY, Card, Columns, Decisions, Selection, Selector
from dataflywheel.recipe.steps.changed_rows import Changes
from dataflywheel.recipe.steps.rows_out import write_kept
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.parts import PartWriter, has_weights, read_rows
from dataflywheel.rows.schema import table
from dataflywheel.selection.combine import select_rows, weights_by_id
from dataflywheel.selection.spec import Select

VALUE = "toy.value"


@pytest.fixture(autouse=True)
def heavy() -> Iterator[None]:
    """A selector whose rows weigh what they are worth."""

    class Heavy(Selector):
        card: ClassVar[Card] = Card(
            title="", authors="", year=2026, paper="", category="selection", subcategory="static", summary="",
            checked="by hand",
        )  # fmt: skip
        weighs: ClassVar[bool] = True

        def needs(self) -> tuple[str, ...]:
            return (VALUE,)

        def rank(self, columns: Columns, budget: int, rng: np.random.Generator) -> Selection:
            value = columns[VALUE]
            order = np.argsort(-value, kind="stable")
            return Selection(order, value[order], "heavy", weight=value[order])

    Heavy.__module__ = "dataflywheel.selection.static.heavy"
    yield
    del REGISTRY["heavy"]


COLUMNS = Columns(
    np.array(list("abcd")),
    {VALUE: np.array([4.0, 2.0, 6.0, 1.0]), "row.source": np.array(["x", "x", "y", "y"], dtype=object)},
)


def chosen(**given: object) -> tuple[dict[str, float] | None, Decisions, Selection]:
    selection, decisions = select_rows(COLUMNS, Select(**given), np.random.default_rng(0))  # type: ignore[arg-type]
    return weights_by_id(COLUMNS, selection), decisions, selection


def test_weights_are_those_of_the_kept_rows_and_one_in_the_mean() -> None:
    weights, decisions, selection = chosen(by="heavy", keep=3)
    assert weights == {"c": 1.5, "a": 1.0, "b": 0.5}
    assert decisions.reason[1] == "ranked 3 of 4 by heavy; weight 0.5"
    assert selection.notes["weights"] == {"least": 0.5, "greatest": 1.5, "effective_rows": 2.6}


def test_a_quota_holds_in_weights_as_in_rows() -> None:
    weights, _, _ = chosen(by="heavy", keep=4, per="source", quota="equal")
    assert weights == pytest.approx({"a": 4 / 3, "b": 2 / 3, "c": 12 / 7, "d": 2 / 7})


def test_whoever_decides_which_rows_are_kept_says_what_they_weigh() -> None:
    assert chosen(by="random", then="heavy", keep=2)[0] is not None
    for given in ({"by": ["heavy", "random"]}, {"by": "heavy", "then": "random"}, {"by": "random"}):
        weights, decisions, selection = chosen(**given, keep=2)
        assert weights is None
        assert "weights" not in selection.notes
        assert not any("weight" in reason for reason in decisions.reason)


def test_the_kept_rows_have_them_and_a_rows_own_is_multiplied(tmp_path: Path) -> None:
    rows = [
        prompt_answer_row(name, "x", weight=own) for name, own in (("a", None), ("b", 0.5), ("c", 3.0), ("d", None))
    ]
    with PartWriter(tmp_path / "in") as out:
        out.write(table(rows))
    decisions, ids = Decisions(), [row["id"] for row in rows]
    for id, action in zip(ids, ("kept", "kept", "dropped", "kept"), strict=True):
        decisions.add(id, action, "")
    write_kept(tmp_path / "in", decisions, tmp_path / "out", changes=Changes(weights={ids[0]: 0.25, ids[1]: 4.0}))
    kept = read_rows(tmp_path / "out", ["id", "weight"]).to_pylist()
    assert kept == [{"id": ids[0], "weight": 0.25}, {"id": ids[1], "weight": 2.0}, {"id": ids[3], "weight": None}]
    write_kept(tmp_path / "in", decisions, tmp_path / "same", order=[ids[3], ids[0], ids[1]])
    assert read_rows(tmp_path / "same", ["weight"])["weight"].to_pylist() == [None, None, 0.5]
    assert has_weights(tmp_path / "same")


def test_which_selector_weighs_is_known_beforehand() -> None:
    said = {
        "heavy": {"by": ["heavy"]},
        "": {"by": ["heavy", "random"]},
        "heavy ": {"by": ["random"], "then": {"heavy": {}}},
    }
    for name, given in said.items():
        assert Select(**given, keep=2).weighing() == name.strip()  # type: ignore[arg-type]
    assert Select(by=["heavy"], then={"random": {}}, keep=2).unweighed() == ["heavy"]  # type: ignore[list-item]
    assert Select(by=["heavy"], keep=2).unweighed() == []  # type: ignore[list-item]
