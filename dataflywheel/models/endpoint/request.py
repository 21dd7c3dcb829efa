"""What is asked of a model, and what came back."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import accumulate
from typing import Any

import orjson

from dataflywheel.rows.thoughts import split_thoughts
from dataflywheel.rows.turn_ends import own_turn

WITHIN_THOUGHTS = "the reply ends within its thoughts, and no answer followed: allow more tokens, or turn thinking off"


class Outcome(StrEnum):
    """How a request ended: a closed list. Everything but ANSWERED leaves the row without a value."""

    ANSWERED = "answered"
    REFUSED = "refused"
    """The model declined to answer."""
    TRUNCATED = "truncated"
    """The answer reached the token limit, once more with a larger one too."""
    FILTERED = "filtered"
    """The provider's content filter stopped it."""
    MALFORMED = "malformed"
    """The answer is not of the asked form, after one repair as well."""
    TIMED_OUT = "timed out"
    SERVER_ERROR = "server error"
    REJECTED = "rejected"
    """The endpoint does not take this request, for instance because the prompt is too long."""
    OVER_BUDGET = "over budget"
    """Not sent: a cap on dollars, tokens or calls would have been exceeded."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How an answer is drawn. All of it is part of the answer's key."""

    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 512
    stop: tuple[str, ...] = ()
    seed: int | None = None
    top_logprobs: int = 0
    """Alternatives returned with each token of the answer; 0 asks for no log-probabilities."""


@dataclass(frozen=True, slots=True)
class Request:
    """One question to a model: either chat `messages` (with the system text among them) or a raw `prompt`."""

    messages: tuple[Mapping[str, Any], ...] = ()
    prompt: str | None = None
    tools: str | None = None
    """Tool specifications as JSON."""
    sampling: Sampling = field(default_factory=Sampling)
    schema: str | None = None
    """JSON Schema that the answer must follow, as JSON text."""
    sample: int = 0
    """Number of the sample: ten draws of one prompt are ten requests."""
    room: int = 0
    """Of a closed form: tokens that are allowed where a model only thought up to the limit, which stands otherwise. 0:
    an answer that is cut is asked for again with twice the limit. No part of the key, for it changes no answer."""

    @classmethod
    def chat(cls, user: str, system: str = "", sampling: Sampling | None = None, sample: int = 0) -> Request:
        """A question of one turn, with instructions that do not come from the data in `system`."""
        instructions = ({"role": "system", "content": system},) if system else ()
        return cls((*instructions, {"role": "user", "content": user}), sampling=sampling or Sampling(), sample=sample)

    def with_limit(self, max_tokens: int) -> Request:
        return replace(self, sampling=replace(self.sampling, max_tokens=max_tokens))

    def key(self, identity: str) -> str:
        """SHA-256 over the model's identity and everything that is sent, as canonical JSON; never a secret.

        >>> a, b = Request.chat("hi"), Request.chat("hi", sample=1)
        >>> a.key("m") == Request.chat("hi").key("m"), a.key("m") == b.key("m"), a.key("m") == a.key("n")
        (True, False, False)
        """
        return hashlib.sha256(self.canonical(identity)).hexdigest()

    def canonical(self, identity: str) -> bytes:
        """Everything that is sent, and to which model, as JSON with sorted keys."""
        sampling = {name: getattr(self.sampling, name) for name in self.sampling.__slots__}
        sampling |= {"temperature": float(self.sampling.temperature), "top_p": float(self.sampling.top_p)}
        parts = {
            "identity": identity,
            "messages": [dict(message) for message in self.messages],
            "prompt": self.prompt,
            "tools": self.tools,
            "sampling": sampling,
            "schema": self.schema,
            "sample": self.sample,
        }
        return orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """One token of an answer, its log-probability (natural), and the alternatives at its place by token text."""

    token: str
    logprob: float
    top: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of a request. `text` is the raw answer, empty where there is none; it is parsed later."""

    outcome: Outcome
    text: str = ""
    finish: str = ""
    """The endpoint's own word for why the answer ended."""
    logprobs: tuple[TokenLogprob, ...] = ()
    tokens_in: int = 0
    tokens_out: int = 0
    usd: float = 0.0
    detail: str = ""
    """Why there is no answer, for people."""
    key: str = ""
    cached: bool = False
    """Whether it was in the store: it cost nothing now."""
    reasoning: str = ""
    """What the model thought before its answer."""
    calls: str = ""
    """The calls of tools that the answer makes, as a JSON list, where the request offers tools."""
    parted: bool = False
    """Whether thoughts are cut off `text` already."""

    def spoken(self) -> Reply:
        """The answer in `text`, what was thought before it in `reasoning`; without an answer behind them it was cut.

        Neither the token that ends the turn nor turns that the model wrote for others are part of the answer.
        """
        if self.parted:
            return self
        thoughts, said = split_thoughts(self.text)
        said = own_turn(said)
        if said == self.text and not self.reasoning:
            return replace(self, parted=True)
        outcome, detail = self.outcome, self.detail
        if self.answered and not said.strip() and not self.calls:
            outcome, detail = Outcome.TRUNCATED, WITHIN_THOUGHTS
        return replace(
            self,
            outcome=outcome,
            text=said,
            detail=detail,
            reasoning=_together(self.reasoning, thoughts),
            logprobs=_behind(self.logprobs, said),
            parted=True,
        )

    @property
    def answered(self) -> bool:
        return self.outcome is Outcome.ANSWERED


def _together(beside: str, within: str) -> str:
    """Thoughts that came beside and within the content, once where they are the same."""
    return beside if beside.strip() == within.strip() else "\n\n".join(filter(None, (beside, within)))


def _behind(tokens: tuple[TokenLogprob, ...], said: str) -> tuple[TokenLogprob, ...]:
    """The tokens of the answer alone, behind those of the thoughts; none where they cannot be told apart."""
    answer = said.strip()
    at = "".join(token.token for token in tokens).rfind(answer) if answer else -1
    if at < 0:
        return ()
    ends = accumulate(len(token.token) for token in tokens)
    return tuple(token for token, end in zip(tokens, ends, strict=True) if end > at)
