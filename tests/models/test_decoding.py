from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from dataflywheel.models.language.decoding import Draw, decode, written
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.language.pool_tokenizer import pool_tokenizer
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.training.tiny import init_tiny
from dataflywheel.rows.thoughts import split_thoughts
from tests.models.copy_skill import copy_rows


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    cache = Path(os.environ["FLYWHEEL_CACHE"])
    return LanguageModel.load(
        ModelSpec(hf=str(init_tiny(pool_tokenizer(copy_rows(60, seed=6), cache_dir=cache), "0.5m", cache_dir=cache)))
    )


def made(model: LanguageModel, *draws: Draw, end_ids: frozenset[int] = frozenset()) -> list[Draw]:
    decode(model.model, draws, model.pad_id, end_ids)
    return list(draws)


def greedy(model: LanguageModel, prompt: list[int], count: int) -> list[int]:
    """One whole forward pass a token, without a cache."""
    import torch

    ids = list(prompt)
    for _ in range(count):
        with torch.inference_mode():
            ids.append(int(model.model(torch.tensor([ids])).logits[0, -1].argmax()))
    return ids[len(prompt) :]


def test_greedy_tokens_are_those_of_whole_forward_passes_at_any_length(model: LanguageModel) -> None:
    rng = np.random.default_rng(0)
    prompts = [rng.integers(5, 100, length).tolist() for length in (1, 2, 15, 16, 17, 90)]
    limits = [12, 3, 9, 1, 12, 7]
    draws = made(model, *(Draw(p, n, top=3) for p, n in zip(prompts, limits, strict=True)))
    for draw, prompt, limit in zip(draws, prompts, limits, strict=True):
        assert draw.ids == greedy(model, prompt, limit)
        assert not draw.ended
        assert [pairs[0][0] for pairs in draw.alternatives] == draw.ids
        assert [pairs[0][1] for pairs in draw.alternatives] == draw.logprobs


def test_rows_end_by_token_by_text_and_by_limit_each_on_its_own(model: LanguageModel) -> None:
    free = made(model, Draw([7, 8, 9], 10))[0].ids
    end = frozenset({free[4]})
    first = next(i for i, token in enumerate(free) if token in end)
    by_token, by_text, by_limit = made(
        model,
        Draw([7, 8, 9], 10),
        Draw([7, 8, 9], 10, stops=lambda ids: len(ids) == 1),
        Draw([7, 8, 9], min(first, 1)),
        end_ids=end,
    )
    assert (by_token.ids, by_token.ended) == (free[: first + 1], True)
    assert (by_text.ids, by_text.ended) == (free[:1], True)
    assert by_limit.ended == (by_limit.ids[-1] in end)


def test_a_nucleus_of_nothing_is_greedy_and_mixed_rows_keep_their_ways(model: LanguageModel) -> None:
    def draws() -> list[Draw]:
        return [
            Draw([5, 6], 8),
            Draw([5, 6], 8, temperature=1.5, top_p=1e-9, generator=np.random.default_rng(1)),
            Draw([5, 6], 8, temperature=1.5, generator=np.random.default_rng(2)),
        ]

    plain, narrow, wide = made(model, *draws())
    assert plain.ids == narrow.ids != wide.ids
    assert [one.ids for one in made(model, *draws()[::-1])[::-1]] == [plain.ids, narrow.ids, wide.ids]


@pytest.mark.parametrize(("opens", "closes"), [("[THINK]", "[/THINK]"), ("<|START_THINKING|>", "<|END_THINKING|>")])
def test_special_tokens_tell_thoughts_from_the_answer(opens: str, closes: str) -> None:
    pieces = [opens, "hm", closes, "Four.", "<|extra|>", "Q: "]

    def text_of(ids: list[int], skip_special_tokens: bool, **options: object) -> str:
        return "".join(pieces[i] for i in ids if not (skip_special_tokens and pieces[i][0] in "<["))

    tokenizer = SimpleNamespace(decode=text_of)
    for ids, thought, said in (([0, 1, 2, 3], "hm", "Four."), ([0, 1], "hm", ""), ([3, 4], "", "Four.")):
        assert split_thoughts(written(tokenizer, ids, [5])) == (thought, said)
    assert written(tokenizer, [3, 4], [5]) == "Four."
    assert written(tokenizer, [3, 4], [5], calls=True) == "Four.<|extra|>"
    begun = [5, 0]  # the prompt began the thoughts: without their end there is no answer, whatever stands in them
    assert split_thoughts(written(tokenizer, [1, 3], begun)) == ("hmFour.", "")
    assert split_thoughts(written(tokenizer, [1, 2, 3], begun)) == ("hm", "Four.")
