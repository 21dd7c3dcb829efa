"""Budgets, parameters by name, the registry and measured rows."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from dataflywheel.contracts import (
    REGISTRY,
    Budget,
    Card,
    Columns,
    Cost,
    Decisions,
    Method,
    Named,
    Status,
    UsageError,
    build,
    nearest,
    snake_case,
)

CARD = Card(
    title="A method for this test",
    authors="",
    year=2025,
    paper="",
    category="selection",
    subcategory="static",
    summary="Does nothing.",
    checked="here",
)


@pytest.fixture(autouse=True)
def _registry_as_it_was():  # type: ignore[no-untyped-def]
    before = dict(REGISTRY)
    yield
    REGISTRY.clear()
    REGISTRY.update(before)


@pytest.mark.parametrize(
    ("text", "amount", "unit"),
    [
        (1000, 1000, "rows"),
        ("1,000", 1000, "rows"),
        ("1_000 rows", 1000, "rows"),
        ("1 row", 1, "rows"),
        ("10%", 10, "percent"),
        (" 0.5 % ", 0.5, "percent"),
        ("5 percent", 5, "percent"),
        ("50000 tokens", 50000, "tokens"),
        (2.0, 2, "rows"),
    ],
)
def test_budget(text: str | int | float, amount: float, unit: str) -> None:
    assert Budget.parse(text) == Budget(amount, unit)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "ten", "-5", 0, "0%", "101%", "1.5", "5 apples", "1e3", "nan", "10 %%"])
def test_wrong_budgets(text: str | int) -> None:
    with pytest.raises(UsageError, match="budget"):
        Budget.parse(text)


@given(st.integers(1, 10_000), st.integers(0, 20_000))
def test_budget_in_rows(wanted: int, available: int) -> None:
    assert Budget.parse(wanted).rows(available) == min(wanted, available)
    assert Budget.parse(f"{wanted} tokens").rows(available) == available
    assert Budget.parse(str(Budget.parse(wanted))) == Budget.parse(wanted)


@given(st.integers(1, 100), st.integers(0, 10_000))
def test_budget_in_percent(percent: int, available: int) -> None:
    rows = Budget.parse(f"{percent}%").rows(available)
    assert abs(rows - available * percent / 100) <= 0.5
    assert rows <= available


def test_build_names_the_nearest_parameter() -> None:
    class Sieve(Method):
        card: ClassVar[Card] = CARD
        threshold: float = 0.5
        keep: Literal["top", "low"] = "top"

    assert REGISTRY["sieve"] is Sieve
    assert build(Sieve, {"threshold": 1}).model_dump() == {"threshold": 1.0, "keep": "top"}
    with pytest.raises(UsageError, match=r"sieve: unknown parameter 'treshold'; did you mean 'threshold'\?"):
        build(Sieve, {"treshold": 1})
    with pytest.raises(UsageError, match=r"sieve: threshold: .* \(got 'high'\)"):
        build(Sieve, {"threshold": "high"})
    with pytest.raises(UsageError, match=r"sieve: keep: .*'top' or 'low'"):
        build(Sieve, {"keep": "middle"})
    with pytest.raises(UsageError) as both:
        build(Sieve, {"keep": "middle", "zzz": 1})
    assert len(str(both.value).splitlines()) == 2
    assert "there is: keep, threshold" in str(both.value)


def test_digest_follows_name_version_and_parameters() -> None:
    class Riddle(Method):
        card: ClassVar[Card] = CARD
        mesh: int = 1

    assert Riddle().digest() == Riddle(mesh=1).digest() != Riddle(mesh=2).digest()
    before = Riddle().digest()
    Riddle.version = 2
    assert Riddle().digest() != before


def test_registry_refuses_a_second_method_of_that_name() -> None:
    class Twin(Method):
        card: ClassVar[Card] = CARD

    first = Twin
    with pytest.raises(UsageError, match="two methods are named 'twin'"):
        type("Other", (Method,), {"card": CARD, "name": "twin", "__annotations__": {"card": ClassVar[Card]}})
    assert REGISTRY["twin"] is first


def test_a_base_without_a_card_is_not_a_method() -> None:
    class Base(Method):
        pass

    assert "base" not in REGISTRY
    assert Base.name == ""


def test_names() -> None:
    assert [snake_case(n) for n in ("KCenter", "IFD", "DiverseByScore", "HTMLPage")] == [
        "k_center",
        "ifd",
        "diverse_by_score",
        "html_page",
    ]
    assert nearest("rows", []) == "; it takes none"
    assert nearest("qqq", ["b", "a"]) == "; there is: a, b"


def test_columns_ok_wants_value_and_status() -> None:
    columns = Columns(
        np.array(["a", "b", "c", "d"]),
        {
            "s.x": np.array([1.0, np.nan, 2.0, 3.0]),
            "s.status": np.array([Status.OK, Status.OK, Status.FAILED, Status.TRUNCATED], dtype=np.uint8),
            "e.vector": np.array([[1, 1], [1, 1], [1, 1], [1, np.inf]], dtype=np.float32),
            "row.source": np.array(["x", "x", "y", "y"]),
        },
    )
    assert columns.ok("s.x").tolist() == [True, False, False, True]
    assert columns.ok("e.vector").tolist() == [True, True, True, False]
    assert columns.ok("s.x", "e.vector", "row.source").tolist() == [True, False, False, False]
    assert columns.ok().all()
    assert columns.take(np.array([3, 0])).ids.tolist() == ["d", "a"]
    with pytest.raises(UsageError, match=r"no column 's\.y'; did you mean 's\.x'"):
        columns.ok("s.y")


def test_costs_add_and_decisions_stay_parallel() -> None:
    total = Cost(forward=2, usd=0.5) + Cost(forward=3, seconds=1.0)
    assert total.as_dict() == {"seconds": 1.0, "forward": 5, "backward": 0, "tokens": 0, "calls": 0, "usd": 0.5}
    decisions = Decisions()
    decisions.add("a", "dropped", "a copy", other="b")
    decisions.add("b", "kept", "the first", score=0.5)
    assert decisions.other == ["b", None]
    assert decisions.score == [None, 0.5]


def test_a_method_is_named_in_three_ways_and_never_twice() -> None:
    kind = TypeAdapter(Named)
    for way in ("ifd", {"ifd": None}, {"ifd": {}}):
        assert kind.validate_python(way) == {"ifd": {}}
    assert kind.validate_python({"ifd": {"ratio": "loss"}}) == {"ifd": {"ratio": "loss"}}
    for wrong, why in (({}, "one method"), ({"ifd": {}, "longest": {}}, "one method"), (3, "dictionary")):
        with pytest.raises(ValidationError, match=why):
            kind.validate_python(wrong)
