"""Source2Synth on documents: questions that take two of them, kept where answering again comes to the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal

from pydantic import Field, PrivateAttr

from dataflywheel.contracts import Card
from dataflywheel.models.endpoint.account import client_for
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.failure import failure, passing
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Sampling
from dataflywheel.models.endpoint.structured import Asks, Form, ask_for
from dataflywheel.models.spec import ModelSpec
from dataflywheel.proposing.answers.compare import same_answer
from dataflywheel.proposing.asking import AskingProposer, without
from dataflywheel.proposing.child import child
from dataflywheel.proposing.kinds import Demand, NamedGate, Proposal, Proposer
from dataflywheel.rows.schema import Row
from dataflywheel.synthesis.knowledge.documents import text_of_document
from dataflywheel.synthesis.knowledge.shared_names import Bridge, bridges, holds, part_with
from dataflywheel.synthesis.knowledge.two_hops import ALONE, BLURRED, NO_MORE, OTHER, Again, Draft, Hops, Named, fault

INSTRUCTIONS = (
    "The material is two passages and a name that stands in both. Write a question that takes both passages, in their "
    "language, step by step. `first`: a question that the first passage answers, and whose answer is the name. "
    "`second`: a question about what bears the name, which the second passage answers. `evidence`: the sentence of the "
    "second passage that answers it, copied letter for letter. `answer`: that answer, in as few of its words as "
    "will do. `question`: the second question with the name replaced by what the first one says of it, so that it "
    "never has the name nor speaks of passages. With 'Who wrote Emma?' (Jane Austen) and 'Where was Jane Austen "
    "born?', it is 'Where was the author of Emma born?'"
)
ASK = "Write `first`, then `second`, then the `evidence`, then the `answer`, then the `question`."
BRIDGE = (
    "The material is a passage and a question that speaks of somebody or something without its name. Say in `reason` "
    "what the question says of it and where the passage has that. Then give the name as the passage writes it; where "
    "the passage does not tell, the name is: unknown."
)
ASK_BRIDGE = "Give the `reason`, and then the `name` of what the question speaks of."
ANSWER = (
    "The material is two passages and a question. Answer from the passages alone. Say in `reason` what each of them "
    "has to do with the question; then give the answer in as few words of the passages as will do. Where they do not "
    "tell, the answer is: unknown."
)
ASK_ANSWER = "Give the `reason`, and then the `answer` to the question."


class Source2SynthDocuments(Instructed, AskingProposer):
    """Each visit of a document takes the next name that it shares with another one, the rarest first: a question about
    what bears the name, which the other document answers, and in which the name is replaced by what the first one says
    of it. The answer stands in a sentence that is quoted word for word, and not in the first passage.

    Then a model that wrote none of it is asked twice over: which name the question speaks of, from the first passage,
    and for the answer, from both, up to `attempts` times. The row is kept where both come out. The paper says that a
    part is left blank and filled in again; that this part is the name is our reading. Names are found by their
    capitals, so that texts in scripts without capitals share none.
    """

    card: ClassVar[Card] = Card(
        title="Source2Synth: Synthetic Data Generation and Curation Grounded in Real Data Sources",
        authors="Lupidi et al.",
        year=2024,
        paper="2409.08239",
        category="synthesis",
        subcategory="knowledge",
        summary="Questions over two documents that share a name, kept where answering again comes to name and answer.",
        needs=("endpoint",),
        cost="$$",
        checked="a scripted writer with five planted faults on made-up documents, and helpers of known accuracy",
        pays="Many documents about things that name each other: an encyclopaedia, a wiki, reports of one house.",
        fails="Documents that share no rare names; questions whose second step alone gives the answer away.",
        evidence="Here, of 100 scripted questions with planted faults in half of them, none of these became a row. "
        "What training on it is worth was not measured here.",
    )
    name: ClassVar[str] = "source2synth_documents"
    answered_in: ClassVar[type[Form] | None] = Hops
    writes_from: ClassVar[Literal["rows", "documents", "nothing"]] = "documents"
    gates: ClassVar[tuple[NamedGate, ...]] = ("format_and_length", "refusal", "prompt_leak", "grounded")

    passages: bool = True
    """Whether both passages stand before the question; else it is to be answered from memory."""
    longest: int = Field(default=2000, ge=200)
    """Characters of a passage, at most."""
    attempts: int = Field(default=3, ge=0, le=16)
    """How often the question is answered again, at most, until one agrees; 0 asks for neither name nor answer."""
    helper: ModelSpec | None = None
    """The model that answers again; the writer where none is named."""
    instructions: Instructions = INSTRUCTIONS
    """What the model is told to do."""
    bridging: Instructions = BRIDGE
    """What the helper is told to do to find the name."""
    answering: Instructions = ANSWER
    """What it is told to do to answer."""
    _steps: dict[int, list[list[Bridge]]] = PrivateAttr(default_factory=dict)
    _rehearses: bool = PrivateAttr(False)

    def unfit(self, seed: Row) -> str:
        return text_of_document(seed)[1]

    def calls_a_seed(self) -> float:
        """At most: answering again ends with the first answer that agrees."""
        return 2.0 + self.attempts if self.attempts else 1.0

    def rehearsed(self) -> Proposer:
        """Rows that share no name are taken as if they shared their first word."""
        made = self.model_copy()
        made._rehearses = True
        return made

    def propose_with(self, client: Asks, demand: Demand) -> list[Proposal]:
        every = list({row["id"]: row for row in (*demand.every, *demand.seeds)}.values())
        places = {row["id"]: i for i, row in enumerate(every)}
        texts = [text_of_document(row)[0] for row in every]
        key = hash(tuple(places))
        if key not in self._steps:
            self._steps.clear()
            words = [[Bridge(text.split()[0], (i + 1) % len(texts))] if text else [] for i, text in enumerate(texts)]
            self._steps[key] = words if self._rehearses else bridges(texts)
        made: list[Draft | str] = []
        for seed, turn in zip(demand.seeds, demand.turns, strict=True):
            place, steps = places[seed["id"]], self._steps[key][places[seed["id"]]]
            if self.unfit(seed) or turn >= len(steps):
                made.append(self.unfit(seed) or (NO_MORE if steps else ALONE))
                continue
            step = steps[turn]
            first, second = (
                texts[i][slice(*part_with(texts[i], step.name, self.longest))] for i in (place, step.other)
            )
            made.append(Draft(seed, every[step.other], step.name, first, second))
        drafts = [one for one in made if isinstance(one, Draft)]
        self._write(client, drafts)
        helper = client_for(self.helper) if self.helper is not None else client
        if self.attempts:
            self._bridge(helper, [one for one in drafts if not one.why])
        for attempt in range(self.attempts):
            self._answer(helper, [one for one in drafts if not one.why and not one.agreed], attempt)
        return [
            without(one, seed) if isinstance(one, str) else self._proposal(one)
            for one, seed in zip(made, demand.seeds, strict=True)
        ]

    def _write(self, client: Asks, drafts: Sequence[Draft]) -> None:
        asked = [
            question(
                self.instructions,
                {"first passage": one.first, "second passage": one.second, "name": one.name},
                ASK,
                self.sampling,
            )
            for one in drafts
        ]
        for one, answer in zip(drafts, ask_for(client, asked, Hops), strict=True):
            one.replies += answer.replies
            if answer.value is None:
                one.why = failure(answer)
                continue
            said = answer.value
            one.prompt, one.answer, one.evidence = said.question.strip(), said.answer.strip(), said.evidence.strip()
            one.why = fault(one)

    def _bridge(self, client: Asks, drafts: Sequence[Draft]) -> None:
        sampling = Sampling(max_tokens=self.max_tokens)
        asked = [
            question(self.bridging, {"passage": one.first, "question": one.prompt}, ASK_BRIDGE, sampling)
            for one in drafts
        ]
        for one, answer in zip(drafts, ask_for(client, asked, Named), strict=True):
            one.replies += answer.replies
            said = " ".join(answer.value.name.split()).strip(" .\"'") if answer.value else ""
            same = said.casefold() == one.name.casefold() or (holds(one.name, said) and len(said) > len(one.name) / 2)
            one.why = passing(answer.replies) or ("" if said and same else BLURRED)

    def _answer(self, client: Asks, drafts: Sequence[Draft], attempt: int) -> None:
        sampling = Sampling(temperature=self.temperature if attempt else 0.0, max_tokens=self.max_tokens)
        asked = [
            question(
                self.answering,
                {"first passage": one.first, "second passage": one.second, "question": one.prompt},
                ASK_ANSWER,
                sampling,
                attempt,
            )
            for one in drafts
        ]
        for one, answer in zip(drafts, ask_for(client, asked, Again), strict=True):
            one.replies += answer.replies
            one.tries += 1
            one.why = passing(answer.replies)
            one.agreed = answer.value is not None and same_answer(answer.value.answer.strip(), one.answer)

    def _proposal(self, one: Draft) -> Proposal:
        parents = (one.seed, one.other)
        facts: dict[str, Any] = {"name": one.name, "tries": one.tries}
        why = one.why or (OTHER if self.attempts and not one.agreed else "")
        if why:
            return replace(without(why, *parents, replies=one.replies), facts=facts)
        source = f"{one.first}\n\n{one.second}"
        prompt = f"{source}\n\n{one.prompt}" if self.passages else one.prompt
        row = child(self.name, one.seed, prompt, one.answer, [one.other])
        shown = (str(self.instructions), str(self.bridging), str(self.answering))
        facts |= {"evidence": one.evidence}
        ids = (one.seed["id"], one.other["id"])
        return Proposal(ids, row, source=source, shown=shown, facts=facts, replies=tuple(one.replies))
