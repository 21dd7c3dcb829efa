"""The acceptance table of detectors: what each is worth on its own kind of text, on others, and about whom it errs."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from dataflywheel.contracts import FloatArray, UsageError
from dataflywheel.enhancement.toxicity.audit import FUNCTIONALITIES, area, filled
from dataflywheel.enhancement.toxicity.detectors import Detector, Found, Span
from dataflywheel.enhancement.toxicity.published_sets import Sets
from dataflywheel.signals.safety.identity_terms import GROUPS
from dataflywheel.signals.safety.toxicity_labels import Labelled

LEAST = 10
"""Texts of each class that an area needs."""


@dataclass(frozen=True)
class Area:
    """Area under the ROC curve over n texts that were judged, and its 95 % interval (Hanley and McNeil)."""

    value: float
    low: float
    high: float
    judged: int
    texts: int


@dataclass(frozen=True)
class Share:
    """How many of the texts that were judged are called toxic, none of which is unless said."""

    called: int
    judged: int

    @property
    def value(self) -> float:
        """NaN where none was judged."""
        return self.called / self.judged if self.judged else float("nan")


@dataclass(frozen=True)
class Acceptance:
    """One detector. What could not be measured is None or not there; texts that it could not judge are in no share."""

    name: str
    statuses: dict[str, int]
    """Texts of all sets by what became of them."""
    reasons: dict[str, int]
    """Why texts have no score, the most frequent first."""
    threshold: float
    """The lowest that at most the share `false_positive_rate` of the harmless texts set apart for it exceeds."""
    own: Area | None
    """Labelled texts of its own kind, held out."""
    false_positives: Share
    found: Share
    """Toxic texts of its own kind that are called so."""
    cross: dict[str, Area | None] = field(default_factory=dict)
    functionalities: dict[str, Share] = field(default_factory=dict)
    """Sentences that only look hateful, by what makes them look so."""
    terms: dict[str, Share] = field(default_factory=dict)
    """The same sentences by the group that is named."""
    safe: Share | None = None
    groups: dict[str, Share] = field(default_factory=dict)
    """Neutral lines by group."""
    span_f1: float | None = None
    """Mean over texts of the F1 of toxic characters; None where it marks no places."""
    calls: int = 0
    usd: float = 0.0


def accept(
    detector: Detector, apart: Labelled, held_out: Labelled, sets: Sets, false_positive_rate: float = 0.01
) -> Acceptance:
    """Try one detector on everything.

    Args:
        apart: labelled texts for the threshold, which its training may have used as well.
        held_out: labelled texts of the same kind that its training did not use.

    Raises:
        UsageError: no harmless text set apart for the threshold could be judged.
    """
    templates = {name: [one for text in of for one in filled(text)] for name, of in FUNCTIONALITIES.items()}
    wanted = [*apart[0], *held_out[0], *(t for given in sets.cross.values() for t in given[0]), *sets.safe]
    wanted += [t for of in (*templates.values(), *sets.groups.values()) for t in of] + [t for t, _ in sets.spans]
    texts = list(dict.fromkeys(wanted))
    found = detector.look(texts)
    known = dict(zip(texts, found.scores.tolist(), strict=True))
    limit = threshold(_scores(known, [t for t, toxic in zip(*apart, strict=True) if not toxic]), false_positive_rate)
    if limit is None:
        raise UsageError(f"detector {detector.name}: it could judge none of the harmless texts{_why(found)}")
    return Acceptance(
        name=detector.name,
        statuses=dict(found.statuses),
        reasons=dict(found.reasons.most_common(5)),
        threshold=limit,
        own=_area(known, held_out),
        false_positives=_share(known, [t for t, toxic in zip(*held_out, strict=True) if not toxic], limit),
        found=_share(known, [t for t, toxic in zip(*held_out, strict=True) if toxic], limit),
        cross={name: _area(known, given) for name, given in sets.cross.items()},
        functionalities={name: _share(known, of, limit) for name, of in templates.items()},
        terms={group: _share(known, of, limit) for group, of in by_term().items()},
        safe=_share(known, sets.safe, limit) if sets.safe else None,
        groups={group: _share(known, of, limit) for group, of in sets.groups.items()},
        span_f1=_span_f1(detector, sets, limit, known),
        calls=found.calls,
        usd=found.usd,
    )


def by_term() -> dict[str, list[str]]:
    """The built-in sentences that name a group, by group."""
    named = [filled(text) for of in FUNCTIONALITIES.values() for text in of if "{group}" in text]
    return {group: [sentences[place] for sentences in named] for place, group in enumerate(GROUPS)}


def parted(given: Labelled, way: int = 0) -> tuple[Labelled, Labelled]:
    """Two halves; which is which depends on the text alone, so that copies are in one. Another `way` parts the texts
    of a half."""
    digests = [hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=1).digest()[0] for text in given[0]]
    places = [digest >> way & 1 for digest in digests]
    first, second = (
        [pair for pair, place in zip(zip(*given, strict=True), places, strict=True) if place == half] for half in (0, 1)
    )
    return _labelled(first), _labelled(second)


def drawn(given: Labelled, most: int) -> Labelled:
    """So many of the texts at most, each once, half of them toxic where there are enough; by hash of the text."""
    unique = dict(zip(*given, strict=True))
    order = sorted(unique, key=lambda text: hashlib.blake2b(text.encode("utf-8", "replace")).digest())
    toxic = [text for text in order if unique[text]]
    other = [text for text in order if not unique[text]]
    half = max(most // 2, most - len(toxic))
    other = other[:half]
    return _labelled([(t, True) for t in toxic[: most - len(other)]] + [(t, False) for t in other])


def _labelled(pairs: Sequence[tuple[str, bool]]) -> Labelled:
    return [text for text, _ in pairs], [toxic for _, toxic in pairs]


def threshold(harmless: FloatArray, rate: float) -> float | None:
    """The lowest score that at most this share of the judged ones exceeds; None where none was judged."""
    known = np.sort(harmless[np.isfinite(harmless)])
    return float(known[len(known) - 1 - int(rate * len(known))]) if len(known) else None


def span_f1(said: Sequence[Span], gold: Sequence[Span]) -> float:
    """F1 of characters; 1 where neither holds any.

    >>> round(span_f1([(0, 4)], [(2, 4)]), 3), span_f1([], []), span_f1([(0, 1)], [])
    (0.667, 1.0, 0.0)
    """
    mine, theirs = ({place for a, b in spans for place in range(a, b)} for spans in (said, gold))
    return 2 * len(mine & theirs) / (len(mine) + len(theirs)) if mine or theirs else 1.0


def _span_f1(detector: Detector, sets: Sets, limit: float, known: dict[str, float]) -> float | None:
    judged = [(text, gold) for text, gold in sets.spans if math.isfinite(known[text])]
    said = detector.spans([text for text, _ in judged], limit) if judged else None
    if said is None:
        return None
    return float(np.mean([span_f1(mine, gold) for mine, (_, gold) in zip(said, judged, strict=True)]))


def _scores(known: dict[str, float], texts: Sequence[str]) -> FloatArray:
    return np.array([known[text] for text in texts], dtype=float)


def _share(known: dict[str, float], texts: Sequence[str], limit: float) -> Share:
    scores = _scores(known, texts)
    return Share(int((scores > limit).sum()), int(np.isfinite(scores).sum()))


def _area(known: dict[str, float], given: Labelled) -> Area | None:
    """None where fewer than ten texts of a class were judged."""
    scores, toxic = _scores(known, given[0]), np.asarray(given[1], dtype=bool)
    judged = np.isfinite(scores)
    m, n = int((judged & toxic).sum()), int((judged & ~toxic).sum())
    if min(m, n) < LEAST:
        return None
    a = area(scores, toxic)
    more, less = a / (2 - a) - a * a, 2 * a * a / (1 + a) - a * a
    error = 1.96 * math.sqrt(max(0.0, a * (1 - a) + (m - 1) * more + (n - 1) * less) / (m * n))
    return Area(a, max(0.0, a - error), min(1.0, a + error), m + n, len(scores))


def _why(found: Found) -> str:
    return f"; {found.reasons.most_common(1)[0][0]}" if found.reasons else ""
