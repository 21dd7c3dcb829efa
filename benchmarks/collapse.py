"""Models that are trained on what models wrote, generation after generation: replaced, accumulated, anchored.

    python benchmarks/collapse.py DATA

DATA holds `dolly`. The model is a word bigram fitted to 1,000 answers that people wrote; each generation writes as many
texts again and the next one is fitted to those alone (replace), to all texts so far (accumulate), or to the real texts
and the newest ones half and half (anchor). Prints bits a word on unseen real answers by generation, over seeds, and
what the diversity monitors say of the last generation's texts.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from dataflywheel.evolution.iteration.diversity import diversity

Mode = Literal["replace", "accumulate", "anchor"]
MODES: tuple[Mode, ...] = ("replace", "accumulate", "anchor")
TEXTS = 1000
GENERATIONS = 5
SEEDS = 3
SHARES = 0.7, 0.25, 0.05
"""Of bigram, unigram and uniform in the probability of a word of unseen text."""
LONGEST = 200
Array = np.ndarray[Any, np.dtype[Any]]


@dataclass
class Bigram:
    """Counts of word pairs. Word 0 is the end and the beginning of a text, word 1 stands for all unknown words."""

    pairs: Array
    """(V, V)"""

    @classmethod
    def fit(cls, texts: Sequence[Sequence[int]], vocabulary: int) -> Bigram:
        flat = np.concatenate([[0, *text, 0] for text in texts])
        pairs = np.zeros((vocabulary, vocabulary))
        np.add.at(pairs, (flat[:-1], flat[1:]), 1)
        pairs[0, 0] = 0  # between two texts
        return cls(pairs)

    def bits(self, texts: Sequence[Sequence[int]]) -> float:
        """Bits a word of unseen texts."""
        flat = np.concatenate([[0, *text, 0] for text in texts])
        before, after = flat[:-1], flat[1:]
        before, after = before[~((before == 0) & (after == 0))], after[~((before == 0) & (after == 0))]
        rows, unigram = self.pairs.sum(axis=1), self.pairs.sum(axis=0) / self.pairs.sum()
        pair = self.pairs[before, after] / np.maximum(rows[before], 1)
        a, b, c = SHARES
        return float(-np.log2(a * pair + b * unigram[after] + c / len(unigram)).mean())

    def write(self, count: int, rng: np.random.Generator, temperature: float = 1.0) -> list[list[int]]:
        """Texts drawn word by word, all of them side by side."""
        weights = self.pairs ** (1 / temperature)
        sums = weights.cumsum(axis=1)
        at, texts, running = np.zeros(count, dtype=int), [list[int]() for _ in range(count)], np.arange(count)
        for _ in range(LONGEST):
            target = rng.random(len(running)) * sums[at, -1]
            at = np.array([np.searchsorted(sums[v], t, side="right") for v, t in zip(at, target, strict=True)])
            for i, word in zip(running, at, strict=True):
                if word:
                    texts[i].append(int(word))
            running, at = running[at > 0], at[at > 0]
            if not len(running):
                break
        return texts


def encoded(data: Path, vocabulary: int = 2000) -> tuple[list[list[int]], list[list[int]], list[str]]:
    """Texts to learn from, unseen texts, and the words by number."""
    with gzip.open(data / "dolly" / "dolly_pool.jsonl.gz", "rt", encoding="utf-8") as lines:
        answers = [json.loads(line)["output"].lower().split()[:80] for line in lines]
    answers = [words for words in answers if len(words) >= 10][: 2 * TEXTS]
    names, counts = np.unique(np.concatenate(answers), return_counts=True)
    common = names[np.argsort(-counts, kind="stable")][: vocabulary - 2]
    number = {str(name): i + 2 for i, name in enumerate(common)}
    ids = [[number.get(word, 1) for word in words] for words in answers]
    return ids[:TEXTS], ids[TEXTS:], ["", "unknown", *map(str, common)]


def generations(
    real: list[list[int]], unseen: list[list[int]], vocabulary: int, mode: Mode, seed: int, temperature: float = 1.0
) -> tuple[list[float], list[list[list[int]]]]:
    """Bits a word on unseen texts of every generation's model, the first fitted to real texts; and what each wrote."""
    rng, train, written = np.random.default_rng(seed), real, list[list[list[int]]]()
    bits = [Bigram.fit(train, vocabulary).bits(unseen)]
    for _ in range(GENERATIONS):
        new = Bigram.fit(train, vocabulary).write(len(real), rng, temperature)
        written.append([text for text in new if text])
        train = {"replace": new, "accumulate": train + new, "anchor": real + new}[mode]
        bits.append(Bigram.fit(train, vocabulary).bits(unseen))
    return bits, written


def main() -> str:
    real, unseen, words = encoded(Path(sys.argv[1]))
    first = [" ".join(words[i] for i in text) for text in real]
    lines = [
        f"Bits a word on {len(unseen)} unseen answers, mean of {SEEDS} seeds, by generation (0: real texts alone); and "
        "how distinct word pairs and the tail of the last generation's texts stand beside the real ones.\n",
        f"| training set | {' | '.join(map(str, range(GENERATIONS + 1)))} | distinct pairs | tail | alarms |",
        f"| --- |{' ---: |' * (GENERATIONS + 3)} --- |",
    ]
    for mode in MODES:
        runs = [generations(real, unseen, len(words), mode, seed) for seed in range(SEEDS)]
        bits = np.mean([found for found, _ in runs], axis=0)
        last = [" ".join(words[i] for i in text) for text in runs[0][1][-1]]
        found = {one.name: one for one in diversity(first, last)}
        rang = ", ".join(name for name, one in found.items() if one.alarm) or "none"
        lines.append(
            f"| {mode} | {' | '.join(f'{b:.3f}' for b in bits)} | {found['distinct_2'].change:+.0%} "
            f"| {found['tail'].change:+.0%} | {rang} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    print(main())
