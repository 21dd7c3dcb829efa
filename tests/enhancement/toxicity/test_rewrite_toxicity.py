"""A scripted rewriter that cleans, leaves or fails: every row ends as planted."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from dataflywheel.enhancement.toxicity.mask_toxicity import NOT_TOXIC, STILL_TOXIC, MaskToxicity
from dataflywheel.enhancement.toxicity.rewrite_toxicity import RewriteToxicity
from dataflywheel.models.endpoint.request import Outcome, Reply, Request
from dataflywheel.proposing.kinds import Demand
from dataflywheel.rows.identity import prompt_answer_row
from tests.models.endpoint.fake import FakeClient, parts_of
from tests.signals.rating.support import MODEL
from tests.signals.toxic_words import label_file


def rewriter(request: Request) -> str | Reply:
    text = parts_of(request).get("text", "")
    if "refuse" in text:
        return Reply(Outcome.REFUSED)
    clean = text if "stubborn" in text else re.sub(r" you \w+", "", text)
    return json.dumps({"text": clean})


def test_every_row_ends_as_planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYWHEEL_CACHE", str(tmp_path / "cache"))
    texts = ["the weather was late today", "that film was you grobblehead late today"]
    texts += ["stubborn you grobblehead late today", "refuse you snorfling late today"]
    rows = [prompt_answer_row("Say:", text) for text in texts]
    rows.append(prompt_answer_row("our train was you snorfling late", "the garden seems you grobblehead green"))
    client = FakeClient(rewriter, chat=True)
    method = RewriteToxicity(model=MODEL, labels=label_file(tmp_path / "labels.jsonl"))
    found = method.propose_with(client, Demand(tuple(rows), (0,) * 5, (), np.random.default_rng(0)))
    assert [p.failure.split(":")[0] for p in found] == [NOT_TOXIC, "", STILL_TOXIC, "refused", ""]
    assert [len(p.replies) for p in found] == [0, 1, 1, 1, 2]
    after = [[m["content"] for m in p.row["messages"]] if p.row else None for p in found]
    assert after[1] == ["Say:", "that film was late today"]
    assert after[4] == ["our train was late", "the garden seems green"]
    assert found[4].before == rows[4]
    thought = prompt_answer_row("Say:", "the weather was late today")
    thought["messages"][1]["reasoning"] = "this recipe became you grobblehead as expected"
    for made in (
        method.propose_with(client, Demand((thought,), (0,), (), np.random.default_rng(0))),
        MaskToxicity(labels=method.labels).propose(Demand((thought,), (0,), (), np.random.default_rng(0))),
    ):
        assert made[0].row is not None
        assert "grobblehead" not in str(made[0].row["messages"][1]["reasoning"])
        assert made[0].row["messages"][1]["content"] == "the weather was late today"
    assert len(client.requests) == 6
    assert [bool(p.facts.get("drop")) for p in found] == [False, True, True, True, True], "what stays toxic goes"
