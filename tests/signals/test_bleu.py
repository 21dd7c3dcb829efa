"""BLEU against counts by hand, and self-BLEU against the definition, text by text."""

from __future__ import annotations

import random
from collections import Counter
from math import exp, isclose, log

from dataflywheel.signals.words.bleu import bleu, distinct, self_bleu


def plainly(text: str, others: list[str]) -> float:
    """BLEU against several references as it is defined, with nothing shared between texts."""
    words, shares = text.split(), []
    for n in range(1, 5):
        runs = Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))
        of_others = [
            Counter(tuple(split[i : i + n]) for i in range(len(split) - n + 1)) for split in (o.split() for o in others)
        ]
        held = sum(min(count, max(one[run] for one in of_others)) for run, count in runs.items())
        total = sum(runs.values())
        shares.append(held / total if n == 1 else (held + 1) / (total + 1))
    if not shares[0]:
        return 0.0
    length = min((abs(len(o.split()) - len(words)), len(o.split())) for o in others)[1]
    return exp(sum(map(log, shares)) / 4 + min(0.0, 1 - length / len(words)))


def test_counts_by_hand() -> None:
    # of 4 words 3 are there, of 3 pairs 2, of 2 triples 1, of 1 quadruple 0; the other is as long
    expected = (3 / 4 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25
    assert isclose(bleu("the cat sat down", "the cat sat up"), expected)
    assert isclose(bleu("the cat", "the cat sat up"), exp(-1))
    assert bleu("", "the cat") == 0.0


def test_self_bleu_is_the_mean_over_the_others() -> None:
    draw = random.Random(3)
    texts = [" ".join(draw.choices("abcdefg", k=draw.randint(1, 12))) for _ in range(30)]
    expected = sum(plainly(text, texts[:i] + texts[i + 1 :]) for i, text in enumerate(texts)) / len(texts)
    found = self_bleu(texts)
    assert found is not None
    assert isclose(found, expected)
    assert self_bleu(["one text"]) is self_bleu([]) is self_bleu(["one text", "  "]) is None
    assert self_bleu(["the same words again"] * 3) == 1.0


def test_distinct_runs() -> None:
    assert distinct(["a b a b"], 1) == 0.5
    assert distinct(["a b a b", "c"], 2) == 2 / 3
    assert distinct(["a"], 2) is None
    assert distinct(["\u732b\u732b\u72ac"], 2) == 1.0
