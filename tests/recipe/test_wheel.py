"""A wheel of two or three rounds on a few hundred docstrings: what it adds up to, and what it must never do."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from dataflywheel.contracts import UsageError
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.execute import Result, run
from dataflywheel.recipe.rounds.round import Memory, chooses
from dataflywheel.recipe.rounds.wheel import Wheel
from dataflywheel.recipe.steps.build import build_steps
from dataflywheel.report.card.card import write_card
from dataflywheel.report.card.card_facts import CardFacts
from dataflywheel.report.drawing.numbers import percent
from dataflywheel.report.html import write_report
from dataflywheel.report.rundir import load_run
from dataflywheel.report.verdict import verdict
from dataflywheel.report.why import as_text, why
from dataflywheel.rows.parts import read_rows
from dataflywheel.store.decisions import read_decisions
from dataflywheel.store.run import RunDirectory
from tests.recipe.jobs import job

CLEANED: list[Any] = [
    {"deduplicate": {"near": 0.8, "part": "answer"}},
    {"decontaminate": {"semantic": None}},
    {"filter": {"bounds": {"text.tokens_answer": [5, 300]}}},
]
TURN: list[Any] = [
    {"select": {"by": "random", "keep": 60}},
    {"enhance": {"by": "redact_personal_data"}},
    {"generate": {"by": "grounded_rules", "rows": 20, "gates": ["format_and_length", "grounded"]}},
    {"train": {"max_steps": 4, "max_length": 96, "batch_size": 8}},
    "evaluate",
]
MORE: dict[str, Any] = {
    "rounds": 2,
    "feedback": {"weakest_slices": {"minimum_n": 3}},
    "models": {"student": {"builtin": "tiny", "size": "0.5m"}, "embedder": "static"},
    "guards": {"patience": 5},
}


def ids(path: Path) -> list[str]:
    return list(read_rows(path / "rows" if (path / "rows").is_dir() else path, ["id"])["id"].to_pylist())


@pytest.fixture(scope="module")
def turned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    folder = tmp_path_factory.mktemp("wheel")
    recipe = job(folder, [*CLEANED, *TURN], **MORE)
    return folder, run(recipe, runs=folder / "runs", home=folder / "store")


def test_rounds_add_up_and_never_take_a_row_twice(turned: tuple[Path, Result]) -> None:
    path = turned[1].path
    chosen = [ids(path / f"round-{r}" / "04-select") for r in (1, 2)]
    assert [len(rows) for rows in chosen] == [30, 30]
    assert not set(chosen[0]) & set(chosen[1])
    first, second = (set(ids(path / f"round-{r}" / "07-accumulate")) for r in (1, 2))
    assert first < second
    assert sorted(ids(path / "round-2" / "07-accumulate")) == sorted(set(ids(path / "round-2" / "07-accumulate")))


def test_written_rows_carry_their_lineage_and_their_round(turned: tuple[Path, Result]) -> None:
    path = turned[1].path
    rows = read_rows(path / "round-2" / "07-accumulate" / "rows").to_pylist()
    written = [row for row in rows if row["made_by"] == "grounded_rules"]
    assert {row["round"] for row in written} == {1, 2}
    cleaned = set(ids(path / "round-1" / "03-filter"))
    assert all(row["parents"] and set(row["parents"]) <= cleaned for row in written)
    turn = json.loads((path / "round-2" / "turn.json").read_text())
    assert turn["rows"]["made"] == len(written)  # a redacted row is as real as it was
    assert turn["rows"]["real_share"] == pytest.approx(1 - len(written) / len(rows))


def test_every_row_has_a_decision_at_every_step(turned: tuple[Path, Result]) -> None:
    path = turned[1].path
    steps = [p.parent for p in path.glob("round-*/*/decisions.parquet")]
    assert len(steps) > 8
    for step in steps:
        decisions = read_decisions(step / "decisions.parquet").to_pylist()
        out = {d["id"] if d["action"] != "changed" else d["other"] for d in decisions if d["action"] != "dropped"}
        rows = step if (step / "rows").is_dir() else next(step.parent.glob("*-accumulate"))  # what was trained on
        assert out == set(ids(rows)), step


def test_the_tiers_share_no_row_and_the_sealed_one_is_looked_at_once(turned: tuple[Path, Result]) -> None:
    path, result = turned[1].path, turned[1]
    tiers = {name: set(ids(path / "tiers" / name)) for name in ("steer", "select", "sealed")}
    assert sum(map(len, tiers.values())) == len(set.union(*tiers.values())) == len(ids(path / "target"))
    looks = json.loads((path / "sealed-looks.json").read_text())["looks"]
    assert [look["granted"] for look in looks] == [True]
    assert result.evaluation is not None
    assert result.evaluation.overall.n <= len(tiers["sealed"])
    for step in path.glob("round-*/*-evaluate"):
        assert {p.name for p in step.glob("scores*")} == {"scores-steer.parquet", "scores-select.parquet"}


def test_no_row_of_the_target_is_trained_on(turned: tuple[Path, Result]) -> None:
    path = turned[1].path
    assert not set(ids(path / "round-2" / "07-accumulate")) & set(ids(path / "target"))


def test_the_budget_of_the_second_round_follows_the_steering_tier(turned: tuple[Path, Result]) -> None:
    path = turned[1].path
    first, second = (json.loads((path / f"round-{r}" / "budget.json").read_text()) for r in (1, 2))
    assert first["by_slice"] is None
    assert sum(second["slices"]["04-select"].values()) == 30
    assert sum(second["slices"]["06-generate"].values()) == 10
    assert set(second["by_slice"]["reasons"]) == set(second["slices"]["04-select"])


def test_the_same_again_does_nothing_and_changes_nothing(turned: tuple[Path, Result]) -> None:
    folder, result = turned
    before = {p: p.stat().st_mtime_ns for p in result.path.rglob("*.parquet")}
    recipe = job(folder, [*CLEANED, *TURN], **MORE)
    again = run(recipe, runs=folder / "runs", home=folder / "store")
    assert again.rows_out == result.rows_out
    assert again.evaluation == result.evaluation
    steps = {p: t for p, t in before.items() if "round-" in str(p)}
    assert all(p.stat().st_mtime_ns == t for p, t in steps.items())
    assert len(json.loads((result.path / "sealed-looks.json").read_text())["looks"]) == 1


def test_a_round_that_is_lost_is_made_again_with_the_same_bytes(turned: tuple[Path, Result]) -> None:
    folder, result = turned
    last = result.path / "round-2"
    files = [p for p in last.rglob("rows/*.parquet")]
    before = {p.relative_to(last): p.read_bytes() for p in files}
    shutil.rmtree(last)
    run(job(folder, [*CLEANED, *TURN], **MORE), runs=folder / "runs", home=folder / "store")
    assert before
    assert {p.relative_to(last): p.read_bytes() for p in last.rglob("rows/*.parquet")} == before


def test_the_report_tells_the_rounds_and_what_became_of_proposals(turned: tuple[Path, Result]) -> None:
    path = turned[1].path
    page = write_report(path).read_text(encoding="utf-8")
    for said in ("round 1: ", "round 2: ", "bits per byte after every round", "sealed rows", "looked at 1 time"):
        assert said in page
    told = json.loads((path / "round-2" / "06-generate" / "metrics.json").read_text())["details"]["funnel"]
    row = re.search(r"round 2, generate by grounded_rules</th>(.*?)</tr>", page, re.DOTALL)
    assert row is not None
    cells = re.findall(r"<td[^>]*>(.*?)</td>", row[1])
    assert [int(cell) for cell in cells[:6]] == [
        told[name] for name in ("proposed", "failed", "left", "rejected", "surplus", "accepted")
    ]
    turns = [json.loads((path / f"round-{r}" / "turn.json").read_text()) for r in (1, 2)]
    shares = re.findall(r'data-label="real">([^<]*)<', page)
    assert shares == [percent(turn["rows"]["real_share"]) for turn in turns]


@pytest.mark.parametrize("kept", [True, False])
def test_why_card_and_headline_agree_on_the_rows_of_the_last_kept_round(
    turned: tuple[Path, Result], tmp_path: Path, kept: bool
) -> None:
    path = tmp_path / "wheel"
    shutil.copytree(turned[1].path, path)
    turns = [json.loads((path / f"round-{r}" / "turn.json").read_text(encoding="utf-8")) for r in (1, 2)]
    (path / "round-2" / "turn.json").write_text(json.dumps({**turns[1], "kept": kept}), encoding="utf-8")
    # A third round that an earlier recipe of that name had: its steps are gone.
    (path / "round-3").mkdir()
    (path / "round-3" / "turn.json").write_text(json.dumps({**turns[1], "round": 3, "kept": True}), encoding="utf-8")
    last = 2 if kept else 1
    rows = ids(path / f"round-{last}" / turns[last - 1]["rows"]["folder"])
    other = ids(path / f"round-{3 - last}" / turns[2 - last]["rows"]["folder"])
    assert len(rows) != len(other)
    found = load_run(path)
    assert (CardFacts(found).rows, found.final.rows_out if found.final else 0) == (len(rows), len(rows))
    assert verdict(found).headline.startswith(f"{len(rows):,} rows of ")
    card = write_card(path).read_text(encoding="utf-8")
    assert f"{len(rows):,} rows: " in card
    assert ("`redact_personal_data` took part in round-2" in card) == kept
    assert "- `bits_per_byte`: " in card, "what the model is scored by is cited"
    assert f"<b>{len(rows):,}</b>" in write_report(path).read_text(encoding="utf-8")
    for id in {rows[0], *(set(rows) ^ set(other))}:
        life = why(path, id)
        assert (life["outcome"] == "in the final data set") == (id in rows)
        assert ("round 2 was taken back" in as_text(life)) == (not kept and id not in rows)
        assert "for no row" not in as_text(life)


def test_why_tells_of_a_written_row_what_it_was_made_from(turned: tuple[Path, Result]) -> None:
    path = turned[1].path
    rows = read_rows(path / "round-2" / "07-accumulate" / "rows").to_pylist()
    row = next(row for row in rows if row["made_by"] == "grounded_rules" and row["round"] == 1)
    life = why(path, row["id"])
    assert life["outcome"] == "in the final data set"
    assert [parent["id"] for parent in life["parents"]] == row["parents"]
    assert ("round-1/06-generate", "accepted") in {(one["step"], one["fate"]) for one in life["written"]}
    told = as_text(life)
    assert "added, written by grounded_rules" in told
    assert "a proposal for this row was accepted" in told
    parent = why(path, row["parents"][0])
    assert any(one["id"] == row["id"] for one in parent["written"])


@pytest.mark.parametrize(
    ("steps", "more", "said"),
    [
        (TURN[:1] + TURN[3:], {"feedback": {}}, "feedback"),
        ([TURN[3], "evaluate"], {}, "nothing brings new rows"),
        ([*TURN[:3], "evaluate", TURN[3]], {}, "a wheel ends with `train` and `evaluate`"),
        ([*TURN[:1], *CLEANED[2:], *TURN[3:]], {}, "cleaning comes before"),
        (TURN, {"feedback": {"weakest_slice": {}}}, "weakest_slices"),
        ([{"enhance": {"by": "grounded_rules"}}, *TURN], {}, "name it under `generate`"),
        ([{"generate": {"by": "redact_personal_data", "rows": 3}}, *TURN], {}, "name it under `enhance`"),
        ([{"generate": {"by": "self_instruct", "rows": 3}}, *TURN], {}, "asks a model"),
        ([{"generate": {"by": "grounded_rules", "rows": 3, "gates": ["groundet"]}}, *TURN], {}, "grounded"),
    ],
)
def test_what_cannot_turn_is_refused_before_anything_runs(
    tmp_path: Path, steps: list[Any], more: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        run(job(tmp_path, [*CLEANED, *steps], **{**MORE, **more}), runs=tmp_path / "runs", home=tmp_path / "store")
    assert not (tmp_path / "runs").exists()


def test_feedback_without_rounds_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="rounds"):
        job(tmp_path, [*CLEANED, *TURN], **{**MORE, "rounds": 1})


def test_rows_that_an_earlier_run_left_in_a_round_are_not_taken_by_it(turned: tuple[Path, Result]) -> None:
    path = turned[1].path
    recipe = job(turned[0], [*CLEANED, *TURN], **MORE)
    wheel = Wheel(Context(recipe, RunDirectory(path), turned[0] / "store"), build_steps(recipe))
    left = path / "round-2" / "04-select"
    assert Memory(path, path, [left]).outputs(wheel, 2, chooses) == [left / "rows"]
    assert Memory(path, path, [path / "round-1" / "04-select"]).outputs(wheel, 2, chooses) == []


def test_what_rounds_left_and_somebody_damaged_is_named_and_made_anew(turned: tuple[Path, Result]) -> None:
    folder, result = turned
    recipe = job(folder, [*CLEANED, *TURN], **MORE)
    parts = {path: path.read_bytes() for path in sorted(result.path.rglob("*.parquet"))}
    tables = (
        "round-1/*-accumulate/rows/part-*",
        "round-2/00-offer/rows/part-*",
        "tiers/steer/part-*",
        "sealed/scores.*",
    )
    damaged = [next(iter(sorted(result.path.glob(pattern)))) for pattern in tables]
    for path in damaged:
        path.write_bytes(path.read_bytes()[:-40])
    with pytest.warns(UserWarning, match="made anew") as told:
        run(recipe, runs=folder / "runs", home=folder / "store")
    said = [str(warning.message) for warning in told]
    for path in damaged:
        assert any(path.name in line and "made anew" in line and str(path.parents[0]).startswith(line.partition(";")[0])
                   for line in said), (path, said)  # fmt: skip
    assert {path: path.read_bytes() for path in parts} == parts
