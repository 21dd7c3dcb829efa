"""Changed and new rows: who proposes them, and what every proposal passes before it becomes a row."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from dataflywheel.contracts import Columns, Cost, Method, Operator, PoolStatistics, method_specs
from dataflywheel.proposing.proposal import PASSED as PASSED
from dataflywheel.proposing.proposal import Check as Check
from dataflywheel.proposing.proposal import Proposal as Proposal
from dataflywheel.proposing.proposal import Surroundings as Surroundings
from dataflywheel.rows.schema import Row

NamedGate = str | Mapping[str, Mapping[str, Any]]
"""A gate as a method names it: `"refusal"`, or with its parameters `{"meaning": {"additions": True}}`."""

KEPT = "language_kept"
"""The gate that every rewriter's proposals pass."""


class Gate(Method):
    """Accepts proposals or rejects them with a reason. Never changes one."""

    alone: ClassVar[bool] = True
    """Whether a check needs nothing but the answer and the row that it belongs to: as a reward too."""
    keeps_facts: ClassVar[bool] = False
    """Whether what it measured of a proposal that passed, and what that cost, is kept with it."""

    def unread(self) -> str:
        """What it does not look at here, for want of an extra package, and how to get it; "" where there is nothing."""
        return ""

    def lacks(self, facts: Mapping[str, Any]) -> str:
        """What it checks by and these facts of a proposal do not hold, in a few words; "" where nothing is missing."""
        return ""

    @abstractmethod
    def check(self, proposals: Sequence[Proposal], around: Surroundings) -> list[Check]:
        """One check a proposal, in order; every proposal has a row.

        A check depends on the proposal and its surroundings alone, not on the others of the batch; but a gate that
        compares proposals with each other may reject the later of two.
        """


@dataclass(frozen=True)
class Demand:
    """One wave of work: what to write from. Equal demands give equal proposals, answers of models aside."""

    seeds: tuple[Row, ...]
    """Rows or documents to write from, one or more proposals each; several times the same where it is visited again."""
    turns: tuple[int, ...]
    """How often each seed was visited before: a second visit must ask for something new."""
    accepted: Sequence[Row]
    """Rows accepted so far, oldest first."""
    rng: np.random.Generator
    wave: int = 0
    columns: Columns | None = None
    """The measured columns that the method `needs`, of the seeds and in their order."""
    evaluation: Mapping[str, Any] | None = None
    """What the last evaluation said of the steering tier, where the method `reads_evaluation`; None before the first:
    `metric`, `overall` and `slices` with their values and intervals."""
    every: Sequence[Row] = ()
    """All rows that are written from, those of this wave among them: for methods that show some beside a seed."""
    target: Path | None = None
    """Directory of the evaluation rows, where there are any: for methods that show rows of other files, which must not
    give one away."""


class Proposer(Method):
    """Writes candidate rows: rewrites (`Proposal.before` is set) or new ones. Never decides what becomes a row."""

    asks: ClassVar[bool] = False
    """Writing spends on a model that answers questions: the field `model` is the recipe's teacher."""
    capabilities: ClassVar[tuple[str, ...]] = ("chat",)
    """What that model must offer."""
    question_tokens: ClassVar[int] = 150
    """Of one question, beside the row's own texts: for the estimate."""
    rewrites: ClassVar[bool] = False
    """Whether proposals replace the rows that they were made from."""
    whole: ClassVar[bool] = False
    """Whether it must see all seeds at once, in one wave, however few rows are wanted."""
    mends: ClassVar[bool] = False
    """Whether what it rewrites are the cells of a table's row, each with its reason in the fact `cells`."""
    keeps_meaning: ClassVar[bool] = False
    """Whether a rewritten row is the same example in other words, and as real as the row that it replaces."""
    hides_before: ClassVar[bool] = False
    """Whether reports must not show what a row was before: it held what was to be taken out."""
    makes_pairs: ClassVar[bool] = False
    """Whether its rows hold a worse answer beside the good one; also where it has a parameter `pairs` that is true."""
    own_model: ClassVar[Literal["trained", "base"] | None] = None
    """Set where `model`, unless one is named, is the recipe's student: as it was `trained` last, or the `base` that
    every training begins from."""
    own_models: ClassVar[Mapping[str, Literal["trained", "base"]]] = {}
    """Further models that it works with, by field: where a recipe names none, its student, as it was `trained` last or
    as the `base` that every training begins from."""
    own_capabilities: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """What those models must offer, by field."""
    operator: ClassVar[Operator] = "questions"
    """Of a method that writes new rows: what it adds to those that it writes from."""
    fewest_seeds: ClassVar[int] = 0
    """Seeds below which it refuses to write."""
    writes_from: ClassVar[Literal["rows", "documents", "nothing", "tables"]] = "rows"
    """What seeds are. A document is a row whose final answer is the text; `nothing`: no content; `tables`: cells."""
    revisits: ClassVar[bool] = False
    """Whether seeds, as mere examples, are written from as often as rows are missing, where a recipe does not say."""
    from_failures: ClassVar[bool] = False
    """Whether it writes from rows that the student got wrong alone, and so from none before a model was trained."""
    reads_evaluation: ClassVar[bool] = False
    """Whether what it writes follows from the last evaluation; only a wheel has one that may steer."""
    gates: ClassVar[tuple[NamedGate, ...]] = ()
    """The gates that its proposals pass where a recipe names none, cheapest first, with their parameters. Rewriters
    of texts keep the language of their rows without naming that gate."""

    @classmethod
    def own_gates(cls) -> list[tuple[str, dict[str, Any]]]:
        """The method's own gates in order, each by its name and parameters; one may stand twice with others."""
        found = method_specs(cls.gates)
        kept = cls.rewrites and not cls.mends and KEPT not in dict(found)
        return [*found, *([(KEPT, {})] if kept else [])]

    @classmethod
    def written_from(cls, given: Mapping[str, Any]) -> Literal["rows", "documents", "nothing", "tables"]:
        """What seeds are with these parameters."""
        return cls.writes_from

    def unfit(self, seed: Row) -> str:
        """Why nothing can be written from a row, in a few words; "" where something can, or must be tried."""
        return ""

    def needs(self) -> tuple[str, ...]:
        """Columns (`signal.column`) that are measured of its seeds, and lie in the demand."""
        return ()

    @abstractmethod
    def propose(self, demand: Demand) -> list[Proposal]:
        """Proposals for every seed, in the order of the seeds; a seed that gave nothing has one with its `failure`.

        `row` has its lineage: `parents`, `made_by` (this method's name), tags and source of its parent.
        """

    def calls_a_seed(self) -> float:
        """Questions asked of a model for each seed, for the estimate."""
        return 1.0 if self.asks else 0.0

    def rows_a_seed(self) -> int:
        """Rows that one visit of a seed gives, at most: no more seeds are visited than the wanted rows take."""
        return 1

    def operations(self, pool: PoolStatistics) -> float:
        """Arithmetic on local models, for the estimate, in operations a weight: 2 for each token that is read or
        written, 6 for each that is learned."""
        return 0.0

    def told(self) -> dict[str, Any]:
        """What there is to tell of its work so far beside the proposals, as JSON values, for the step's record."""
        return {}

    def told_of(self, came: Sequence[tuple[Proposal, str]]) -> dict[str, Any]:
        """The same of what became of its proposals: each comes with why it is no row, "" where it is one."""
        return {}

    def trained(self) -> Cost:
        """Passes and tokens of models that it had trained for its work so far; what was asked is billed by itself."""
        return Cost()

    def rehearsed(self) -> Proposer:
        """The method as it asks, without what it would train first: for those who want to see its questions."""
        return self

    def keeps_beside(self) -> str:
        """The field beside its rows without which they are worth less to their reader, "" where there is none."""
        return ""

    def way_on(self) -> str:
        """What gives more rows where all seeds were written from, "" where it is more seeds or visits."""
        return ""

    def estimate(self, pool: PoolStatistics) -> Cost:
        """Each call reads the row beside what is asked of it, and writes no more than the row."""
        calls = self.calls_a_seed()
        asked = self.question_tokens * calls * pool.rows
        return Cost(calls=round(calls * pool.rows), tokens=round(3 * calls * pool.tokens + asked))
