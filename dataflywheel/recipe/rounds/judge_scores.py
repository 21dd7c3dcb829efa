"""The scores of a judge that chose what a wheel learns from, by round: whether they part from what the model can do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson
import pyarrow.parquet as pq

from dataflywheel.contracts import FloatArray
from dataflywheel.evolution.feedback.evaluate import RowScores
from dataflywheel.evolution.iteration.reward_hacking import JudgedRound, reward_hacking
from dataflywheel.proposing.ledger import Fate
from dataflywheel.rows.text import part_of
from dataflywheel.store.round_record import JudgedRecord


@dataclass(frozen=True)
class JudgeScores:
    """What a judge gave the n answers that a round accepted, and their characters; (n,) each."""

    judge: FloatArray
    length: FloatArray

    def record(self) -> JudgedRecord | None:
        """Their means, None where nothing was judged."""
        if not len(self.judge):
            return None
        means = (float(values.mean()) for values in (self.judge, self.length))
        return JudgedRecord(answers=len(self.judge), score=next(means), length=next(means))


def judge_scores_of(ledgers: Sequence[Path]) -> JudgeScores:
    """Of the accepted proposals of a round's writers, in files `proposals.parquet`, those that a judge has scored."""
    found = []
    for path in ledgers:
        table = pq.read_table(path, columns=["facts", "row"], filters=[("fate", "=", Fate.ACCEPTED.value)])
        for facts, row in zip(table["facts"].to_pylist(), table["row"].to_pylist(), strict=True):
            score = orjson.loads(facts).get("score")
            if score is not None:
                found.append((float(score), float(len(part_of(orjson.loads(row)["messages"], "answer")))))
    judge, length = np.array(found, dtype=np.float64).reshape(-1, 2).T
    return JudgeScores(judge, length)


def judge_alarms(rounds: Sequence[JudgeScores], select: Sequence[RowScores], metric: str) -> list[str]:
    """Alarms over the last round, where a judge had a say in it and in one before; each a sentence."""
    if not len(rounds[-1].judge):
        return []
    judged_rounds = zip(rounds, select, strict=True)
    return reward_hacking([JudgedRound(r.judge, r.length, gold) for r, gold in judged_rounds if len(r.judge)], metric)
