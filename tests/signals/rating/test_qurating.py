"""Comparisons with anchors: planted strengths come back, whatever the batch and the judge's taste for places."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from dataflywheel.contracts import PoolStatistics, Status, UsageError
from dataflywheel.models.endpoint.request import Outcome, Reply, Request
from dataflywheel.models.spec import Price
from dataflywheel.signals.rating.qurating import QuRating, anchor_rows, next_opponents
from tests.models.endpoint.fake import FakeClient, number_of, parts_of, user_text
from tests.signals.rating.support import MODEL, asking, plain, rows
from tests.support.endpoint import Endpoint


def text(strength: float) -> tuple[str, str]:
    return f"Text of strength {strength:.4f}", f"[[truth:{strength:.4f}]]"


def anchors_file(folder: Path, n: int, seed: int = 1) -> str:
    path = folder / "anchors.jsonl"
    strengths = np.random.default_rng(seed).standard_normal(n)
    pairs = [dict(zip(("prompt", "completion"), text(s), strict=True)) for s in strengths]
    path.write_text("\n".join(map(json.dumps, pairs)))
    return str(path)


def noisy_judge(noise: float, seed: int = 0):  # type: ignore[no-untyped-def]
    """The stronger text, or the other one with probability `noise`, by the content of the question."""

    def answer(request: Request) -> str:
        first, second = (float(s) for s in re.findall(r"\[\[truth:(.*?)\]\]", user_text(request)))
        draw = np.random.default_rng([seed, number_of(request)]).random()
        better = "A" if (first > second) == (draw >= noise) else "B"
        return json.dumps({"better": better})

    return answer


@pytest.mark.parametrize("seed", range(3))
def test_planted_strengths_from_twenty_comparisons_at_ten_percent_noise(tmp_path: Path, seed: int) -> None:
    strengths = np.random.default_rng(100 + seed).standard_normal(100)
    signal = QuRating(model=MODEL, anchors=anchors_file(tmp_path, 30))
    batch = rows(*map(text, strengths))
    client = FakeClient(noisy_judge(0.1, seed))
    found = plain(signal.measure_with(client, batch))
    assert found["pairs"] == [10] * 100
    assert found["calls"] == [20] * 100
    assert spearmanr(found["strength"], strengths).statistic > 0.95
    assert 0.75 < np.mean(found["consistent"]) < 0.9  # 0.82: both orders right, or both wrong
    assert len(client.requests) == 2 * (30 * 29 // 2 + 100 * 10)


def test_a_value_depends_on_no_other_row(tmp_path: Path) -> None:
    signal = QuRating(model=MODEL, anchors=anchors_file(tmp_path, 8), comparisons=5)
    batch = rows(*map(text, np.linspace(-1, 1, 9)))
    whole = plain(signal.measure_with(FakeClient(noisy_judge(0.2)), batch))
    one_by_one = [signal.measure_with(FakeClient(noisy_judge(0.2)), batch.slice(i, 1)) for i in (5, 0, 8)]
    assert [plain(one)["strength"][0] for one in one_by_one] == [whole["strength"][i] for i in (5, 0, 8)]


def test_a_judge_of_places_says_nothing(endpoint: Endpoint, tmp_path: Path) -> None:
    judge = {"rule": "judge", "accuracy": 0.5, "position_bias": 30.0, "ties": False}
    endpoint.configure(rules=[judge])
    batch = rows(*map(text, (-2.0, 0.0, 2.0)))
    with asking(endpoint, tmp_path) as spec:
        found = plain(QuRating(model=spec, anchors=anchors_file(tmp_path, 6), comparisons=4).measure(batch))
    assert found["consistent"] == [0.0] * 3
    assert found["strength"] == pytest.approx([0.0] * 3, abs=1e-6)


def test_a_good_judge_orders_the_rows(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.configure(rules=[{"rule": "judge", "ties": False}])
    batch = rows(*map(text, (2.0, -2.0, 0.0)))
    with asking(endpoint, tmp_path, capabilities={"json_schema": True}) as spec:
        found = plain(QuRating(model=spec, anchors=anchors_file(tmp_path, 6), comparisons=4).measure(batch))
    assert np.argsort(found["strength"]).tolist() == [1, 2, 0]
    assert found["consistent"] == [1.0] * 3


def test_unreadable_comparisons_are_left_out_and_counted(tmp_path: Path) -> None:
    judge = noisy_judge(0.0)

    def answer(request: Request) -> str | Reply:
        asked = user_text(request)
        if "9.0000" in asked:
            return Reply(Outcome.REFUSED)
        if "error" in parts_of(request) or ("0.5000" in asked and number_of(request) % 16 < 4):
            return "neither"
        return judge(request)

    signal = QuRating(model=MODEL, anchors=anchors_file(tmp_path, 12), comparisons=8)
    found = plain(signal.measure_with(FakeClient(answer), rows(*map(text, (9.0, 0.5, 1.0)))))
    assert found["status"] == [Status.FAILED, Status.OK, Status.OK]
    assert found["strength"][0] is None
    assert found["error"][0] == "refused"
    assert 0 < found["pairs"][1] < 8 == found["pairs"][2]
    lost = plain(signal.measure_with(FakeClient(lambda request: Reply(Outcome.OVER_BUDGET)), rows(text(1.0))))
    assert lost["error"] == ["over budget (in comparisons of the anchors)"]


def test_anchors_are_rows_by_content(tmp_path: Path) -> None:
    path = anchors_file(tmp_path, 6)
    signal = QuRating(model=MODEL, anchors=path)
    (tmp_path / "moved").mkdir()
    moved = anchors_file(tmp_path / "moved", 6)
    other = tmp_path / "other"
    other.mkdir()
    assert signal.key() == QuRating(model=MODEL, anchors=moved).key()
    assert signal.key() != QuRating(model=MODEL, anchors=anchors_file(other, 7)).key()
    with pytest.raises(UsageError, match="holds 4 different rows"):
        anchor_rows(anchors_file(other, 4), 1000)


def test_a_row_meets_neither_itself_nor_an_anchor_twice() -> None:
    scale = np.array([0.3, -1.0, 2.0, 0.5, 1.0])
    first = next_opponents(scale, [True, True, False, True, True], {}, 3)
    assert 2 not in first
    assert len(set(first)) == 3


def test_changed_anchors_are_read_again_and_their_comparisons_are_priced(tmp_path: Path) -> None:
    path = anchors_file(tmp_path, 6)
    signal = QuRating(model=MODEL.model_copy(update={"usd_per_mtok": Price(input=1, output=2)}), anchors=path)
    before, key = signal.estimate(PoolStatistics(100, 40_000, 10_000)), signal.key()
    assert before.calls == 100 * 20 + 6 * 5
    assert before.usd > 0
    anchors_file(tmp_path, 30)
    after = signal.estimate(PoolStatistics(100, 40_000, 10_000))
    assert after.calls == 100 * 20 + 30 * 29
    assert after.tokens / before.tokens == pytest.approx(after.calls / before.calls, rel=1e-4)
    assert signal.key() != key
