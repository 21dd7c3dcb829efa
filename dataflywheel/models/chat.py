"""A row's conversation as the text and tokens that a causal language model reads, with its answers located in them.

Answers are found by the character offsets of one tokenisation of the whole text, never by tokenising a prefix again
(merges at the boundary would shift them) and never by searching for the answer's text.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson
import pyarrow as pa

from dataflywheel.contracts import Status, UsageError
from dataflywheel.models.chat_template import (
    PLAIN_TEMPLATE,
    render,
    shows_thoughts,
    template_turn,
    tool_list,
    training_template,
)
from dataflywheel.models.encoded import EncodedRow, fitted, nothing
from dataflywheel.models.shown import lost_tools
from dataflywheel.models.spelled_out import BREAK, SpelledOut
from dataflywheel.models.token_places import TokenPlaces
from dataflywheel.models.turn_places import MARK, OPENER, Placed, Unplaced, begin, jobs, placed
from dataflywheel.rows.schema import Message, message

__all__ = ["Chat", "ChatFormat", "EncodedRow", "Turns", "chats_of"]

Turns = Literal["all", "last"]
"""Which of the assistant's turns are learned."""


@dataclass(frozen=True)
class Chat:
    """A conversation with the tools that may be called in it (JSON text), and whether it shows images or sounds."""

    messages: Sequence[Message]
    tools: str | None = None
    media: bool = False


Conversation = Chat | Sequence[Message]


def chats_of(rows: pa.Table | pa.RecordBatch) -> list[Chat]:
    """The conversations of rows; their columns `tools` and `media` are read where they are there."""
    turns = rows.column("messages").to_pylist()
    tools, media = (
        rows.column(name).to_pylist() if name in rows.schema.names else [None] * len(turns)
        for name in ("tools", "media")
    )
    return [Chat(m or [], t or None, bool(held)) for m, t, held in zip(turns, tools, media, strict=True)]


def as_chat(row: Conversation) -> Chat:
    return row if isinstance(row, Chat) else Chat(row)


_RENDERING = threading.Lock()
"""A compiled template, which the library shares in the process, serves one caller at a time."""


class ChatFormat:
    """Renders and tokenises rows for one tokenizer (a fast one: offsets are needed)."""

    def __init__(self, tokenizer: Any) -> None:
        if not tokenizer.is_fast:
            raise UsageError(f"{tokenizer.name_or_path}: a tokenizer.json is needed (offsets of tokens in the text)")
        self.tokenizer, self.cue = tokenizer, ""
        self.template: str = tokenizer.get_chat_template() if tokenizer.chat_template else PLAIN_TEMPLATE
        """What asks for an answer."""
        self.taught = training_template(self.template)
        """What shows answers that are learned."""
        self.spelled_out = SpelledOut(tokenizer)
        self.in_parts = self._wants_parts()
        """Whether the template reads contents as lists of parts alone, as those of models that see do."""
        self.cue = self._missing_cue()
        """The header of an answer where the template never asks for one."""
        self.bos_text, self.header_text, frame = self._probe()
        self.spelled_out = SpelledOut(tokenizer, frame)
        # A copy: without its post-processor, which trims blanks from offsets and adds special tokens of its own.
        self.backend = copy.deepcopy(tokenizer.backend_tokenizer)
        self.backend.post_processor = None
        self.backend.no_truncation()
        self.backend.no_padding()
        self.spelled_out.teach(self.backend)
        self.places = TokenPlaces(tokenizer, self.backend, self.header_text, self.spelled_out.texts)

    def render(self, chats: Sequence[Conversation], add_generation_prompt: bool = False) -> list[str]:
        """The texts of conversations by the model's own template, for `backend`: special tokens that their texts spell
        out are broken up."""
        return [self._text(as_chat(chat), self.template, add_generation_prompt) for chat in chats]

    def encode(self, rows: Sequence[Conversation], max_length: int, turns: Turns | None = None) -> list[EncodedRow]:
        """Tokens of every row up to its final answer, at most `max_length`: the prompt is cut from its left first, then
        the answer's end. See `LanguageModel.encode`."""
        found = self._encoded(rows, max_length, turns or "final")
        return [next((one for one in of_row if not one.ids), of_row[-1]) for of_row in found]

    def examples(self, rows: Sequence[Conversation], max_length: int, turns: Turns = "all") -> list[EncodedRow]:
        """What is learned from the rows, in their order: an example a row, or several where the template shows an
        earlier turn otherwise once others follow. A row that cannot be learned has one without tokens, with its reason.
        """
        found = self._encoded(rows, max_length, turns)
        refused = [next((one for one in of_row if not one.ids), None) for of_row in found]
        return [one for of_row, no in zip(found, refused, strict=True) for one in ([no] if no else of_row)]

    def _encoded(self, rows: Sequence[Conversation], max_length: int, turns: str) -> list[list[EncodedRow]]:
        found: list[list[EncodedRow] | list[Placed]] = []
        for number, row in enumerate(map(as_chat, rows)):
            wanted, why = wanted_turns(row, turns)
            if why:
                found.append([nothing(Status.EMPTY if not row.media else Status.FAILED, why, number)])
                continue
            try:
                found.append(self._placed(row, wanted))
            except Unplaced as reason:
                found.append([nothing(Status.FAILED, str(reason), number)])
        texts = [one.text for of_row in found for one in of_row if isinstance(one, Placed)]
        encodings = iter(self.backend.encode_batch(texts, add_special_tokens=False))
        return [
            [
                fitted(self.places.encoded(one, self.places.parted(one, next(encodings)), number), max_length)
                if isinstance(one, Placed)
                else one
                for one in of_row
            ]
            for number, of_row in enumerate(found)
        ]

    def _placed(self, row: Chat, wanted: list[int]) -> list[Placed]:
        """The texts of a row with its turns located.

        Raises:
            Unplaced: the template refuses the row, or does not show all of it.
        """
        document = len(row.messages) == 1
        turns = [message("user", ""), *row.messages] if document else list(row.messages)
        wanted = [1] if document else wanted
        asked = jobs(wanted)
        try:
            texts = {job: self._text(Chat(turns[: job[0]], row.tools), self.taught, job[1]) for job in asked}
            if wanted[-1] + 1 < len(turns):
                texts[len(turns), False] = self._text(Chat(turns, row.tools), self.taught)
        except Exception as error:
            raise Unplaced(f"the chat template refuses it: {error}") from None
        found = placed(turns, wanted, texts, lambda turn: self._marked(turns[:turn], row.tools), self.header_text)
        gone = lost_tools(found[-1].text.replace(BREAK, ""), orjson.loads(row.tools)) if row.tools else ""
        if gone:
            raise Unplaced(f"the chat template leaves out {gone}")
        if document:  # many templates insist on a question; that of a plain text is empty, and cut away again
            (_, start, end), lead = found[0].turns[0], self.bos_text + self.header_text
            text = lead + found[0].text[start:]
            return [Placed(text, ((0, len(lead), len(lead) + end - start),), found[0].changed)]
        return found

    def _marked(self, before: list[Message], tools: str | None) -> str:
        try:
            return self._text(Chat([*before, message("assistant", MARK)], tools), self.taught)
        except Exception:
            return ""

    def _text(self, chat: Chat, template: str, prompt: bool = False) -> str:
        inline = not shows_thoughts(template)
        turns = [self.spelled_out.mark(template_turn(turn, inline, self.in_parts)) for turn in chat.messages]
        tools = self.spelled_out.mark(tool_list(chat.tools)) if chat.tools else None
        with _RENDERING:
            text = render(template, turns, tools, prompt, self.tokenizer.special_tokens_map)
        return text + self.cue if prompt else text

    def _wants_parts(self) -> bool:
        question = Chat([message("user", MARK)])
        for self.in_parts in (False, True):
            try:
                if MARK in self._text(question, self.template):
                    return self.in_parts
            except Exception:
                continue
        return False

    def _missing_cue(self) -> str:
        question = [message("user", MARK)]
        try:
            plain, asked = (self._text(Chat(question), self.taught, prompt) for prompt in (False, True))
        except Exception:
            return ""  # the probe that follows tells of it
        header = self._marked(question, None).removeprefix(plain).partition(MARK)[0] if plain == asked else ""
        return OPENER.sub("", header) if header.strip() else ""

    def _probe(self) -> tuple[str, str, str]:
        """BOS as the template writes it, the header that it puts before an answer, and what it writes between a
        question and an answer and behind that."""
        question, answer = message("user", MARK), message("assistant", "a")
        try:
            plain, asked = (self._text(Chat([question]), self.taught, prompt) for prompt in (False, True))
            text = self._text(Chat([question, answer]), self.taught)
        except Exception as error:
            raise UsageError(f"the tokenizer's chat template cannot render one question: {error}") from error
        start = begin(text, asked)
        if start is None:
            marked = self._marked([question], None)
            start = marked.rindex(MARK) if marked.count(MARK) == 2 else None
        if start is None:
            raise UsageError("the tokenizer's chat template does not show where an answer begins")
        before = text[:start].rpartition(MARK)[2]
        cue = text[len(plain) : start] if text.startswith(plain) else ""
        bos = self.tokenizer.bos_token or ""
        header = cue if cue and cue in before else before
        frame = OPENER.sub("", before) + self._marked([question], None).rpartition(MARK)[2]
        return bos if bos and text.startswith(bos) else "", header, frame


def wanted_turns(row: Chat, turns: str) -> tuple[list[int], str]:
    """The turns of a row that are learned, or why there are none: `all` and `last` leave out those that must not be
    learned, `final` is the last answer whether it is to be learned or not."""
    if row.media:
        return [], "it shows images or sounds, and only text is learned"
    if not row.messages or row.messages[-1]["role"] != "assistant":
        return [], "it does not end with an answer"
    if not says_something(row.messages[-1]):
        return [], "its answer is empty"
    last = len(row.messages) - 1
    if turns == "final":
        return [last], ""
    places = range(last + 1) if turns == "all" else [last]
    found = [
        place
        for place in places
        if row.messages[place]["role"] == "assistant"
        and row.messages[place]["learn"] is not False
        and says_something(row.messages[place])
    ]
    return found, "" if found else "all its answers are marked as not to be learned"


def says_something(turn: Message) -> bool:
    return bool(turn["content"].strip() or turn["tool_calls"] or (turn["reasoning"] or "").strip())
