"""A reward model's logit of a prompt with an answer, against plain transformers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dataflywheel.contracts import UsageError
from dataflywheel.evolution.judging.reward_model import RewardModel
from dataflywheel.rows.identity import prompt_answer_row

CHAT = "{% for m in messages %}<s>{{ m.role }} {{ m.content }}{% endfor %}"
PAIRS = [("How high is the hill?", "High."), ("Why?", "It rains and it rains in the town."), ("Say", "")]


def made(folder: Path, template: str | None, outputs: int = 1) -> Path:
    """A small classifier with random weights and words for tokens."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from tokenizers.processors import TemplateProcessing
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    words = sorted({w for pair in PAIRS for text in pair for w in text.replace("?", " ?").replace(".", " .").split()})
    names = ["<pad>", "<unk>", "<s>", "</s>", "user", "assistant", "<", ">", "s", *words]
    backend = Tokenizer(models.WordLevel({word: i for i, word in enumerate(dict.fromkeys(names))}, "<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    backend.post_processor = TemplateProcessing(
        single="<s> $A", pair="<s> $A </s> $B:1", special_tokens=[("<s>", 2), ("</s>", 3)]
    )
    tokens = PreTrainedTokenizerFast(tokenizer_object=backend, pad_token="<pad>", unk_token="<unk>")
    tokens.chat_template = template
    torch.manual_seed(0)
    size = {"vocab_size": len(names), "hidden_size": 16, "intermediate_size": 32, "max_position_embeddings": 24}
    layers = {"num_hidden_layers": 2, "num_attention_heads": 2, "initializer_range": 0.5, "num_labels": outputs}
    config = BertConfig(**size, **layers)
    BertForSequenceClassification(config).save_pretrained(folder)
    tokens.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("template", [None, CHAT])
def test_one_pair_at_a_time_by_plain_transformers(template: str | None, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    folder = made(tmp_path / "model", template)
    tokens, model = AutoTokenizer.from_pretrained(folder), AutoModelForSequenceClassification.from_pretrained(folder)

    def plain(prompt: str, answer: str) -> float:
        if template is None:
            given: Any = tokens(prompt, answer, return_tensors="pt")
        else:
            given = tokens(f"<s>user {prompt}<s>assistant {answer}", add_special_tokens=False, return_tensors="pt")
        with torch.inference_mode():
            return float(model.eval()(**given).logits[0, 0])

    rows = [prompt_answer_row(prompt, "another answer") for prompt, _ in PAIRS]
    answers = [answer for _, answer in PAIRS]
    reward = RewardModel(hf=str(folder), batch_size=2)
    found = reward.score(answers, rows)
    assert found[:2] == pytest.approx([plain(*pair) for pair in PAIRS[:2]], abs=1e-5)
    assert found[2] is None
    assert found[0] != pytest.approx(found[1])
    assert reward.score(["<think>It rains.</think>High."], rows[:1]) == pytest.approx(found[:1], abs=1e-5)
    long = reward.score(["It rains in the town . " * 50], rows[:1])[0]
    assert long is not None  # cut at the model's own context
    assert reward.contents() == RewardModel(hf=str(folder), batch_size=1).contents()


def test_a_classifier_with_two_outputs_is_no_reward_model(tmp_path: Path) -> None:
    reward = RewardModel(hf=str(made(tmp_path / "two", None, 2)))
    with pytest.raises(UsageError, match="has 2 outputs, and a reward model has one"):
        reward.score(["High."], [prompt_answer_row("Why?", "So.")])
