"""Laws that every selector obeys."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dataflywheel import catalog
from dataflywheel.contracts import Columns, Selector, Status
from dataflywheel.selection.order import SCORE
from tests.selection.columns import generator, make_columns

PARAMETERS: dict[str, dict[str, Any]] = {
    "raked": {"margins": {"row.source": {"alpaca": 0.5}}},
    "length_matched_random": {"lengths": tuple(range(10, 60))},
    "diverse_by_score": {"score": "likelihood.loss_answer", "threshold": 0.8},
    "gumbel_top_k": {"score": "likelihood.loss_answer"},
    "delt_folding": {"score": "likelihood.loss_answer"},
    "diversify_and_conquer": {"score": "likelihood.loss_answer", "clusters": 9},
    "ds2": {"vectors": "cluster.vector"},
}
VARIANTS = [("perplexity", {"keep": k}) for k in ("top", "middle", "low")] + [
    ("ifd", {"ratio": "perplexity"}),
    ("longest", {"length": "chars"}),
    ("density", {"exact_rows": 0, "hashes": 20}),
    ("diversify_and_conquer", {"score": "likelihood.loss_answer", "gap": "likelihood.loss_answer_given_prompt"}),
    ("rds_plus", {"takers": "row", "when_taken": "next_best"}),
    ("bm25", {"takers": "row", "when_taken": "next_best"}),
    ("tsds", {"vector": "gradient_projection.vector", "C": 50.0}),
    ("k_center", {"vector": "gradient_projection.vector"}),
    ("facility_location", {"memory_gb": 4 * 40 * 40 / 2**30}),
]
ALL = [(n, PARAMETERS.get(n, {})) for n in catalog.names(Selector, ("selection",))] + VARIANTS
PARTIAL = {"ifd", "diverse_by_score", "grape", "necessary", "tsds"}  # they turn measured rows away


def make(name: str, parameters: dict[str, Any]) -> Selector:
    method = catalog.get(name, Selector, ("selection",))
    assert issubclass(method, Selector)
    return method(**parameters)


def ranked_ids(selector: Selector, columns: Columns, budget: int, seed: int = 3) -> list[str]:
    selection = selector.rank(columns, budget, generator(seed))
    return [str(id) for id in columns.ids[selection.order]]


def test_the_ten_selectors_are_there() -> None:
    assert set(catalog.names(Selector, ("selection",))) >= {
        "random", "longest", "length_matched_random", "source_balanced_random", "perplexity", "ifd", "k_center",
        "facility_location", "diverse_by_score", "density",
    }  # fmt: skip


@pytest.mark.parametrize(("name", "parameters"), ALL)
def test_order_of_rows_does_not_matter(name: str, parameters: dict[str, Any]) -> None:
    selector, columns = make(name, parameters), make_columns(90)
    shuffled = columns.take(generator(5).permutation(90))
    assert ranked_ids(selector, columns, 50)[:50] == ranked_ids(selector, shuffled, 50)[:50]


@pytest.mark.parametrize(("name", "parameters"), ALL)
def test_enough_distinct_rows(name: str, parameters: dict[str, Any]) -> None:
    selector, columns = make(name, parameters), make_columns(90)
    for budget in (0, 1, 17, 90, 200):
        selection = selector.rank(columns, budget, generator())
        assert len(set(selection.order.tolist())) == len(selection.order) == len(selection.gain)
        assert len(selection.order) >= min(budget, 90) or name in PARTIAL


@pytest.mark.parametrize(("name", "parameters"), ALL)
def test_nested_means_prefix(name: str, parameters: dict[str, Any]) -> None:
    selector, columns = make(name, parameters), make_columns(90)
    large = selector.rank(columns, 60, generator(1))
    for budget in (1, 7, 30):
        small = selector.rank(columns, budget, generator(1))
        if large.nested:
            assert small.order[:budget].tolist() == large.order[:budget].tolist()


@pytest.mark.parametrize(("name", "parameters"), ALL)
def test_seeds(name: str, parameters: dict[str, Any]) -> None:
    selector, columns = make(name, parameters), make_columns(90)
    same = [ranked_ids(selector, columns, 40, seed)[:40] for seed in (1, 1)]
    others = [ranked_ids(selector, columns, 40, seed)[:40] for seed in range(2, 6)]
    assert same[0] == same[1]
    assert all(other == same[0] for other in others) == selector.deterministic


@pytest.mark.parametrize(("name", "parameters"), ALL)
def test_unmeasured_rows_are_left_out_and_counted(name: str, parameters: dict[str, Any]) -> None:
    selector, columns = make(name, parameters), make_columns(90)
    signals = {need.split(".")[0] for need in selector.needs()} - {"row"}
    for signal in signals:
        columns.values[f"{signal}.status"][[3, 50]] = Status.FAILED
    selection = selector.rank(columns, 90, generator())
    assert not ({3, 50} & set(selection.order.tolist())) or not signals
    assert selection.notes["not_measured"] == (2 if signals else 0)
    assert selection.notes["offered"] == 90


@pytest.mark.parametrize(("name", "parameters"), ALL)
def test_no_rows(name: str, parameters: dict[str, Any]) -> None:
    assert len(make(name, parameters).rank(make_columns(0), 5, generator()).order) == 0


def test_score_column_is_the_default_of_diverse_by_score() -> None:
    assert SCORE in make("diverse_by_score", {}).needs()
    assert np.isfinite(make_columns(3)["embedding.vector"]).all()
