from __future__ import annotations

import numpy as np
import pytest

from dataflywheel.contracts import Columns, Status, UsageError, build
from dataflywheel.enhancement.preparation.filter import Filter


def columns() -> Columns:
    return Columns(
        np.array(list("abcdef"), dtype=object),
        {
            "text.tokens": np.array([2, 10, 50, 51, 10, 10], dtype=np.int32),
            "text.status": np.zeros(6, dtype=np.uint8),
            "likelihood.loss": np.array([1.0, 1.0, 1.0, 1.0, np.nan, 9.0]),
            "likelihood.status": np.array([0, 1, 0, 0, Status.FAILED, 0], dtype=np.uint8),
            "language.code": np.array(["en", "en", "en", "en", "en", None], dtype=object),
            "language.status": np.array([0, 0, 0, 0, 0, Status.EMPTY], dtype=np.uint8),
            "embedding.vector": np.zeros((6, 3), dtype=np.float32),
        },
    )


def no_texts(ids: object) -> list[str]:
    raise AssertionError("a filter reads no text")


def test_bounds_are_inclusive_and_reasons_name_column_value_and_bound() -> None:
    found = Filter(bounds={"text.tokens": (10, 50)}).decide(columns(), no_texts, None)
    assert found.action == ["dropped", "kept", "kept", "dropped", "kept", "kept"]
    assert found.reason[0] == "text.tokens = 2 < 10"
    assert found.reason[3] == "text.tokens = 51 > 50"
    assert found.score[3] == 51
    assert found.reason[1] == "within all bounds"


def test_one_sided_bound_and_several_columns() -> None:
    cleaner = Filter(bounds={"text.tokens": (None, 50), "likelihood.loss": (None, 5.0)})
    assert cleaner.needs() == ("text.tokens", "likelihood.loss")
    assert cleaner.thresholds(columns()) == {"text.tokens": (None, 50), "likelihood.loss": (None, 5.0)}
    found = cleaner.decide(columns(), no_texts, None)
    assert found.action == ["kept", "kept", "kept", "dropped", "kept", "dropped"]


def test_quantiles_are_shares_of_the_measured_values_and_ties_stay() -> None:
    values = np.array([5.0, 1.0, np.nan, 3.0, 2.0, 4.0, 5.0])
    rows = Columns(np.array(list("abcdefg"), dtype=object), {"likelihood.end_loss": values})
    found = Filter(quantiles={"likelihood.end_loss": (0.4, None)}).decide(rows, no_texts, None)
    assert found.action == ["kept", "dropped", "kept", "kept", "dropped", "kept", "kept"]  # the level is 3
    assert found.reason[1] == "likelihood.end_loss = 1 < 3, the quantile 0.4"
    assert found.score[1] == 1
    both = Filter(quantiles={"likelihood.end_loss": (0.4, None)}, equals={"likelihood.end_loss": ["1.0"]})
    assert both.thresholds(rows) == {"likelihood.end_loss": (3.0, None)}
    assert found.reason[2] == "unmeasured: likelihood.end_loss"
    found = Filter(quantiles={"likelihood.end_loss": (None, 0.8)}).decide(rows, no_texts, None)
    assert found.action == ["kept"] * 7
    nothing = Columns(rows.ids, {"likelihood.end_loss": np.full(7, np.nan)})
    assert Filter(quantiles={"likelihood.end_loss": (0.4, None)}).decide(nothing, no_texts, None).action == ["kept"] * 7


def test_quantiles_that_all_rows_are_within_are_told_with_the_reason() -> None:
    values = np.array([0.0, 0.0, 0.0, 0.0, 0.5, 1.0])
    rows = Columns(np.array(list("abcdef"), dtype=object), {"likelihood.end_loss": values})
    tied = Filter(quantiles={"likelihood.end_loss": (0.3, None)}).decide(rows, no_texts, None)
    assert set(tied.action) == {"kept"}
    assert tied.notes["idle"] == (
        "no row is beyond the quantiles of likelihood.end_loss: 67% of the values are 0, and ties stay"
    )
    assert "idle" not in Filter(quantiles={"likelihood.end_loss": (0.9, None)}).decide(rows, no_texts, None).notes


@pytest.mark.parametrize(("unmeasured", "action"), [("keep", "kept"), ("drop", "dropped")])
def test_unmeasured_rows_follow_their_own_rule(unmeasured: str, action: str) -> None:
    cleaner = build(Filter, {"bounds": {"likelihood.loss": [0, 5]}, "unmeasured": unmeasured})
    assert isinstance(cleaner, Filter)
    found = cleaner.decide(columns(), no_texts, None)
    assert found.action[4] == action
    assert found.reason[4] == "unmeasured: likelihood.loss (failed)"
    known = columns()
    known.values["likelihood.error"] = np.array([None, None, None, None, "it shows images", *[None] * (len(known) - 5)])
    assert cleaner.decide(known, no_texts, None).reason[4] == "unmeasured: likelihood.loss (failed: it shows images)"
    assert found.score[4] is None
    assert found.action[1] == "kept"  # truncated is measured


def test_a_measured_failure_of_one_bound_outweighs_what_is_missing() -> None:
    found = Filter(bounds={"likelihood.loss": (0, 5), "text.tokens": (None, 5)}).decide(columns(), no_texts, None)
    assert found.reason[4] == "text.tokens = 10 > 5"


def test_allowed_values() -> None:
    found = Filter(equals={"language.code": ["de", "fr"]}).decide(columns(), no_texts, None)
    assert found.action == ["dropped"] * 5 + ["kept"]
    assert found.reason[0] == "language.code = en is not among de, fr"
    assert found.reason[5] == "unmeasured: language.code (empty)"


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "give bounds, quantiles or equals"),
        ({"bounds": {"tokens": [1, 2]}}, "signal.column"),
        ({"bounds": {"text.tokens": [5, 2]}}, "above the upper"),
        ({"bounds": {"text.tokens": [None, None]}}, "both null"),
        ({"quantiles": {"text.tokens": [0.5, 5]}}, "shares from 0 to 1"),
        ({"quantiles": {"text.tokens": [0.5, 0.2]}}, "above the upper"),
        ({"bounds": {"text.tokens": [1, 2]}, "quantiles": {"text.tokens": [0.1, None]}}, "bounds and quantiles"),
        ({"bound": {}}, "did you mean 'bounds'"),
    ],
)
def test_wrong_parameters_are_refused(parameters: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        build(Filter, parameters)


def test_unknown_and_vector_columns_are_refused() -> None:
    with pytest.raises(UsageError, match=r"did you mean 'text.tokens'"):
        Filter(bounds={"text.token": (1, 2)}).decide(columns(), no_texts, None)
    with pytest.raises(UsageError, match="holds vectors"):
        Filter(bounds={"embedding.vector": (1, 2)}).decide(columns(), no_texts, None)
