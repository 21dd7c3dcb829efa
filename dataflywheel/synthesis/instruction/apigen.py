"""APIGen: questions with the calls of tools that answer them, checked by form, by running them, and by meaning."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, PrivateAttr, model_validator

from dataflywheel.contracts import Card, UserPath
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.failure import failure
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Sampling
from dataflywheel.models.endpoint.structured import Asks, Form, ask_for
from dataflywheel.proposing.asking import AskingProposer, without
from dataflywheel.proposing.kinds import Demand, NamedGate, Proposal
from dataflywheel.proposing.limited_process import Limits
from dataflywheel.rows.formats.tool_calls import canonical_calls
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import Row, message
from dataflywheel.synthesis.instruction.tool_questions import (
    Asked,
    Draft,
    Kind,
    Verdict,
    arguments_of,
    fault,
    material,
)
from dataflywheel.synthesis.instruction.tool_runs import FAILED, NO_FUNCTION, functions_of, run_calls
from dataflywheel.synthesis.instruction.tool_schemas import NOT_JSON, Tool, Tools, tools_of, tools_of_row

INSTRUCTIONS = (
    "The material is the specifications of tools that an assistant can call. Write a question as a person would ask "
    "it, who does not know of the tools: with every value that the calls need, and without the names of tools or "
    "arguments. Then write what the assistant does. `calls` are the calls of tools that answer the question, each with "
    "the tool's `name` and its `arguments`: a JSON object, written as a text, such as "
    '`{"city": "Oslo", "days": 3}`. Values come from the question and fit the specification; arguments that need '
    "not be given are left out where the question says nothing of them."
)
ASKS = {
    "one": "Write a `question` that one call answers, the call in `calls`, and an empty `reply`.",
    "several": "Write a `question` that takes two to four calls, none of which needs what another one gives, the calls "
    "in `calls`, and an empty `reply`.",
    "none": "Write a `question` that is close to what these tools do and that none of them can answer, an empty list "
    "of `calls`, and in `reply` what the assistant says to the person.",
}
CHECK = (
    "You check what an assistant did. The material is the specifications of its tools, a question, and either the "
    "calls of tools that it made, with what they gave where they were run, or its reply without a call. Say in "
    "`reason` whether the calls are those that the question asks for: the right tools, every value as the question "
    "has it, nothing left out and nothing added, and no result that is an error; of a reply, whether no tool could "
    "have answered and the reply says nothing untrue. Then say true or false."
)
ASK_CHECK = "Give the `reason`, and then say in `fits` whether what the assistant did answers the question."
NO_TOOLS = "no tools whose schemas can be checked"
MEANING = "the calls do not answer the question"


class APIGen(Instructed, AskingProposer):
    """From tools a question and the calls that answer it, as rows that call tools. What passes all three layers is a
    row: the form (JSON, names, required arguments, types and choices by the schema), the run (with `functions` every
    call runs in the jail, and one that fails is no row), and the meaning (a model compares them with the question).

    The field `checked` beside a row says how far: `executed`, `schema` where no functions were given, and `no call`
    where the right answer is to call nothing; there an empty list `answers` says so to the metric `tool_call`. Schemas
    with keywords that are not checked here (`$ref`, `allOf`, `pattern`) are left out.
    """

    card: ClassVar[Card] = Card(
        title="APIGen: Automated Pipeline for Generating Verifiable and Diverse Function-Calling Datasets",
        authors="Liu et al.",
        year=2024,
        paper="2406.18518",
        category="synthesis",
        subcategory="instruction",
        summary="Questions with the calls of tools that answer them, checked by schema, by running and by meaning.",
        needs=("endpoint",),
        cost="$$",
        checked="a scripted writer with nine planted faults: wrong names, types, choices, missing and further "
        "arguments, prose, calls that fail when run or mean something else; none of them passes",
        pays="Tools of one's own whose calls a model must learn, best with functions that need no network.",
        fails="Without functions a call may fit its schema and be wrong; then only the second question stands between.",
        evidence="Here, of 300 scripted questions with nine planted faults in half of them, all good ones and no other "
        "became rows. What training on it is worth was not measured here.",
    )
    name: ClassVar[str] = "apigen"
    answered_in: ClassVar[type[Form] | None] = Asked
    revisits: ClassVar[bool] = True
    gates: ClassVar[tuple[NamedGate, ...]] = ("format_and_length", "prompt_leak", "novelty")

    tools: Tools = []
    """Specifications of tools, or a file that holds them (`.json`, `.jsonl`); empty: the tools beside each row."""
    functions: UserPath | None = None
    """A file of Python with a function for each tool, by its name: calls are run there, in the jail. Not given: calls
    are held against their schemas alone."""
    kinds: tuple[Kind, ...] = Field(default=("one", "several", "none"), min_length=1)
    """What is asked for, one of these by chance: a question for one call, for several at once, or for none. Named
    twice, it comes twice as often."""
    most_tools: int = Field(default=4, ge=1, le=32)
    """Tools that one question is written about, drawn from those that there are."""
    limits: Limits = Field(default_factory=Limits)
    """What a call may use where it is run."""
    instructions: Instructions = INSTRUCTIONS
    """What the model is told to do."""
    check: Instructions = CHECK
    """What it is told to do to compare question and calls."""
    _source: str = PrivateAttr("")
    _defined: frozenset[str] = PrivateAttr(frozenset())

    @model_validator(mode="after")
    def _runnable(self) -> Self:
        if self.functions is not None:
            self._source, self._defined = functions_of(self.functions)
            lacking = [tool.name for tool in tools_of(self.tools) if tool.name not in self._defined]
            if lacking:
                raise ValueError(f"{self.functions} has no function {lacking[0]!r}, which is one of the tools")
        return self

    @classmethod
    def written_from(cls, given: Mapping[str, Any]) -> Literal["rows", "documents", "nothing"]:
        return "nothing" if given.get("tools") else "rows"

    def calls_a_seed(self) -> float:
        return 2.0

    def leans_on(self) -> str:
        return hashlib.blake2b(self._source.encode(), digest_size=8).hexdigest() if self._source else ""

    def unfit(self, seed: Row) -> str:
        return "" if self.tools or tools_of_row(seed["tools"]) else NO_TOOLS

    def propose_with(self, client: Asks, demand: Demand) -> list[Proposal]:
        drafts = [self._draft(seed, demand.rng) for seed in demand.seeds]
        self._write(client, drafts, demand.turns)
        for one in drafts:
            if not one.why:
                one.fails(fault(one), "form")
        self._run([one for one in drafts if not one.why])
        self._compare(client, [one for one in drafts if not one.why])
        return [self._proposal(one) for one in drafts]

    def _draft(self, seed: Row, rng: np.random.Generator) -> Draft:
        kind, there = self.kinds[int(rng.integers(len(self.kinds)))], self._tools(seed)
        places = sorted(rng.permutation(len(there))[: self.most_tools].tolist())
        draft = Draft(seed, kind, [there[place] for place in places])
        if not there:
            draft.fails(NO_TOOLS, "tools")
        return draft

    def _tools(self, seed: Row) -> list[Tool]:
        return tools_of(self.tools) if self.tools else tools_of_row(seed["tools"])

    def _write(self, client: Asks, drafts: Sequence[Draft], turns: Sequence[int]) -> None:
        open_ = [(one, turn) for one, turn in zip(drafts, turns, strict=True) if not one.why]
        asked = [
            question(self.instructions, {"tools": one.shown}, ASKS[one.kind], self.sampling, turn)
            for one, turn in open_
        ]
        for (one, _), answer in zip(open_, ask_for(client, asked, Asked), strict=True):
            one.replies += answer.replies
            if answer.value is None:
                one.fails(failure(answer), "form")
                continue
            one.prompt, one.reply = answer.value.question.strip(), answer.value.reply.strip()
            for call in answer.value.calls:
                given = arguments_of(call)
                one.calls.append({"name": call.name, "arguments": given})
                if given is None and not one.why:
                    one.fails(f"{NOT_JSON}: {call.arguments[:60]!r}", "form")

    def _run(self, drafts: Sequence[Draft]) -> None:
        """Run every call where there are functions; one that fails takes its question with it."""
        if self.functions is None:
            return
        for one in drafts:
            lacking = [call["name"] for call in one.calls if call["name"] not in self._defined]
            if lacking:
                one.fails(f"{NO_FUNCTION}: {lacking[0]}", "execution")
        open_ = [one for one in drafts if not one.why]
        runs = iter(run_calls(self._source, [call for one in open_ for call in one.calls], self.limits))
        for one in open_:
            for call in one.calls:
                run = next(runs)
                one.results.append(run.value or "")
                if run.reason and not one.why:
                    one.fails(f"{FAILED}: {call['name']}: {run.detail or run.reason}", "execution")

    def _compare(self, client: Asks, drafts: Sequence[Draft]) -> None:
        sampling = Sampling(max_tokens=self.max_tokens)
        asked = [question(self.check, material(one), ASK_CHECK, sampling) for one in drafts]
        for one, answer in zip(drafts, ask_for(client, asked, Verdict), strict=True):
            one.replies += answer.replies
            if answer.value is None:
                one.fails(failure(answer), "meaning")
            elif not answer.value.fits:
                one.fails(f"{MEANING}: {answer.value.reason[:80]}", "meaning")

    def _proposal(self, one: Draft) -> Proposal:
        parents = [] if self.tools else [one.seed]
        how = "no call" if not one.calls else "executed" if self.functions is not None else "schema"
        facts: dict[str, Any] = {"kind": one.kind, "tools": [tool.name for tool in one.tools]}
        if one.why:
            return replace(without(one.why, *parents, replies=one.replies), facts={**facts, "layer": one.layer})
        calls = canonical_calls(one.calls, "answer") if one.calls else None
        row = make_row(
            [message("user", one.prompt), message("assistant", "" if calls else one.reply, calls)],
            tools=one.shown,
            source=one.seed["source"] if parents else self.name,
            tags=one.seed["tags"],
            extra={"checked": how, **({} if calls else {"answers": []})},
            parents=[seed["id"] for seed in parents],
            made_by=self.name,
            round=one.seed["round"],
        )
        facts |= {"checked": how, "results": one.results}
        shown = (self.instructions, *ASKS.values())
        return Proposal(tuple(row["parents"]), row, shown=shown, facts=facts, replies=one.replies)

    def told_of(self, came: Sequence[tuple[Proposal, str]]) -> dict[str, Any]:
        """How many questions ended in which layer, and how the rows were checked, by kind."""
        layers = Counter(str(p.facts.get("layer") or "gates") for p, why in came if why)
        kept = Counter(f"{p.facts.get('kind')}, {p.facts.get('checked')}" for p, why in came if not why)
        return {"lost_in": dict(sorted(layers.items())), "rows_by_kind": dict(sorted(kept.items()))}
