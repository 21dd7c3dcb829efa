"""Votes of several models."""

from __future__ import annotations

import numpy as np
import pytest

from dataflywheel.contracts import Judgement, Verdict
from dataflywheel.evolution.judging.pairwise import judgement
from dataflywheel.evolution.judging.panel import Panel
from tests.evolution.judging.asking import MODEL

F, S, T, X = Verdict.FIRST, Verdict.SECOND, Verdict.TIE, Verdict.INVALID


def test_a_panel_gathers_and_leaves_invalid_what_nobody_judged() -> None:
    def said(*verdicts: Verdict) -> list[Judgement]:
        return [judgement(f"c{i}", v, v, "refused: no") for i, v in enumerate(verdicts)]

    panel = Panel(models=(MODEL, MODEL, MODEL))
    found = panel.gather([said(F, S, T, X), said(F, S, X, X), said(S, S, T, X)])
    assert [j.verdict for j in found] == [F, S, T, X]
    assert found[3].reason == "refused: no"
    assert [j.id for j in found] == ["c0", "c1", "c2", "c3"]


def test_a_member_that_knows_outweighs_two_that_guess() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 600)
    said = np.where(rng.random((3, 600)) < np.array([[0.95], [0.6], [0.6]]), truth, 1 - truth)
    members = [[judgement(str(i), (F, S)[vote], (F, S)[vote]) for i, vote in enumerate(votes)] for votes in said]
    verdicts = [one.verdict for one in Panel(models=(MODEL, MODEL, MODEL)).gather(members)]
    right = np.mean([verdict == (F, S)[t] for verdict, t in zip(verdicts, truth, strict=True)])
    majority = np.mean((said.sum(axis=0) > 1) == truth)
    assert right == pytest.approx(0.95, abs=0.02)
    assert majority < 0.86
