"""Which values fit a column."""

from __future__ import annotations

from dataflywheel.enhancement.tables import fitting
from dataflywheel.enhancement.tables.columns import columns_of
from dataflywheel.enhancement.tables.fitting import Fitting


def test_only_values_of_the_columns_kind_fit() -> None:
    numbers = Fitting(columns_of([{"c": f"{i / 7:.2f}"} for i in range(60)])["c"])
    assert numbers.read("1,200.5") == ("1,200.5", "")
    assert numbers.read("about 12") == (None, fitting.NO_NUMBER)
    assert numbers.read("12 oz")[1] == fitting.NO_NUMBER
    assert numbers.read(" n/a ") == (None, "")
    kinds = Fitting(columns_of([{"c": ("Ohio", "Texas")[i % 2]} for i in range(40)])["c"])
    assert kinds.read("OHIO ") == ("Ohio", "")
    assert kinds.read("Utah") == (None, fitting.NO_KIND)
    counts = Fitting(columns_of([{"c": (1, 2, 4)[i % 3]} for i in range(40)])["c"])
    assert counts.read("2.0") == (2, "")
    assert counts.read("3") == (None, fitting.NO_KIND)
    truths = Fitting(columns_of([{"c": i % 2 == 0} for i in range(40)])["c"])
    assert truths.read("True") == (True, "")
    whole = Fitting(columns_of([{"c": i * i} for i in range(40)])["c"])
    assert whole.read("7") == (7, "")
    names = Fitting(columns_of([{"c": f"Ann {i}"} for i in range(40)])["c"])
    assert names.read("Bob") == ("Bob", "")
    assert names.read("Bob is a name that I would give to anybody") == (None, fitting.TOO_LONG)
    assert names.read("A\nB") == (None, fitting.LINES)
