"""Scores read from log-probabilities: DEITA, Ask-LLM, SelectIT."""

from __future__ import annotations

from math import sqrt
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.contracts import Status, UsageError
from dataflywheel.models.endpoint.request import Outcome, Reply, Request
from dataflywheel.signals.rating.ask_llm import AskLLM
from dataflywheel.signals.rating.deita import Deita
from dataflywheel.signals.rating.deita_complexity import DeitaComplexity
from dataflywheel.signals.rating.deita_quality import DeitaQuality
from dataflywheel.signals.rating.select_it import WORDINGS, SelectIt, token_score
from dataflywheel.signals.rating.token_shares import Shares, shares
from tests.models.endpoint.fake import FakeClient, first_token, system_text, user_text
from tests.signals.rating.support import ID_PATTERN, MODEL, asking, chats, plain, rows
from tests.support.endpoint import Endpoint

ONE_TO_SIX = tuple("123456")


def test_all_spellings_of_a_digit_count() -> None:
    reply = first_token({"4": 0.3, " 4": 0.2, "\u25814": 0.1, "5": 0.2, "\n6": 0.1, "the": 0.06, "44": 0.04})
    found = shares(reply, ONE_TO_SIX)
    assert isinstance(found, Shares)
    assert found.mass == pytest.approx(0.9)
    assert found.share == pytest.approx({"1": 0, "2": 0, "3": 0, "4": 0.6 / 0.9, "5": 0.2 / 0.9, "6": 0.1 / 0.9})


@pytest.mark.parametrize(
    "reply",
    [
        first_token({"1": 1.0}, "0"),  # ten
        first_token({"4": 1.0}, ".", "5"),
        first_token({"4": 1.0}, ".5"),
        first_token({"The": 0.95, "4": 0.05}),
        first_token({"\n": 1.0}),
        Reply(Outcome.ANSWERED, "4"),  # no log-probabilities came
        Reply(Outcome.REFUSED, "no", detail="why"),
    ],
)
def test_no_digit_no_shares(reply: Reply) -> None:
    assert isinstance(shares(reply, ONE_TO_SIX), str)


@pytest.mark.parametrize("after", [(), (".",), ("\n", "1"), (" ", "because")])
def test_a_digit_may_be_followed_by_other_things(after: tuple[str, ...]) -> None:
    assert isinstance(shares(first_token({"4": 0.9, "5": 0.1}, *after), ONE_TO_SIX), Shares)


def test_blank_tokens_before_the_word_are_passed_over() -> None:
    tail = first_token({"2": 0.75, "3": 0.25}).logprobs
    blank = first_token({"\n": 0.9, "6": 0.1}).logprobs
    found = shares(Reply(Outcome.TRUNCATED, "\n2", logprobs=(*blank, *tail)), ONE_TO_SIX)
    assert isinstance(found, Shares)
    assert found.share["2"] == pytest.approx(0.75)


def test_deita_multiplies_by_turn_and_sums() -> None:
    chat = chats(
        [("system", "s"), ("user", "easy"), ("assistant", "good"), ("user", "hard"), ("assistant", "poor")],
        [("user", "hard"), ("assistant", "good")],
    )
    complexity = {"easy": {"1": 0.5, "2": 0.5}, "hard": {"6": 1.0}}
    quality = {"good": {"5": 0.2, "6": 0.8}, "poor": {"2": 1.0}}

    def answer(request: Request) -> Reply:
        table = quality if "how good" in system_text(request) else complexity
        asked = user_text(request)
        return first_token(next(v for k, v in reversed(table.items()) if f"\n{k}\n" in asked or f": {k}\n" in asked))

    client = FakeClient(answer, logprobs=True)
    both = plain(Deita(model=MODEL).measure_with(client, chat))
    assert both["score"] == pytest.approx([1.5 * 5.8 + 6 * 2, 6 * 5.8])
    assert both["complexity"] == pytest.approx([7.5, 6.0])
    assert both["quality"] == pytest.approx([7.8, 5.8])
    assert both["turns"] == [2, 1]
    assert both["calls"] == [4, 2]
    asked = {r.key("m") for r in client.requests}
    for signal, column in ((DeitaComplexity(model=MODEL), "complexity"), (DeitaQuality(model=MODEL), "quality")):
        again = FakeClient(answer, logprobs=True)
        assert plain(signal.measure_with(again, chat))["score"] == both[column]
        assert {r.key("m") for r in again.requests} < asked  # they share their answers with the product


def test_deita_needs_logprobs_and_one_failed_turn_fails_the_row() -> None:
    chat = chats([("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d")], [("user", "e")])
    with pytest.raises(UsageError, match="deita_quality needs logprobs"):
        DeitaQuality(model=MODEL).measure_with(FakeClient(lambda request: "5"), chat)
    client = FakeClient(
        lambda r: Reply(Outcome.REFUSED) if "\nd\n" in user_text(r) else first_token({"3": 1.0}), logprobs=True
    )
    found = plain(DeitaQuality(model=MODEL).measure_with(client, chat))
    assert found["score"] == [None, None]
    assert found["status"] == [Status.FAILED, Status.EMPTY]
    assert found["error"] == ["refused", None]
    assert plain(DeitaComplexity(model=MODEL).measure_with(client, chat))["score"][1] == pytest.approx(3.0)


def test_deita_through_the_endpoint(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.configure(rules=[{"rule": "rater", "low": 1, "high": 6, "spread": 0.7}], id_pattern=ID_PATTERN)
    truths = [1.0, 2.5, 3.0, 4.5, 6.0]
    batch = rows(*((f"Question [[truth:{t}]] {i}", "answer") for i, t in enumerate(truths)))
    with asking(endpoint, tmp_path, capabilities={"logprobs": True}) as spec:
        found = plain(DeitaComplexity(model=spec).measure(batch))
    scale = np.arange(1, 7)
    for truth, score in zip(truths, found["score"], strict=True):
        weight = np.exp(-((scale - truth) ** 2) / (2 * 0.7**2))
        assert score == pytest.approx(float((scale * weight).sum() / weight.sum()), abs=2e-3)


def test_ask_llm_is_the_exact_ratio_over_spellings() -> None:
    words = {"Yes": 0.4, " yes": 0.1, "YES": 0.05, "No": 0.2, '"no': 0.05, "Maybe": 0.2}
    client = FakeClient(lambda request: first_token(words), logprobs=True)
    found = plain(AskLLM(model=MODEL).measure_with(client, rows(("a", "b"))))
    assert found["score"] == pytest.approx([0.55 / 0.8])
    assert found["mass"] == pytest.approx([0.8])
    assert found["votes"] == [None]


def test_ask_llm_votes_agree_with_the_ratio(endpoint: Endpoint, tmp_path: Path) -> None:
    rater = {"rule": "rater", "low": 0, "high": 1, "yes_no": True}
    endpoint.configure(rules=[rater], id_pattern=ID_PATTERN)
    truths = [0.05, 0.3, 0.5, 0.8, 0.95]
    batch = rows(*((f"Question {i}", f"answer [[truth:{t}]]") for i, t in enumerate(truths)))
    with asking(endpoint, tmp_path, capabilities={"logprobs": True}) as spec:
        exact = plain(AskLLM(model=spec).measure(batch))
    n = 100
    with asking(endpoint, tmp_path) as spec:
        voted = plain(AskLLM(model=spec, draws=n).measure(batch))
    assert exact["score"] == pytest.approx(truths, abs=2e-3)
    assert voted["votes"] == [n] * 5
    assert voted["mass"] == [None] * 5
    for truth, share in zip(truths, voted["score"], strict=True):
        assert abs(share - truth) <= 3 * sqrt(truth * (1 - truth) / n)


def test_ask_llm_counts_only_votes_that_can_be_read() -> None:
    said = iter(["Yes.", "no", "**yes**", "perhaps", "", "I say no", "Yes, surely", "NO!"])
    found = plain(AskLLM(model=MODEL).measure_with(FakeClient(lambda r: next(said)), rows(("a", "b"))))
    assert (found["score"], found["votes"]) == ([pytest.approx(3 / 5)], [5])
    late = iter([Reply(Outcome.OVER_BUDGET), *["yes"] * 7])  # not a value from the seven others: the next run asks
    waiting = plain(AskLLM(model=MODEL).measure_with(FakeClient(lambda r: next(late)), rows(("a", "b"))))
    assert (waiting["score"], waiting["error"], waiting["calls"]) == ([None], ["over budget"], [7])
    lost = plain(AskLLM(model=MODEL).measure_with(FakeClient(lambda r: "well"), rows(("a", "b"))))
    assert (lost["score"], lost["status"]) == ([None], [Status.FAILED])
    with pytest.raises(UsageError, match="ask_llm needs samples"):
        AskLLM(model=MODEL).measure_with(FakeClient(lambda r: "yes", samples=False), rows(("a", "b")))


def test_select_it_by_hand_and_no_row_shifts_another() -> None:
    peaks = [{"4": 0.8, "5": 0.2}, {"4": 1.0}, {"5": 0.6, "4": 0.4}, {"4": 0.5, "3": 0.5}, {"1": 1.0}]

    def answer(request: Request) -> Reply:
        wording = next(i for i, text in enumerate(WORDINGS) if text in system_text(request))
        if "row 17" in user_text(request) and wording == 2:
            return Reply(Outcome.SERVER_ERROR, detail="gone")
        return first_token(peaks[wording])

    batch = rows(*((f"row {i} .", "answer") for i in range(30)))
    found = plain(SelectIt(model=MODEL, alpha=0.2).measure_with(FakeClient(answer, logprobs=True), batch))
    tokens = [4 * 0.75, 4.0, 5 * 0.5, 3 * 0.375, 1.0]
    expected = np.mean(tokens) / (1 + 0.2 * np.std(tokens))
    assert [i for i, score in enumerate(found["score"]) if score is None] == [17]
    assert found["error"][17] == "server error: gone"
    others = [score for score in found["score"] if score is not None]
    assert others == pytest.approx([expected] * 29)
    assert found["calls"] == [5] * 30


@given(st.lists(st.floats(0.01, 1), min_size=5, max_size=5), st.floats(1, 4))
def test_a_sharper_distribution_never_scores_lower(weights: list[float], power: float) -> None:
    flat, sharp = np.array(weights) / sum(weights), np.array(weights) ** power
    sharp /= sharp.sum()
    score = [token_score(Shares(dict(zip("12345", p.tolist(), strict=True)), 1.0)) for p in (flat, sharp)]
    assert flat.argmax() == sharp.argmax()
    assert score[1] >= score[0] - 1e-9
