"""A stub whose certainty depends on the depth, asked as often as the tree by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dataflywheel.contracts import Status, UsageError, build
from dataflywheel.models.endpoint.request import Outcome, Reply, Request
from dataflywheel.signals.rating.decision_tree_of_thought import NONE, TREE, DecisionTreeOfThought
from tests.models.endpoint.fake import FakeClient, parts_of
from tests.models.endpoint.test_quoting import ATTACKS
from tests.signals.rating.support import MODEL, chats, plain

SURE = {"plain": (9, 10, 10), "coarse": (3, 9, 9), "fine": (3, 5, 9), "never": (0, 1, 2), "lost": (7, 9, 2)}
"""How sure the stub is of a text at each depth, by the word that it begins with."""
CATEGORY = {"plain": NONE, "coarse": "threat", "fine": "threat", "never": NONE, "lost": "none"}


def depth_of(request: Request) -> int:
    shown = parts_of(request).get("categories", "").split("\n")
    return 0 if shown == [""] else 1 if shown == list(TREE) else 2


def stub(request: Request) -> str:
    text, depth = parts_of(request)["text"], depth_of(request)
    kind = text.split()[0]
    said: dict[str, Any] = {"reason": f"{kind} at depth {depth}"}
    if depth:
        said["category"] = CATEGORY[kind] if depth == 1 else "wish of harm" if kind == "fine" else NONE
    toxic = kind != "plain"
    said |= {"verdict": "toxic" if toxic else "not toxic", "sure": SURE[kind][depth], "quotes": text.split()[1:]}
    return json.dumps(said)


def by_hand(kind: str, certain: int, depth: int) -> int:
    """Questions until the stub is sure enough, or the tree ends."""
    sure = SURE[kind][:depth]
    return next((level for level, one in enumerate(sure, 1) if one >= certain), len(sure))


def measured(texts: list[str], answer: Any = stub, **given: Any) -> tuple[dict[str, list[Any]], FakeClient]:
    client = FakeClient(answer)
    signal = build(DecisionTreeOfThought, {"model": MODEL, **given})
    return plain(signal.measure_with(client, chats(*([("user", text)] for text in texts)))), client


@pytest.mark.parametrize("certain", [0, 3, 4, 6, 8, 10])
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_the_fewest_questions_are_asked(certain: int, depth: int) -> None:
    found, client = measured([f"{kind} words" for kind in SURE], certain=certain, depth=depth)
    wanted = [by_hand(kind, certain, depth) for kind in SURE]
    assert found["asked"] == wanted == found["calls"]
    assert len(client.requests) == sum(wanted)


def test_the_last_verdict_counts_with_its_reason() -> None:
    found, client = measured(["plain words", "coarse words", "fine words", "never words"])
    assert found["asked"] == [by_hand(kind, 8, 3) for kind in ("plain", "coarse", "fine", "never")] == [1, 2, 3, 3]
    assert found["toxic"] == [0, 1, 1, 1]
    assert found["score"] == pytest.approx([0.05, 0.95, 0.95, 0.6])
    assert found["category"] == [NONE, "threat", "wish of harm", NONE]
    assert found["reason"] == [f"{k} at depth {d}" for k, d in (("plain", 0), ("coarse", 1), ("fine", 2), ("never", 2))]
    assert found["spans"] == [[], ["7:12"], ["5:10"], ["6:11"]]
    shown = {parts_of(r)["text"]: parts_of(r)["categories"].split("\n") for r in client.requests if depth_of(r) == 2}
    assert shown["fine words"] == list(TREE["threat"]), "the finer ones of the category that was named"
    assert shown["never words"] == [name for finer in TREE.values() for name in finer], "of all, as none was"


def test_what_cannot_be_judged_has_no_score() -> None:
    def says(request: Request) -> str | Reply:
        kind = parts_of(request).get("text", "repair").split()[0]
        if kind == "repair":
            return "gibberish"
        if kind == "refused":
            return Reply(Outcome.REFUSED, "no")
        if kind == "later" and depth_of(request):
            return "gibberish"
        sure = 1 if kind in ("later", "unknown") else 9
        said = {"reason": "r", "verdict": "toxic", "sure": sure, "quotes": []}
        return json.dumps(said | ({"category": "no such"} if depth_of(request) else {}))

    found, _ = measured(["refused text", "later text", "unknown text", "good text", "  "], says)
    assert found["score"] == pytest.approx([None, None, None, 0.95, None])
    assert found["status"] == [Status.FAILED] * 3 + [Status.OK, Status.EMPTY]
    assert all(found["error"][:3])
    assert "no category of the list" in found["error"][2]
    assert found["calls"][1] >= 2, "what was asked is billed all the same"


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_orders_in_a_text_stay_within_its_fence(attack: str) -> None:
    seen: list[dict[str, str]] = []

    def says(request: Request) -> str:
        seen.append(parts_of(request))
        return json.dumps({"reason": "r", "verdict": "not toxic", "sure": 9, "quotes": []})

    found, _ = measured([attack], says, max_chars=1_000_000)
    assert {name: text.strip() for name, text in seen[0].items()} == {"text": attack.strip()}
    assert found["toxic"] == [0]


def test_categories_of_ones_own_are_checked() -> None:
    signal = build(DecisionTreeOfThought, {"model": MODEL, "categories": {"spam": ["advert"]}, "depth": 2})
    assert signal.calls_a_row() == 2
    for bad in ({}, {"": []}, {"x" * 81: []}):
        with pytest.raises(UsageError, match="categories"):
            build(DecisionTreeOfThought, {"model": MODEL, "categories": bad})
