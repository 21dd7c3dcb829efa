"""Self-distilled data: the rule keeps what was published as kept, and falls back where something was planted."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflywheel.contracts import UsageError
from dataflywheel.distillation.data.self_distillation import SelfDistillation, verify
from dataflywheel.distillation.model.sequence_level import SequenceLevel
from dataflywheel.enhancement.rewriting.self_refine import SelfRefine
from dataflywheel.models.endpoint.request import Outcome, Reply, Request
from dataflywheel.proposing.gates.format_and_length import FormatAndLength
from dataflywheel.proposing.kinds import Demand, Proposer, Surroundings
from dataflywheel.proposing.rewritten import replaced, rewritten
from dataflywheel.recipe.asking import teacher
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.load import recipe_from
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.store.run import RunDirectory
from tests.models.endpoint.fake import FakeClient, user_text
from tests.signals.rating.support import MODEL


@pytest.fixture(scope="module")
def published(data: Path) -> list[tuple[str, str, str]]:
    """Instruction, reference and what the published method left in its place."""
    with gzip.open(data / "self_distilled" / "alpaca_self_distilled.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [(f"{r['instruction']}\n{r['input']}", r["output"], r["distilled_output"]) for r in rows]


def test_published_reasons_are_reproduced_by_rule(published: list[tuple[str, str, str]]) -> None:
    found = Counter((given.strip() == made.strip(), verify(task, given, made)) for task, given, made in published)
    assert found[True, "unchanged"] == sum(count for (same, _), count in found.items() if same) == 314
    kept = sum(count for (same, _), count in found.items() if not same)
    # The others changed a result (sums that are wrong, another label) or speak of the prompt, but for three whose
    # number stands in words amid a sentence: 16 of 1,516.
    assert found[False, ""] / kept > 0.985
    assert found[False, "another final answer"] >= 5


@pytest.mark.parametrize("phrase", ["Based on the reference answer, ", "Here is your response: ", "In my own words, "])
def test_planted_leaks_fall_back(phrase: str, published: list[tuple[str, str, str]]) -> None:
    good = [(task, given, made) for task, given, made in published if not verify(task, given, made)][:300]
    told = [verify(task, given, phrase + made) for task, given, made in good]
    clean = [verify(task, given, "Surely, " + made) for task, given, made in good]
    assert told.count("a phrase of the prompt") >= 298, "but where the text itself speaks of such a thing"
    assert clean.count("") >= 298


@settings(max_examples=60)
@given(st.integers(-999, 99_999), st.integers(1, 500), st.sampled_from(["#### {}", "So \\boxed{{{}}}.", "{}"]))
def test_a_result_must_stay_the_same(gold: int, off: int, form: str) -> None:
    reference = f"One adds up.\n{form.format(gold)}" if form != "{}" else str(gold)
    assert verify("Add.", reference, f"Adding gives {gold:,}") == ""
    assert verify("Add.", reference, f"Adding gives\n#### {gold}") == ""
    assert verify("Add.", reference, f"Adding gives {gold + off}") == "another final answer"
    assert verify("Add.", reference, f"{gold} it seems, no:\n#### {gold + off}") == "another final answer"
    assert verify("Add.", reference, "Adding gives much.") == "another final answer"


def test_code_prose_and_empties() -> None:
    assert verify("Code.", "```python\nx = 1\n```", "Set x to 1.") == "code is missing"
    assert verify("Code.", "```python\nx = 1\n```", "Like this:\n```python\nx = 1\n```") == ""
    assert verify("Name one.", "Paris.", "The capital is Paris.") == ""
    assert verify("Name one.", "Paris.", " \n") == "empty"
    assert verify("Name one.", "Paris is  it.", "Paris is it.") == "unchanged"
    assert verify("What is your response?", "Yes.", "My answer, or your response, is yes.") == ""


def test_rows_are_rewritten_or_keep_their_answer_with_the_reason() -> None:
    rows = [prompt_answer_row(name, "#### 42") for name in ("good", "wrong", "leak", "same", "cut")]

    def answer(request: Request) -> str | Reply:
        text = user_text(request)
        assert "<reference answer " in text, "the model is guided by the reference"
        if "\ngood\n" in text:
            return "Six times seven.\n#### 42"
        if "\nwrong\n" in text:
            return "#### 24"
        if "\nleak\n" in text:
            return "As the reference answer says:\n#### 42"
        return " #### 42\n" if "\nsame\n" in text else Reply(Outcome.TRUNCATED)

    demand = Demand(tuple(rows), (0,) * 5, (), np.random.default_rng(0))
    found = SelfDistillation(model=MODEL).propose_with(FakeClient(answer), demand)
    assert [p.failure for p in found] == [
        "",
        "fell back, another final answer",
        "fell back, a phrase of the prompt",
        "fell back, unchanged",
        "truncated",
    ]
    made = found[0].row
    assert made is not None
    assert (made["messages"][-1]["content"], made["made_by"]) == ("Six times seven.\n#### 42", "self_distillation")
    assert made["parents"] == [rows[0]["id"]]
    assert [p.before for p in found] == rows
    assert all(p.row is None for p in found[1:])


def test_the_model_that_is_to_be_tuned_rewrites_and_never_the_teacher(tmp_path: Path) -> None:
    """Untrained in every round: it is the gap to the model before training that the method closes."""
    value = {"name": "a", "pool": [{"builtin": "python_docs"}], "models": {"teacher": "./big", "student": "./small"}}
    for steps in (["train"], ["deduplicate"]):
        recipe = recipe_from({**value, "steps": steps})
        context = Context(recipe, RunDirectory(tmp_path / "run"), tmp_path / "store")
        context = replace(context, trained=tmp_path / "models" / "round-3")
        made = context.proposer("self_distillation", {})
        assert isinstance(made, SelfDistillation)
        assert made.model.hf == "./small"
        own = context.proposer("self_distillation", {"model": "./other"})
        assert isinstance(own, SelfDistillation)
        assert own.model.hf == "./other"
    with pytest.raises(UsageError, match="student"):
        teacher(recipe_from({**value, "models": {}, "steps": ["deduplicate"]}), SelfDistillation)


@pytest.mark.parametrize("kind", [SelfDistillation, SequenceLevel, SelfRefine])
@pytest.mark.parametrize("before", ["", "72", "x = 72."])
def test_a_worked_answer_may_stand_in_place_of_none_or_of_a_short_one(kind: type[Proposer], before: str) -> None:
    gate = FormatAndLength(**dict(kind.own_gates())["format_and_length"])
    row = prompt_answer_row("What is 8 times 9?", before)
    worked = rewritten(row, kind.name, "First, take 8 nine times. " * 80 + "So it is 72.")
    assert gate.check([replaced(row, worked)], Surroundings())[0].passed
