"""Entity matching with a model: pairs whose score leaves it open are shown to it."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import orjson
from pydantic import Field

from dataflywheel.contracts import Card, Cost, PoolStatistics
from dataflywheel.enhancement.tables.asked_cells import row_shown
from dataflywheel.enhancement.tables.match_tables import ALIKE, NO_COLUMNS, NOT_TWO, Compared, MatchTables
from dataflywheel.enhancement.tables.matching import Pair, best_matches
from dataflywheel.enhancement.tables.mended import cells, proposals
from dataflywheel.models.endpoint.account import client_for
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.failure import failure
from dataflywheel.models.endpoint.form import words
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Reply, Request, Sampling
from dataflywheel.models.endpoint.structured import Asks, Form, ask_for
from dataflywheel.models.spec import ModelSpec
from dataflywheel.proposing.kinds import Demand, Proposal, Proposer

INSTRUCTIONS = (
    "You match records of two tables. The material is one record of each. Compare what names the thing, then places, "
    "numbers and kinds. Other spellings, abbreviations and words that one record leaves out do not make another thing; "
    "another size, year, edition, number or place does. Where values contradict each other, say which weigh more."
)
ASK = "Give `why` in a few words, then in `same` whether both are the same thing: true or false."
SAID = "a model says that both are the same"
NOT_SAID = "a model says that the most alike row is another thing"
QUESTION_TOKENS, ANSWER_TOKENS = 220, 40
"""Of one question beside its two rows, and of its answer: for the estimate."""


class Sameness(Form):
    """Whether two records are the same thing."""

    limit: ClassVar[int] = 120

    why: str = words(200)
    same: bool


class AskMatches(Instructed, MatchTables):
    """`match_tables`, and a model decides on the pairs whose score is near the threshold: those nearest to it first.

    A pair of which it says nothing that can be read stays as its score has it. Where the scores part nowhere and no
    threshold is given, every row's most alike row is asked about, the most alike ones first.
    """

    card: ClassVar[Card] = Card(
        title="Large Language Models as Data Preprocessors",
        authors="Zhang et al.",
        year=2023,
        paper="2308.16361",
        category="enhancement",
        subcategory="tables",
        summary="Finds the row of another table that is the same thing; a model decides on pairs in doubt.",
        needs=("endpoint",),
        cost="$",
        checked="beer and restaurant tables with a scripted model of known accuracy; the price against what is paid",
        pays="Tables whose scores overlap, with a model that knows the things: few pairs are asked about.",
        fails="A model that errs more often on pairs in doubt than the score does.",
        evidence="Here, with a script right in 0.9 of 199 pairs: F1 on beer 0.96 where words alone have 0.87; on "
        "restaurants, where words have 0.98, 0.95 (benchmarks/tables.md).",
    )
    asks: ClassVar[bool] = True

    model: ModelSpec
    """The model that is asked."""
    doubt: float = Field(default=0.15, ge=0, le=1)
    """Pairs are in doubt whose score is so near to the threshold."""
    most: int = Field(default=200, ge=0)
    """Pairs that are asked about, at most."""
    instructions: Instructions = INSTRUCTIONS
    """What the model is told to do."""

    def propose(self, demand: Demand) -> list[Proposal]:
        return self.propose_with(client_for(self.model), demand)

    def propose_with(self, client: Asks, demand: Demand) -> list[Proposal]:
        """`propose` by a client of one's own."""
        by = {name: [r for r in demand.seeds if r["source"] == name and cells(r)] for name in self._sources(demand)}
        compared = self.compared(*by.values()) if len(by) == 2 and all(by.values()) else None
        if compared is None:
            why = NO_COLUMNS if len(by) == 2 and all(by.values()) else f"{NOT_TWO}: {', '.join(by) or 'none'}"
            return proposals(demand.seeds, [], [], self.name, {row["id"]: why for row in demand.seeds})
        score = dict(zip(compared.pairs, compared.scores.tolist(), strict=True))
        doubtful = self._doubtful(compared)
        answers = ask_for(client, [self._question(compared, pair) for pair in doubtful], Sameness)
        same = {pair for pair, value in score.items() if value >= compared.threshold.score}
        reasons, left, bills = dict[Pair, str](), dict[str, str](), dict[str, tuple[Reply, ...]]()
        for pair, answer in zip(doubtful, answers, strict=True):
            row = compared.rows[0][pair[0]]["id"]
            bills[row] = (*bills.get(row, ()), *answer.replies)
            if answer.value is None:
                left.setdefault(row, failure(answer))
                continue
            (same.add if answer.value.same else same.discard)(pair)
            reasons[pair] = SAID if answer.value.same else ALIKE
            if not answer.value.same:
                left.setdefault(row, NOT_SAID)
        self._told["matching"] |= {"asked": len(doubtful)}
        return self.matched(
            demand, compared, best_matches(((p, score[p]) for p in same), self.once), left, reasons, bills
        )

    def _doubtful(self, compared: Compared) -> list[Pair]:
        """Pairs that are asked about, the most doubtful ones first."""
        threshold = compared.threshold.score
        if not np.isfinite(threshold):
            best: dict[int, tuple[float, Pair]] = {}
            for pair, score in zip(compared.pairs, compared.scores.tolist(), strict=True):
                best[pair[0]] = max(best.get(pair[0], (-1.0, pair)), (score, pair))
            return [pair for _, pair in sorted(best.values(), key=lambda one: (-one[0], one[1]))][: self.most]
        apart = np.abs(compared.scores - threshold)
        order = [int(k) for k in np.argsort(apart, kind="stable") if apart[k] <= self.doubt]
        return [compared.pairs[k] for k in order[: self.most]]

    def _question(self, compared: Compared, pair: Pair) -> Request:
        shown = [
            orjson.dumps(row_shown(table, row)).decode()
            for table, row in zip((compared.pairing.one, compared.pairing.other), pair, strict=True)
        ]
        return question(self.instructions, {"first": shown[0], "second": shown[1]}, ASK, Sampling())

    def rehearsed(self) -> Proposer:
        return self.model_copy(update={"doubt": 1.0})

    def unpriced(self) -> str:
        """What the estimate leaves out since it is known only when it runs."""
        return f"pairs in doubt are found when it runs; the price is that of {self.most:,}, the most that it asks about"

    def estimate(self, pool: PoolStatistics) -> Cost:
        """Of as many pairs as it may ask about."""
        calls, row = min(self.most, pool.rows * self.candidates), pool.tokens / max(1, pool.rows)
        read, written = round(calls * (QUESTION_TOKENS + 2 * row)), calls * ANSWER_TOKENS
        price = self.model.usd_per_mtok
        usd = (read * price.input + written * price.output) / 1e6 if price else 0.0
        return self.with_examples(Cost(calls=calls, tokens=read + written, usd=usd))
