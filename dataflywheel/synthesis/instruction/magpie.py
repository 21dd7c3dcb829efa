"""Magpie: an aligned model that is shown the opening of a user's turn, and nothing else, writes the turn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from pydantic import Field

from dataflywheel.contracts import Card, UsageError
from dataflywheel.models.endpoint.request import Reply, Request, Sampling
from dataflywheel.models.endpoint.structured import Asks
from dataflywheel.proposing.asking import AskingProposer, failed, without
from dataflywheel.proposing.kinds import Demand, Proposal
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import Message, Row, message
from dataflywheel.synthesis.instruction.pre_query_templates import TEMPLATES, PreQueryTemplate, own_template
from dataflywheel.synthesis.instruction.sanitiser import Repair, sanitise

PLACES = 20
"""Bits for a draw's place in its wave, and as many for the wave."""


@dataclass
class _Talk:
    """What was drawn and answered so far, and the text behind which the next turn is drawn."""

    text: str
    number: int
    asked: str = ""
    why: str = ""
    """Why it does not go on, or ""."""
    messages: list[Message] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    repairs: list[Repair] = field(default_factory=list)


class Magpie(AskingProposer):
    """Draws of a user's turn, as many as rows are wanted, and the model's own greedy answer to each. It needs no rows.

    The model must continue raw text; a chat interface alone cannot be used, and is refused before anything is spent.

    A format that begins with BOS (`llama-2`, `llama-3`, `mistral`, `gemma`) has it in the text that is sent. A local
    model reads it once. Some endpoints put a BOS of their own before raw text, vLLM among them: have them leave it out
    by `extra: {add_special_tokens: false}` of the model, or turns are drawn behind two.
    """

    card: ClassVar[Card] = Card(
        title="Magpie: Alignment Data Synthesis from Scratch by Prompting Aligned LLMs with Nothing",
        authors="Xu et al.",
        year=2024,
        paper="2406.08464",
        category="synthesis",
        subcategory="instruction",
        summary="Instructions drawn from an aligned model by its own chat format up to the user's turn, with answers.",
        needs=("endpoint",),
        cost="$",
        checked="a small chat model trained with a toy format: its draws end their turns; formats against transformers",
        pays="A strong open chat model behind raw completions, and no rows at all: general instructions in the words "
        "of users, at about two calls a row.",
        fails="It gives the model's own mix of subjects, not yours, and repeats itself as the number of draws grows: "
        "steer by `system`, choose from the draws against a target, or use `attribute_grid`.",
    )
    capabilities: ClassVar[tuple[str, ...]] = ("completion",)
    writes_from: ClassVar[Literal["rows", "documents", "nothing"]] = "nothing"
    revisits: ClassVar[bool] = True
    gates: ClassVar[tuple[str, ...]] = ("format_and_length", "refusal", "prompt_leak", "novelty")

    template: str = ""
    """The family of the model's chat format. Empty: the format of a local model's own tokenizer."""
    system: str = ""
    """A system text that steers what is asked about; answers may get worse by it."""
    one_line: bool = False
    """End the user's turn at its first line break, as the paper's program does."""
    top_p: float = Field(default=1.0, gt=0, le=1)
    """Share of the probability from which the user's turn is drawn."""
    instruction_tokens: int = Field(default=512, ge=8)
    """Tokens of a user's turn, at most."""
    turns: int = Field(default=1, ge=1, le=8)
    """Turns of the user in a row, each drawn behind what was said before. A talk that comes to no further turn is
    shorter; its row says how many turns it has under `turns` in the report's facts."""

    def calls_a_seed(self) -> float:
        return 2.0 * self.turns

    def propose_with(self, client: Asks, demand: Demand) -> list[Proposal]:
        template = self._template()
        opening = template.before(self.system)
        talks = [_Talk(opening, number) for number in self._numbers(demand)]
        for turn in range(self.turns):
            going = [talk for talk in talks if not talk.why]
            if turn:
                for talk in going:
                    talk.text += template.again
            self._draw(client, going, template)
            self._answer(client, [talk for talk in going if not talk.why], template)
        return [self._read(seed, talk) for seed, talk in zip(demand.seeds, talks, strict=True)]

    def _draw(self, client: Asks, talks: list[_Talk], template: PreQueryTemplate) -> None:
        """The next turn of the user in each talk."""
        stop = template.stop + (("\n",) if self.one_line else ())
        drawing = Sampling(self.temperature, self.top_p, self.instruction_tokens, stop)
        requests = [Request(prompt=talk.text, sampling=drawing, sample=talk.number) for talk in talks]
        for talk, reply in zip(talks, client.ask(requests) if requests else [], strict=True):
            talk.replies.append(reply)
            text, repair = sanitise(reply.text) if reply.answered else ("", Repair.NONE)
            talk.why = failed(reply).failure if not reply.answered else "" if text else "empty instruction"
            if not talk.why:
                talk.repairs.append(repair)
                talk.asked = text

    def _answer(self, client: Asks, talks: list[_Talk], template: PreQueryTemplate) -> None:
        """The model's own answer to the turn that was drawn."""
        answering = Sampling(0.0, 1.0, self.max_tokens, template.stop)
        requests = [Request(prompt=t.text + t.asked + template.answer, sampling=answering) for t in talks]
        for talk, reply in zip(talks, client.ask(requests) if requests else [], strict=True):
            talk.replies.append(reply)
            said = reply.spoken().text.strip() if reply.answered else ""
            talk.why = failed(reply).failure if not reply.answered else "" if said else "empty answer"
            if not talk.why:
                talk.messages += [message("user", talk.asked), message("assistant", said)]
                talk.text += talk.asked + template.answer + said

    @staticmethod
    def _numbers(demand: Demand) -> list[int]:
        """One for each draw, so that no two draws of a job are one request; the same when it is run again.

        Wave and place tell draws of a job apart, the random part those of jobs whose demands are alike.
        """
        first = demand.wave << PLACES
        drawn = demand.rng.integers(1 << 22, size=len(demand.seeds)).tolist()
        return [(part << 2 * PLACES) + first + place for place, part in enumerate(drawn)]

    def _read(self, seed: Row, talk: _Talk) -> Proposal:
        """Nothing of the seed is in the row: it has neither parents nor tags, and a source of its own."""
        if not talk.messages:
            return without(talk.why, replies=tuple(talk.replies))
        row = make_row(talk.messages, source=self.name, made_by=self.name, round=seed["round"])
        shown = (self.system,) if self.system else ()
        repaired = next((repair for repair in talk.repairs if repair is not Repair.NONE), Repair.NONE)
        facts: dict[str, Any] = {"repair": repaired.value}
        if self.turns > 1:
            facts |= {"turns": len(talk.messages) // 2, **({"ended": talk.why} if talk.why else {})}
        return Proposal((), row, shown=shown, facts=facts, replies=tuple(talk.replies))

    def _template(self) -> PreQueryTemplate:
        """Raises UsageError where the format is not known."""
        known = ", ".join(sorted(TEMPLATES))
        if self.template:
            if self.template not in TEMPLATES:
                raise UsageError(f"magpie: there is no chat format {self.template!r}; there is: {known}")
            return TEMPLATES[self.template]
        if self.model.endpoint is not None:
            raise UsageError(
                f"magpie: the chat format of {self.model.model} behind an endpoint is not known; write "
                f"`template:` with one of {known} (Qwen and Yi speak chatml)"
            )
        from dataflywheel.models.language.language_model import shared_model

        found = own_template(shared_model(self.model).chat)
        if self.turns > 1 and not found.again:
            raise UsageError("magpie: the model's chat template shows no second turn of the user: leave `turns` out")
        return found
