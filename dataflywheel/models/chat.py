"""A row's messages as the text and tokens that a causal language model reads, with the answer located in them.

The answer is found by the character offsets of one tokenisation of the whole text, never by tokenising a prefix again
(merges at the boundary would shift it) and never by searching for the answer's text.
"""

from __future__ import annotations

import copy
import threading
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from dataflywheel.contracts import Status, UsageError
from dataflywheel.models.spelled_out import SpelledOut
from dataflywheel.rows.schema import Message, message
from dataflywheel.rows.text import split_answer, text_of

# For tokenizers without a chat template of their own.
PLAIN_TEMPLATE = (
    "{% if bos_token is defined and bos_token %}{{ bos_token }}{% endif %}"
    "{% for message in messages %}{{ '### ' + message.role | capitalize + ':\n' }}"
    "{% if message.role == 'assistant' %}{% generation %}{{ message.content }}"
    "{% if message.tool_calls %}{{ message.tool_calls | tojson }}{% endif %}"
    "{% if eos_token is defined and eos_token %}{{ eos_token }}{% endif %}{% endgeneration %}"
    "{% else %}{{ message.content }}{% endif %}{{ '\n\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '### Assistant:\n' }}{% endif %}"
)

# Private-use characters: no template changes them and no sensible text holds them side by side.
_MARK = "\ue0f1\ue0f2\ue0f3"


@dataclass(frozen=True)
class EncodedRow:
    """Tokens of one conversation. `ids[start:]` is the answer with its end-of-turn token, `ids[header:start]` the
    answer's header ("### Assistant:"). Rows without an answer, or that failed, have no tokens and say so in `status`.
    `ended` says whether the last token is the end of turn: not where the answer was cut, or the template has none.
    """

    ids: list[int]
    header: int
    start: int
    bos: bool
    status: Status
    ended: bool = False

    @property
    def answer_tokens(self) -> int:
        return len(self.ids) - self.start

    def sequence(self, alone: bool) -> tuple[list[int], int]:
        """Tokens and the answer's position in them: after the prompt, or after BOS (where there is one) and header."""
        if not alone:
            return self.ids, self.start
        bos = self.ids[:1] if self.bos else []
        return bos + self.ids[self.header :], len(bos) + self.start - self.header


def _nothing(status: Status) -> EncodedRow:
    return EncodedRow([], 0, 0, False, status)


@dataclass(frozen=True)
class _Rendered:
    """Text cut at nothing, with the answer's first character and the first one after its content."""

    text: str
    start: int
    end: int


_RENDERING = threading.Lock()
"""A compiled template, which the library shares in the process, serves one caller at a time."""


class ChatFormat:
    """Renders and tokenises rows for one tokenizer (a fast one: offsets are needed)."""

    def __init__(self, tokenizer: Any) -> None:
        if not tokenizer.is_fast:
            raise UsageError(f"{tokenizer.name_or_path}: a tokenizer.json is needed (offsets of tokens in the text)")
        self.tokenizer = tokenizer
        self.template: str = tokenizer.get_chat_template() if tokenizer.chat_template else PLAIN_TEMPLATE
        self.marked = "generation %}" in self.template or "generation -%}" in self.template
        # A copy: without its post-processor, which trims blanks from offsets and adds special tokens of its own.
        self.backend = copy.deepcopy(tokenizer.backend_tokenizer)
        self.backend.post_processor = None
        self.backend.no_truncation()
        self.backend.no_padding()
        self.spelled_out = SpelledOut(tokenizer)
        self.spelled_out.teach(self.backend)
        special = {i for i, token in tokenizer.added_tokens_decoder.items() if token.special}
        self.special_ids = special | set(tokenizer.all_special_ids)
        self.bos_text, self.header_text = self._probe()

    def render(self, chats: Sequence[Sequence[Message]], add_generation_prompt: bool = False) -> list[str]:
        """The texts of conversations by the template, for `backend`: their own special tokens are broken up."""
        return self._render([self._chat(messages) for messages in chats], add_generation_prompt)[0]

    def encode(self, rows: Sequence[Sequence[Message]], max_length: int) -> list[EncodedRow]:
        """Tokens of every row, at most `max_length`: the prompt is cut from its left first, then the answer's end."""
        located = self._locate_all(rows)
        texts = [one.text for one in located if isinstance(one, _Rendered)]
        encodings = iter(self.backend.encode_batch(texts, add_special_tokens=False))
        return [
            self._tokens(one, next(encodings), max_length) if isinstance(one, _Rendered) else _nothing(one)
            for one in located
        ]

    def _chat(self, messages: Sequence[Message]) -> list[dict[str, Any]]:
        """The turns as templates read them."""
        chat: list[dict[str, Any]] = []
        for turn in messages:
            one: dict[str, Any] = {"role": turn["role"], "content": turn["content"]}
            if turn["tool_calls"]:
                one["tool_calls"] = orjson.loads(turn["tool_calls"])
            if turn["name"]:
                one["name"] = turn["name"]
            chat.append(self.spelled_out.mark(one))
        return chat

    def _render(self, chats: list[Any], prompt: bool = False) -> tuple[list[str], list[Any]]:
        from transformers.utils.chat_template_utils import render_jinja_template

        with _RENDERING:
            texts, spans = render_jinja_template(
                conversations=chats,
                chat_template=self.template,
                return_assistant_tokens_mask=self.marked,
                add_generation_prompt=prompt,
                **self.tokenizer.special_tokens_map,
            )
        return texts, spans if self.marked else [None] * len(texts)

    def _probe(self) -> tuple[str, str]:
        """BOS as the template writes it, and the header that it puts before an answer."""
        question = [message("user", _MARK)]
        located = self._locate([*question, message("assistant", "a")])
        try:
            asked, plain = self.render([question], True)[0], self.render([question])[0]
        except Exception as error:
            raise UsageError(f"the tokenizer's chat template cannot render one question: {error}") from error
        if not isinstance(located, _Rendered):
            raise UsageError("the tokenizer's chat template does not show where an answer begins")
        before = located.text[: located.start].rpartition(_MARK)[2]
        generation_prompt = asked[len(plain) :] if asked.startswith(plain) else ""
        # Templates may add to the prompt for generation (an empty block of thoughts): the header runs up to the answer.
        header = before[before.index(generation_prompt) :] if generation_prompt in before else before
        bos = self.tokenizer.bos_token or ""
        return bos if bos and located.text.startswith(bos) else "", header

    def _locate_all(self, rows: Sequence[Sequence[Message]]) -> list[_Rendered | Status]:
        """One call of the template for all rows; one by one when a row breaks it, so that only that row fails."""
        found: list[_Rendered | Status] = []
        has = [bool(row) and bool(text_of(split_answer(row)[1]).strip()) for row in rows]
        chats = [_with_prompt(row) for row, answered in zip(rows, has, strict=True) if answered]
        try:
            located = iter(self._locate_batch(chats))
        except Exception:
            located = iter([self._locate(chat) for chat in chats])
        for row, answered in zip(rows, has, strict=True):
            one = next(located) if answered else Status.EMPTY
            if isinstance(one, _Rendered) and len(row) == 1:
                lead = self.bos_text + self.header_text
                one = _Rendered(lead + one.text[one.start :], len(lead), len(lead) + one.end - one.start)
            found.append(one)
        return found

    def _locate(self, row: list[Message]) -> _Rendered | Status:
        try:
            return self._locate_batch([row])[0]
        except Exception:
            return Status.FAILED

    def _locate_batch(self, rows: list[list[Message]]) -> list[_Rendered | Status]:
        texts, spans = self._render([self._chat(row) for row in rows])
        if self.marked:
            return [_Rendered(t, *s[-1]) if s else Status.FAILED for t, s in zip(texts, spans, strict=True)]
        marked = self.render([[*row[:-1], message("assistant", _MARK)] for row in rows])
        return [_between(text, other) for text, other in zip(texts, marked, strict=True)]

    def _tokens(self, row: _Rendered, encoding: Any, max_length: int) -> EncodedRow:
        ids: list[int] = encoding.ids

        def begins(i: int) -> int:
            # Bytes of one character that fell into several tokens share its offset.
            first: int = encoding.token_to_chars(i)[0]
            return min(first, encoding.token_to_chars(i - 1)[1]) if i else first

        tokens = range(len(ids))
        if not row.text[: row.start].endswith(self.header_text):
            return _nothing(Status.FAILED)
        start = bisect_left(tokens, row.start, key=begins)
        header = bisect_left(tokens, row.start - len(self.header_text), hi=start, key=begins)
        end = bisect_left(tokens, row.end, lo=start, key=begins)
        if end > start and ids[end - 1] not in self.special_ids:
            end = next((i + 1 for i in range(end, len(ids)) if ids[i] in self.special_ids), end)
        bos = bool(self.bos_text) and ids[0] == self.tokenizer.bos_token_id and header > 0
        if end == start or start - header + bos == 0:
            return _nothing(Status.FAILED)
        ended = ids[end - 1] in self.special_ids
        return _fit(EncodedRow(ids[:end], header, start, bos, Status.OK, ended), max_length)


def _fit(row: EncodedRow, max_length: int) -> EncodedRow:
    """Keep BOS, the header, the answer as far as it goes, and of the prompt the last tokens that still fit."""
    if len(row.ids) <= max_length:
        return row
    lead = row.bos + row.start - row.header
    if max_length <= lead:
        raise UsageError(f"max_length {max_length} leaves no room for an answer: its header alone takes {lead} tokens")
    answer = min(row.answer_tokens, max_length - lead)
    prompt = max_length - lead - answer
    ids = row.ids[: row.bos] + row.ids[row.header - prompt : row.start + answer]
    header = row.bos + prompt
    ended = row.ended and answer == row.answer_tokens
    return EncodedRow(ids, header, header + row.start - row.header, row.bos, Status.TRUNCATED, ended)


def _between(text: str, marked: str) -> _Rendered | Status:
    """Where the mark stands, the answer stands: between the same text before and after."""
    before, mark, after = marked.rpartition(_MARK)
    if not mark or not text.startswith(before) or not text.endswith(after) or len(text) <= len(before) + len(after):
        return Status.FAILED
    return _Rendered(text, len(before), len(text) - len(after))


def _with_prompt(row: Sequence[Message]) -> list[Message]:
    """Many templates insist on a question; that of a plain text is empty, and cut away again."""
    return [message("user", ""), *row] if len(row) == 1 else list(row)
