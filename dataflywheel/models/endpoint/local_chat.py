"""A model in a local folder behind the protocol of endpoints: nothing leaves the machine, and nothing is charged.

Requests that are under way together are answered in one batch; an answer depends on its own request alone.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from concurrent.futures import Future
from functools import cached_property
from hashlib import blake2b

import numpy as np

from dataflywheel.models.endpoint.chat_model import Capabilities, RejectedError
from dataflywheel.models.endpoint.request import Outcome, Reply, Request, TokenLogprob
from dataflywheel.models.files import folder_digest
from dataflywheel.models.language.batching import batches
from dataflywheel.models.language.decoding import Draw, decode, ending, written
from dataflywheel.models.language.language_model import MAX_TOKENS, LanguageModel, local_folder, shared_model
from dataflywheel.models.spec import ModelSpec, Price
from dataflywheel.models.templates.chat import Chat
from dataflywheel.rows.formats.turns import read_turns

GATHER_SECONDS = 0.01
"""How long the first request of a batch waits for others."""
MOST_TOGETHER = 64

_Waiting = tuple[Request, "Future[Reply]"]


class LocalChat:
    """Chat (by the model's own template) and raw completion of a transformers folder.

    Greedy at temperature 0. Above it, draws come from a generator seeded by (seed, sample, prompt); no seed is 0.
    Log-probabilities are the model's own, before temperature and top_p, and equal those of one forward pass over prompt
    and answer. The weights are loaded with the first request, once.
    """

    capabilities = Capabilities(chat=True, completion=True, logprobs=True, samples=True, seed=True)

    def __init__(self, spec: ModelSpec, max_tokens: int = MAX_TOKENS) -> None:
        """`max_tokens`: tokens of one batch, prompts and longest answers together."""
        self.price = spec.usd_per_mtok or Price()
        self._spec, self._max_tokens = spec, max_tokens
        self._waiting: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._worker: threading.Thread | None = None
        self._starting, self._loading = threading.Lock(), threading.Lock()
        self._pieces: dict[int, str] = {}

    @cached_property
    def model(self) -> LanguageModel:
        with self._loading:
            return shared_model(self._spec)

    @property
    def identity(self) -> str:
        """By content: equal weights, tokenizer and template answer equally wherever the folder lies."""
        return f"local:{folder_digest(local_folder(self._spec))}:{self._spec.dtype}"

    def tokens(self, request: Request) -> int:
        return len(self._encode(request))

    async def send(self, request: Request) -> Reply:
        """See `ChatModel.send`. Never fails for load or time; RejectedError: too long, or a schema asked."""
        if request.schema is not None:
            raise RejectedError("a local model takes no JSON schema; describe the form in the prompt")
        answer: Future[Reply] = Future()
        self._start()
        self._waiting.put((request, answer))
        return await asyncio.wrap_future(answer)

    async def close(self) -> None:
        """End the thread; a later request starts another."""
        with self._starting:
            if self._worker is not None:
                self._waiting.put(None)
                self._worker = None

    def _start(self) -> None:
        with self._starting:
            if self._worker is None:
                self._worker = threading.Thread(target=self._work, name="local model", daemon=True)
                self._worker.start()

    def _work(self) -> None:
        while True:
            group = self._gather()
            if group is None:
                return
            # A request that was given up while it waited is not computed.
            taken = [(request, answer) for request, answer in group if answer.set_running_or_notify_cancel()]
            self._answer(taken)

    def _gather(self) -> list[_Waiting] | None:
        """What is asked now, and within a moment of the first; None at the end."""
        first = self._waiting.get()
        if first is None:
            return None
        group, until = [first], time.monotonic() + GATHER_SECONDS
        while len(group) < MOST_TOGETHER:
            try:
                found = self._waiting.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                break
            if found is None:
                self._waiting.put(None)
                break
            group.append(found)
        return group

    def _answer(self, group: list[_Waiting]) -> None:
        """One decoding for each part of the group that fits; an error reaches those whose part it met."""
        ready: list[tuple[Request, Future[Reply], Draw]] = []
        for request, answer in group:
            try:
                ready.append((request, answer, self._draw(request)))
            except Exception as error:
                answer.set_exception(error)
        for _, part in batches([len(draw.prompt) + draw.max_new for *_, draw in ready], self._max_tokens):
            try:
                model = self.model
                decode(model.model, [ready[i][2] for i in part], model.pad_id, self._end_ids, self._spec.dtype)
                replies = [self._reply(ready[i][0], ready[i][2]) for i in part]
            except Exception as error:
                for i in part:
                    ready[i][1].set_exception(error)
                continue
            for i, reply in zip(part, replies, strict=True):
                ready[i][1].set_result(reply)

    @cached_property
    def _end_ids(self) -> frozenset[int]:
        return ending(self.model.model, self.model.chat)

    def _encode(self, request: Request) -> list[int]:
        chat = self.model.chat
        if request.prompt is not None:
            text = request.prompt
            if chat.bos_text and not text.startswith(chat.bos_text):
                text = chat.bos_text + text
        else:
            turns, _ = read_turns([dict(turn) for turn in request.messages], "messages")
            text = chat.render([Chat(turns, request.tools)], add_generation_prompt=True)[0]
        ids: list[int] = chat.backend.encode(text, add_special_tokens=False).ids
        return ids

    def _draw(self, request: Request) -> Draw:
        sampling, prompt = request.sampling, self._encode(request)
        room = self.model.context - len(prompt)
        if not prompt or room < 1:
            raise RejectedError(f"the prompt has {len(prompt)} tokens; 1 to {self.model.context - 1} fit")
        origin = repr((sampling.seed or 0, request.sample, prompt)).encode()
        seed = int.from_bytes(blake2b(origin, digest_size=8).digest(), "big")
        stops = (lambda ids: any(stop in self._text(ids) for stop in sampling.stop)) if sampling.stop else None
        return Draw(
            prompt,
            min(sampling.max_tokens, room),
            sampling.temperature,
            sampling.top_p,
            sampling.top_logprobs,
            np.random.default_rng(seed),
            stops,
        )

    def _text(self, ids: list[int]) -> str:
        text: str = self.model.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text

    def _piece(self, token: int) -> str:
        """A token's text as it stands behind others: decoders drop the blank before a text's first token."""
        if token not in self._pieces:
            tokenizer = self.model.tokenizer
            anchor = self.model.chat.backend.encode("a", add_special_tokens=False).ids[-1:]
            options = {"skip_special_tokens": False, "clean_up_tokenization_spaces": False}
            before = tokenizer.decode(anchor, **options)
            self._pieces[token] = tokenizer.decode([*anchor, token], **options)[len(before) :]
        return self._pieces[token]

    def _reply(self, request: Request, draw: Draw) -> Reply:
        ids = draw.ids[:-1] if draw.ids and draw.ids[-1] in self._end_ids else draw.ids
        text = self._text(ids)
        cut = min((at for stop in request.sampling.stop if (at := text.find(stop)) >= 0), default=None)
        if cut is not None:
            text = text[:cut]
            ids = ids[: next(n for n in range(len(ids) + 1) if len(self._text(ids[:n])) >= cut)]
        else:
            text = written(self.model.tokenizer, ids, draw.prompt, calls=request.tools is not None)
        logprobs = tuple(
            TokenLogprob(self._piece(token), draw.logprobs[i], self._named(draw.alternatives[i]))
            for i, token in enumerate(ids)
            if draw.top
        )
        outcome = Outcome.ANSWERED if draw.ended else Outcome.TRUNCATED
        finish = "stop" if draw.ended else "length"
        return Reply(outcome, text, finish, logprobs, len(draw.prompt), len(draw.ids))

    def _named(self, alternatives: list[tuple[int, float]]) -> dict[str, float]:
        """Log-probabilities by token text; tokens of one text share an entry, with the sum of their probabilities."""
        found: dict[str, float] = {}
        for token, logprob in alternatives:
            text = self._piece(token)
            found[text] = float(np.logaddexp(found[text], logprob)) if text in found else logprob
        return found
