"""Planted truth: damage of known kinds in a clean pool is found, and training on what is left beats random choice."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.damage import KINDS, answer, damage, prompt
from benchmarks.planted import clean, clean_rows, detection
from benchmarks.planted_trials import arms, gain, trials
from dataflywheel.contracts import Decisions
from dataflywheel.enhancement.preparation.near_copies import near_duplicates
from dataflywheel.recipe.execute import Result
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.parts import PartWriter
from dataflywheel.rows.schema import table
from dataflywheel.store.decisions import write_decisions


def test_damage_is_what_it_says_and_leaves_no_trace_in_the_rows() -> None:
    rows, _ = clean_rows("python_docs", 500, 0)
    made = damage(rows, seed=3)
    kinds = Counter(made.kinds.values())
    assert kinds == dict.fromkeys(KINDS, 50)
    by_prompt = {prompt(row): row for row in rows}
    by_id = {row["id"]: row for row in made.rows}
    assert len(by_id) == len(rows)
    clean_ids = {row["id"] for row in rows}
    assert {id for id in by_id if id not in made.kinds} <= clean_ids
    assert not clean_ids & set(made.kinds)
    assert {row["source"] for row in made.rows if row["id"] in made.kinds} == {""}
    of = {kind: [by_id[id] for id, k in made.kinds.items() if k == kind] for kind in KINDS}
    swapped = [answer(by_prompt[prompt(row)]) for row in of["swapped"]]
    assert Counter(swapped) == Counter(answer(row) for row in of["swapped"])
    assert all(a != answer(row) for a, row in zip(swapped, of["swapped"], strict=True))
    for row in of["cut"]:
        whole = answer(by_prompt[prompt(row)])
        assert whole.startswith(answer(row))
        assert 0.25 < len(answer(row)) / len(whole) < 0.85
        assert answer(row)[-1].isalnum()
    for copy, original in made.originals.items():
        pair = [answer(by_id[copy]), answer(by_id[original])]
        assert pair[0] != pair[1]
        words = [Counter(text.lower().replace(",", " ").replace(".", " ").split()) for text in pair]
        assert (words[0] & words[1]).total() >= 0.8 * words[1].total()
    assert [row["id"] for row in damage(rows, seed=3).rows] == [row["id"] for row in made.rows]
    assert [row["id"] for row in damage(rows, seed=4).rows] != [row["id"] for row in made.rows]


def test_a_clean_pool_has_no_copies() -> None:
    rows, held_out = clean_rows("python_docs", 500, 100)
    assert near_duplicates([answer(row) for row in rows + held_out], 0.6).kept.all()


def test_recall_and_precision_are_counted_by_kind(tmp_path: Path) -> None:
    rows, _ = clean_rows("python_docs", 100, 0)
    made = damage(rows)
    of = {kind: [id for id, k in made.kinds.items() if k == kind] for kind in KINDS}
    unhurt = [r["id"] for r in made.rows if r["id"] not in made.kinds and r["id"] not in made.originals.values()]
    gone = {
        # One copy itself, one by its original, and one clean row; a boilerplate row goes before its own step.
        "01-deduplicate": {
            of["copy"][0]: unhurt[0],
            made.originals[of["copy"][1]]: of["copy"][1],
            unhurt[1]: unhurt[2],
            of["boilerplate"][0]: of["boilerplate"][1],
        },
        "02-filter": dict.fromkeys([*of["swapped"][:4], of["boilerplate"][1], unhurt[3]]),
        "03-filter": dict.fromkeys([*of["cut"][:5], of["swapped"][5]]),
    }
    for step, ids in gone.items():
        decisions = Decisions()
        for id in [row["id"] for row in made.rows]:
            decisions.add(id, "dropped" if id in ids else "kept", "planted", ids.get(id))
        folder = tmp_path / "round-1" / step
        folder.mkdir(parents=True)
        write_decisions(folder / "decisions.parquet", decisions)
    found = {f.kind: f for f in detection(made, Result(tmp_path, 0, 0))}
    told = {kind: (f.planted, f.met, f.found, f.wrong, f.gone) for kind, f in found.items()}
    assert told == {
        "copy": (10, 10, 2, 1, 2),
        "swapped": (10, 10, 4, 1, 5),
        "boilerplate": (10, 9, 1, 1, 2),
        "cut": (10, 10, 5, 0, 5),
    }
    assert found["swapped"].recall == 0.4
    assert found["swapped"].precision == 0.8
    assert found["swapped"].step_precision == pytest.approx(5 / 6)


def test_copies_boilerplate_and_swapped_answers_are_found(tmp_path: Path) -> None:
    rows, _ = clean_rows("python_docs", 200, 0)
    made = damage(rows)
    result = clean(made, tmp_path, steps=2)
    meant_for = {"copy": "01-deduplicate", "swapped": "02-filter", "boilerplate": "02-filter"}
    found = {f.kind: f for f in detection(made, result, meant_for)}
    assert found["copy"].recall >= 0.7
    assert found["copy"].precision >= 0.9
    assert found["swapped"].recall >= 0.5
    assert found["boilerplate"].recall >= 0.7
    assert min(found["swapped"].precision, found["boilerplate"].precision) >= 0.4  # by chance it would be one in seven


def test_arms_of_a_seed_share_an_order_and_differ_by_the_cleaning(tmp_path: Path) -> None:
    rows = [prompt_answer_row(f"question {i}", "word " * (i % 7 + 1)) for i in range(100)]
    with PartWriter(tmp_path / "round-1" / "00-pool" / "rows") as writer:
        writer.write(table(rows))
    with PartWriter(tmp_path / "round-1" / "03-filter" / "rows") as writer:
        writer.write(table(rows[30:]))
    kept = {row["id"] for row in rows[30:]}
    length = {row["id"]: len(answer(row)) for row in rows}
    drawn = arms(Result(tmp_path, 100, 70), seed=5)
    assert len(drawn["selection"]) == len(drawn["random"]) == 20
    assert set(drawn["selection"]) <= kept
    assert set(drawn["random"]) & kept <= set(drawn["selection"])
    text = {name: sum(length[id] for id in ids) for name, ids in drawn.items()}
    assert text["selection"] - 5 <= text["random, as much text"] <= text["selection"]
    assert drawn["random"] != arms(Result(tmp_path, 100, 70), seed=6)["random"]


@pytest.mark.slow
def test_training_on_what_is_left_beats_random_choice(tmp_path: Path) -> None:
    rows, held_out = clean_rows("python_docs", 1000, 200)
    made = damage(rows)
    result = clean(made, tmp_path)
    found = {f.kind: f for f in detection(made, result)}
    # Cut answers are seen by the built-in scorer, which learns a pool as small as this one by heart, ends included:
    # the bound is well above chance (0.15) and well below the 0.6 of a pool of twice the size.
    for kind, recall in {"copy": 0.7, "swapped": 0.5, "boilerplate": 0.7, "cut": 0.3}.items():
        assert found[kind].recall >= recall, kind
        assert found[kind].precision >= 0.3, kind  # by chance it would be one in seven
    told = gain(trials(result, held_out, seeds=4, epochs=4, home=tmp_path / "store"))
    assert told["rows"].high < 0
    assert 0 < told["share"] < 1
    assert 0 < told["quality"] < 1
