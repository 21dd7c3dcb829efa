"""Recorded judgements replayed: the published figures come out again."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from benchmarks.judges import alpaca_7b, people, recorded, recorded_panel, replayed
from dataflywheel.contracts import UsageError, Verdict
from dataflywheel.evolution.judging.agreement import Interval
from dataflywheel.evolution.judging.baselines import baselines
from dataflywheel.evolution.judging.gold import gold_sets, most, pandalm


@pytest.fixture(scope="module")
def replay(data: Path) -> dict[tuple[str, str], dict[str, Interval]]:
    return replayed(data)


@pytest.mark.parametrize(
    ("judge", "policy", "share", "kappa", "pairs"),
    [
        ("GPT-3.5", "wrong", 0.698, 0.476, 999),
        ("GPT-3.5", "tie", 0.711, 0.496, 999),
        ("GPT-3.5", "dropped", 0.716, 0.493, 974),
        ("GPT-3.5", "dropped, people of one mind", 0.736, 0.526, 860),
        ("PandaLM-7B", "wrong", 0.668, 0.435, 999),
    ],
)
def test_agreement_of_the_recorded_judges(
    replay: dict[tuple[str, str], dict[str, Interval]],
    judge: str,
    policy: str,
    share: float,
    kappa: float,
    pairs: int,
) -> None:
    found = replay[judge, policy]
    assert found["agreement"]["value"] == pytest.approx(share, abs=0.0005)
    assert found["kappa"]["value"] == pytest.approx(kappa, abs=0.0005)
    assert found["agreement"]["n"] == pairs
    assert found["agreement"]["low"] < share < found["agreement"]["high"]
    assert found["without_ties"]["n"] < pairs


def test_unreadable_verdicts_are_invalid(data: Path) -> None:
    assert recorded(data, "GPT-3.5").count(Verdict.INVALID) == 25
    assert recorded(data, "PandaLM-7B").count(Verdict.INVALID) == 0


def test_the_people_agree(data: Path) -> None:
    found = people(pandalm(data))
    assert found["fleiss"] == pytest.approx(0.864, abs=0.0005)
    assert found["unanimous"] == pytest.approx(0.88, abs=0.001)
    assert 0.91 <= found["lowest pair agreement"] <= 0.93
    assert 0.85 <= found["lowest pair kappa"] <= 0.88


def test_the_longer_answer(data: Path) -> None:
    longer = {
        part.name: baselines(part.cases, part.gold, part.prompts, resamples=10)["longer"]["without_ties"]["value"]
        for part in gold_sets(data)
    }
    assert longer["pandalm"] == pytest.approx(0.67, abs=0.006)
    assert longer["mt_bench"] == pytest.approx(0.70, abs=0.006)
    adversarial = {name: share for name, share in longer.items() if "Adversarial" in name}
    assert len(adversarial) == 4
    assert max(adversarial.values()) < 0.5


def test_win_rate_of_alpaca_7b(data: Path) -> None:
    found = alpaca_7b(data)
    assert (found["wins"], found["ties"], found["n"]) == (205, 16, 805)
    assert found["value"] == pytest.approx(0.2646, abs=0.00005)
    # Beside the normal approximation of a share of 805.
    assert found["high"] - found["low"] == pytest.approx(2 * 1.96 * math.sqrt(0.2646 * 0.7354 / 805), rel=0.06)


def test_a_panel_of_the_recorded_judges_is_not_better_than_its_best_member(data: Path) -> None:
    found = recorded_panel(data)
    assert not found.beats
    assert found.members == pytest.approx((0.698, 0.668), abs=0.0005)
    assert 1 < found.effective_votes < 2


def test_gold_sets_say_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no pairs with human labels; expected pandalm.testset-v1\.json\.gz"):
        gold_sets(tmp_path)
    first, second, tie = Verdict.FIRST, Verdict.SECOND, Verdict.TIE
    assert most([first, second, first]) == first
    assert most([first, second, tie]) == Verdict.INVALID
