"""Depths against a plain recursion, on any lineage."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.contracts import FlywheelError
from dataflywheel.evolution.iteration.lineage import depths, depths_of
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.parts import PartWriter
from dataflywheel.rows.schema import table


def test_rows_on_disk(tmp_path: Path) -> None:
    real = prompt_answer_row("q", "a")
    rewritten = prompt_answer_row("q", "b", parents=[real["id"]], made_by="self_refine")
    both = prompt_answer_row("q", "c", parents=[real["id"], rewritten["id"]], made_by="evol_instruct")
    grounded = prompt_answer_row("q", "d", parents=["a document"], made_by="grounded_rules")
    nothing = prompt_answer_row("q", "e", made_by="magpie")
    unchanged = prompt_answer_row("q", "f", made_by="revision")
    unchanged["parents"] = [unchanged["id"]]
    rows = [both, grounded, nothing, unchanged, rewritten, real]
    with PartWriter(tmp_path, part_rows=2) as writer:
        writer.write(table(rows))
    found = depths(tmp_path)
    assert [found[row["id"]] for row in rows] == [2, 1, 1, 1, 1, 0]
    assert depths(tmp_path, {"a document": 2})[grounded["id"]] == 3


def test_the_real_copy_of_a_row_counts() -> None:
    assert depths_of([("x", ["y"], "m"), ("x", [], ""), ("z", ["x"], "m")]) == {"x": 0, "z": 1}


def test_own_ancestors_are_refused() -> None:
    with pytest.raises(FlywheelError, match="row a is its own ancestor"):
        depths_of([("a", ["b"], "m"), ("b", ["a"], "m"), ("c", [], "")])


@given(st.lists(st.lists(st.integers(0, 40), max_size=3), max_size=40), st.randoms(use_true_random=False))
def test_as_a_plain_recursion_in_any_order(parents: list[list[int]], random: object) -> None:
    rows = [(str(i), [str(p) for p in above if p < i], "m" if above else "") for i, above in enumerate(parents)]
    made = {id: (above, by) for id, above, by in rows}

    def deep(id: str) -> int:
        above, by = made[id]
        return 1 + max((deep(p) for p in above), default=0) if by else 0

    random.shuffle(rows)  # type: ignore[attr-defined]
    assert depths_of(rows) == {id: deep(id) for id in made}


def test_a_row_in_other_words_is_as_deep_as_the_row_that_it_replaces() -> None:
    rows: list[tuple[str, list[str], str]] = [
        ("real", [], ""),
        ("revised", ["real"], "revision"),
        ("new", ["revised"], "writer"),
        ("new revised", ["new"], "revision"),
    ]
    assert depths_of(rows, rewriters=["revision"]) == {"real": 0, "revised": 0, "new": 1, "new revised": 1}
    assert depths_of(rows) == {"real": 0, "revised": 1, "new": 2, "new revised": 3}
