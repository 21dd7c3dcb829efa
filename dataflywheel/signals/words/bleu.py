"""BLEU of texts against others, and how many different runs of words a set of texts has."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from math import exp, log

from dataflywheel.signals.wording.sentences import forms

ORDER = 4
"""Words of the longest runs that are compared."""
Gram = tuple[str, ...]


def bleu(text: str, reference: str) -> float:
    """BLEU-4 of one text against one other, from 0 to 1: the geometric mean of the shares of its runs of one to four
    words that the other has, times a penalty where it is shorter. Longer runs are smoothed by one (Lin and Och, 2004).

    >>> bleu("the cat sat on the mat", "the cat sat on the mat"), bleu("a dog", "the cat")
    (1.0, 0.0)
    """
    ours, theirs = forms(text), forms(reference)
    return _score(len(ours), _grams(ours), _grams(theirs), len(theirs))


def self_bleu(texts: Sequence[str]) -> float | None:
    """Mean BLEU-4 of each text against all the others (Zhu et al., 2018): 1 where all say the same in the same words.
    None of fewer than two texts with words."""
    worded = [found for found in map(forms, texts) if found]
    if len(worded) < 2:
        return None
    grams = [_grams(one) for one in worded]
    most = _most(grams)
    lengths = sorted(Counter(map(len, worded)).items())
    scores = []
    for place, one in enumerate(grams):
        others = {gram: most[gram][1] if most[gram][2] == place else most[gram][0] for gram in one}
        size = len(worded[place])
        near = min((abs(n - size), n) for n, count in lengths if n != size or count > 1)[1]
        scores.append(_score(size, one, others, near))
    return sum(scores) / len(scores)


def distinct(texts: Sequence[str], n: int) -> float | None:
    """Different runs of n words over all such runs of these texts; None where there is none.

    >>> distinct(["add one and two", "add one and three"], 2)
    0.6666666666666666
    """
    runs = [gram for text in texts for gram in _runs(forms(text), n)]
    return len(set(runs)) / len(runs) if runs else None


def _runs(words: Sequence[str], n: int) -> list[Gram]:
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]


def _grams(words: Sequence[str]) -> Counter[Gram]:
    return Counter(gram for n in range(1, ORDER + 1) for gram in _runs(words, n))


def _most(grams: Sequence[Counter[Gram]]) -> Mapping[Gram, tuple[int, int, int]]:
    """Of each run how often one text has it at most, how often another does, and which text the first is."""
    most: dict[Gram, tuple[int, int, int]] = defaultdict(lambda: (0, 0, -1))
    for place, one in enumerate(grams):
        for gram, count in one.items():
            best, second, owner = most[gram]
            most[gram] = (count, best, place) if count > best else (best, max(second, count), owner)
    return most


def _score(size: int, grams: Mapping[Gram, int], others: Mapping[Gram, int], length: int) -> float:
    """BLEU from the runs of a text of `size` words, how often others have each at most, and their length."""
    held, total = [0] * ORDER, [0] * ORDER
    for gram, count in grams.items():
        held[len(gram) - 1] += min(count, others.get(gram, 0))
        total[len(gram) - 1] += count
    if not held[0]:
        return 0.0
    shares = [held[0] / total[0]] + [(held[n] + 1) / (total[n] + 1) for n in range(1, ORDER)]
    return exp(sum(map(log, shares)) / ORDER + min(0.0, 1 - length / size))
