"""A row's conversation as the text and tokens that a causal language model reads, with its answers located in them.

Answers are found by the character offsets of one tokenisation of the whole text, never by tokenising a prefix again
(merges at the boundary would shift them) and never by searching for the answer's text.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import orjson
import pyarrow as pa

from dataflywheel.contracts import Status, UsageError
from dataflywheel.models.templates.chat_template import templates_of
from dataflywheel.models.templates.encoded import EncodedRow, fitted, nothing
from dataflywheel.models.templates.rendering import Chat, Rendering
from dataflywheel.models.templates.shown import lost_before, lost_tools
from dataflywheel.models.templates.spelled_out import BREAK, SpelledOut
from dataflywheel.models.templates.token_places import TokenPlaces
from dataflywheel.models.templates.turn_places import Around, Placed, Unplaced, jobs, placed
from dataflywheel.rows.schema import Message, message

__all__ = ["Chat", "ChatFormat", "EncodedRow", "Turns", "chats_of"]

Turns = Literal["all", "last"]
"""Which of the assistant's turns are learned."""

UNWANTED = "its label says that its answer is not wanted (where it says something else, map it to tags)"
"""Why an answer that a preference set (KTO) labels as the worse kind is not learned."""


Conversation = Chat | Sequence[Message]


def chats_of(rows: pa.Table | pa.RecordBatch) -> list[Chat]:
    """The conversations of rows; their columns `tools`, `media` and `label` are read where they are there."""
    turns = rows.column("messages").to_pylist()
    tools, media, labels = (
        rows.column(name).to_pylist() if name in rows.schema.names else [None] * len(turns)
        for name in ("tools", "media", "label")
    )
    return list(map(chat_of, turns, tools, media, labels))


def chat_of(messages: Sequence[Message] | None, tools: str | None, media: Any, label: str | None) -> Chat:
    """The conversation of one row; the label of a text without a prompt is its class."""
    return Chat(messages or [], tools or None, bool(media), label == "false" and len(messages or ()) > 1)


def as_chat(row: Conversation) -> Chat:
    return row if isinstance(row, Chat) else Chat(row)


class ChatFormat:
    """Renders and tokenises rows for one tokenizer (a fast one: offsets are needed)."""

    def __init__(self, tokenizer: Any) -> None:
        if not tokenizer.is_fast:
            raise UsageError(f"{tokenizer.name_or_path}: a tokenizer.json is needed (offsets of tokens in the text)")
        self.tokenizer = tokenizer
        plain, with_tools = templates_of(tokenizer)
        self.plain = Rendering(tokenizer, plain)
        self.with_tools = self.plain if with_tools == plain else Rendering(tokenizer, with_tools, with_tools=True)
        """What shows conversations that have tools."""
        self.template, self.taught = self.plain.template, self.plain.taught
        """What asks for an answer, and what shows answers that are learned."""
        self.bos_text, self.header_text = self.plain.bos_text, self.plain.header_text
        spelled_out = SpelledOut(tokenizer, self.plain.frame + self.with_tools.frame)
        self.plain.spelled_out = self.with_tools.spelled_out = spelled_out
        # A copy: without its post-processor, which trims blanks from offsets and adds special tokens of its own.
        self.backend = copy.deepcopy(tokenizer.backend_tokenizer)
        self.backend.post_processor = None
        self.backend.no_truncation()
        self.backend.no_padding()
        spelled_out.teach(self.backend)
        headers = [self.plain.header_text, self.with_tools.header_text]
        self.places = TokenPlaces(tokenizer, self.backend, headers, spelled_out.texts, self.bos_text)

    def of(self, row: Chat) -> Rendering:
        """What shows a conversation."""
        return self.with_tools if row.tools else self.plain

    def render(self, chats: Sequence[Conversation], add_generation_prompt: bool = False) -> list[str]:
        """The texts of conversations by the model's own template, for `backend`: special tokens that their texts spell
        out are broken up."""
        found = []
        for row in map(as_chat, chats):
            shown = self.of(row)
            found.append(shown.text(row, shown.template, add_generation_prompt))
        return found

    def asked(self, rows: Sequence[Conversation]) -> list[list[int] | str]:
        """Tokens of conversations that wait for an answer, its cue included, or why the template cannot show one."""
        return [self._asked(row) for row in map(as_chat, rows)]

    def _asked(self, row: Chat) -> list[int] | str:
        shown = self.of(row)
        try:
            text = shown.text(row, shown.template, True)
        except Exception as error:
            return f"the chat template refuses it: {error}"
        bare = text.replace(BREAK, "")
        before = self._before_calls(row, bare) if row.tools else ""
        gone = lost_tools(before, orjson.loads(row.tools), row.messages) if row.tools else ""
        for place, turn in enumerate(row.messages, 1):
            lost = lost_before(bare, turn)
            gone = gone or (f"{lost} of turn {place} ({turn['role']})" if lost else "")
        ids: list[int] = self.backend.encode(text, add_special_tokens=False).ids
        return f"the chat template leaves out {gone}" if gone else ids

    @property
    def end_ids(self) -> list[int]:
        """Tokens that end an answer: the special one that a template writes behind it, and the tokenizer's own."""
        behind = [self.backend.encode(one.after, add_special_tokens=False).ids for one in (self.plain, self.with_tools)]
        found = [ids[0] for ids in behind if ids and ids[0] in self.places.special_ids]
        own = self.tokenizer.eos_token_id
        return list(dict.fromkeys(found + ([] if own is None else [own])))

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
        shown, document = self.of(row), len(row.messages) == 1
        turns = [message("user", ""), *row.messages] if document else list(row.messages)
        wanted = [1] if document else wanted
        texts = dict(self._texts(shown, turns, row.tools, wanted))
        around = Around(lambda turn: shown.marked(turns[:turn], row.tools), shown.header_text, shown.frame)
        found = placed(turns, wanted, texts, around)
        if row.tools:
            before = self._before_calls(row, found[-1].text)
            if gone := lost_tools(before, orjson.loads(row.tools), row.messages):
                raise Unplaced(f"the chat template leaves out {gone}")
        if document:  # many templates insist on a question; that of a plain text is empty, and cut away again
            (_, start, end), lead = found[0].turns[0], shown.bos_text + shown.header_text
            text = lead + found[0].text[start:]
            return [Placed(text, ((0, len(lead), len(lead) + end - start),), found[0].changed)]
        return found

    def _before_calls(self, row: Chat, whole: str) -> str:
        """What is shown before the first call, which names a tool whether it was shown or not."""
        first = next((place for place, turn in enumerate(row.messages) if turn["tool_calls"]), 0)
        shown = self.of(row)
        try:
            text = shown.text(Chat(row.messages[:first], row.tools), shown.taught) if first else whole
        except Exception:
            text = whole
        return text.replace(BREAK, "")

    def _texts(
        self, shown: Rendering, turns: list[Message], tools: str | None, wanted: list[int]
    ) -> Iterator[tuple[tuple[int, bool], str]]:
        """The texts that turns are located by; a text that asks for a turn may be one that the template refuses, such
        as that for a greeting which nothing stands before."""
        whole = (len(turns), False)
        for job in dict.fromkeys([*jobs(wanted), whole]):
            try:
                yield job, shown.text(Chat(turns[: job[0]], tools), shown.taught, job[1])
            except Exception as error:
                if not job[1]:
                    raise Unplaced(f"the chat template refuses it: {error}") from None


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
    if row.unwanted:
        return [], UNWANTED
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
