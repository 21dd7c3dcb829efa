"""Masking takes the planted words and no others."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from dataflywheel.enhancement.toxicity.mask_toxicity import NOT_TOXIC, STILL_TOXIC, MaskToxicity
from dataflywheel.proposing.kinds import Demand
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.steps.build import build_steps
from dataflywheel.rows.builder import build
from dataflywheel.rows.identity import make_row, prompt_answer_row
from dataflywheel.rows.parts import PartWriter
from dataflywheel.rows.schema import Row, message
from dataflywheel.store.decisions import read_decisions
from dataflywheel.store.run import RunDirectory
from tests.recipe.doing import done
from tests.signals.toxic_words import INSULTS, label_file, sentences


@pytest.fixture
def labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FLYWHEEL_CACHE", str(tmp_path / "cache"))
    return label_file(tmp_path / "labels.jsonl")


def demand(*rows: Row) -> Demand:
    return Demand(rows, (0,) * len(rows), (), np.random.default_rng(0))


@pytest.mark.parametrize("mask", ["***", ""])
def test_planted_words_go_and_the_rest_stays(labels: Path, mask: str) -> None:
    planted = sentences(40, seed=6)
    rows = [prompt_answer_row("Say the sentence:", text, tags=["t"]) for text, _ in planted]
    method = MaskToxicity(labels=labels, mask=mask)
    proposals = method.propose(demand(*rows))
    limit = method.classifier().threshold(method.false_positive_rate)
    good = 0
    for (text, toxic), row, proposal in zip(planted, rows, proposals, strict=True):
        if not toxic:
            assert (proposal.row, proposal.failure) == (None, NOT_TOXIC)
            continue
        assert proposal.row is not None
        after = proposal.row["messages"][-1]["content"]
        good += not any(word in after for word in INSULTS)
        assert method.classifier().scores([after])[0] <= limit
        kept = [word for word in after.split() if word != mask]
        assert kept == [word for word in text.split() if word in kept][: len(kept)]
        assert len(kept) >= 0.7 * len(text.split()) - 1
        assert proposal.row["messages"][0] == row["messages"][0]
        assert (proposal.before, proposal.row["parents"], proposal.row["tags"]) == (row, [row["id"]], ["t"])
    assert good >= 0.9 * sum(toxic for _, toxic in planted)


def test_what_is_all_toxic_stays_and_rejected_answers_do(labels: Path) -> None:
    worse = [message("assistant", f"you {INSULTS[0]}")]
    hopeless = prompt_answer_row("Say:", " ".join(INSULTS * 3))
    pair = make_row(
        [message("user", "Say:"), message("assistant", f"my neighbour was you {INSULTS[1]} very late")], rejected=worse
    )
    first, second = MaskToxicity(labels=labels).propose(demand(hopeless, pair))
    assert (first.row, first.failure) == (None, STILL_TOXIC)
    assert second.row is not None
    assert second.row["rejected"] == worse
    assert INSULTS[1] not in second.row["messages"][1]["content"]


def test_what_stays_toxic_leaves_the_data_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that cannot be masked, and rows that would lose their negation by it, which the meaning gate sees."""
    monkeypatch.setenv("FLYWHEEL_CACHE", str(tmp_path / "cache"))
    said = [json.dumps({"text": text, "label": "toxic" if toxic else "fine"}) for text, toxic in sentences(400)]
    said += [line.replace(f"you {INSULTS[0]}", "never").replace(f"you {INSULTS[1]}", "never") for line in said]
    labels = tmp_path / "labels.jsonl"
    labels.write_text("\n".join(said) + "\n")
    texts = ["her song was quite good number 3", f"that film was you {INSULTS[0]} very green as expected number 4"]
    texts += [" ".join(INSULTS * 3), "the new law remains never hard to find on the table number 5"]
    rows = tmp_path / "rows"
    with PartWriter(rows) as writer:
        writer.write(build([prompt_answer_row("Say the sentence:", text) for text in texts]))
    for drop in (True, False):
        by = {"mask_toxicity": {"labels": str(labels), "drop": drop}}
        recipe = recipe_from({"name": "a", "pool": [{"builtin": "python_docs"}], "steps": [{"enhance": {"by": by}}]})
        context = Context(recipe, RunDirectory(tmp_path / "run"), tmp_path / "store")
        metrics = done(build_steps(recipe)[0], context, rows, tmp_path / f"out-{drop}")
        assert metrics.details["gates"] == ["meaning", "language_kept"]
        made = read_decisions(tmp_path / f"out-{drop}" / "decisions.parquet").to_pylist()
        assert [d["action"] for d in made] == ["kept", "changed", *(["dropped", "dropped"] if drop else ["kept"] * 2)]
        assert metrics.rows_out == (2 if drop else 4)
        assert made[2]["reason"] == (STILL_TOXIC if drop else f"as it was: {STILL_TOXIC}")
        assert "meaning, negation changed" in made[3]["reason"]
