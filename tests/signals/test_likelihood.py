from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from dataflywheel.contracts import Status
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.spec import ModelSpec
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import table
from dataflywheel.signals.model.likelihood import Likelihood
from tests.models.copy_skill import conversation, copy_model, copy_rows, without_tools
from tests.signals.rows import batch_of


@pytest.fixture(scope="module")
def spec() -> ModelSpec:
    return ModelSpec(hf=str(copy_model()))


ROWS = [
    *copy_rows(40, seed=8),
    conversation("a prompt " * 200, "an answer"),
    conversation("no answer", ""),
    conversation("no answer", "b")[:1],
    conversation("one", "an answer longer than the window " * 60),
]


def test_values_do_not_depend_on_batch_or_order(spec: ModelSpec) -> None:
    signal = Likelihood(model=spec, max_length=128)
    whole = signal.measure(batch_of(ROWS))
    order = np.random.default_rng(0).permutation(len(ROWS))
    parts = [signal.measure(batch_of([ROWS[i] for i in part])) for part in np.array_split(order, 7)]
    for name in (*signal.columns, "status"):
        joined = np.concatenate([np.asarray(part[name], dtype=float) for part in parts])
        np.testing.assert_allclose(np.asarray(whole[name], dtype=float)[order], joined, atol=1e-4)


def test_every_row_says_how_it_went_and_failures_hold_no_number(spec: ModelSpec) -> None:
    found = Likelihood(model=spec, max_length=128).measure(batch_of(ROWS))
    expected = [Status.OK] * 40 + [Status.TRUNCATED, Status.EMPTY, Status.EMPTY, Status.TRUNCATED]
    assert found["status"].tolist() == expected
    for name, kind in Likelihood.columns.items():
        values = pa.array(found[name], type=kind)
        missing = [v is None or v != v for v in values.to_pylist()]
        unread = [False] * 43 + [name == "end_loss"]  # the last answer's end lies beyond the window
        assert missing == [status > Status.TRUNCATED or end for status, end in zip(expected, unread, strict=True)]
    answer, prompt = (np.asarray(found[name], dtype=float) for name in ("answer_tokens", "prompt_tokens"))
    assert answer[43] == 126
    assert prompt[43] == 2  # begin and the answer's header
    assert answer[40] + prompt[40] == 128


def test_a_row_that_the_template_cannot_show_says_why(tmp_path: Path) -> None:
    spec = ModelSpec(hf=str(without_tools(copy_model(), tmp_path / "model")))
    tools = '[{"type": "function", "function": {"name": "weather", "parameters": {}}}]'
    rows = [make_row(ROWS[0]), make_row(ROWS[0], tools=tools), make_row(ROWS[41])]
    found = Likelihood(model=spec, max_length=128).measure(table(rows).combine_chunks().to_batches()[0])
    assert found["status"].tolist() == [Status.OK, Status.FAILED, Status.EMPTY]
    assert found["error"] == [None, "the chat template leaves out the tools", None]


def test_a_shuffled_answer_is_above_its_clean_twin(spec: ModelSpec) -> None:
    rows = copy_rows(100, seed=9)
    shuffled = [conversation(a[0]["content"], b[1]["content"]) for a, b in zip(rows, rows[1:] + rows[:1], strict=True)]
    signal = Likelihood(model=spec)
    clean, wrong = (
        (np.asarray(found["loss_answer_given_prompt"]), np.asarray(found["loss_answer"]))
        for found in (signal.measure(batch_of(rows)), signal.measure(batch_of(shuffled)))
    )
    assert (wrong[0] > clean[0]).mean() > 0.95
    assert (clean[0] / clean[1]).mean() < 0.1
    assert (wrong[0] / wrong[1]).mean() > 1


def test_an_answer_that_was_cut_ends_by_surprise(spec: ModelSpec) -> None:
    rows = copy_rows(100, seed=10)
    cut = [conversation(p["content"], a["content"][: len(a["content"]) // 2]) for p, a in rows]
    whole, half = (np.asarray(Likelihood(model=spec).measure(batch_of(found))["end_loss"]) for found in (rows, cut))
    assert (half > np.median(whole)).mean() > 0.95
    assert np.median(half) > np.median(whole) + 1
    model = LanguageModel.load(spec)
    row = model.encode([rows[0]])[0]
    assert row.ended
    whole_answer = model.answer_scores([row])
    without_end = model.answer_scores([replace(row, ids=row.ids[:-1])])
    assert whole[0] == pytest.approx(whole_answer.total[0] - without_end.total[0], abs=1e-3)


def test_the_key_follows_contents_not_folders(spec: ModelSpec, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(str(spec.hf), copy)
    moved = ModelSpec(hf=str(copy))
    assert Likelihood(model=moved).key() == Likelihood(model=spec).key()
    assert Likelihood(model=spec, max_length=64).key() != Likelihood(model=spec).key()
    with open(copy / "tokenizer.json", "a") as file:
        file.write(" ")
    assert Likelihood(model=moved).key() != Likelihood(model=spec).key()
