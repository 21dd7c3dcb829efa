"""Votes of several personas."""

from __future__ import annotations

import pytest

from dataflywheel.contracts import Case, Verdict
from dataflywheel.evolution.judging.crowd_score import CrowdScore, tally
from dataflywheel.evolution.judging.pairwise import judgement
from tests.evolution.judging.asking import MODEL, Scripted, by_length

F, S, X = Verdict.FIRST, Verdict.SECOND, Verdict.INVALID


def test_tally_counts_readable_votes() -> None:
    votes = [judgement("a", *orders) for orders in ((F, F), (S, S), (F, S), (X, F))]
    assert tally(votes).scores == (0.5, 0.5)
    assert tally(votes[:1] + votes[2:]).scores == (0.75, 0.25)
    assert tally(votes[3:]).verdict == X


def test_personas_vote(monkeypatch: pytest.MonkeyPatch) -> None:
    def rule(parts: dict[str, str], instructions: str) -> dict[str, object]:
        """The engineer wants it short, the others long."""
        exchanged = {"1": "2", "2": "1"} if "engineer" in instructions else {"1": "1", "2": "2"}
        return {"better": exchanged[str(by_length(parts)["better"])]}

    client = Scripted(rule)
    monkeypatch.setattr("dataflywheel.models.endpoint.account.client_for", lambda spec: client)
    (found,) = CrowdScore(model=MODEL).judge([Case("a", "p", ("long answer", "short"))])
    assert found.scores == (0.75, 0.25)
    assert len(client.asked) == 8
