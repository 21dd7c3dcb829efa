"""Splits of a data set by their names: which files or keys are to train on, which to test with."""

from __future__ import annotations

import re
from collections.abc import Sequence

KINDS = {
    "train": ("train", "training", "trainset"),
    "validation": ("validation", "valid", "val", "dev", "eval", "evaluation", "evals", "devset", "valset"),
    "test": ("test", "testing", "tests", "testset", "heldout", "holdout"),
}
KIND = {word: kind for kind, words in KINDS.items() for word in words}
WORDS = re.compile(r"[-._ /\[\]()0-9]+")
SHARD = re.compile(r"[-._]?\d{3,}[-_]of[-_]\d{3,}(?:-[0-9a-f]+)?$|[-._]\d+$")
PREFERRED = (("train",), ("training",), ("train_sft",))


def split_kind(name: str) -> str | None:
    """`train`, `validation`, `test` or None; a name with words of several is none to train on.

    >>> [split_kind(n) for n in ("train-00000-of-00002", "my_dev_set", "latest", "test_sft", "contest")]
    ['train', 'validation', None, 'test', None]
    """
    kinds = [KIND[word] for word in WORDS.split(name.lower()) if word in KIND]
    return next((kind for kind in kinds if kind != "train"), kinds[0] if kinds else None)


def split_name(stem: str) -> str | None:
    """What a file of a split calls it: its name without number and suffix; None where it names no split.

    >>> [split_name(n) for n in ("train-00000-of-00002", "test_sft-00000-of-00001-ab12", "alpaca", "corpus-train")]
    ['train', 'test_sft', None, 'corpus-train']
    """
    return SHARD.sub("", stem) if split_kind(stem) else None


def is_split(key: str) -> bool:
    """Whether a key is the name of a split: a word for one, perhaps with more after it.

    >>> [is_split(key) for key in ("train", "test_sft", "training data", "a train")]
    [True, True, True, False]
    """
    return WORDS.split(key.lower())[0] in KIND


def same_split(name: str, asked: str) -> bool:
    """Whether a split of this name is what was asked for: by its name, or by another word for it alone."""
    if name.lower() == asked.lower():
        return True
    return asked.lower() in KIND and (
        KIND[asked.lower()] == split_kind(name) or (asked.lower() == "test" and name.lower() in ("eval", "evaluation"))
    )


def training(names: Sequence[str]) -> list[str]:
    """The names of splits to train on: `train` alone where it is there; a lone split is taken as it is."""
    if len({split_kind(name) for name in names} - {None}) == 1 and split_kind(names[0]) != "train":
        return list(names) if len(names) == 1 else []
    kept = [name for name in names if split_kind(name) == "train"]
    for preferred in PREFERRED:
        exact = [name for name in kept if name.lower() in preferred]
        if exact:
            return exact
    return kept
