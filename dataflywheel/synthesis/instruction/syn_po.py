"""SynPO: preference pairs without preference labels, from prompts of keywords and answers that a model improved."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np
from pydantic import Field

from dataflywheel.contracts import Card, Cost, PoolStatistics
from dataflywheel.models.endpoint.account import client_for
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.failure import failure
from dataflywheel.models.endpoint.form import words
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Reply, Sampling
from dataflywheel.models.endpoint.structured import Answer, Asks, Form, ask_for
from dataflywheel.models.spec import ModelSpec
from dataflywheel.proposing.asking import AskingProposer, failed, follow, without
from dataflywheel.proposing.kinds import Demand, Proposal
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import Row, message
from dataflywheel.rows.text import part_of, text_of

PROMPT = (
    "The material is three keywords. Write one instruction that a person might give to an assistant and that has to do "
    "with the keywords, in their language; leave out any that does not fit. It must be clear and possible to answer by "
    "text alone."
)
ASK_PROMPT = "Write one instruction that has to do with the keywords, as `prompt`."
IMPROVE = (
    "The material is an instruction and an answer to it. Write a better answer: correct what is wrong, add what is "
    "missing, leave out what does not help, keep the language, and do not speak of the answer that you were shown. "
    "Longer is not better."
)
ASK_IMPROVE = "Write the whole better `answer` to the instruction."
MARK = (
    "The material is an instruction and an answer to it. Judge how right, complete and useful the answer is to the "
    "person who asked; length is no merit. Write `reasons` in one or two sentences, and then `score` from 0 (useless) "
    "to 10 (nothing could be better)."
)
ASK_MARK = "How good is the answer? Write `reasons`, and then `score` from 0 to 10."
_WORD = re.compile(r"[^\W\d_][\w-]{4,}")


class Prompt(Form):
    """A new instruction."""

    prompt: str = Field(min_length=1)


class Improved(Form):
    """A better answer."""

    answer: str = Field(min_length=1)


class Mark(Form):
    """What an answer is worth to a judge that sees it alone."""

    limit: ClassVar[int] = 256

    reasons: str = words(600)
    score: int = Field(ge=0, le=10)


class SynPO(Instructed, AskingProposer):
    """Chosen is the improved answer, rejected the one that an earlier model gave and that was improved; a judge must
    see the difference.

    Prompts come from two words of the seed and one of another seed. `length_gap` in the facts is the number of words
    by which the chosen answer is longer, `score` and `rejected_score` are the judge's marks. What the paper trains is
    prompted here: the writer of prompts, and the improver, which learns from model answers beside the rows' own. Its
    SimPO is the step `prefer: {by: simpo}`.
    """

    version: ClassVar[int] = 3

    card: ClassVar[Card] = Card(
        title="Self-Boosting Large Language Models with Synthetic Preference Data",
        authors="Dong et al.",
        year=2024,
        paper="2410.06961",
        category="synthesis",
        subcategory="instruction",
        summary="Preference pairs from keyword prompts: an earlier model's answer against its improvement; prompted "
        "where the paper trains a prompt writer and an improver.",
        needs=("endpoint",),
        cost="$$",
        checked="a scripted improver: chosen differs from rejected, nothing of the instructions in it, gaps recorded; "
        "an improvement that the judge marks no higher is no pair",
        pays="Prompts without preferences, where the student's first answers can be bettered by a stronger model, and "
        "DPO or SimPO follows.",
        fails="The improved answer is often just the longer one, which pairs then teach: look at `length_gap`, raise "
        "`least_gap`, or use `clair`, whose sides differ in what was mended.",
        evidence="The paper, which trains its prompt writer and improver, reports a win-rate gain of over 22.1 %; "
        "with prompts alone, as here, it was not measured, and a 135M model made no pair of 4 "
        "(benchmarks/real_model.md).",
    )
    answered_in: ClassVar[type[Form] | None] = Prompt
    name: ClassVar[str] = "syn_po"
    gates: ClassVar[tuple[str, ...]] = ("format_and_length", "refusal", "prompt_leak", "novelty")
    makes_pairs: ClassVar[bool] = True

    earlier: ModelSpec | None = None
    """The model whose answers are rejected: the first one, or the one of the round before. None: `model` itself."""
    least_gap: int = Field(default=1, ge=0, le=10)
    """By how much the improved answer's mark, of 10, must be higher; 0 asks for no marks."""
    max_chars: int = Field(default=24_000, ge=100)
    """Of a seed's text that keywords are drawn from."""
    instructions: Instructions = PROMPT
    """What the model is told to do with keywords."""
    improve: Instructions = IMPROVE
    """What it is told to do with the earlier answer."""
    marks: Instructions = MARK
    """What it is told to do to mark an answer."""

    def calls_a_seed(self) -> float:
        return 5.0 if self.least_gap else 3.0

    def estimate(self, pool: PoolStatistics) -> Cost:
        """One of the calls is the earlier model's, at its own price."""
        whole = super().estimate(pool)
        if self.earlier is None:
            return whole
        its = self.model_copy(update={"model": self.earlier, "earlier": None}).estimate(pool)
        calls = self.calls_a_seed()
        return replace(whole, usd=((calls - 1) * whole.usd + its.usd) / calls)

    def propose_with(self, client: Asks, demand: Demand) -> list[Proposal]:
        return self.propose_between(client, client_for(self.earlier) if self.earlier else client, demand)

    def propose_between(self, client: Asks, earlier: Asks, demand: Demand) -> list[Proposal]:
        """`propose_with`, with a client of the earlier model."""
        keywords = _keywords([part_of(s["messages"], "all")[: self.max_chars] for s in demand.seeds], demand.rng)
        able = [i for i, words in enumerate(keywords) if words]
        asked = [
            question(
                self.instructions, {"keywords": ", ".join(keywords[i])}, ASK_PROMPT, self.sampling, demand.turns[i]
            )
            for i in able
        ]
        prompts = dict(zip(able, ask_for(client, asked, Prompt), strict=True))
        good = [i for i in able if prompts[i].value is not None]
        texts = {i: one.prompt.strip() for i in good if (one := prompts[i].value) is not None}
        drafts = dict(zip(good, follow(earlier, [texts[i] for i in good], self.sampling), strict=True))
        written = [i for i in good if drafts[i].answered and drafts[i].text.strip()]
        plain = Sampling(0.0, 1.0, self.max_tokens)
        improving = [
            question(self.improve, {"instruction": texts[i], "answer": drafts[i].text.strip()}, ASK_IMPROVE, plain)
            for i in written
        ]
        better = dict(zip(written, ask_for(client, improving, Improved), strict=True))
        made = [
            self._pair(seed, prompts[i], drafts.get(i), better.get(i)) if i in prompts else without("no keywords", seed)
            for i, seed in enumerate(demand.seeds)
        ]
        return self._marked(client, made) if self.least_gap else made

    def _marked(self, client: Asks, made: list[Proposal]) -> list[Proposal]:
        """The pairs whose better answer is better to a judge that sees each alone, with the marks among the facts."""
        rows = {i: row for i, proposal in enumerate(made) if (row := proposal.row) is not None}
        plain = Sampling(0.0, 1.0, self.max_tokens)
        sides = [(i, side) for i in rows for side in ("messages", "rejected")]
        asked = []
        for i, side in sides:
            answer = (
                text_of(rows[i]["rejected"] or []) if side == "rejected" else part_of(rows[i]["messages"], "answer")
            )
            parts = {"instruction": part_of(rows[i]["messages"], "prompt"), "answer": answer}
            asked.append(question(self.marks, parts, ASK_MARK, plain))
        marks = dict(zip(sides, ask_for(client, asked, Mark), strict=True))
        found = list(made)
        for i in rows:
            found[i] = self._by_the_gap(made[i], marks[i, "messages"], marks[i, "rejected"])
        return found

    def _by_the_gap(self, pair: Proposal, chosen: Answer[Mark], rejected: Answer[Mark]) -> Proposal:
        replies = (*pair.replies, *chosen.replies, *rejected.replies)
        if chosen.value is None or rejected.value is None:
            return replace(pair, row=None, failure=failure(rejected if chosen.value else chosen), replies=replies)
        marks = {"score": chosen.value.score, "rejected_score": rejected.value.score}
        if marks["score"] - marks["rejected_score"] < self.least_gap:
            return replace(pair, row=None, failure="no better, the judge's marks are too near", replies=replies)
        return replace(pair, facts={**pair.facts, **marks}, replies=replies)

    def _pair(
        self, seed: Row, prompt: Answer[Prompt], draft: Reply | None, better: Answer[Improved] | None
    ) -> Proposal:
        if prompt.value is None or draft is None:
            return failed(prompt, seed)
        replies = (*prompt.replies, draft)
        if better is None:
            empty = draft.answered
            return without("empty answer", seed, replies=replies) if empty else failed(draft, seed, replies=replies)
        replies = (*replies, *better.replies)
        if better.value is None:
            return failed(better, seed, replies=replies)
        chosen, rejected = better.value.answer.strip(), draft.text.strip()
        if chosen.split() == rejected.split():
            return without("chosen and rejected are equal", seed, replies=replies)
        row = make_row(
            [message("user", prompt.value.prompt.strip()), message("assistant", chosen)],
            rejected=[message("assistant", rejected)],
            source=seed["source"],
            tags=seed["tags"],
            parents=[seed["id"]],
            made_by=self.name,
            round=seed["round"],
        )
        facts = {"length_gap": len(chosen.split()) - len(rejected.split())}
        return Proposal((seed["id"],), row, shown=(self.instructions, self.improve), facts=facts, replies=replies)


def _keywords(texts: Sequence[str], rng: np.random.Generator) -> list[list[str]]:
    """Two different words of each text and one of another: longer words are likelier; empty where there are too few."""
    words = [list(dict.fromkeys(word.casefold() for word in _WORD.findall(text))) for text in texts]
    found: list[list[str]] = []
    for i, own in enumerate(words):
        if len(own) < 2:
            found.append([])
            continue
        chosen = _draw(own, 2, rng)
        others = [word for j, other in enumerate(words) if j != i for word in other if word not in own]
        noise = [others[int(rng.integers(len(others)))]] if others else _draw(own, 3, rng)[2:]
        found.append([*chosen, *noise])
    return found


def _draw(words: Sequence[str], count: int, rng: np.random.Generator) -> list[str]:
    weights = np.array([len(word) for word in words], dtype=float)
    places = rng.choice(len(words), size=min(count, len(words)), replace=False, p=weights / weights.sum())
    return [words[int(i)] for i in places]
