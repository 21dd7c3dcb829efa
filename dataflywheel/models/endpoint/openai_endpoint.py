"""Endpoints that speak OpenAI's dialect: vLLM, SGLang, llama.cpp, Ollama and most vendors."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import orjson

from dataflywheel.contracts import FlywheelError
from dataflywheel.models.endpoint.chat_model import (
    AwayError,
    DroppedError,
    RejectedError,
    TooSlowError,
    UnavailableError,
    declared,
)
from dataflywheel.models.endpoint.key_forms import key_forms
from dataflywheel.models.endpoint.openai_error import refusal
from dataflywheel.models.endpoint.openai_reply import read_reply
from dataflywheel.models.endpoint.request import Reply, Request
from dataflywheel.models.endpoint.served import Served
from dataflywheel.models.endpoint.spare_fields import SPARE, drawn_by, refused_fields, refuses_bounds, unbounded
from dataflywheel.models.endpoint.transport import ALIVE, MOST, connect
from dataflywheel.models.spec import ModelSpec, Price

MOST_FILE = 1 << 31
"""Bytes of a file of a batch, at most."""
LEAST_BOUND = 1 << 20
TOKEN_BYTES = 256
MESSAGE_TOKENS = 16
TEMPLATE_TOKENS = 64
"""What a chat template may add to a conversation, and to each of its messages."""


class OpenAIEndpoint:
    """One model at one address. The `openai` package is the transport, with its own retries off."""

    def __init__(self, spec: ModelSpec) -> None:
        assert spec.endpoint is not None
        self.capabilities = declared(spec)
        self.price = spec.usd_per_mtok or Price()
        added = orjson.dumps(spec.extra, option=orjson.OPT_SORT_KEYS).decode() if spec.extra else ""
        self.identity = f"{spec.model}@{spec.endpoint.rstrip('/')}{added}"
        self.where = f"{spec.endpoint} (model {spec.model})"
        self._spec = spec
        self._secret = spec.api_key.get_secret_value() if spec.api_key else ""
        self._forms = key_forms(self._secret)
        self._limit_name = "max_tokens"
        self._left_out: set[str] = set()
        self._made: Any = None
        self._served = Served(spec.timeout, spec.patience)

    def tokens(self, request: Request) -> int:
        """Bytes of what is sent, for a token is a byte at least, and what the template may add."""
        if request.prompt is not None:
            return len(request.prompt.encode()) + 1
        sent = len(orjson.dumps(request.messages)) + len((request.tools or "").encode())
        schema = len((request.schema or "").encode())
        return sent + schema + MESSAGE_TOKENS * len(request.messages) + TEMPLATE_TOKENS

    async def send(self, request: Request) -> Reply:
        """One attempt: see `ChatModel.send`."""
        fields = self.body(request)
        body = orjson.dumps(fields)
        # One name for all attempts, for providers and gateways that tell a repeated request by it.
        name = hashlib.sha256(body + str(request.sample).encode()).hexdigest()
        self._client()  # loading the transport is not the endpoint's delay
        try:
            most = most_bytes(request)
            content = await self.exchange(path_of(request), body, {"Idempotency-Key": name}, most=most)
            with self._no_key():
                return self.masked(read_reply(content, request, self.where))
        except RejectedError as error:
            meant = {"top_p"} if request.sampling.top_p != 1.0 else set()
            if not self.adapts(str(error), fields.keys() - meant):
                raise
            return await self.send(request)

    def adapts(self, refusal: str, sent: Collection[str] = SPARE) -> bool:
        """Whether the endpoint wants the token limit under its newer name, or does not know a field that can be left
        out; if so, it is asked so from now on.

        `sent` are the fields of the refused request: requests that went out together are refused together.
        """
        if "max_tokens" in sent and "max_completion_tokens" in refusal:
            self._limit_name = "max_completion_tokens"
            return True
        bounds = "response_format" in sent and "bounds" not in self._left_out and refuses_bounds(refusal)
        refused = {"bounds"} if bounds else refused_fields(refusal, sent)
        if not refused:
            return False
        self._left_out |= refused
        return True

    async def close(self) -> None:
        if self._made is not None:
            await self._made.close()
            self._made = None

    def body(self, request: Request) -> dict[str, Any]:
        """The request as it is sent."""
        sampling, can = request.sampling, self.capabilities
        body: dict[str, Any] = {**self._spec.extra, "model": self._spec.model, "temperature": sampling.temperature}
        body[self._limit_name] = sampling.max_tokens
        if sampling.top_p != 1.0 or "top_p" not in self._left_out:
            body["top_p"] = sampling.top_p  # always, for servers have defaults of their own
        if sampling.stop:
            body["stop"] = list(sampling.stop)
        if can.seed and "seed" not in self._left_out:
            # One seed for all would draw the same answer every time.
            body["seed"] = drawn_by(request) if sampling.seed is None else sampling.seed + request.sample
        if request.prompt is not None:
            body["prompt"] = request.prompt
            if sampling.top_logprobs:
                body["logprobs"] = sampling.top_logprobs
            return body
        body["messages"] = request.messages
        if sampling.top_logprobs:
            body |= {"logprobs": True, "top_logprobs": sampling.top_logprobs}
        if request.tools:
            body["tools"] = orjson.loads(request.tools)
        if request.schema and can.json_schema is not False:
            schema = orjson.loads(request.schema)
            bounded = unbounded(schema) if "bounds" in self._left_out else schema
            form = {"name": "answer", "schema": bounded, "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": form}
        return body

    def _client(self) -> Any:
        """The transport, made at the first request, in the event loop that it belongs to."""
        if self._made is None:
            self._made = connect(self._spec, self._secret)
        return self._made

    async def exchange(
        self,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        file: tuple[str, bytes] | None = None,
        most: int = MOST_FILE,
    ) -> bytes:
        """The body of a good reply, raw, up to `most` bytes: reading it is our work, whatever it may be.

        For a POST of `body`, the upload of a `file` (name, content) of a batch, or a GET where there is neither.

        Raises: what `ChatModel.send` raises.
        """
        try:
            MOST.set(most)
            with self._no_key():
                async with self._served.turn() as turn:
                    ALIVE.set(turn.alive)
                    content = await self._carry(path, body, headers or {}, file)
        except TimeoutError:
            why = f"no answer, nor a part of one, for {self._spec.timeout:g} s"
            raise TooSlowError(f"{why}: allow more by `timeout` (--timeout)", maybe_paid=True) from None
        return self._blotted(content)

    async def _carry(
        self, path: str, body: bytes | None, headers: dict[str, str], file: tuple[str, bytes] | None
    ) -> bytes:
        import httpx2
        import openai

        try:
            client, given = self._client(), {"cast_to": httpx2.Response, "options": {"headers": headers}}
            if file is not None:
                headers["Content-Type"] = "multipart/form-data"
                reply = await client.post(path, body={"purpose": "batch"}, files=[("file", file)], **given)
            elif body is not None:
                reply = await client.post(path, content=body, **given)
            else:
                reply = await client.get(path, **given)
            content: bytes = reply.content
            return content
        except openai.APIStatusError as error:
            given_back = error.response
            raise refusal(
                given_back.status_code, self._blotted(given_back.content), given_back.headers, self.where
            ) from None
        except openai.APIConnectionError as error:
            cause = error.__cause__
            unsent = isinstance(cause, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout)
            message = self._clean(f"{type(cause).__name__}: {cause}")
            if isinstance(error, openai.APITimeoutError) and not unsent:
                raise TooSlowError(message, maybe_paid=True) from None
            if isinstance(cause, httpx2.ConnectError | httpx2.ConnectTimeout):
                raise AwayError(message) from None
            raise (UnavailableError(message) if unsent else DroppedError(message, maybe_paid=True)) from None
        except httpx2.HTTPError as error:  # while the body was read
            raise DroppedError(self._clean(f"{type(error).__name__}: {error}"), maybe_paid=True) from None

    @contextmanager
    def _no_key(self) -> Iterator[None]:
        """No error shows the key, however the endpoint wrote it."""
        try:
            yield
        except FlywheelError as error:
            error.args = (self._clean(str(error)),)
            raise

    def masked(self, reply: Reply) -> Reply:
        """The reply without the key, in whatever form the endpoint wrote it."""
        hide = self._hidden
        return replace(
            reply,
            text=hide(reply.text),
            reasoning=hide(reply.reasoning),
            calls=hide(reply.calls),
            detail=hide(reply.detail),
            finish=hide(reply.finish),
        )

    def _hidden(self, text: str) -> str:
        for form in self._forms:
            text = text.replace(form, "***")
        return text

    def _blotted(self, content: bytes) -> bytes:
        for form in self._forms:
            content = content.replace(form.encode(), b"***")
        return content

    def _clean(self, text: str) -> str:
        return self._hidden(text.replace(self._secret, "***") if self._secret else text)


def path_of(request: Request) -> str:
    """Where a request goes, behind the base address."""
    return "/chat/completions" if request.prompt is None else "/completions"


def most_bytes(request: Request) -> int:
    """Bytes of an answer that is as long as was allowed, generously: a token is a few letters, all of them escaped,
    and its log-probabilities."""
    tokens, tops = request.sampling.max_tokens, request.sampling.top_logprobs
    return LEAST_BOUND + tokens * (TOKEN_BYTES + (TOKEN_BYTES * (tops + 1) if tops else 0))
