"""No toxicity: proposals that a classifier of the user's labels calls toxic are rejected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from dataflywheel.contracts import Card, UsageError, UserPath
from dataflywheel.models.files import models_folder
from dataflywheel.proposing.kinds import Check, Gate, Proposal, Surroundings
from dataflywheel.rows.parts import read_rows
from dataflywheel.rows.text import text_of
from dataflywheel.signals.safety.toxicity_classifier import ToxicityClassifier, trained
from dataflywheel.signals.safety.toxicity_labels import ToxicityLabels, ToxicityOptions, labelled


class NoToxicity(ToxicityOptions, Gate):
    """Rejects a row whose messages score above the threshold of the false-positive rate. A rejected answer of a
    preference pair is meant to be worse and is not looked at."""

    card: ClassVar[Card] = Card(
        title="Automated Hate Speech Detection and the Problem of Offensive Language",
        authors="Davidson et al.",
        year=2017,
        paper="1703.04009",
        category="proposing",
        subcategory="gates",
        summary="Rejects proposals that a classifier trained on the user's labels calls toxic.",
        needs=("labels",),
        checked="labelled sets it was not trained on; false alarms on safe prompts and on rows written by people",
        pays="Labels of one's own, from the same kind of text as the proposals, by the hundred or more.",
        fails="A classifier of words learns the groups as well as the insults and flags neutral lines about some of "
        "them: read the audit first, or use `classified` with a larger model.",
        evidence="benchmarks/gates.md: trained on hate_offensive_tweets it catches 0.828 of its own toxic rows at "
        "0.013 false alarms, yet its AUC on toxigen_prompts is 0.631, and at 10 % false positives it rejects 98.0 % "
        "of neutral lines about bisexual people.",
    )

    labels: UserPath | None = None
    """Labelled rows, as in the signal `toxicity`; None: the labelled rows of the pool."""

    def check(self, proposals: Sequence[Proposal], around: Surroundings) -> list[Check]:
        classifier = self._classifier(around)
        limit = classifier.threshold(self.false_positive_rate)
        texts = [text_of(proposal.row["messages"]) if proposal.row else "" for proposal in proposals]
        return [_check(float(score), limit) for score in classifier.scores(texts)]

    def _classifier(self, around: Surroundings) -> ToxicityClassifier:
        shared = self.model_dump(include={"toxic", "neutral", "false_positive_rate"})
        if self.labels is not None:
            return ToxicityLabels(labels=self.labels, **shared).classifier()
        pool = around.pool
        if pool is None:
            raise UsageError(
                "no_toxicity: there is no pool to take labels from; name a file of labelled rows: `labels:`"
            )

        def of_pool() -> ToxicityClassifier:
            rows = read_rows(pool, ["messages", "label"]).to_pylist()
            return trained(*labelled(rows, self.toxic), self.neutral, models_folder())

        return around.once(f"{self.name}:{self.digest()}", of_pool)


def _check(score: float, limit: float) -> Check:
    """A text without a letter has no score and nothing toxic in it."""
    facts = {} if score != score else {"toxicity": score}
    return Check(False, "toxic", f"{score:.2f} > {limit:.2f}", facts) if score > limit else Check(True, facts=facts)
