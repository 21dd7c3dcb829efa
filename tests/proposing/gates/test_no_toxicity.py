"""The gate, with labels of a file and with those of the pool."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataflywheel.contracts import UsageError
from dataflywheel.proposing.gates.no_toxicity import NoToxicity
from dataflywheel.proposing.kinds import Proposal, Surroundings
from dataflywheel.rows.identity import make_row, prompt_answer_row
from dataflywheel.rows.parts import PartWriter
from dataflywheel.rows.schema import message, table
from tests.signals.toxic_words import label_file, sentences


def test_labels_of_a_file_and_of_the_pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYWHEEL_CACHE", str(tmp_path / "cache"))
    pool = [make_row([message("assistant", text)], label="toxic" if bad else "fine") for text, bad in sentences(400)]
    with PartWriter(tmp_path / "pool") as writer:
        writer.write(table([*pool, prompt_answer_row("no label", "here")]))
    fresh = sentences(60, seed=4)
    proposals = [Proposal((), prompt_answer_row("Say:", text)) for text, _ in fresh]
    proposals.append(Proposal((), prompt_answer_row("?", "!")))
    of_pool = NoToxicity().check(proposals, Surroundings(pool=tmp_path / "pool"))
    of_file = NoToxicity(labels=label_file(tmp_path / "labels.jsonl")).check(proposals, Surroundings())
    assert (
        [check.passed for check in of_pool]
        == [check.passed for check in of_file]
        == [not bad for _, bad in fresh] + [True]
    )
    assert {check.reason for check in of_pool} == {"", "toxic"}
    with pytest.raises(UsageError, match="name a file of labelled rows"):
        NoToxicity().check(proposals, Surroundings())
