"""Which writer the next budget buys: the ratio where nothing is known, and planted learning curves where they are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from dataflywheel.contracts import RoundResult, Writer
from dataflywheel.evolution.feedback.next_writer import NextWriter
from dataflywheel.evolution.feedback.writers_curves import curves, per_row, reckoned

NAMES = ["1-new", "2-same", "3-other"]
ADDS = {"1-new": "questions", "2-same": "answers", "3-other": "rephrasings"}
FIRST = RoundResult((), {}, 0.0, {"1-new": 1.0})


def knowing(rows: int, seeds: int, names: list[str] = NAMES, **settings: object) -> NextWriter:
    writers = {name: Writer(ADDS[name], seeds, rows // len(names)) for name in names}  # type: ignore[arg-type]
    return NextWriter(**settings).knowing(writers)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rows", "seeds", "expected"),
    [
        (3, 300, "2-same"), (300, 100, "2-same"), (399, 100, "2-same"), (402, 100, "3-other"), (1590, 100, "3-other"),
        (1602, 100, "1-new"), (99_999, 7, "1-new"), (0, 0, "2-same"),
    ],
)  # fmt: skip
def test_the_ratio_decides_where_nothing_is_known(rows: int, seeds: int, expected: str) -> None:
    found = knowing(rows, seeds).allocate([], NAMES, 50, np.random.default_rng(0))
    assert found.amounts == {name: 50 * (name == expected) for name in NAMES}
    assert ADDS[expected] in found.reasons[expected]


def test_the_nearest_operator_is_taken_where_the_wanted_one_is_missing() -> None:
    found = knowing(2, 100, ["1-new", "3-other"]).allocate([], ["1-new", "3-other"], 9, np.random.default_rng(0))
    assert found.amounts == {"1-new": 0, "3-other": 9}
    assert "rephrasings come nearest" in found.reasons["3-other"]
    named = knowing(2, 100, operators={"1-new": "answers", "2-same": "questions"})
    assert named.allocate([], NAMES, 9, np.random.default_rng(0)).amounts["1-new"] == 9


@pytest.mark.parametrize("budget", [0, 1, 3, 7, 1000])
def test_the_one_that_brought_least_is_tried_and_the_budget_never_exceeded(budget: int) -> None:
    done = [FIRST, *[RoundResult((), {}, 0.1, {"2-same": 30.0, "1-new": 10.0})] * 2]
    found = knowing(30, 100).allocate(done, NAMES, budget, np.random.default_rng(0))
    assert sum(found.amounts.values()) == budget
    assert found.amounts["3-other"] == int(budget * 0.5)
    assert knowing(30, 100, trying=0).allocate(done, NAMES, 8, np.random.default_rng(0)).amounts["2-same"] == 8


def test_a_price_counts_lost_proposals_and_none_is_invented() -> None:
    rounds = [
        RoundResult((), {}, 0.0, {"a": 10.0, "b": 4.0}, {"a": 1.0, "b": 2.0}),
        RoundResult((), {}, 0.0, {"a": 10.0}, {"a": 1.0, "b": 2.0}),
    ]
    assert per_row(rounds, ["a", "b"]) == {"a": 0.1, "b": 1.0}
    assert per_row(rounds, ["a", "c"]) == {}
    assert reckoned(100, {"a": 0.1, "b": 1.0}, ["a", "b"]).tolist() == [100.0, 10.0]


def test_money_and_not_rows_decides() -> None:
    """Rows of both gain the same; those of the ratio's choice cost five times as much."""
    done, rng = [FIRST], np.random.default_rng(3)
    for turn in range(7):
        rows = {"2-same": 75.0, "1-new": 25.0} if turn % 2 else {"2-same": 25.0, "1-new": 75.0}
        gain = sum(rows.values()) * 0.01 + float(rng.normal(0, 0.01))
        done.append(RoundResult((), {}, gain, rows, {"2-same": 5 * rows["2-same"], "1-new": rows["1-new"]}))
    policy = knowing(200, 100, ["1-new", "2-same"])
    assert policy.allocate(done, ["1-new", "2-same"], 100, np.random.default_rng(0)).amounts["1-new"] == 100
    free = [RoundResult((), {}, one.gain, one.rows) for one in done]
    assert policy.allocate(free, ["1-new", "2-same"], 100, np.random.default_rng(0)).amounts["2-same"] == 100


def test_rows_of_a_round_that_was_taken_back_are_not_there_any_more() -> None:
    """Without noise a curve is found again; a lost round leaves the next one where it began."""
    truth, done, held = (lambda n: 2.0 * np.log1p(n / 100)), [FIRST], 0.0
    for kept in (True, False, True, False, True, True):
        gain = truth(held + 50) - truth(held)
        done.append(RoundResult((), {}, float(gain), {"a": 50.0}, kept=kept))
        held += 50 * kept
    drawn = curves(done, ["a"], np.array([50.0]), 100, np.random.default_rng(0))
    assert drawn is not None
    # FIRST brought one row of another step, which is a curve of its own
    assert drawn.mean() == pytest.approx(truth(held + 50) - truth(held), rel=0.12)


def test_noise_leaves_the_choice_of_the_ratio() -> None:
    left = 0
    for seed in range(40):
        rng, done = np.random.default_rng(seed), [FIRST]
        for turn in range(5):
            rows = {"2-same": 75.0, NAMES[2 * (turn % 2)]: 25.0}
            done.append(RoundResult((), {}, float(rng.normal()), rows))
        left += knowing(30, 100).allocate(done, NAMES, 100, rng).amounts["2-same"] != 100
    assert left <= 12


Curve = Callable[[float], float]


def power(most: float, exponent: float) -> Curve:
    return lambda n: most * (1 - (1 + n / 100) ** -exponent)


def saturating(most: float, scale: float) -> Curve:
    return lambda n: most * (1 - float(np.exp(-n / scale)))


def planted(kind: str, rng: np.random.Generator) -> dict[str, Curve]:
    """Answers gain much at once and are soon spent, new questions little and for long: their curves cross."""
    fast, slow = rng.uniform(60, 150), rng.uniform(800, 2000)
    low, high = rng.uniform(0.5, 1.0), rng.uniform(2.0, 4.0)
    if kind == "saturating":
        return {"2-same": saturating(low, fast), "1-new": saturating(high, slow)}
    return {"2-same": power(low, fast / 40), "1-new": power(high, 200 / slow)}


@pytest.mark.parametrize("kind", ["saturating", "power"])
def test_the_better_writer_is_chosen_outside_the_noise(kind: str) -> None:
    """Whole wheels by the policy's own choices. A decision counts where the two writers' next gains for the same rows
    differ by more than three times the noise of an evaluation, once each writer had rows in two measured rounds; it is
    within the noise where the policy says so, which it may not do often."""
    noise, budget, rounds = 0.02, 100, 10
    names, crossed = ["1-new", "2-same"], 0
    told: list[tuple[bool, bool]] = []
    for seed in range(25):
        rng = np.random.default_rng(seed)
        truth, held = planted(kind, rng), dict.fromkeys(names, 0.0)
        done: list[RoundResult] = []
        policy, sides = knowing(300, 100, names), set()
        for round in range(rounds):
            worth = {name: truth[name](held[name] + budget) - truth[name](held[name]) for name in names}
            allocation = policy.allocate(done, names, budget, rng)
            found = allocation.amounts
            chosen = next(n for n in names if not allocation.reasons[n].startswith(("tried", "waits")))
            best = max(names, key=lambda n: worth[n])
            if round >= 5 and abs(worth["1-new"] - worth["2-same"]) > 3 * noise:
                told.append((chosen == best, "within noise" not in allocation.reasons[chosen]))
            sides.add(best)
            gain = sum(truth[n](held[n] + found[n]) - truth[n](held[n]) for n in names)
            held = {n: held[n] + found[n] for n in names}
            heard = gain + float(rng.normal(0, noise)) if round else 0.0
            done.append(RoundResult((), {}, heard, {n: float(found[n]) for n in names}))
        crossed += len(sides) == 2
    assert crossed > 15
    outside = [right for right, clear in told if clear]
    assert len(outside) > 0.75 * len(told) > 30
    assert np.mean(outside) > 0.9, np.mean(outside)
    assert np.mean([right for right, _ in told]) > 0.8
