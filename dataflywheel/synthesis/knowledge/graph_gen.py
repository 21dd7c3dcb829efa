"""GraphGen: questions about what documents state and the model in training does not know."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field, PrivateAttr

from dataflywheel.contracts import Card, Cost, PoolStatistics, UsageError
from dataflywheel.models.endpoint.account import client_for
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.endpoint.request import Sampling
from dataflywheel.models.endpoint.structured import Asks, Form
from dataflywheel.models.spec import ModelSpec
from dataflywheel.proposing.asking import AskingProposer
from dataflywheel.proposing.kinds import Demand, NamedGate, Proposal, Proposer
from dataflywheel.rows.schema import Row
from dataflywheel.synthesis.knowledge.belief import beliefs
from dataflywheel.synthesis.knowledge.documents import parts_of_text, text_of_document
from dataflywheel.synthesis.knowledge.graph import Graph, bare
from dataflywheel.synthesis.knowledge.graph_questions import INSTRUCTIONS, Draft, Kind, Pair, proposal, write
from dataflywheel.synthesis.knowledge.stated import Stated, stated
from dataflywheel.synthesis.knowledge.subgraphs import Bounds, Order, pieces, ranks

READ = (
    "The material is a passage of a document. List what it states of things that have a name or a term of their own. "
    "Each statement is one sentence that is understood by itself, in the language of the passage, with names, terms "
    "and numbers as the passage has them, and no pronoun in the place of a thing. `subject` is what it is about, and "
    "`object` the other thing that it joins it to, each letter for letter as in the statement; where there is no other "
    "thing, `object` is empty. The most specific statements come first. Add nothing that the passage does not state."
)
DENY = (
    "The material is true statements, one a line. For each of them, in their order and language, write a statement of "
    "the same kind that is false because of it: with one thing exchanged for another of its kind, or the relation "
    "denied. Who knows the subject must see that it is false, and nobody else may."
)
JUDGE = "You say of statements whether they are true, by what you know. The material is a statement."
CALL_TOKENS = 130
"""Of a question of yes or no."""
NOTHING, UNKNOWN = "no statement of it can be used", "what the model in training knows of it could not be measured"
NO_MORE = "all that it states is in other questions"


class GraphGen(Instructed, AskingProposer):
    """A model lists what the documents state, and a false counterpart of each statement. The model in training is asked
    yes or no about both, and the probability of the right word, summed over its spellings, tells what it does not know:
    the loss of a statement is the mean of -log p. From the statement of each document with the greatest loss a piece of
    the graph grows along shared things, the greatest loss first, and each statement is in one piece alone. A question
    is written from each piece, whose answer has its names and numbers from the statements.

    Statements whose names and numbers the document does not have are dropped, and where the model in training could not
    be asked, or there is no counterpart, a statement is in no question; the step's record counts them.

    The published program gives such statements a loss in the middle, and paraphrases statements besides; descriptions
    of one thing are not merged here, each stays the statement that it is. The prompts are ours.
    """

    card: ClassVar[Card] = Card(
        title="GraphGen: Enhancing Supervised Fine-Tuning for LLMs with Knowledge-Driven Synthetic Data Generation",
        authors="Chen et al.",
        year=2025,
        paper="2505.20416",
        category="synthesis",
        subcategory="knowledge",
        summary="Questions from the statements of documents that the model in training does not know, along a graph.",
        needs=("endpoint", "model"),
        cost="$$",
        checked="losses finite at 0 and 1 and monotone; a small model that has seen half of the triples of UMLS; a "
        "scripted writer with planted ungrounded statements and answers, none of which is kept",
        pays="A subject that the student knows in part, and documents that state more of it than may be trained on.",
        fails="A student that answers yes to everything, or cannot say yes or no: its losses say nothing of knowledge.",
        evidence="Here, a model of 1 M parameters that was taught 100 triples of UMLS: the losses of 100 others are "
        "higher, AUC 0.99. What training on such rows is worth was not measured here.",
    )
    name: ClassVar[str] = "graph_gen"
    answered_in: ClassVar[type[Form] | None] = Pair
    whole: ClassVar[bool] = True
    writes_from: ClassVar[Literal["rows", "documents", "nothing"]] = "documents"
    own_models: ClassVar[dict[str, Literal["trained", "base"]]] = {"student": "trained"}
    own_capabilities: ClassVar[dict[str, tuple[str, ...]]] = {"student": ("chat", "logprobs")}
    gates: ClassVar[tuple[NamedGate, ...]] = ("format_and_length", "refusal", "prompt_leak", "grounded")

    student: ModelSpec | None = None
    """The model whose knowledge is measured, with log-probabilities: a recipe gives its student, as trained last."""
    kinds: tuple[Kind, ...] = Field(default=("atomic", "multi_hop", "open"), min_length=1)
    """Kinds of questions, which the documents take in turn; several statements are needed for all but `atomic`."""
    order: Order = "max_loss"
    """Which statements come first: those that the student knows least, best, or by chance."""
    statements: int = Field(default=8, ge=1, le=40)
    """Statements listed of one part of a document, at most."""
    depth: int = Field(default=2, ge=1, le=8)
    """Steps from the first statement of a piece to the others."""
    edges: int = Field(default=4, ge=1, le=20)
    """Statements of a piece beside its first, at most."""
    chars: int = Field(default=1000, ge=50)
    """Characters of a piece, at most."""
    longest: int = Field(default=4000, ge=200)
    """Characters of a part of a document, at most."""
    max_tokens: int = Field(default=2048, ge=16)
    instructions: Instructions = INSTRUCTIONS
    """What the model is told to do to write a question."""
    reading: Instructions = READ
    """What it is told to do to list statements."""
    denying: Instructions = DENY
    """What it is told to do to write false ones."""
    judging: Instructions = JUDGE
    """What the student is told."""
    _stated: dict[str, Stated] = PrivateAttr(default_factory=dict)
    _losses: dict[str, float] = PrivateAttr(default_factory=dict)
    _unknown: Counter[str] = PrivateAttr(default_factory=Counter)
    _rehearses: bool = PrivateAttr(False)

    def unfit(self, seed: Row) -> str:
        return text_of_document(seed)[1]

    def calls_a_seed(self) -> float:
        """Of a document of one part, the questions to the student included."""
        return 3.0 + 2.0 * self.statements

    def estimate(self, pool: PoolStatistics) -> Cost:
        """At most: all documents are read whole, and every statement is asked about."""
        parts = pool.rows * max(1, math.ceil(pool.chars / max(1, pool.rows) / self.longest))
        cost = super().estimate(pool)
        ours, theirs = 2 * pool.rows + parts, 2 * parts * self.statements
        share = ours / max(1, cost.calls)
        asked = CALL_TOKENS * theirs
        price = self.student.usd_per_mtok if self.student is not None else None
        usd = cost.usd * share + (price.input * asked / 1e6 if price else 0.0)
        return Cost(calls=ours + theirs, tokens=round(cost.tokens * share) + asked, usd=usd)

    def rehearsed(self) -> Proposer:
        """What is listed is not held against the documents, and the student is taken to know nothing."""
        made = self.model_copy()
        made._stated, made._losses, made._rehearses = {}, {}, True
        return made

    def told(self) -> dict[str, Any]:
        lost = sum((one.lost for one in self._stated.values()), Counter[str]())
        known = list(self._losses.values())
        return {
            "statements with a loss": len(known),
            "mean loss": round(sum(known) / len(known), 4) if known else None,
            "statements without": dict(lost + self._unknown),
        }

    def propose_with(self, client: Asks, demand: Demand) -> list[Proposal]:
        if self.student is None:
            raise UsageError(f"{self.name}: name a model as `student`; a recipe gives its own")
        return self.propose_for(client, client_for(self.student), demand)

    def propose_for(self, client: Asks, student: Asks, demand: Demand) -> list[Proposal]:
        """`propose` by clients of one's own."""
        student.model.capabilities.require(self.own_capabilities["student"], self.name, student.model.identity)
        seeds = {seed["id"]: seed for seed in demand.seeds if not self.unfit(seed)}
        new = [seed for id, seed in seeds.items() if id not in self._stated]
        self._read(client, new)
        graph = Graph(one for id in seeds for one in self._stated[id].statements)
        self._measure(student, graph, new)
        drafts = self._drafts(demand, seeds, graph)
        bills = {seed["id"]: self._stated[seed["id"]].replies for seed in new}
        for one in drafts:
            one.replies += bills.pop(one.seed["id"], [])
        write(client, [one for one in drafts if one.piece], self.instructions, self.sampling)
        return [proposal(self.name, one, (str(self.instructions),)) for one in drafts]

    def _read(self, client: Asks, seeds: Sequence[Row]) -> None:
        """Statements and denials of documents that were not read yet."""
        texts = {seed["id"]: text_of_document(seed)[0] for seed in seeds}
        parts = [(id, text[slice(*at)]) for id, text in texts.items() for at in parts_of_text(text, self.longest)]
        sampling = Sampling(max_tokens=self.max_tokens)
        told = str(self.reading), str(self.denying)
        self._stated |= stated(client, parts, told, self.statements, sampling, strict=not self._rehearses)

    def _measure(self, student: Asks, graph: Graph, seeds: Sequence[Row]) -> None:
        """The losses of the statements of these documents, each with its bill."""
        ids = {seed["id"] for seed in seeds}
        asked = [s for s in graph.statements if ids & {*s.documents} and s.denial and bare(s.text) not in self._losses]
        found = beliefs(student, [(one.text, one.denial) for one in asked], self.judging, self.name)
        for one, belief in zip(asked, found, strict=True):
            self._stated[next(d for d in one.documents if d in ids)].replies += belief.replies
            if belief.loss is None and not self._rehearses:
                self._unknown[f"the student: {belief.why.partition(':')[0]}"] += 1
            else:
                self._losses[bare(one.text)] = belief.loss or 0.0

    def _drafts(self, demand: Demand, seeds: Mapping[str, Row], graph: Graph) -> list[Draft]:
        """For each seed the piece of the graph that its visit takes, or why it has none."""
        losses = {i: self._losses[key] for i, s in enumerate(graph.statements) if (key := bare(s.text)) in self._losses}
        turns, places = max(demand.turns, default=0) + 1, {id: i for i, id in enumerate(seeds)}
        kinds = [[self.kinds[(i + turn) % len(self.kinds)] for i in range(len(seeds))] for turn in range(turns)]
        bounds = [[Bounds(self.depth, 0 if k == "atomic" else self.edges, self.chars) for k in row] for row in kinds]
        grown = pieces(graph, list(seeds), ranks(graph, losses, self.order), bounds)
        made = []
        for seed, turn in zip(demand.seeds, demand.turns, strict=True):
            piece = grown[turn].get(seed["id"], [])
            if not piece:
                why = self.unfit(seed) or self._nothing(graph.of(seed["id"]), self._stated[seed["id"]], losses)
                made.append(Draft(seed, [], why=why))
                continue
            kind = kinds[turn][places[seed["id"]]] if len(piece) > 1 else "atomic"
            held = [graph.statements[k] for k in piece]
            others = dict.fromkeys(d for one in held for d in one.documents if d != seed["id"])
            loss = sum(losses[k] for k in piece) / len(piece)
            made.append(Draft(seed, held, kind, round(loss, 4), [seeds[d] for d in others]))
        return made

    @staticmethod
    def _nothing(own: Sequence[int], read: Stated, losses: Mapping[int, float]) -> str:
        if not own:
            return read.why or NOTHING
        return NO_MORE if any(place in losses for place in own) else UNKNOWN
