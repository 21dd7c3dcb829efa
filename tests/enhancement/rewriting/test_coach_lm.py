"""CoachLM: what a reviser's text must look like, which pairs it is taught, and that it is trained once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.enhancement.rewriting import coach_lm
from dataflywheel.enhancement.rewriting.coach_lm import ANSWER, INSTRUCTION, REQUEST, CoachLM, lesson, parse
from dataflywheel.enhancement.rewriting.expert_revisions import ExpertRevision
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.models.training.training import train_sft
from dataflywheel.rows.identity import make_row, prompt_answer_row
from dataflywheel.rows.schema import Message, message
from tests.enhancement.rewriting.support import answer_of, demand


def write(path: Path, pairs: Sequence[tuple[str, str, str, str]]) -> Path:
    names = ("raw_instruction", "raw_response", "revised_instruction", "revised_response")
    path.write_text("".join(json.dumps(dict(zip(names, pair, strict=True))) + "\n" for pair in pairs))
    return path


@given(st.text("ab\n#", min_size=1, max_size=20), st.text("ab\n#", min_size=1, max_size=20))
def test_what_was_learnt_can_be_read(instruction: str, answer: str) -> None:
    said = lesson(ExpertRevision("i", "a", instruction, answer))[-1]["content"]
    found = parse(said)
    assert found == ((instruction.strip(), answer.strip()) if instruction.strip() and answer.strip() else None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no form at all",
        f"{INSTRUCTION}only an instruction",
        f"{INSTRUCTION}i{ANSWER} \n",
        f"prose before {INSTRUCTION}i{ANSWER}a",
        f"{INSTRUCTION}{REQUEST}{ANSWER}a",
        f"{INSTRUCTION}i{ANSWER}a{ANSWER}b",
        f"{INSTRUCTION}i {INSTRUCTION}{ANSWER}a",
    ],
)
def test_anything_else_and_leaked_requests_are_malformed(text: str) -> None:
    assert parse(text) is None


def test_each_row_is_revised_or_stays_with_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = {
        "better": f"{INSTRUCTION}better{ANSWER}more",
        "same": f"{INSTRUCTION}same{ANSWER}a",
        "leaks": f"{INSTRUCTION}leaks{ANSWER}{REQUEST}",
        "endless": None,
    }
    monkeypatch.setattr(CoachLM, "revisions", lambda self, raw: [said[instruction] for instruction, _ in raw])
    rows = [prompt_answer_row(name, "a") for name in said] + [make_row([message("assistant", "text")])]
    found = CoachLM(pairs=tmp_path / "p.jsonl").propose(demand(rows))
    assert [p.failure.partition(":")[0] for p in found] == [
        "", "nothing to revise", "malformed", "truncated", "not rewritten, no instruction",
    ]  # fmt: skip
    assert answer_of(found[0]) == "more"
    assert found[0].shown == (REQUEST,)


def test_other_pairs_are_another_method(tmp_path: Path) -> None:
    path = write(tmp_path / "p.jsonl", [("i", "a", "i", "b")])
    before = CoachLM(pairs=path).digest()
    assert CoachLM(pairs=path).digest() == before
    write(path, [("i", "a", "i", "c")])
    assert CoachLM(pairs=path).digest() != before


@pytest.mark.slow
def test_the_most_changed_pairs_train_a_reviser_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two steps of training show which lessons it gets, and that it is kept; what it writes then is no revision."""
    monkeypatch.setenv("FLYWHEEL_CACHE", str(tmp_path / "models"))
    taught: list[list[Message]] = []

    def noted(lessons: Sequence[list[Message]], base: Path, folder: Path, settings: TrainSettings) -> None:
        taught.extend(lessons)
        train_sft(lessons, base, folder, settings)

    monkeypatch.setattr(coach_lm, "train_sft", noted)
    good = [(f"Colour {i}?", "red", "Name the colour.", "It depends; ask an expert.") for i in range(8)]
    untouched = [(f"Shape {i}?", "round", f"Shape {i}?", "round") for i in range(24)]
    method = CoachLM(
        pairs=write(tmp_path / "pairs.jsonl", untouched + good),
        share=0.25,
        model=ModelSpec(builtin="tiny", size="0.5m"),
        train=TrainSettings(max_steps=2),
        pretrain_tokens=1,
        max_tokens=24,
    )
    rows = [prompt_answer_row(f"Colour {i}?", "red") for i in range(3)]
    found = method.propose(demand(rows))
    assert taught == [lesson(ExpertRevision(*pair)) for pair in good]
    assert {p.failure.partition(":")[0] for p in found} <= {"truncated", "malformed"}
    assert method.propose(demand(rows)) == found
    assert len(taught) == 8
    assert method.revisions([("word " * 3000, "a")]) == [None]
