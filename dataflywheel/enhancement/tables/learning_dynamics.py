"""How surely a classifier of real rows comes to the label of another row while it learns: easy, hard, or between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from dataflywheel.contracts import FloatArray
from dataflywheel.enhancement.tables.columns import Column, Value, is_number, text_of
from dataflywheel.proposing.dynamics import Dynamics as Dynamics
from dataflywheel.proposing.dynamics import dynamics_of
from dataflywheel.rows.gaps import SIGNS

ROUNDS, RATE = 100, 0.3
"""Trees of the classifier, and how much each of them says."""
KINDS = 30
"""Values of a column of texts that are told apart; all rarer ones are one."""


class Learned:
    """Boosted trees that learned a label from the other columns of real rows.

    Cells of numbers are numbers, those of texts one of the column's frequent values; a gap is a value of its own.
    """

    def __init__(self, real: Mapping[str, Column], label: str, seed: int = 0) -> None:
        from sklearn.ensemble import GradientBoostingClassifier

        self.columns = [column for name, column in real.items() if name != label]
        rows = (~real[label].missing).nonzero()[0]
        self._kinds = [_kinds(column) for column in self.columns]
        vectors = self.vectors([{c.name: c.values[row] for c in self.columns} for row in rows.tolist()])
        self._trees = GradientBoostingClassifier(n_estimators=ROUNDS, learning_rate=RATE, random_state=seed)
        self._trees.fit(vectors, [real[label].texts[row] for row in rows.tolist()])
        self._place = {str(name): at for at, name in enumerate(self._trees.classes_)}

    def vectors(self, lines: Sequence[Mapping[str, Value]]) -> FloatArray:
        """Lines as numbers (n, features)."""
        return np.array([self._vector(line) for line in lines], np.float64).reshape(len(lines), -1)

    def _vector(self, line: Mapping[str, Value]) -> list[float]:
        found: list[float] = []
        for column, kinds in zip(self.columns, self._kinds, strict=True):
            text = text_of(line.get(column.name))
            if column.numeric:
                there = is_number(text)
                found += [float(text.replace(",", "")) if there else 0.0, float(not there)]
            else:
                found += [float(text.lower() == kind) for kind in kinds]
                found.append(float(not text or text.lower() in SIGNS))
        return found

    def dynamics(self, lines: Sequence[Mapping[str, Value]], labels: Sequence[str]) -> list[Dynamics]:
        """What became of each line with its label, over all rounds."""
        if not lines:
            return []
        at, own = np.arange(len(lines)), np.array([self._place[label] for label in labels])
        said = np.stack([stage[at, own] for stage in self._trees.staged_predict_proba(self.vectors(lines))])
        return dynamics_of(said)


def _kinds(column: Column) -> list[str]:
    """The frequent values of a column of texts, in small letters."""
    order = np.argsort(-column.counts, kind="stable")[:KINDS]
    return list(dict.fromkeys(text_of(column.value(int(code))).lower() for code in order))
