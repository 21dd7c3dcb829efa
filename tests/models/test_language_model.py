from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflywheel.contracts import Status, UsageError
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.spec import ModelSpec
from tests.models.copy_skill import conversation, copy_model, copy_rows

TEXTS = [
    ("repeat amber basil", "amber basil"),
    ("What is a fjord?", "A long, narrow inlet with steep sides, made by a glacier. 冰川 🧊"),
    ("x", "y"),
    ("Say nothing much, but at some length, please. " * 8, "Well, " * 30),
]
ROWS = [conversation(p, a) for p, a in TEXTS]


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    return LanguageModel.load(ModelSpec(hf=str(copy_model())))


def by_hand(model: LanguageModel, prompt: str | None, answer: str) -> np.ndarray[Any, Any]:
    """Log-probabilities of the answer's tokens by plain transformers, one row, from ids put together by hand."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model.folder)
    plain = AutoModelForCausalLM.from_pretrained(model.folder)
    ids = [tokenizer.convert_tokens_to_ids("<|begin|>")]
    if prompt is not None:
        ids += tokenizer.encode("<|user|>" + prompt + "<|end|>", add_special_tokens=False)
    ids += [tokenizer.convert_tokens_to_ids("<|assistant|>")]
    start = len(ids)
    ids += tokenizer.encode(answer + "<|end|>", add_special_tokens=False)
    with torch.no_grad():
        logprobs = plain(torch.tensor([ids])).logits[0].log_softmax(dim=-1)
    return np.array([float(logprobs[i - 1, ids[i]]) for i in range(start, len(ids))])


def test_losses_are_those_of_plain_transformers(model: LanguageModel) -> None:
    encoded = model.encode(ROWS)
    for alone in (False, True):
        scores = model.answer_scores(encoded, alone=alone)
        for i, (prompt, answer) in enumerate(TEXTS):
            expected = by_hand(model, None if alone else prompt, answer)
            np.testing.assert_allclose(scores.logprobs[i], expected, atol=1e-4)
            assert scores.loss[i] == pytest.approx(-expected.mean(), abs=1e-4)
            assert scores.total[i] == pytest.approx(-expected.sum(), abs=1e-3)
            assert scores.tokens[i] == len(expected)


def test_entropy_and_margin_are_those_of_the_full_distribution(model: LanguageModel) -> None:
    import torch

    encoded = model.encode(ROWS)
    scores = model.answer_scores(encoded, detail=True)
    for i, row in enumerate(encoded):
        with torch.no_grad():
            p = model.model(torch.tensor([row.ids])).logits[0, row.start - 1 : -1].softmax(dim=-1).double().numpy()
        ordered = np.sort(p, axis=1)
        assert scores.entropy[i] == pytest.approx(-(p * np.log(p)).sum(axis=1).mean(), abs=1e-3)
        assert scores.margin[i] == pytest.approx((ordered[:, -1] - ordered[:, -2]).mean(), abs=1e-3)


def test_an_answer_of_one_token_is_finite_and_equal_by_hand(model: LanguageModel) -> None:
    row = model.encode([conversation("x", "y")])
    given, alone = model.answer_scores(row), model.answer_scores(row, alone=True)
    assert row[0].answer_tokens == 2  # "y" and the end of the turn
    assert given.loss[0] / alone.loss[0] == pytest.approx(
        by_hand(model, "x", "y").mean() / by_hand(model, None, "y").mean(), abs=1e-4
    )


@pytest.mark.parametrize("max_tokens", [1, 64, 700, 100_000])
def test_no_batch_changes_a_number(model: LanguageModel, max_tokens: int) -> None:
    rows = ROWS + copy_rows(20, seed=3)
    together = model.answer_scores(model.encode(rows), detail=True, max_tokens=max_tokens)
    states = model.hidden_states(model.encode(rows), "mean", max_tokens=max_tokens)
    for i, row in enumerate(rows):
        single = model.encode([row])
        one = model.answer_scores(single, detail=True)
        for name in ("loss", "entropy", "margin"):
            assert getattr(together, name)[i] == pytest.approx(getattr(one, name)[0], abs=1e-4)
        np.testing.assert_allclose(states[i], model.hidden_states(single, "mean")[0], atol=1e-4)


def test_hidden_states_are_pooled_as_told(model: LanguageModel) -> None:
    import torch

    encoded = model.encode(ROWS)
    pooled = {p: model.hidden_states(encoded, p) for p in ("mean", "weighted", "last")}
    for i, row in enumerate(encoded):
        with torch.no_grad():
            out = model.model(torch.tensor([row.ids]), output_hidden_states=True)
        states = out.hidden_states[-1][0].double().numpy()
        step = np.arange(1, len(states) + 1)[:, None]
        np.testing.assert_allclose(pooled["mean"][i], states.mean(axis=0), atol=1e-4)
        np.testing.assert_allclose(pooled["weighted"][i], (states * step).sum(axis=0) / step.sum(), atol=1e-4)
        np.testing.assert_allclose(pooled["last"][i], states[-1], atol=1e-4)


def test_a_model_that_copies_sees_shuffled_answers(model: LanguageModel) -> None:
    rows = copy_rows(300, seed=2)
    shuffled = [conversation(a[0]["content"], b[1]["content"]) for a, b in zip(rows, rows[1:] + rows[:1], strict=True)]
    clean, wrong = model.encode(rows), model.encode(shuffled)
    good, bad = model.answer_scores(clean), model.answer_scores(wrong)
    assert (bad.loss > good.loss).mean() > 0.95
    assert (good.loss / model.answer_scores(clean, alone=True).loss).mean() < 0.1
    assert (bad.loss / model.answer_scores(wrong, alone=True).loss).mean() > 1


def test_choice_shows_the_skill(model: LanguageModel) -> None:
    rows = copy_rows(12, seed=4)
    prompts = [row[:1] for row in rows]
    answers = [row[1]["content"] for row in rows]
    options = [[answers[i], answers[(i + 1) % 12], "pearl"][: 2 + i % 2] for i in range(12)]
    found = model.loglikelihood(prompts, options)
    assert [len(one) for one in found] == [len(one) for one in options]
    assert np.mean([one.argmax() == 0 for one in found]) > 0.9
    assert found[0][1] == pytest.approx(by_hand(model, rows[0][0]["content"], options[0][1]).sum(), abs=1e-3)


def test_rows_without_an_answer_have_no_score(model: LanguageModel) -> None:
    rows = [conversation("a", ""), conversation("a", "b")[:1], [], conversation("a", "b")]
    encoded = model.encode(rows)
    assert [row.status for row in encoded] == [Status.EMPTY] * 3 + [Status.OK]
    assert np.isnan(model.answer_scores(encoded).loss).tolist() == [True, True, True, False]
    assert np.isnan(model.hidden_states(encoded)).all(axis=1).tolist() == [True, True, True, False]


def test_a_plain_text_has_the_same_loss_with_and_without_its_absent_prompt(model: LanguageModel) -> None:
    encoded = model.encode([conversation("ignored", "amber basil")[1:]])
    assert model.answer_scores(encoded).loss[0] == model.answer_scores(encoded, alone=True).loss[0]
    expected = by_hand(model, None, "amber basil")
    np.testing.assert_allclose(model.answer_scores(encoded).logprobs[0], expected, atol=1e-4)


@settings(max_examples=25, deadline=None)
@given(st.integers(12, 60), st.integers(0, 60), st.integers(1, 60))
def test_truncation_cuts_the_prompt_first_and_says_so(limit: int, prompt: int, answer: int) -> None:
    model = LanguageModel.load(ModelSpec(hf=str(copy_model()))) if not _loaded else _loaded[0]
    _loaded[:] = [model]
    row = conversation("q " * prompt + "?", "a " * answer + ".")
    whole, cut = model.encode([row])[0], model.encode([row], limit)[0]
    assert len(cut.ids) <= limit
    assert (cut.status == Status.TRUNCATED) == (len(whole.ids) > limit)
    kept = min(whole.answer_tokens, limit - 2)
    assert cut.ids[cut.start :] == whole.ids[whole.start : whole.start + kept]
    assert cut.ids[0] == whole.ids[0]
    assert cut.ids[cut.header : cut.start] == whole.ids[whole.header : whole.start]
    assert len(cut.ids) == min(limit, len(whole.ids))


_loaded: list[LanguageModel] = []


def test_what_cannot_be_loaded_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="trained on a pool first"):
        LanguageModel.load(ModelSpec(builtin="tiny"))
    with pytest.raises(UsageError, match="safetensors"):
        LanguageModel.load(ModelSpec(hf=str(tmp_path)))
    with pytest.raises(UsageError, match="does not exist"):
        LanguageModel.load(ModelSpec(hf=str(tmp_path / "absent")))
