"""Entailment by a small classifier that learned made-up pairs, and its probabilities by plain transformers."""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from dataflywheel.contracts import UsageError, build
from dataflywheel.proposing.gates.entailment import Entailment
from dataflywheel.proposing.kinds import Proposal
from dataflywheel.recipe.planning.plan import plan
from tests.proposing.gates.proposals import check, new, rewrite

NOUNS, VERBS, WORDS = ("cat", "dog", "bird", "horse"), ("sleeping", "eating", "waiting"), ("red", "old", "small")
LABELS = ("entailment", "neutral", "contradiction")
Said = tuple[str, bool]
"""The adjective, or none, and whether it is denied."""
FORMS: tuple[Said, ...] = tuple(itertools.product(("", "red", "old", "small"), (False, True)))


def sentence(said: Said, noun: str, verb: str) -> str:
    word, denied = said
    return " ".join(filter(None, ("the", word, noun, "is", "not" if denied else "", verb)))


def label_of(premise: Said, said: Said) -> str:
    """An adjective may go, and none may come in; what is denied must stay so, and nothing else be."""
    if premise[1] != said[1]:
        return "contradiction"
    return "entailment" if said[0] in ("", premise[0]) else "neutral"


def pairs(nouns: tuple[str, ...]) -> list[tuple[str, str, str]]:
    return [
        (sentence(a, noun, verb), sentence(b, noun, verb), label_of(a, b))
        for noun, verb, a, b in itertools.product(nouns, VERBS, FORMS, FORMS)
    ]


@pytest.fixture(scope="module")
def classifier() -> str:
    """The folder of a classifier of two layers, trained on three of the four nouns; made once, then kept."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from tokenizers.processors import TemplateProcessing
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    folder = Path(os.environ["FLYWHEEL_CACHE"]) / "made-up-inference-2"
    if (folder / "config.json").exists():
        return str(folder)
    known = ["<pad>", "<unk>", "<s>", "</s>", "the", "is", "not", *NOUNS, *VERBS, *WORDS]
    backend = Tokenizer(models.WordLevel({word: i for i, word in enumerate(known)}, "<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    backend.post_processor = TemplateProcessing(
        single="<s> $A", pair="<s> $A </s> $B:1", special_tokens=[("<s>", 2), ("</s>", 3)]
    )
    tokens = PreTrainedTokenizerFast(
        tokenizer_object=backend, pad_token="<pad>", unk_token="<unk>",
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )  # fmt: skip
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(known), hidden_size=48, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
        max_position_embeddings=32, num_labels=3, id2label=dict(enumerate(LABELS)), hidden_dropout_prob=0.0,
        label2id={name: i for i, name in enumerate(LABELS)}, attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    model = BertForSequenceClassification(config)
    learned = pairs(NOUNS[:3])
    given = tokens([a for a, _, _ in learned], [b for _, b, _ in learned], padding=True, return_tensors="pt")
    truth = torch.tensor([LABELS.index(label) for _, _, label in learned])
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3)
    for _ in range(500):
        some = torch.randint(len(truth), (64,))
        optimiser.zero_grad()
        model(**{name: values[some] for name, values in given.items()}, labels=truth[some]).loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
    tokens.save_pretrained(folder)
    model.save_pretrained(folder)
    return str(folder)


def gate(hf: str, **given: Any) -> Entailment:
    return build(Entailment, {"hf": hf, **given})


def changed(before: str, after: str) -> Proposal:
    return rewrite(("Say it.", before), ("Say it.", after))


def test_rewrites_of_a_noun_that_it_never_saw_are_judged_both_ways(classifier: str) -> None:
    held = [(a, b, label) for a, b, label in pairs(NOUNS[3:]) if a != b]
    reversed_ = {(a, b): label for a, b, label in pairs(NOUNS[3:])}
    found = {ways: [check(gate(classifier, ways=ways), changed(a, b)).passed for a, b, _ in held] for ways in WAYS}
    follows = [label == "entailment" for _, _, label in held]
    back = [reversed_[b, a] == "entailment" for a, b, _ in held]
    both = [x and y for x, y in zip(follows, back, strict=True)]
    for ways, wanted in (("forward", follows), ("backward", back), ("both", both)):
        right = np.mean(np.array(found[ways]) == np.array(wanted))
        assert right > 0.9, f"{ways}: {right:.3f}"


WAYS = ("forward", "backward", "both")


def test_its_probability_is_that_of_plain_transformers(classifier: str) -> None:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokens = AutoTokenizer.from_pretrained(classifier)
    model = AutoModelForSequenceClassification.from_pretrained(classifier).eval()
    old, text = "the red cat is sleeping", "the cat is sleeping"

    def plain(a: str, b: str) -> float:
        with torch.inference_mode():
            return float(model(**tokens(a, b, return_tensors="pt")).logits.softmax(-1)[0, 0])

    for ways, wanted in (
        ("forward", plain(old, text)),
        ("backward", plain(text, old)),
        ("both", min(plain(old, text), plain(text, old))),
    ):
        found = check(gate(classifier, ways=ways, least=1e-6), changed(old, text))
        assert found.facts["entailment"] == pytest.approx(wanted, abs=1e-5)


def test_what_is_lost_new_or_denied_has_its_way(classifier: str) -> None:
    narrow, wide, denied = "the old dog is eating", "the dog is eating", "the dog is not eating"
    passed = {
        (ways, name): check(gate(classifier, ways=ways), changed(*pair)).passed
        for ways in WAYS
        for name, pair in {"lost": (narrow, wide), "new": (wide, narrow), "denied": (wide, denied)}.items()
    }
    assert {key for key, good in passed.items() if good} == {("forward", "lost"), ("backward", "new")}
    found = check(gate(classifier), changed(narrow, wide))
    assert (found.reason, found.decided) == ("not entailed", True)


def test_new_rows_pass_unless_they_rest_on_a_source(classifier: str) -> None:
    assert check(gate(classifier), new("Say it.", "the cat is eating")).passed
    good = new("What?", "the cat is eating", source="the red cat is eating")
    bad = new("What?", "the cat is not eating", source="the red cat is eating")
    assert check(gate(classifier), bad).passed
    assert [check(gate(classifier, of_source=True), one).passed for one in (good, bad)] == [True, False]


def test_a_pair_that_does_not_fit_is_not_decided(classifier: str) -> None:
    long = "the cat is sleeping " * 10
    found = check(gate(classifier), changed("the cat is sleeping", long))
    assert (found.passed, found.decided, found.reason) == (False, False, "entailment not measured")
    assert not found.facts


def test_no_model_and_no_such_label_are_found_by_the_plan(classifier: str, tmp_path: Path) -> None:
    (tmp_path / "pool.jsonl").write_text('{"prompt": "a", "completion": "b"}\n')
    teacher = {"endpoint": "http://127.0.0.1:9/v1", "model": "m", "usd_per_mtok": {"in": 1, "out": 1}}
    for given, message in (
        ({}, "hf"),
        ({"hf": "./nowhere"}, "no config.json"),
        ({"hf": classifier, "label": "entails"}, "entailment"),
    ):
        recipe = {
            "name": "a",
            "pool": {"path": str(tmp_path / "pool.jsonl")},
            "models": {"teacher": teacher},
            "steps": [{"enhance": {"by": "revision", "gates": [{"entailment": given}]}}],
        }
        (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe))
        with pytest.raises(UsageError, match=message):
            plan(tmp_path / "recipe.yaml")
