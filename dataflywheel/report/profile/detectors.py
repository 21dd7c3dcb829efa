"""What detectors of toxicity are worth on the user's labelled texts and on published ones, before one is relied on."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from dataflywheel import catalog
from dataflywheel.contracts import FlywheelError, Signal, UsageError, build, method_specs
from dataflywheel.enhancement.toxicity.acceptance import LEAST, Acceptance, accept, drawn, parted
from dataflywheel.enhancement.toxicity.detectors import Detector, OfSignal, OwnClassifier
from dataflywheel.enhancement.toxicity.published_sets import Sets, published_sets
from dataflywheel.models.endpoint.account import account, check_price
from dataflywheel.models.endpoint.client import Watch
from dataflywheel.models.spec import ModelSpec
from dataflywheel.rows.reading import read_file
from dataflywheel.signals.safety.toxicity import Toxicity
from dataflywheel.signals.safety.toxicity_classifier import train
from dataflywheel.signals.safety.toxicity_labels import Labelled, ToxicityOptions, labelled
from dataflywheel.store.answer_ledger import Caps
from dataflywheel.store.answers import AnswerStore

MOST = 500
"""Texts of a set, at most, where nothing else is said."""
NEW = 0.9
"""Share of a set's texts that the pool must not hold, for the set to be of another kind."""


@dataclass(frozen=True)
class DetectorTable:
    """The detectors, each with its figures, and what they were tried on."""

    pool: str
    training: int
    """Labelled texts that the own classifier learned."""
    apart: int
    """Further ones that set the thresholds."""
    held_out: int
    """Those by which detectors are judged."""
    missing: tuple[str, ...]
    """Published files that are not in the folder, or that no folder was named."""
    detectors: tuple[Acceptance, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values; NaN becomes None."""
        plain: dict[str, Any] = orjson.loads(orjson.dumps(asdict(self)))
        return plain


def detectors(
    pool: str,
    by: Sequence[str | Mapping[str, Any]],
    *,
    data: str | Path | None = None,
    cross: Sequence[str] = (),
    toxic: Sequence[str] = ToxicityOptions().toxic,
    limit: int = MOST,
    false_positive_rate: float = 0.01,
    usd: float | None = None,
    calls: int | None = None,
    home: str | Path = ".flywheel",
    watch: Watch | None = None,
) -> DetectorTable:
    """Try detectors of toxicity on labelled texts: a quarter of them sets the thresholds and a quarter is judged.

    Args:
        pool: labelled rows.
        by: signals with a score, each with its parameters: `toxicity` (the classifier of the user's labels, trained on
            the other half unless `labels` names further ones), `lexicon`, `classifier`,
            `decision_tree_of_thought`, `zero_shot_toxicity`, `ask`, or one of a plugin.
        data: a folder with published sets: `hate_offensive_tweets`, `paradetox`, `xstest`, `toxigen_prompts` and
            `toxic_spans`, or some of them.
        cross: further files of labelled rows.
        toxic: labels that count as toxic.
        limit: texts of each set, at most.
        false_positive_rate: share of the harmless texts that a threshold lets be called toxic.
        usd: dollars that may be spent on models, over all runs of the same question; `calls` the same for requests.
        home: where answers are kept, so that none is paid twice.

    Raises:
        UsageError: no such method, one without a score, a wrong parameter, or too few labelled texts.
        OverBudgetError: a cap ended before a threshold could be set.
    """
    own = _read(pool, toxic)
    training, rest = parted(own)
    apart, held_out = (drawn(part, limit) for part in parted(rest, 1))
    for part in (apart, held_out):
        if min(sum(part[1]), len(part[1]) - sum(part[1])) < LEAST:
            raise UsageError(
                f"{pool}: a quarter of the labelled rows must hold {LEAST} toxic texts and {LEAST} others, and holds "
                f"{sum(part[1])} and {len(part[1]) - sum(part[1])}; label more rows, or name the labels that count as "
                f"toxic (now {', '.join(toxic)})"
            )
    if not by:
        raise UsageError("name a detector or more, such as `toxicity` or `{lexicon: {words: words.txt}}`")
    sets = _sets(own, data, {name: _read(name, toxic) for name in cross}, limit)
    signals = [_signal(one, pool) for one in by]
    caps = Caps(usd=usd, calls=calls)
    for _, signal in signals:
        if isinstance(model := getattr(signal, "model", None), ModelSpec):
            check_price(model, caps)
    state = repr((pool, [signal.key() for _, signal in signals], limit, sets.missing))
    scope = f"detectors-{hashlib.blake2b(state.encode('utf-8', 'surrogatepass'), digest_size=8).hexdigest()}"
    found: list[Acceptance] = []
    with closing(AnswerStore(Path(home) / "answers.db")) as answers, account(answers, caps, scope, watch):
        for detector, held in _made(signals, pool, training, held_out, toxic):
            found.append(accept(detector, apart, held, sets, false_positive_rate))
    return DetectorTable(pool, len(training[0]), len(apart[0]), len(held_out[0]), sets.missing, tuple(found))


def _read(path: str, toxic: Sequence[str]) -> Labelled:
    rows, _ = read_file(path)
    found = labelled(rows.select(["messages", "label"]).to_pylist(), tuple(toxic))
    if not found[0]:
        raise FlywheelError(f"{path}: no row has a label")
    return found


def _sets(own: Labelled, data: str | Path | None, more: Mapping[str, Labelled], limit: int) -> Sets:
    """The published sets and the user's further ones without the texts of `own`; those that share a tenth of
    their texts with it are its own kind."""
    given = Sets(missing=("no folder of published sets was named",)) if data is None else published_sets(Path(data))
    known, cross = set(own[0]), {}
    for name, (texts, labels) in {**given.cross, **more}.items():
        fresh = [(t, label) for t, label in zip(texts, labels, strict=True) if t not in known]
        if len(fresh) > NEW * len(texts):
            cross[name] = drawn(([t for t, _ in fresh], [label for _, label in fresh]), limit)
    groups = {group: lines[:limit] for group, lines in given.groups.items()}
    return replace(given, cross=cross, safe=given.safe[:limit], groups=groups, spans=given.spans[:limit])


def _signal(given: str | Mapping[str, Any], pool: str) -> tuple[str, Signal]:
    """A detector's name and signal.

    Raises:
        UsageError: there is no such signal, or a parameter does not fit.
    """
    name, parameters = method_specs(given)[0]
    usual = {"labels": pool} if name == Toxicity.name else {}
    return name, build(catalog.get(name, Signal, ("signals",)), {**usual, **parameters})


def _made(
    signals: Sequence[tuple[str, Signal]], pool: str, training: Labelled, held_out: Labelled, toxic: Sequence[str]
) -> Iterator[tuple[Detector, Labelled]]:
    """Each detector with the held-out texts that its training did not see."""
    seen = Counter[str]()
    for name, signal in signals:
        seen[name] += 1
        title = name if seen[name] == 1 else f"{name} {seen[name]}"
        if not isinstance(signal, Toxicity):
            yield OfSignal(title, signal), held_out
        elif signal.labels == Path(pool).expanduser():
            yield OwnClassifier(title, train(*training, signal.neutral)), held_out
        else:
            learned = set(_read(str(signal.labels), toxic)[0])
            rest = [(t, label) for t, label in zip(*held_out, strict=True) if t not in learned]
            yield OwnClassifier(title, signal.classifier()), ([t for t, _ in rest], [label for _, label in rest])
