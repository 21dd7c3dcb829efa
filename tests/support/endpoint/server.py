"""The scripted endpoint: routes, limits, faults and the bill around the rules."""

from __future__ import annotations

import asyncio
import inspect
import math
import re
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
from pydantic import ValidationError

from tests.support.endpoint.bill import Book, Line
from tests.support.endpoint.deferred import Deferred
from tests.support.endpoint.delivery import STATUS, lose, stream, turn_away
from tests.support.endpoint.draws import normal, unit
from tests.support.endpoint.embeddings import embeddings
from tests.support.endpoint.faults import FREE, LOST, ODD_USAGE
from tests.support.endpoint.http import Connection, Incoming
from tests.support.endpoint.limits import Gate, retry_header
from tests.support.endpoint.plan import Plan
from tests.support.endpoint.question import Question, body_key
from tests.support.endpoint.reply import Choice, choice, failure, whole
from tests.support.endpoint.rules.phrasing import Answer

ANSWERS = {"/v1/chat/completions": "messages", "/v1/completions": "prompt", "/v1/embeddings": "input"}


class Server:
    """One endpoint. Connections are served side by side on one event loop."""

    def __init__(self, plan: Plan, bill: Path | None = None) -> None:
        self.book = Book(bill)
        self.connections: set[Connection] = set()
        self.tasks: set[asyncio.Task[Any]] = set()
        self.configure(plan)
        self.reset()

    def configure(self, plan: Plan) -> None:
        """Behave by another plan from now on; the bill goes on."""
        self.plan = plan
        self.gate = Gate(plan.limits, asyncio.get_running_loop().time)
        self.slots = asyncio.Semaphore(plan.slots or 1_000_000)

    def reset(self) -> None:
        """Forget all requests and the bill."""
        self.book.clear()
        self.attempts: Counter[str] = Counter()
        self.arrivals = 0
        self.deferred = Deferred()
        self.began = asyncio.get_running_loop().time()

    async def start(self, port: int) -> int:
        """Listen on the loopback; returns the port."""
        loop = asyncio.get_running_loop()
        listening = await loop.create_server(
            lambda: Connection(self.handle, self.connections), "127.0.0.1", port, backlog=2048
        )
        found: int = listening.sockets[0].getsockname()[1]
        return found

    async def handle(self, request: Incoming) -> None:
        path = request.path.partition("?")[0]
        if path.startswith("/admin/"):
            await self._admin(path, request)
        elif self.plan.api_key is not None and request.header("authorization") != f"Bearer {self.plan.api_key}":
            self._refuse(request, 401, "incorrect API key provided", "invalid_api_key")
        elif request.method == "POST" and path in ANSWERS:
            await self._answer(path, request)
        elif path == "/v1/models":
            known = [{"id": name, "object": "model", "created": 0} for name in self.plan.models or ["scripted"]]
            request.connection.reply(200, orjson.dumps({"object": "list", "data": known}))
        elif path.startswith(("/v1/files", "/v1/batches")):
            await self.deferred.handle(path, request, self.plan.batches, self._line)
        else:
            self._refuse(request, 404, f"unknown path {path}", "not_found")

    async def _admin(self, path: str, request: Incoming) -> None:
        if path == "/admin/configure":
            try:
                self.configure(Plan.model_validate_json(request.body))
            except ValidationError as error:
                return request.connection.reply(400, str(error).encode())
        elif path == "/admin/reset":
            for task in self.tasks:
                task.cancel()
            for other in self.connections - {request.connection}:
                other.reset()
            await asyncio.sleep(0.01)
            self.reset()
        elif path == "/admin/bill":
            return request.connection.reply(200, self.book.dump(len(self.tasks)))
        request.connection.reply(200, b"{}")

    def _refuse(self, request: Incoming, status: int, message: str, code: str) -> None:
        """An error before any work, which costs nothing."""
        self.note(Question(request.path, {}, "", 0), request, status, code)
        request.connection.reply(status, failure(message, "invalid_request_error", code))

    async def _answer(self, path: str, request: Incoming) -> None:
        try:
            body = orjson.loads(request.body)
            valid = isinstance(body, dict) and body.get(ANSWERS[path])
        except orjson.JSONDecodeError:
            valid = False
        if not valid:
            return self._refuse(request, 400, f"the body needs {ANSWERS[path]}", "invalid_body")
        question = Question(path, body, body_key(path, body), self.plan.seed, id_pattern=self.plan.id_pattern)
        if self.plan.models and question.model not in self.plan.models:
            return self._refuse(request, 404, f"the model {question.model!r} does not exist", "model_not_found")
        seconds = self.gate.wait(question.tokens, len(self.tasks))
        if seconds:
            self.note(question, request, 429, "limit")
            headers = retry_header(self.plan.limits.retry_after, seconds)
            return request.connection.reply(429, failure("too many requests", "rate_limit_error", "limit"), headers)
        if self.plan.context and question.tokens + question.max_tokens > self.plan.context:
            return self._refuse(request, 400, "the prompt is too long", "context_length_exceeded")
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        self.book.bill.peak_in_flight = max(self.book.bill.peak_in_flight, len(self.tasks))
        try:
            async with self.slots:
                if not (self.plan.slots and request.connection.closed):  # nobody waits for it any more
                    await self._work(question, request, self._fault(question))
        finally:
            self.tasks.discard(task)
        return None

    def _fault(self, question: Question) -> str:
        """Count the attempt; its fault is by a mark in the text, by the script, or by probability."""
        self.attempts[question.key] += 1
        self.arrivals += 1
        question.attempt = self.attempts[question.key]
        for value in question.marked("fault"):
            name, _, times = value.partition("*")
            if not times or question.attempt <= int(times):
                return name
        for entry in self.plan.script:
            due = self.arrivals in entry.requests if entry.requests else True
            again = not entry.attempts or question.attempt in entry.attempts
            if due and again and entry.match in question.text:
                return entry.fault
        drawn = unit(self.plan.seed, question.key, question.attempt, "fault")
        for name, share in self.plan.faults.items():
            if drawn < share:
                return name
            drawn -= share
        return ""

    def _delay(self, question: Question, fault: str) -> float:
        latency = self.plan.latency
        seconds = latency.median_ms / 1000
        if latency.sigma:
            seconds *= math.e ** (latency.sigma * normal(self.plan.seed, question.key, question.attempt, "wait"))
        return min(seconds, latency.max_ms / 1000) + (self.plan.slow_seconds if fault == "slow" else 0.0)

    async def _work(self, question: Question, request: Incoming, fault: str) -> None:
        delay = self._delay(question, fault)
        if delay:
            await asyncio.sleep(delay)
        if fault in FREE:
            self.note(question, request, STATUS.get(fault, 0), fault)
            return turn_away(request.connection, fault, self.plan)
        if question.path == "/v1/embeddings":
            tokens, content = embeddings(question)
            self.note(question, request, 200, fault, billed=(tokens, 0))
            return request.connection.reply(200, content)
        choices = await self.choices(question, fault)
        billed = _tokens(question, choices)
        if fault in LOST:
            # Charged as soon as the work is done: whoever waits for the answer may wait for ever.
            self.note(question, request, 200, fault, billed=billed, lost=True)
            return await lose(request.connection, question, choices, fault)
        if fault == "drip" or question.body.get("stream"):
            await stream(request.connection, question, choices, fault, self.plan.drip_seconds)
            return self.note(question, request, 200, fault, billed=billed)
        self.note(question, request, 200, fault, billed=billed)
        body = orjson.dumps(whole(question, choices, fault not in ("no_usage", "odd_usage")))
        if fault == "odd_usage":
            told = ODD_USAGE[int(unit(question.key, question.attempt, "usage") * len(ODD_USAGE))]
            body = body[:-1] + f', "usage": {told}}}'.encode()
        return request.connection.reply(200, body)

    async def choices(self, question: Question, fault: str) -> list[Choice]:
        """The samples that the question asks for, by the first rule that fits."""
        said = question.marked("say") or re.findall("^Answer with this word alone: (.*)", question.text)
        rule = next((rule for rule in self.plan.rules if rule.fits(question)), None)
        found = []
        for number in range(int(question.body.get("n") or 1)):
            answer: Any = Answer(said[0]) if said else rule.answer(question, number) if rule else Answer("")
            if inspect.isawaitable(answer):
                answer = await answer
            found.append(choice(question, answer, fault, number))
        return found

    async def _line(self, path: str, body: dict[str, Any], name: str) -> tuple[int, bytes]:
        """Answer one line of a batch; faults of the connection mean nothing here."""
        question = Question(path, body, body_key(path, body), self.plan.seed, id_pattern=self.plan.id_pattern)
        fault = self._fault(question)
        fault = "" if fault in LOST or fault == "reset_before" else fault
        status = STATUS.get(fault, 200)
        if status != 200:
            self._add(question, status, fault, None, True, name)
            return status, failure(f"scripted {fault}", "server_error", fault)
        choices = await self.choices(question, fault)
        self._add(question, 200, fault, _tokens(question, choices), True, name)
        return 200, orjson.dumps(whole(question, choices, fault != "no_usage"))

    def note(
        self,
        question: Question,
        request: Incoming,
        status: int,
        fault: str,
        billed: tuple[int, int] | None = None,
        lost: bool = False,
    ) -> None:
        """A line of the bill; `billed` are the tokens in and out of a request that a vendor would charge."""
        delivered = status != 0 and not lost and not request.connection.closed
        self._add(question, status, fault, billed, delivered, request.header("idempotency-key"))

    def _add(
        self, of: Question, status: int, fault: str, billed: tuple[int, int] | None, delivered: bool, name: str
    ) -> None:
        at = asyncio.get_running_loop().time() - self.began
        charged = billed is not None
        tokens = billed or (0, 0)
        self.book.add(
            Line(of.key, of.attempt, of.path, status, fault, charged, delivered, *tokens, name, at, of.text[:60])
        )


def _tokens(question: Question, choices: list[Choice]) -> tuple[int, int]:
    return question.tokens, sum(len(one.tokens) for one in choices)
