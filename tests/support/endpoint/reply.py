"""Answers as bytes: chat and text completions, whole or streamed, with log-probabilities and usage."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import Any

import orjson

from tests.support.endpoint.draws import unit
from tests.support.endpoint.faults import REFUSAL, TEXT, THOUGHT
from tests.support.endpoint.question import Question
from tests.support.endpoint.rules.phrasing import Answer

TOKEN = re.compile(r"\s?(?:[^\W\d_]+|\d{1,3}|[^\w\s]+|_+)|\s")
FINISH = {"length": "length", "content_filter": "content_filter", "finish_error": "error", "choice_error": "error"}
Scored = tuple[str, float, Mapping[str, float]]


@dataclass
class Choice:
    """One finished sample."""

    text: str | None
    tokens: list[str]
    finish: str
    logprobs: list[Scored] | None = None
    refusal: str | None = None
    tool_call: bool = False
    thoughts: str | None = None
    error: int | None = None
    """The code of an error that stands in the choice."""


def choice(question: Question, answer: Answer, fault: str, number: int) -> Choice:
    """The answer after what the fault does to it, cut at the request's token limit."""
    text = TEXT[fault](answer.text) if fault in TEXT else answer.text
    scored = list(answer.logprobs) if answer.logprobs is not None and text == answer.text else None
    tokens = [token for token, _, _ in scored] if scored is not None else TOKEN.findall(text)
    finish = FINISH.get(fault, answer.finish or "stop")
    if len(tokens) > question.max_tokens:
        tokens, finish = tokens[: question.max_tokens], "length"
        text = "".join(tokens)
    made = Choice(text, tokens, finish)
    if question.top_logprobs is not None:
        made.logprobs = (scored or _logprobs(question, answer, tokens, number))[: len(tokens)]
    if fault == "refusal_field":
        made = Choice(None, tokens, "stop", refusal=REFUSAL)
    elif fault == "tool_call":
        made = Choice(None, tokens, "tool_calls", tool_call=True)
    elif fault in ("reasoning_field", "only_thoughts"):
        made.thoughts, made.text = (THOUGHT, text) if fault == "reasoning_field" else (text, None)
    elif fault == "choice_error":
        made.error = 502
    return made


def _logprobs(question: Question, answer: Answer, tokens: Sequence[str], number: int) -> list[Scored]:
    """Likely tokens throughout; the decisive one with the rule's own probabilities."""
    places = [i for i, token in enumerate(tokens) if answer.decisive and token.strip() == answer.decisive]
    place = (places[-1] if answer.text.startswith(("{", "[")) else places[0]) if places else -1
    found: list[Scored] = []
    for i, token in enumerate(tokens):
        blank = token[: len(token) - len(token.lstrip())]
        if i == place:
            options = {f"{blank}{text}": log(max(p, 1e-30)) for text, p in answer.alternatives.items()}
        else:
            sure = 0.8 + 0.19 * unit(question.key, number, i)
            options = {token: log(sure), f"{blank}~": log(1 - sure)}
        ranked = dict(sorted(options.items(), key=lambda item: -item[1])[: question.top_logprobs or 0])
        found.append((token, options[token], ranked))
    return found


def _chat_logprobs(scored: Sequence[Scored]) -> dict[str, Any]:
    def one(token: str, logprob: float) -> dict[str, Any]:
        return {"token": token, "logprob": logprob, "bytes": list(token.encode())}

    content = [{**one(t, p), "top_logprobs": [one(*item) for item in top.items()]} for t, p, top in scored]
    return {"content": content, "refusal": None}


def _text_logprobs(scored: Sequence[Scored]) -> dict[str, Any]:
    offsets, at = [], 0
    for token, _, _ in scored:
        offsets.append(at)
        at += len(token)
    columns = {"tokens": [s[0] for s in scored], "token_logprobs": [s[1] for s in scored]}
    return {**columns, "top_logprobs": [dict(s[2]) for s in scored], "text_offset": offsets}


def _message(made: Choice) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": made.text, "refusal": made.refusal}
    if made.thoughts is not None:
        message["reasoning_content"] = made.thoughts
    if made.tool_call:
        call = {"name": "look_up", "arguments": '{"query": "?"}'}
        message["tool_calls"] = [{"id": "call_1", "type": "function", "function": call}]
    return message


def usage(question: Question, choices: Sequence[Choice]) -> dict[str, int]:
    made = sum(len(one.tokens) for one in choices)
    return {"prompt_tokens": question.tokens, "completion_tokens": made, "total_tokens": question.tokens + made}


def whole(question: Question, choices: Sequence[Choice], with_usage: bool) -> dict[str, Any]:
    """The body of a reply that is not streamed."""
    chat = "messages" in question.body
    parts = []
    for i, made in enumerate(choices):
        scored = made.logprobs
        if chat:
            logprobs = _chat_logprobs(scored) if scored is not None else None
            part = {"index": i, "message": _message(made), "logprobs": logprobs, "finish_reason": made.finish}
            if made.error is not None:
                part["error"] = {"code": made.error, "message": "the provider hung up"}
        else:
            logprobs = _text_logprobs(scored) if scored is not None else None
            part = {"index": i, "text": made.text or "", "logprobs": logprobs, "finish_reason": made.finish}
        parts.append(part)
    body = {**_frame(question, "chat.completion" if chat else "text_completion"), "choices": parts}
    return {**body, "usage": usage(question, choices)} if with_usage else body


def _frame(question: Question, kind: str) -> dict[str, Any]:
    return {"id": f"reply-{question.key}-{question.attempt}", "object": kind, "created": 0, "model": question.model}


def events(question: Question, choices: Sequence[Choice], with_usage: bool) -> list[bytes]:
    """The same reply as server-sent events, one token each."""
    chat = "messages" in question.body
    frame = _frame(question, "chat.completion.chunk" if chat else "text_completion")
    found: list[dict[str, Any]] = []
    for i, made in enumerate(choices):
        deltas: list[tuple[dict[str, Any], str | None]] = []
        if chat:
            first = {k: v for k, v in _message(made).items() if v is not None} | {"content": ""}
            deltas.append(({"delta": first}, None))
        for j, token in enumerate(made.tokens if made.text is not None else ()):
            logprobs = _chat_logprobs(made.logprobs[j : j + 1]) if made.logprobs is not None and chat else None
            piece: dict[str, Any] = {"delta": {"content": token}} if chat else {"text": token}
            deltas.append(({**piece, "logprobs": logprobs}, None))
        deltas.append(({"delta": {}} if chat else {"text": ""}, made.finish))
        found += [{**frame, "choices": [{"index": i, **delta, "finish_reason": end}]} for delta, end in deltas]
    options = question.body.get("stream_options") or {}
    if options.get("include_usage") and with_usage:
        found.append({**frame, "choices": [], "usage": usage(question, choices)})
    return [b"data: " + orjson.dumps(event) + b"\n\n" for event in found] + [b"data: [DONE]\n\n"]


def failure(message: str, kind: str, code: str | None = None) -> bytes:
    return orjson.dumps({"error": {"message": message, "type": kind, "param": None, "code": code}})
