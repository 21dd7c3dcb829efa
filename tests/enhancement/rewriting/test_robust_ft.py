"""RobustFT on real queries with planted label noise and a scripted model of known accuracy."""

from __future__ import annotations

import gzip
import hashlib
import json
from functools import cache
from math import exp, log
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.contracts import UsageError
from dataflywheel.enhancement.rewriting.robust_ft import PLAIN, REASONED, REVIEW, RobustFT, read, same
from dataflywheel.models.endpoint.request import Outcome, Reply, Request, TokenLogprob
from dataflywheel.models.spec import EmbedderSpec
from dataflywheel.proposing.kinds import Proposal
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import Row, message
from tests.enhancement.rewriting.support import MODEL, answer_of, demand, shown
from tests.models.endpoint.fake import FakeClient, system_text

ROWS, INTENTS = 300, 12


@cache
def queries(data: Path) -> tuple[tuple[str, str], ...]:
    """Queries of clinc150 with their true intents: the first of them in order of a hash."""
    content = json.loads(gzip.decompress((data / "clinc150" / "data_small.json.gz").read_bytes()))
    names = sorted({intent for _, intent in content["train"]})[:INTENTS]
    held = {text: intent for text, intent in content["train"] if intent in names}
    return tuple(sorted(held.items(), key=lambda pair: unit("order", pair[0])))[:ROWS]


def unit(*parts: object) -> float:
    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=8).digest(), "big") / 2**64


def other(truth: str, labels: list[str], *key: object) -> str:
    wrong = [label for label in labels if label != truth]
    return wrong[int(unit("other", *key) * len(wrong))]


def noisy(pairs: tuple[tuple[str, str], ...], share: float, labels: list[str]) -> list[Row]:
    rows = []
    for text, truth in pairs:
        label = other(truth, labels, text) if unit("noise", text) < share else truth
        rows.append(make_row([message("user", text), message("assistant", label)], label=label))
    return rows


def stub(truths: dict[str, str], accuracy: float, calibrated: bool = True) -> FakeClient:
    """Right with the given probability in each of its answers, independently; right ones are surer on average."""
    labels = sorted(set(truths.values()))

    def answer(request: Request) -> Reply:
        text, asked = shown(request, "instruction"), system_text(request)
        right = unit("right", asked[:45], text) < accuracy
        said = truths[text] if right else other(truths[text], labels, asked[:45], text)
        thought = "Let me think.\n" if asked.startswith(REASONED[:45]) else ""
        start = f"{thought}Answer: "
        # Odds that overlap: what is right has a lower loss three times in four.
        sure = exp(-2 * unit("sure", text)) if right or not calibrated else exp(-4 * unit("sure", text))
        tokens = [TokenLogprob(start, -0.01), TokenLogprob(said[:3], log(sure)), TokenLogprob(said[3:], log(sure))]
        return Reply(Outcome.ANSWERED, start + said, logprobs=tuple(tokens))

    return FakeClient(answer, logprobs=True)


def noise_of(rows: list[Row], truths: dict[str, str]) -> float:
    wrong = [r["messages"][-1]["content"] != truths[r["messages"][0]["content"]] for r in rows]
    return float(np.mean(wrong))


def outcome(rows: list[Row], found: list[Proposal]) -> list[Row]:
    """The rows as the engine would leave them."""
    left = []
    for row, proposal in zip(rows, found, strict=True):
        if proposal.row is not None:
            left.append(proposal.row)
        elif not proposal.facts.get("drop"):
            left.append(row)
    return left


def method(**more: object) -> RobustFT:
    return RobustFT.model_validate({"model": MODEL, "embedder": EmbedderSpec(builtin="static"), **more})


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.3, 0.5, 0.7])
def test_noise_falls_wherever_the_model_is_better_than_the_labels(data: Path, share: float) -> None:
    pairs = queries(data)
    truths = dict(pairs)
    labels = sorted(set(truths.values()))
    rows = noisy(pairs, share, labels)
    before = noise_of(rows, truths)
    assert before == pytest.approx(share, abs=0.06)
    for accuracy in (0.4, 0.6, 0.8, 0.95):
        found = method(labels=tuple(labels)).propose_with(stub(truths, accuracy), demand(rows))
        left = outcome(rows, found)
        if accuracy > 1 - before:
            assert noise_of(left, truths) < before, accuracy
        clean = [row for row, p in zip(rows, found, strict=True) if p.failure == "clean"]
        assert len(clean) == pytest.approx((1 - before) * accuracy**2 * ROWS, abs=25)
        # A wrong label is confirmed only where both answers are wrong in the same way.
        assert noise_of(clean, truths) * len(clean) <= 3
        answered = len(rows) - len(clean)
        dropped = sum(bool(p.facts.get("drop")) for p in found)
        assert dropped == answered - answered // 2


def test_where_the_model_is_worse_than_the_labels_noise_can_rise(data: Path) -> None:
    """What the method cannot do: a model right in 20 % of its answers makes labels that are 90 % right worse."""
    pairs = queries(data)
    truths = dict(pairs)
    rows = noisy(pairs, 0.1, sorted(set(truths.values())))
    found = method().propose_with(stub(truths, 0.2, calibrated=False), demand(rows))
    assert noise_of(outcome(rows, found), truths) > noise_of(rows, truths)


def test_new_rows_change_answer_and_label_and_tell_their_loss(data: Path) -> None:
    pairs = queries(data)[:60]
    truths = dict(pairs)
    rows = noisy(pairs, 0.5, sorted(set(truths.values())))
    found = method().propose_with(stub(truths, 0.9), demand(rows))
    new = [p for p in found if p.row is not None]
    assert len(new) > 5
    losses = [p.facts["nll"] for p in new]
    for p in new:
        assert p.row is not None
        assert p.before is not None
        assert p.row["label"] == answer_of(p) != p.before["label"]
        assert p.row["messages"][0] == p.before["messages"][0]
    assert max(losses) < 4
    assert {len(p.replies) for p in found} == {2, 4}


def test_examples_are_the_nearest_clean_rows(data: Path) -> None:
    pairs = queries(data)[:80]
    truths = dict(pairs)
    rows = noisy(pairs, 0.3, sorted(set(truths.values())))
    client = stub(truths, 1.0)
    found = method(neighbours=2).propose_with(client, demand(rows))
    clean = {r["messages"][0]["content"]: r["label"] for r, p in zip(rows, found, strict=True) if p.failure == "clean"}
    from dataflywheel.models.embedding.shared_embedder import shared_embedder

    encode = shared_embedder(EmbedderSpec(builtin="static")).encode
    asked = [r for r in client.requests if shown(r, "example 1")]
    assert len(asked) == len(rows) - len(clean) > 10
    for request in asked:
        near = encode([shown(request, "instruction")]) @ encode(list(clean)).T
        best = [list(clean)[i] for i in np.argsort(-near[0])[:2]]
        expected = [f"instruction: {text}\nanswer: {clean[text]}" for text in best]
        assert [shown(request, "example 1"), shown(request, "example 2")] == expected
        assert shown(request, "example 3") == ""


def test_failures() -> None:
    """A server that fails says nothing against a row; a refusal leaves it unconfirmed; no clean row, no example."""

    def answer(request: Request) -> Reply:
        text = shown(request, "instruction")
        if text == "down" and not system_text(request).startswith(PLAIN[:45]):
            return Reply(Outcome.TIMED_OUT)
        if text == "refused":
            return Reply(Outcome.REFUSED)
        said = "Answer: no"
        logprobs = (TokenLogprob(said, -0.1),) if text != "silent" else ()
        return Reply(Outcome.ANSWERED, said, logprobs=logprobs)

    rows = [
        make_row([message("user", t), message("assistant", "yes")]) for t in ("down", "refused", "silent", "b", "c")
    ]
    client = FakeClient(answer, logprobs=True)
    found = method().propose_with(client, demand(rows))
    assert [p.failure for p in found[:3]] == ["timed out", "no answer is sure: refused", "no answer is sure"]
    assert [bool(p.facts.get("drop")) for p in found[:3]] == [False, True, True]
    assert sorted(p.failure for p in found[3:]) == ["", "no answer is sure"]
    assert not any(shown(request, "example 1") for request in client.requests)
    with pytest.raises(UsageError, match="logprobs"):
        method().propose_with(FakeClient(answer), demand(rows))


def test_only_listed_labels_are_answers() -> None:
    client = FakeClient(lambda r: Reply(Outcome.ANSWERED, "Answer: Yes, indeed"), logprobs=True)
    rows = [make_row([message("user", "q"), message("assistant", "Yes")])]
    (found,) = method(labels=("Yes", "No")).propose_with(client, demand(rows))
    assert found.failure == "no answer is sure"
    assert "one of: Yes; No" in system_text(client.requests[0])


def test_only_tokens_of_the_answer_count() -> None:
    text = "so:\nAnswer: two words"
    pieces = [("so:\n", -9.0), ("Answer", -8.0), (": ", -7.0), ("two", -1.0), (" words", -3.0)]
    reply = Reply(Outcome.ANSWERED, text, logprobs=tuple(TokenLogprob(*piece) for piece in pieces))
    assert read(reply) == ("two words", 2.0)
    assert np.isnan(read(Reply(Outcome.ANSWERED, text, logprobs=(TokenLogprob("so", -1.0),)))[1])
    said = {
        "Paris": "Paris",
        "**Answer:** Paris": "Paris",
        "Answer: Rome\nNo.\nAnswer: Paris": "",
        "Answer: Paris.\nYes.\nanswer: paris": "paris",
        "It is Paris.\nI am sure.": "",
    }
    assert {text: read(Reply(Outcome.ANSWERED, text))[0] for text in said} == said


@given(st.text(max_size=60))
def test_any_reply_can_be_read(text: str) -> None:
    found, _ = read(Reply(Outcome.ANSWERED, text))
    assert found in text
    assert same(found, found.upper().lower()) or not found.isascii()


def test_it_wants_all_seeds_at_once_and_reviews_last() -> None:
    assert RobustFT.whole
    assert RobustFT.rewrites
    assert REVIEW.startswith("The candidate")
