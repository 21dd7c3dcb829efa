"""A small true model behind the endpoint: its own words with its own log-probabilities."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from tests.support.endpoint.question import Question
from tests.support.endpoint.rules.phrasing import Answer, RuleBase


class Tiny(RuleBase):
    """The model of a local folder, loaded at the first question."""

    rule: Literal["tiny"]
    folder: Path

    async def answer(self, question: Question, choice: int) -> Answer:
        # Only here: the server starts at once where no model answers.
        from dataflywheel.models.endpoint.request import Outcome, Request, Sampling

        body = question.body
        stop = body.get("stop") or ()
        sampling = Sampling(
            temperature=float(body.get("temperature", 1.0)),
            top_p=float(body.get("top_p", 1.0)),
            max_tokens=question.max_tokens,
            stop=(stop,) if isinstance(stop, str) else tuple(stop),
            seed=body.get("seed"),
            top_logprobs=max(1, question.top_logprobs) if question.top_logprobs is not None else 0,
        )
        sample = choice + 1000 * (question.attempt - 1 if sampling.temperature else 0)
        messages = tuple(body.get("messages", ()))
        request = Request(messages, None if messages else question.text, sampling=sampling, sample=sample)
        reply = await _model(self.folder).send(request)
        scored = [(one.token, one.logprob, dict(one.top)) for one in reply.logprobs] or None
        return Answer(reply.text, logprobs=scored, finish="length" if reply.outcome is Outcome.TRUNCATED else "stop")


@lru_cache(maxsize=2)
def _model(folder: Path) -> Any:
    from dataflywheel.models.endpoint.local_chat import LocalChat
    from dataflywheel.models.spec import ModelSpec

    return LocalChat(ModelSpec(hf=str(folder)))
