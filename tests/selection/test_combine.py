"""The step `select`: budgets, quotas, stages and the reason of every row."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflywheel.contracts import Columns, Decisions, Selection, Status, UsageError
from dataflywheel.selection.combine import select_rows
from dataflywheel.selection.quota import share_out
from dataflywheel.selection.spec import TOKENS, Select
from tests.selection.columns import generator, make_columns, unit


def select(columns: Columns, seed: int = 0, **spec: Any) -> tuple[Selection, Decisions]:
    return select_rows(columns, Select(**spec), generator(seed))


def check_decisions(columns: Columns, selection: Selection, decisions: Decisions) -> None:
    """Every row has one decision with a reason, and the kept ones are the selection."""
    assert decisions.ids == [str(id) for id in columns.ids]
    assert all(decisions.reason)
    kept = {i for i, action in enumerate(decisions.action) if action == "kept"}
    assert kept == set(selection.order.tolist())
    assert len(selection.order) == len(set(selection.order.tolist())) == len(selection.gain) == selection.notes["kept"]
    assert set(decisions.action) <= {"kept", "dropped"}
    assert list(selection.reason) == [decisions.reason[i] for i in selection.order]


SPECS = st.fixed_dictionaries(
    {
        "by": st.sampled_from(
            ["ifd", "longest", "random", "k_center", "facility_location", "density", ["ifd", "longest"]]
        ),
        "then": st.sampled_from([None, "k_center", "facility_location", {"diverse_by_score": {"threshold": 0.5}}]),
        "per": st.sampled_from([None, "source", "tag"]),
        "shortlist": st.sampled_from([1, 3.5]),
    }
)


def eligible_rows(columns: Columns, decisions: Decisions) -> Any:
    """Rows that no selector turned away and that were measured."""
    away = ("not measured", "ifd", "near a chosen row")
    return np.array([not reason.startswith(away) for reason in decisions.reason])


@settings(max_examples=120, deadline=None)
@given(SPECS, st.integers(1, 70), st.integers(0, 5), st.booleans())
def test_rows_are_exact(spec: dict[str, Any], keep: int, seed: int, equal: bool) -> None:
    columns = make_columns(60, seed)
    columns.values["likelihood.status"][:4] = Status.FAILED
    columns.values["embedding.status"][3:6] = Status.EMPTY
    if spec["per"] and equal:
        spec = spec | {"quota": "equal"}
    selection, decisions = select(columns, seed, keep=keep, **spec)
    check_decisions(columns, selection, decisions)
    free = eligible_rows(columns, decisions)
    assert len(selection.order) == min(keep, int(free.sum()))
    if spec["per"] == "source" and equal:
        source = columns["row.source"]
        names = sorted(set(source.tolist()))
        expected = share_out(keep, [int((free & (source == n)).sum()) for n in names], [1.0] * len(names))
        got = [int((source[selection.order] == n).sum()) for n in names]
        # A row that resembles a chosen one may have been judged before the shortlist reached all rows of its group.
        assert got == expected or spec["then"] not in (None, "k_center", "facility_location")


@settings(max_examples=120, deadline=None)
@given(SPECS, st.integers(1, 6000), st.integers(0, 5))
def test_tokens_are_never_exceeded_and_nothing_more_fits(spec: dict[str, Any], keep: int, seed: int) -> None:
    columns = make_columns(60, seed)
    columns.values["text.status"][:4] = Status.FAILED
    tokens = sum(columns[name].astype(int) for name in TOKENS)
    selection, decisions = select(columns, seed, keep=f"{keep} tokens", **spec)
    check_decisions(columns, selection, decisions)
    assert selection.notes["tokens"] == tokens[selection.order].sum() <= keep
    waiting = eligible_rows(columns, decisions)
    waiting[selection.order] = False
    if spec["per"] is None:
        assert (tokens[waiting] > keep - selection.notes["tokens"]).all()
    if spec["per"] == "source":
        source = columns["row.source"]
        for name, quota in selection.notes["quotas"].items():
            used = tokens[selection.order][source[selection.order] == name].sum()
            assert used <= quota
            assert (tokens[waiting & (source == name)] > quota - used).all()


def test_tokens_are_filled_in_ranking_order() -> None:
    columns = make_columns(5)
    columns.values["text.tokens_answer"] = np.array([50, 40, 30, 20, 10])
    columns.values["text.tokens_prompt"] = np.zeros(5, dtype=int)
    # 50 and 40 leave 15 of 105: 30 and 20 do not fit, 10 does
    selection, decisions = select(columns, by="longest", keep="105 tokens")
    assert selection.order.tolist() == [0, 1, 4]
    assert "does not fit the budget (105 tokens)" in decisions.reason[2]


def test_percent_is_of_the_rows_offered() -> None:
    columns = make_columns(200)
    columns.values["likelihood.status"][:50] = Status.FAILED
    columns.values["likelihood.error"] = np.array([None, "the chat template refuses it: no", *[None] * 198])
    selection, decisions = select(columns, by="perplexity", keep="10%")
    assert len(selection.order) == 20
    assert selection.notes["budget"] == "10% of 200 rows offered: 20 rows"
    assert selection.notes["not_measured"] == 50
    assert decisions.reason[0] == "not measured: failed (likelihood)"
    assert decisions.reason[1] == "not measured: failed (likelihood): the chat template refuses it: no"
    assert decisions.score[0] is None


def test_reasons_and_scores_of_a_score() -> None:
    columns = make_columns(300)
    selection, decisions = select(columns, by="ifd", keep=30)
    ratio = columns["likelihood.loss_answer_given_prompt"] / columns["likelihood.loss_answer"]
    best = np.argsort(-np.where(ratio > 1, -1, ratio))[:30]
    assert selection.order.tolist() == best.tolist()
    np.testing.assert_allclose([s for s in decisions.score if s is not None], ratio)
    fit = int((ratio <= 1).sum())
    assert decisions.reason[best[11]] == f"ranked 12 of {fit} by ifd"
    kinds = Counter("above" if r == "ifd above 1" else "ranked" for r in decisions.reason)
    assert kinds["above"] == 300 - fit
    last = int(np.argmin(np.where(ratio > 1, 9, ratio)))
    assert decisions.reason[last] == f"ranked {fit} of {fit} by ifd; 30 kept"
    assert selection.nested


def test_shortlist_goes_to_the_chooser() -> None:
    columns = make_columns(300)
    selection, decisions = select(columns, by="longest", then="k_center", keep=20, shortlist=2)
    length = columns["text.tokens_answer"]
    order = np.lexsort((columns.ids, -length))
    assert set(selection.order.tolist()) <= set(order[:40].tolist())
    assert selection.notes["shortlist"] == 40
    assert decisions.reason[order[299]] == "below the shortlist of 40; ranked 300 of 300 by longest"
    assert decisions.reason[selection.order[0]].startswith("chosen 1 of 20 by k_center; ranked ")
    beaten = sum(reason.startswith("not among the 20 kept by k_center") for reason in decisions.reason)
    assert beaten == 20
    assert not selection.nested


def test_the_shortlist_grows_until_the_budget_is_met() -> None:
    # 90 copies of one vector score best; ten other directions score worst.
    columns = make_columns(100)
    vectors = np.vstack([np.tile([[1.0] + [0.0] * 10], (90, 1)), np.eye(11)[1:]])
    columns.values["embedding.vector"] = unit(vectors)
    columns.values["text.tokens_answer"] = np.arange(100, 0, -1)
    selection, decisions = select(columns, by="longest", then="diverse_by_score", keep=8)
    assert selection.order.tolist() == [0, *range(90, 97)]
    assert decisions.reason[5] == "near a chosen row"
    assert decisions.other[5] == str(columns.ids[0])
    assert decisions.score[5] == 95


def test_several_scores_are_combined_by_mean_rank() -> None:
    columns = Columns(
        np.array(["a", "b", "c", "d"]),
        {
            "text.tokens_answer": np.array([4, 3, 2, 1]),  # ranks 1 2 3 4
            "likelihood.loss_answer_given_prompt": np.array([1.0, 3.0, 4.0, 2.0]),  # top: ranks 4 2 1 3
        },
    )
    selection, decisions = select(columns, by=["longest", {"perplexity": {"keep": "top"}}], keep=4)
    assert decisions.score == [2.5, 2.0, 2.0, 3.5]
    assert selection.order.tolist() == [1, 2, 0, 3]


def test_a_row_that_one_score_turns_away_is_out() -> None:
    columns = make_columns(50)
    selection, decisions = select(columns, by=["longest", "ifd"], keep=50)
    ratio = columns["likelihood.loss_answer_given_prompt"] / columns["likelihood.loss_answer"]
    assert sorted(selection.order.tolist()) == np.flatnonzero(ratio <= 1).tolist()
    assert decisions.reason[int(np.argmax(ratio))] == "ifd above 1"


def test_quota_shares_and_small_groups() -> None:
    columns = make_columns(200)
    columns.values["row.source"] = np.repeat(["big", "mid", "tiny"], [150, 46, 4])
    selection, decisions = select(columns, by="longest", keep=30, per="source", quota="equal")
    assert selection.notes["kept_per_group"] == {"big": 13, "mid": 13, "tiny": 4}
    assert any(r.startswith("quota of source 'big' full (13 rows); ranked ") for r in decisions.reason)
    length = columns["text.tokens_answer"]
    mid = np.arange(150, 196)
    best = mid[np.lexsort((columns.ids[mid], -length[mid]))][:13]
    assert set(selection.order.tolist()) & set(mid.tolist()) == set(best.tolist())
    proportional, _ = select(columns, by="longest", keep=20, per="source")
    assert proportional.notes["kept_per_group"] == {"big": 15, "mid": 5, "tiny": 0}
    shares, _ = select(columns, by="longest", keep=30, per="source", quota={"tiny": 1, "mid": 2})
    assert shares.notes["kept_per_group"] == {"big": 0, "mid": 26, "tiny": 4}


def test_rows_without_tags_are_a_group() -> None:
    columns = make_columns(30)
    selection, _ = select(columns, by="longest", keep=10, per="tag", quota="equal")
    assert selection.notes["kept_per_group"] == {"": 5, "math": 5}


@settings(max_examples=40, deadline=None)
@given(SPECS, st.sampled_from([9, "20%", "2500 tokens"]))
def test_order_of_rows_does_not_matter(spec: dict[str, Any], keep: int | str) -> None:
    columns = make_columns(60, 3)
    shuffled = columns.take(generator(8).permutation(60))
    first, said = select(columns, 4, keep=keep, **spec)
    second, said_again = select(shuffled, 4, keep=keep, **spec)
    assert columns.ids[first.order].tolist() == shuffled.ids[second.order].tolist()
    assert dict(zip(said.ids, said.reason, strict=True)) == dict(zip(said_again.ids, said_again.reason, strict=True))


def test_unknown_group_and_missing_column() -> None:
    columns = make_columns(10)
    with pytest.raises(UsageError, match="no row has source 'doly'; did you mean 'dolly'"):
        select(columns, by="longest", keep=1, per="source", quota={"doly": 1.0})
    del columns.values["text.tokens_answer"]
    with pytest.raises(UsageError, match="tokens_answer"):
        select(columns, by="longest", keep=1)


def test_nothing_offered() -> None:
    selection, decisions = select(make_columns(0), by="ifd", then="k_center", keep="10%", per="source")
    assert len(selection.order) == len(decisions.ids) == 0


@pytest.mark.parametrize("more", [{}, {"per": "source"}, {"per": "source", "quota": "equal"}])
@pytest.mark.parametrize("keep", [12, "900 tokens"])
def test_an_order_changes_nothing_of_what_is_kept(more: dict[str, Any], keep: Any) -> None:
    columns = make_columns(60, seed=3)
    plain, _ = select(columns, by="longest", keep=keep, **more)
    folded, decisions = select(columns, by="longest", then="delt_folding", keep=keep, **more)
    check_decisions(columns, folded, decisions)
    assert sorted(folded.order.tolist()) == sorted(plain.order.tolist()) != folded.order.tolist()
    assert len(plain.order) > 3


def test_an_order_alone_chooses_nothing() -> None:
    with pytest.raises(ValueError, match="put it in `then`"):
        Select(by={"delt_folding": {"score": "likelihood.loss_answer"}}, keep=3)  # type: ignore[arg-type]
