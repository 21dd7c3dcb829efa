"""Failing instructions: a proposer learns to write what a model fails at; a teacher's answers make them rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import PrivateAttr

from dataflywheel.contracts import Card, Cost, PoolStatistics, UsageError
from dataflywheel.models.endpoint.account import client_for
from dataflywheel.models.endpoint.deferred import DEFERRED
from dataflywheel.models.endpoint.request import Outcome, Sampling
from dataflywheel.models.endpoint.structured import Asks
from dataflywheel.models.spec import ModelSpec
from dataflywheel.proposing.asking import ANSWER_TOKENS, WORK, AskingProposer
from dataflywheel.proposing.kinds import Demand, Proposal, Proposer
from dataflywheel.proposing.seeds import is_made
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.schema import Row
from dataflywheel.rows.text import split_answer
from dataflywheel.synthesis.adversarial.attempts import (
    New,
    attempted,
    pairs_of,
    round_facts,
)
from dataflywheel.synthesis.adversarial.instruction_writer import (
    REQUEST,
    Trained,
    cost_of,
    instruction_of,
    lessons,
    preferring,
    warmed_up,
)
from dataflywheel.synthesis.adversarial.seeking import SHOWN, Seeking
from dataflywheel.synthesis.adversarial.target_failure import Attempt, Examiner


class FailingInstructions(Seeking, AskingProposer):
    """A local proposer is shown three instructions of the pool and writes another. Each that is no copy is put to the
    target, the student; where that fails, the instruction with the teacher's checked answer is a row. In every further
    round the proposer of the first has learned, by preference training on all rounds before, to write instructions that
    failed rather than others: going on from round to round, small ones unlearn to write.

    It sees all seeds at once and works through its rounds once: how many rows come of it is what `rounds` and
    `attempts` bring, those of the last round first. Rows that a method wrote are never shown. What stays without a
    verdict (an answer that cannot be read, a teacher that disagrees with itself) counts neither way, and the proposer
    does not learn from it.

    The step's record and the report have each round's attempts, copies, failure rate, variety and bill; the first round
    is that of the proposer before it learned from any failure.
    """

    card: ClassVar[Card] = Card(
        title="Forewarned Is Forearmed: Leveraging LLMs for Data Synthesis Through Failure-Inducing Exploration",
        authors="Li et al.",
        year=2024,
        paper="2410.16736",
        category="synthesis",
        subcategory="adversarial",
        summary="A proposer is trained to write instructions at which the student fails; a teacher answers them.",
        needs=("endpoint", "model"),
        cost="$$$",
        checked="a small model that adds but cannot carry, with an exact teacher: the share of failures rises over the "
        "rounds, above an untrained proposer's at the same attempts",
        pays="A student that is nearly good enough, a teacher that is right where it fails, and a processor for "
        "training a proposer over several rounds.",
        fails="A proposer that finds one weak spot repeats it, and where the teacher disagrees with itself nothing is "
        "learned: watch each round's variety and verdicts, or take `llm2llm`, which trains no proposer.",
        evidence="benchmarks/real_model.md: with a 135M model no instruction of 4 came to a verdict. What the rows "
        "are worth beside random augmentation was not measured here.",
    )
    whole: ClassVar[bool] = True
    own_models: ClassVar[dict[str, Literal["trained", "base"]]] = {"target": "trained", "proposer": "base"}
    fewest_seeds: ClassVar[int] = SHOWN + 1
    gates: ClassVar[tuple[str, ...]] = ("format_and_length", "refusal", "prompt_leak")

    model: ModelSpec
    """The teacher: it answers what the target fails at, and its answers are the references."""
    _rounds: list[dict[str, Any]] = PrivateAttr(default_factory=list)
    _warm_up: dict[str, Any] = PrivateAttr(default_factory=dict)

    def propose_with(self, client: Asks, demand: Demand) -> list[Proposal]:
        rows = self._shown(demand.seeds)
        if len(rows) <= SHOWN:
            raise UsageError(
                f"{self.name} shows {SHOWN} instructions and asks for another; of {len(demand.seeds):,} rows "
                f"{len(rows)} have one question in one turn, of at most {self.max_chars:,} characters, and were not "
                "written by a method"
            )
        rng, new = demand.rng, New([instruction_of(row) for row in rows], self.most_alike)
        seed = int(rng.integers(1 << 31))
        teacher = Sampling(self.temperature, 1.0, self.max_tokens)
        examiner = Examiner(self, client_for(self._named("target")), client, teacher, self._system)
        begun = self._begun(rows, seed, rng)
        writer, pairs, made = begun, dict[str, Row](), list[list[Proposal]]()
        for round in range(self.rounds):
            attempts = attempted(self, self._client(writer), rows, rng)
            examiner.examine(new.among(attempts))
            made.append([self._proposal(one, len(self._rounds) + 1) for one in attempts])
            facts = round_facts(attempts)
            self._rounds.append(facts)
            if round + 1 == self.rounds or _put_off(attempts):
                break
            found = pairs_of(attempts, self.partners, rng)
            pairs |= {row["id"]: row for row in found}
            if found:
                settings = self.training.model_copy(update={"seed": self.training.seed + seed})
                writer = preferring(begun.folder, list(pairs.values()), self.learner, settings)
                facts["learned"] = writer.facts
        return [proposal for later in reversed(made) for proposal in later]

    def _begun(self, rows: Sequence[Row], seed: int, rng: np.random.Generator) -> Trained:
        """The proposer as the first round finds it."""
        settings = self.warm_up.model_copy(update={"seed": self.warm_up.seed + seed})
        begun = warmed_up(self._named("proposer"), lessons(rows, self.lessons, rng), settings)
        self._warm_up.update(begun.facts)
        return begun

    def _client(self, writer: Trained) -> Asks:
        return client_for(self._named("proposer").of(writer.folder))

    def _named(self, field: Literal["target", "proposer"]) -> ModelSpec:
        spec: ModelSpec | None = getattr(self, field)
        if spec is None:
            raise UsageError(f"{self.name}: name a model as `{field}`; a recipe gives its student")
        return spec

    @property
    def _system(self) -> str:
        if self.instructions is not None:
            return self.instructions
        return WORK if self.compares.name == "final_answer" else ""

    def _shown(self, seeds: Sequence[Row]) -> list[Row]:
        """Rows with one question in one turn, one of equal instructions."""
        found: dict[str, Row] = {}
        for row in seeds:
            turns, text = split_answer(row["messages"])[0], instruction_of(row)
            plain = [turn["role"] for turn in turns] == ["user"] and not row["media"] and not row["tools"]
            if plain and 0 < len(text) <= self.max_chars and not is_made(row):
                found.setdefault(text, row)
        return list(found.values())

    def _proposal(self, one: Attempt, round: int) -> Proposal:
        parents = tuple(row["id"] for row in one.shown)
        facts = {"sought": {"round": round, "answer": one.said, "score": one.value}}
        if one.why:
            return Proposal(parents, failure=one.why, facts=facts, replies=tuple(one.replies))
        row = prompt_answer_row(
            one.text,
            one.reference,
            source=one.shown[0]["source"],
            tags=[tag for tag in one.shown[0]["tags"] if all(tag in other["tags"] for other in one.shown)],
            parents=parents,
            made_by=self.name,
            round=one.shown[0]["round"],
        )
        return Proposal(parents, row, shown=(REQUEST,), facts=facts, replies=tuple(one.replies))

    def told(self) -> dict[str, Any]:
        return {"sought": {"warm_up": self._warm_up, "rounds": self._rounds}} if self._rounds else {}

    def trained(self) -> Cost:
        return cost_of([self._warm_up, *(facts.get("learned", {}) for facts in self._rounds)])

    def rehearsed(self) -> Proposer:
        few = {"rounds": 1, "attempts": min(self.attempts, 4)}
        return _Rehearsed(**{name: getattr(self, name) for name in type(self).model_fields} | few)

    def way_on(self) -> str:
        return f"its {self.rounds} rounds of {self.attempts} attempts are used up; raise `attempts` or `rounds`"

    def calls_a_seed(self) -> float:
        return 1.0 + self.agree

    def estimate(self, pool: PoolStatistics) -> Cost:
        """Where no attempt is a copy and every one fails: the most that it can be. The proposer's and the target's
        answers are calls too, which cost nothing where they lie here."""
        tries, mean = self.rounds * self.attempts, pool.tokens / max(1, pool.rows)
        answers = self.samples if self.entropy is not None else 1
        taught = round(tries * (1 + self.agree))
        read, written = round(taught * (mean + len(self._system) / 4)), taught * min(self.max_tokens, ANSWER_TOKENS)
        price = self.model.usd_per_mtok
        usd = (read * price.input + written * price.output) / 1e6 if price else 0.0
        if self.target is not None and self.target.usd_per_mtok is not None:
            asked, price = tries * answers, self.target.usd_per_mtok
            usd += asked * (mean * price.input + min(self.answer_tokens, ANSWER_TOKENS) * price.output) / 1e6
        local = round(tries * mean * (SHOWN + 1 + 2 * answers))
        learned = round(self.lessons * self.warm_up.epochs + self._pairs * self.training.epochs)
        calls = taught + tries * (1 + answers)
        return Cost(backward=learned, tokens=read + written + local, calls=calls, usd=usd)

    def operations(self, pool: PoolStatistics) -> float:
        mean = pool.tokens / max(1, pool.rows)
        answers = self.samples if self.entropy is not None else 1
        one = (SHOWN + 1) * mean
        learned = 6 * one * min(self.lessons, pool.rows) * self.warm_up.epochs
        preferred = 2 * (6 + 2 * self.learner.readings) * one * self._pairs * self.training.epochs
        return learned + preferred + 2 * self.rounds * self.attempts * (one + 2 * answers * mean)

    @property
    def _pairs(self) -> float:
        """Pairs that are learned, each round those of all before, where half of the attempts fail."""
        return self.rounds * (self.rounds - 1) / 2 * self.partners * self.attempts / 2


class _Rehearsed(FailingInstructions):
    """One whose proposer writes as it is."""

    def _begun(self, rows: Sequence[Row], seed: int, rng: np.random.Generator) -> Trained:
        return Trained(Path("proposer"), {})


def _put_off(attempts: Sequence[Attempt]) -> bool:
    """Whether questions wait for a batch or for a larger budget: nothing may be learned from the others alone."""
    replies = [reply for one in attempts for reply in one.replies]
    return any(reply.outcome is Outcome.OVER_BUDGET or reply.detail == DEFERRED for reply in replies)
