"""Gower's distance, beside the naive computation pair by pair."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dataflywheel.enhancement.tables import closest as module
from dataflywheel.enhancement.tables.closest import Gower


def lines(number: int, seed: int) -> list[dict[str, Any]]:
    """Two columns of numbers and two of categories, each with gaps."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(number):
        line = {
            "age": int(rng.integers(20, 60)),
            "pay": f"{rng.integers(1, 9)},{rng.integers(100, 999)}.5",
            "town": str(rng.choice(["Ulm", "Bonn", "Kiel"])),
            "job": str(rng.choice(["cook", "smith"])),
        }
        made.append({name: (None if rng.random() < 0.1 else value) for name, value in line.items()})
    return made


def naive(one: dict[str, Any], other: dict[str, Any], real: list[dict[str, Any]]) -> float:
    def number(value: Any) -> float:
        return float(str(value).replace(",", ""))

    total = 0.0
    for name in ("age", "pay", "town", "job"):
        a, b = one.get(name), other.get(name)
        if a is None or b is None:
            total += a is not b
        elif name in ("age", "pay"):
            there = [number(line[name]) for line in real if line[name] is not None]
            total += min(1.0, abs(number(a) - number(b)) / (max(there) - min(there)))
        else:
            total += a != b
    return total / 4


@pytest.mark.parametrize("held", [50, 1_000_000])
def test_distances_are_those_of_the_naive_computation(held: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HELD", held)
    real, others = lines(40, 1), [*lines(30, 2), {"age": 500, "town": "Rome"}, {}]
    gower = Gower(real)
    there, made = gower.places(real), gower.places(others)
    wanted = np.array([[naive(a, b, real) for b in real] for a in others])
    assert np.allclose(gower.distances(made, there), wanted, atol=1e-6)
    assert np.allclose(gower.closest(made, there), wanted.min(axis=1), atol=1e-6)
    apart = np.array([[naive(a, b, real) for b in real] for a in real])
    np.fill_diagonal(apart, np.inf)
    assert np.allclose(gower.closest(there, there, own=np.arange(40)), apart.min(axis=1), atol=1e-6)
    assert np.isnan(gower.closest(there.some(np.array([0])), there.some(np.array([0])), own=np.array([0]))).all()


def test_equal_lines_have_equal_keys_however_numbers_are_written() -> None:
    gower = Gower([{"n": "39", "t": "a"}, {"n": "41.5", "t": "b"}, {"n": "", "t": "b"}])
    one, other, third, gap = gower.places(
        [{"n": 39.0, "t": " a "}, {"n": "39.000", "t": "a", "z": 1}, {"n": 39, "t": "c"}, {"t": "b"}]
    ).identities()
    assert one == other != third
    assert gap in gower.places([{"n": None, "t": "b"}]).identities()
    assert Gower([{"n": 1, "t": "a"}], without=["n"]).columns == ["t"]
