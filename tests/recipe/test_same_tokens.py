"""Tokenizers that do not fit are told before anything is loaded, and what cannot be known by then is let through."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from dataflywheel.contracts import UsageError
from dataflywheel.models.spec import ModelSpec
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.planning.plan import plan
from dataflywheel.recipe.steps.same_tokens import check_tokens

TINY = ModelSpec(builtin="tiny")


def model(folder: Path, *words: str, size: int = 0) -> ModelSpec:
    """A folder with the tokenizer of a model of these words, and as many more as make up a size."""
    folder.mkdir()
    known = [*words, *(f"word{i}" for i in range(size - len(words)))]
    Tokenizer(WordLevel({word: i for i, word in enumerate(known)}, "a")).save(str(folder / "tokenizer.json"))
    (folder / "config.json").write_text("{}")
    return ModelSpec(hf=str(folder))


def test_ids_that_mean_the_same_pass_and_others_do_not(tmp_path: Path) -> None:
    first, same = model(tmp_path / "first", "a", "b", size=300), model(tmp_path / "same", "a", "b", size=301)
    swapped = model(tmp_path / "swapped", "b", "a", size=300)
    check_tokens(first, same, "01-distill")
    with pytest.raises(
        UsageError, match=r"01-distill: .* not the same \(token 0 differs\); use aligned_vocabulary or uld"
    ):
        check_tokens(first, swapped, "01-distill")
    for unknown in (ModelSpec(hf="some/model"), ModelSpec(hf=str(tmp_path / "nowhere"))):
        check_tokens(first, unknown, "01-distill")


def test_a_tokenizer_of_the_pool_is_none_of_a_large_model(tmp_path: Path) -> None:
    check_tokens(TINY, TINY, "01-distill")
    check_tokens(TINY, model(tmp_path / "small", "a", size=4000), "01-distill")
    for one, other in ((TINY, ModelSpec.model_validate("smollm2")), (model(tmp_path / "l", size=50_000), TINY)):
        with pytest.raises(UsageError, match=r"about 4,096 tokens, that of .* (49,152|50,000); use aligned_vocabulary"):
            check_tokens(one, other, "01-distill")


@pytest.mark.parametrize(("by", "fits"), [("dense_distillation", False), ("aligned_vocabulary", True)])
def test_the_plan_refuses_what_the_method_cannot_do(tmp_path: Path, by: str, fits: bool) -> None:
    teacher = model(tmp_path / "teacher", size=50_000)
    (tmp_path / "pool.jsonl").write_text(json.dumps({"prompt": "Say it", "completion": "It is said."}) + "\n")
    recipe = recipe_from(
        {
            "name": "a",
            "pool": [{"path": str(tmp_path / "pool.jsonl")}],
            "models": {"student": {"builtin": "tiny", "size": "0.5m"}},
            "steps": [{"distill": {"by": by, "teacher": {"hf": teacher.hf}, "max_steps": 1}}],
        }
    )
    if fits:
        assert plan(recipe)["steps"]
    else:
        with pytest.raises(UsageError, match="use aligned_vocabulary or uld"):
            plan(recipe)
