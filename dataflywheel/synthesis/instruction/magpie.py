"""Magpie: an aligned model that is shown the opening of a user's turn, and nothing else, writes the turn."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from dataflywheel.contracts import Card, UsageError
from dataflywheel.models.endpoint.request import Reply, Request, Sampling
from dataflywheel.models.endpoint.structured import Asks
from dataflywheel.proposing.asking import AskingProposer, failed, without
from dataflywheel.proposing.kinds import Demand, Proposal
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.schema import Row
from dataflywheel.synthesis.instruction.pre_query_templates import TEMPLATES, PreQueryTemplate, own_template
from dataflywheel.synthesis.instruction.sanitiser import Repair, sanitise

PLACES = 20
"""Bits for a draw's place in its wave, and as many for the wave."""


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

    def calls_a_seed(self) -> float:
        return 2.0

    def propose_with(self, client: Asks, demand: Demand) -> list[Proposal]:
        template = self._template()
        numbers = self._numbers(demand)
        opening, stop = template.before(self.system), template.stop + (("\n",) if self.one_line else ())
        drawing = Sampling(self.temperature, self.top_p, self.instruction_tokens, stop)
        turns = client.ask([Request(prompt=opening, sampling=drawing, sample=n) for n in numbers])
        cleaned = [sanitise(reply.text) if reply.answered else ("", Repair.NONE) for reply in turns]
        asked = [i for i, (text, _) in enumerate(cleaned) if text]
        answering = Sampling(0.0, 1.0, self.max_tokens, template.stop)
        requests = [Request(prompt=opening + cleaned[i][0] + template.answer, sampling=answering) for i in asked]
        answers = dict(zip(asked, client.ask(requests) if requests else [], strict=True))
        return [self._read(seed, turns[i], *cleaned[i], answers.get(i)) for i, seed in enumerate(demand.seeds)]

    @staticmethod
    def _numbers(demand: Demand) -> list[int]:
        """One for each draw, so that no two draws of a job are one request; the same when it is run again.

        Wave and place tell draws of a job apart, the random part those of jobs whose demands are alike.
        """
        first = demand.wave << PLACES
        drawn = demand.rng.integers(1 << 22, size=len(demand.seeds)).tolist()
        return [(part << 2 * PLACES) + first + place for place, part in enumerate(drawn)]

    def _read(self, seed: Row, turn: Reply, instruction: str, repair: Repair, answer: Reply | None) -> Proposal:
        """Nothing of the seed is in the row: it has neither parents nor tags, and a source of its own."""
        if not turn.answered:
            return failed(turn)
        if answer is None:
            return without("empty instruction", replies=(turn,))
        if not answer.answered:
            return failed(answer, replies=(turn, answer))
        text = answer.spoken().text.strip()
        if not text:
            return without("empty answer", replies=(turn, answer))
        row = prompt_answer_row(instruction, text, source=self.name, made_by=self.name, round=seed["round"])
        shown = (self.system,) if self.system else ()
        return Proposal((), row, shown=shown, facts={"repair": repair.value}, replies=(turn, answer))

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

        return own_template(shared_model(self.model).chat)
