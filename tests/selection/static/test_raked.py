"""Raking: margins hold at once, odds ratios stay, what cannot be is said, and samples have the shares."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from dataflywheel.contracts import Columns, FlywheelError, Status, UsageError
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.planning.plan import plan
from dataflywheel.recipe.schema import Recipe
from dataflywheel.selection.static.raked import EXACT, Margin, Raked, raked


def columns(source: list[str], language: list[str], length: list[int] | None = None) -> Columns:
    n = len(source)
    ok = np.full(n, Status.OK, np.uint8)
    return Columns(
        np.array([f"r{i:05d}" for i in range(n)]),
        {
            "row.source": np.array(source, dtype=object),
            "language.language": np.array(language, dtype=object),
            "language.status": ok,
            "text.tokens_answer": np.array(length or [1] * n),
            "text.status": ok,
        },
    )


def pool(n: int = 4000, seed: int = 0) -> Columns:
    rng = np.random.default_rng(seed)
    source = rng.choice(["forum", "manual", "book"], n, p=[0.8, 0.15, 0.05])
    language = np.where(rng.random(n) < np.where(source == "forum", 0.05, 0.3), "de", "en")
    return columns(source.tolist(), language.tolist(), rng.integers(0, 400, n).tolist())


MARGINS = {"row.source": {"forum": 0.4, "manual": 0.3, "book": 0.3}, "language.language": {"de": 0.25, "en": 0.75}}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 60), min_size=6, max_size=6), st.tuples(*[st.floats(0.05, 1)] * 5))
def test_margins_hold_and_odds_ratios_stay(cells: list[int], wanted: tuple[float, ...]) -> None:
    """The fitted table is the one of these margins with the odds ratios of the table that was: it is unique."""
    rows = [(a, b) for (a, b), n in zip([(a, b) for a in "xyz" for b in "uv"], cells, strict=True) for _ in range(n)]
    first, second = np.array(wanted[:3]) / sum(wanted[:3]), np.array(wanted[3:]) / sum(wanted[3:])
    a, b = (np.array([row[k] for row in rows], dtype=object) for k in (0, 1))
    margins = [
        Margin.asked("a", a, dict(zip("xyz", first.tolist(), strict=True))),
        Margin.asked("b", b, dict(zip("uv", second.tolist(), strict=True))),
    ]
    weight = raked(margins, len(rows))
    fitted = np.array([[weight[(a == i) & (b == j)].sum() for j in "uv"] for i in "xyz"])
    assert np.abs(fitted.sum(1) - first).max() < 2 * EXACT
    assert np.abs(fitted.sum(0) - second).max() < 2 * EXACT
    before = np.array(cells, float).reshape(3, 2)
    odds = (fitted[:, 0] * fitted[0, 1]) / (fitted[:, 1] * fitted[0, 0])
    assert odds == pytest.approx((before[:, 0] * before[0, 1]) / (before[:, 1] * before[0, 0]), rel=1e-3)


def test_a_sample_has_the_shares_but_for_single_rows() -> None:
    found = pool()
    chosen = Raked(margins=MARGINS).rank(found, 600, np.random.default_rng(1))
    assert chosen.weight is not None
    assert chosen.weight.sum() == pytest.approx(600, abs=3)
    assert len(set(chosen.order.tolist())) == len(chosen.order)
    for name, shares in MARGINS.items():
        for value, share in shares.items():
            reached = chosen.weight[found[name][chosen.order] == value].sum() / chosen.weight.sum()
            assert reached == pytest.approx(share, abs=0.01), (name, value)
    assert chosen.notes["margins"]["row.source"]["off"] <= EXACT


def test_values_that_are_not_named_keep_their_proportions() -> None:
    found = columns(["a"] * 60 + ["b"] * 30 + ["c"] * 10, ["en"] * 100)
    margin = Margin.asked("row.source", found["row.source"], {"c": 0.4})
    assert dict(zip(margin.names, margin.shares.round(6).tolist(), strict=True)) == {"a": 0.4, "b": 0.2, "c": 0.4}


def test_numbers_are_raked_by_ranges() -> None:
    found = pool()
    shares = {"<100": 0.6, "100-300": 0.3, ">=300": 0.1}
    chosen = Raked(margins={"text.tokens_answer": shares}).rank(found, 500, np.random.default_rng(2))
    short = (found["text.tokens_answer"][chosen.order] < 100).mean()
    assert short == pytest.approx(0.6, abs=0.01)
    with pytest.raises(FlywheelError, match="no range; write <50"):
        Raked(margins={"text.tokens_answer": {"short": 1}}).rank(found, 5, np.random.default_rng(2))


def test_what_cannot_be_is_said() -> None:
    found = columns(["a"] * 50 + ["b"] * 50, ["en"] * 50 + ["de"] * 50)
    contradiction = {"row.source": {"a": 0.9}, "language.language": {"en": 0.1}}
    notes = Raked(margins=contradiction, most=1000).rank(found, 50, np.random.default_rng(0)).notes
    assert max(margin["off"] for margin in notes["margins"].values()) > 0.5
    with pytest.raises(FlywheelError, match=r"no row has row\.source c; there are a, b"):
        Raked(margins={"row.source": {"c": 0.5}}).rank(found, 5, np.random.default_rng(0))
    with pytest.raises(ValueError, match="of 1 in all at most"):
        Raked(margins={"row.source": {"a": 0.9, "b": 0.9}})


def test_a_share_of_0_is_never_drawn_and_says_so() -> None:
    found = columns(["a"] * 9 + ["b"], ["en"] * 10)
    chosen = Raked(margins={"row.source": {"a": 1.0, "b": 0.0}}).rank(found, 10, np.random.default_rng(0))
    assert set(found["row.source"][chosen.order]) == {"a"}
    assert {r.reason for r in chosen.notes["rejected"].values()} == {"a value whose share is 0"}


def test_no_row_weighs_more_than_is_allowed() -> None:
    found = columns(["a"] * 990 + ["b"] * 10, ["en"] * 1000)
    chosen = Raked(margins={"row.source": {"b": 0.5}}, most=4).rank(found, 1000, np.random.default_rng(0))
    assert chosen.weight is not None
    assert chosen.weight.max() <= 4 * 1.1
    assert chosen.notes["margins"]["row.source"]["off"] > 0.4


def test_ranges_that_overlap_and_lists_are_refused() -> None:
    found = columns(["a", "b"], ["en", "de"], [150, 20])
    with pytest.raises(ValidationError, match="'100-200' overlaps '<160'"):
        Raked(margins={"text.tokens_answer": {"<160": 0.5, "100-200": 0.5}}).rank(found, 2, np.random.default_rng(0))
    tags = np.empty(2, dtype=object)
    tags[:] = [["x"], ["x", "y"]]
    with pytest.raises(FlywheelError, match="a list of values a row, and a margin takes one"):
        Margin.asked("row.tags", tags, {"x": 1.0})


@pytest.mark.parametrize(
    ("margins", "why"),
    [
        ({"row.tags": {"a": 0.5}}, "such as row.source or language.language"),
        ({"row.prompt": {"a": 0.5}}, "holds no single kind a row"),
        ({"text.turns": {"<5": 0.5, "4-9": 0.5}}, "'4-9' overlaps '<5'"),
        ({"text.turns": {"<5": 0.5, "long": 0.5}}, "'long' is no range"),
        ({"row.source": {"a": float("nan")}}, "shares from 0"),
    ],
)
def test_margins_that_cannot_be_are_refused_before_a_run(margins: dict[str, dict[str, float]], why: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(why)):
        Raked(margins=margins)


def test_a_source_that_no_file_is_is_found_by_the_plan(tmp_path: Path) -> None:
    lines = "".join(json.dumps({"prompt": f"Ask {i}", "completion": f"Say {i}"}) + "\n" for i in range(30))
    for name in ("forum", "manual"):
        (tmp_path / f"{name}.jsonl").write_text(lines.replace("Ask", f"Ask {name}"))

    def recipe(**sources: float) -> Recipe:
        pool = [{"path": str(tmp_path / "forum.jsonl")}, {"path": str(tmp_path / "manual.jsonl"), "source": "book"}]
        step = {"select": {"by": {"raked": {"margins": {"row.source": sources}}}, "keep": 10}}
        return recipe_from({"name": "raked", "pool": pool, "steps": [step]}, "made")

    plan(recipe(forum=0.2, book=0.8))
    with pytest.raises(UsageError, match=r"no row has row\.source manual; there are book, forum"):
        plan(recipe(forum=0.2, manual=0.8))
