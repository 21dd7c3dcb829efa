"""A cleaner may change rows: what they become has a new id, its lineage and all else of the row; nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflywheel.contracts import REGISTRY, Card, Cleaner, Columns, Decisions, FlywheelError, TargetView, Texts
from dataflywheel.proposing.seeds import is_made
from dataflywheel.recipe.steps.changed_rows import settled
from dataflywheel.recipe.steps.rows_out import write_kept
from dataflywheel.rows.identity import make_row, prompt_answer_row
from dataflywheel.rows.in_place import said_anew
from dataflywheel.rows.parts import PartWriter, read_rows
from dataflywheel.rows.schema import Row, message, table

BAD = "caf\u00c3\u00a9"
GOOD = "caf\u00e9"


@pytest.fixture(scope="module")
def lower() -> Iterator[type[Cleaner]]:
    """The toy: texts in lower case."""

    class ToyLower(Cleaner):
        card: ClassVar[Card] = Card(
            title="Lower case", authors="", year=2026, paper="", category="enhancement", subcategory="preparation",
            summary="Texts in lower case.", checked="by hand",
        )  # fmt: skip

        gives: ClassVar[dict[str, Any]] = {}

        def needs(self) -> tuple[str, ...]:
            return ()

        def decide(self, columns: Columns, texts: Texts, target: TargetView | None) -> Decisions:
            decisions = Decisions()
            for id, text in zip(columns.ids.tolist(), texts(columns.ids.tolist()), strict=True):
                decisions.add(id, "dropped" if "x" in text else "changed" if "!" in text else "kept", "heard")
            return decisions

        def change(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
            return self.gives or said_anew(row, str.lower)

    yield ToyLower
    del REGISTRY["toy_lower"]


def written(folder: Path, rows: list[Row]) -> Path:
    with PartWriter(folder) as writer:
        writer.write(table(rows))
    return folder


def cleaned(folder: Path, cleaner: Cleaner, rows: list[Row]) -> tuple[Decisions, list[Row]]:
    """Decisions on rows, and the rows that are left, without a recipe."""
    at = written(folder / "in", rows)
    texts = {row["id"]: " ".join(turn["content"] for turn in row["messages"]) for row in rows}
    ids = np.array([row["id"] for row in rows], dtype=object)
    decisions = cleaner.decide(Columns(ids), lambda wanted: [texts[id] for id in wanted], None)
    write_kept(at, decisions, folder / "out", changes=settled(cleaner, at, decisions))
    return decisions, read_rows(folder / "out").to_pylist()


def test_a_changed_row_carries_all_that_it_had(tmp_path: Path, lower: type[Cleaner]) -> None:
    calls = '[{"function":{"arguments":"{\\"Q\\":1}","name":"Find"},"id":"A1","type":"function"}]'
    row = make_row(
        [
            message("system", "BE BRIEF", learn=None),
            message("user", "Where?", name="Ann"),
            message("assistant", "", calls, reasoning="LOOK", learn=False),
            message("tool", "HERE", tool_call_id="A1", name="Find"),
            message("assistant", "Here!", reasoning="Sure"),
        ],
        rejected=[message("assistant", "There!")], tools='[{"type":"function"}]', label="Wanted", source="Logs",
        tags=["Q&A"], extra={"Weight": 2}, media=[{"type": "image", "ref": "A.png"}], cells='{"Col":"VAL"}', weight=0.5,
    )  # fmt: skip
    row["copies"] = 3
    decisions, (made,) = cleaned(tmp_path, lower(), [row])
    same = ("tools", "label", "source", "tags", "copies", "extra", "media", "round", "weight")
    assert {name: made[name] for name in same} == {name: row[name] for name in same}  # type: ignore[literal-required]
    assert [(t["content"], t["reasoning"]) for t in made["messages"]] == [
        ("be brief", None), ("where?", None), ("", "look"), ("here", None), ("here!", "sure")
    ]  # fmt: skip
    beside = ("role", "tool_calls", "name", "tool_call_id", "learn")
    for after, before in zip(made["messages"], row["messages"], strict=True):
        assert {name: after[name] for name in beside} == {name: before[name] for name in beside}  # type: ignore[literal-required]
    assert (made["rejected"][0]["content"], made["cells"]) == ("there!", '{"Col":"val"}')  # type: ignore[index]
    assert (made["parents"], made["made_by"]) == ([row["id"]], "toy_lower")
    assert (decisions.action, decisions.other) == (["changed"], [made["id"]])
    assert not is_made(made)
    assert is_made({**made, "made_by": "magpie"})


def test_rows_that_become_the_same_are_one_with_all_their_copies(tmp_path: Path, lower: type[Cleaner]) -> None:
    twins = [prompt_answer_row("a", text, source=text) for text in ("Yes!", "YES!")]
    becomes_kept, kept = prompt_answer_row("b", "NO!"), prompt_answer_row("b", "no")
    same = prompt_answer_row("c", "fine!")
    kept_twin = prompt_answer_row("b", "no!")
    rows = [twins[0], becomes_kept, twins[1], kept, same, kept_twin, prompt_answer_row("x", "out")]
    for number, row in enumerate(rows):
        row["copies"] = 10**number
    decisions, left = cleaned(tmp_path, lower(), rows)
    said = {
        id: (a, r, o)
        for id, a, r, o in zip(decisions.ids, decisions.action, decisions.reason, decisions.other, strict=True)
    }
    merged = prompt_answer_row("a", "yes!")["id"]
    first = min(row["id"] for row in twins)
    other = max(row["id"] for row in twins)
    assert said[first] == ("changed", "heard", merged)
    assert said[other] == ("dropped", "identical to another row once changed: heard", merged)
    assert said[becomes_kept["id"]][0::2] == ("dropped", kept_twin["id"])
    assert said[kept_twin["id"]] == ("kept", "nothing to change", None)
    assert said[same["id"]] == ("kept", "nothing to change", None)
    by_id = {row["id"]: row for row in left}
    assert by_id[merged]["copies"] == 1 + 100
    assert by_id[merged]["source"] == next(row["source"] for row in twins if row["id"] == first)
    assert by_id[kept_twin["id"]]["copies"] == 10 + 10**5
    assert set(by_id) == {merged, kept["id"], kept_twin["id"], same["id"]}
    assert by_id[kept["id"]]["parents"] == []


@settings(max_examples=20)
@given(st.lists(st.text(alphabet="aAbB!x", min_size=1, max_size=3), unique=True, min_size=1, max_size=12), st.randoms())
def test_no_row_and_no_copy_is_lost_whatever_the_order(
    tmp_path_factory: pytest.TempPathFactory, lower: type[Cleaner], answers: list[str], random: Any
) -> None:
    rows = [prompt_answer_row("q", text) for text in answers]
    for number, row in enumerate(rows):
        row["copies"] = 1 << number
    one, left = cleaned(tmp_path_factory.mktemp("law"), lower(), rows)
    out = sum(row["copies"] for row, a in zip(rows, answers, strict=True) if "x" in a)
    assert sum(row["copies"] for row in left) == (1 << len(rows)) - 1 - out
    assert len({row["id"] for row in left}) == len(left) == sum(action != "dropped" for action in one.action)
    random.shuffle(rows)
    two, again = cleaned(tmp_path_factory.mktemp("law"), lower(), rows)
    assert sorted(zip(one.ids, one.action, one.reason, one.other, strict=True)) == sorted(
        zip(two.ids, two.action, two.reason, two.other, strict=True)
    )
    assert sorted(left, key=lambda row: row["id"]) == sorted(again, key=lambda row: row["id"])


@pytest.mark.parametrize(
    ("gives", "said"),
    [
        (
            {"id": "1", "source": "s"},
            "toy_lower changes id, source of row [0-9a-f]+; a cleaner may change cells, label",
        ),
        ({"messages": [{"role": "user"}]}, "toy_lower makes no row of row"),
    ],
)
def test_a_cleaner_that_gives_no_row_is_named(
    tmp_path: Path, lower: type[Cleaner], gives: dict[str, Any], said: str
) -> None:
    cleaner = lower()
    type(cleaner).gives = gives
    try:
        with pytest.raises(FlywheelError, match=said):
            cleaned(tmp_path, cleaner, [prompt_answer_row("q", "A!")])
    finally:
        type(cleaner).gives = {}
