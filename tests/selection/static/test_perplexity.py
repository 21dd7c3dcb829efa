"""Order by perplexity, computed by hand."""

from __future__ import annotations

import pytest

from dataflywheel.selection.static.perplexity import Perplexity
from tests.selection.columns import generator, likelihood


@pytest.mark.parametrize(
    ("keep", "expected"), [("top", [4, 0, 3, 1, 2]), ("low", [2, 1, 3, 0, 4]), ("middle", [3, 0, 1, 2, 4])]
)
def test_perplexity(keep: str, expected: list[int]) -> None:
    selection = Perplexity(keep=keep).rank(likelihood([4.0, 2.0, 1.0, 3.0, 9.0]), 5, generator())  # type: ignore[arg-type]
    assert selection.order.tolist() == expected
    assert selection.gain[0] == {"top": 9.0, "low": 1.0, "middle": 3.0}[keep]
