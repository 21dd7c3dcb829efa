"""How one chat template is fed: in which form it reads turns, found by trying, and what it writes around answers."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from dataflywheel.contracts import UsageError
from dataflywheel.models.templates.chat_template import (
    Form,
    render,
    template_turn,
    thoughts_form,
    tool_list,
    training_template,
)
from dataflywheel.models.templates.spelled_out import BREAK, SpelledOut
from dataflywheel.models.templates.turn_places import MARK, OPENER, begin
from dataflywheel.rows.schema import Message, message

OPENS = re.compile(r"(<think>|<thinking>|<thought>|\[THINK\]|<seed:think>|◁think▷)\s*\Z")
CALL = '[{"id":"call00001","type":"function","function":{"name":"f","arguments":{"k":"' + MARK + '"}}}]'
TOOLS = (
    '[{"type":"function","function":{"name":"f","description":"f","parameters":'
    '{"type":"object","properties":{"k":{"type":"string","description":"k"}},"required":["k"]}}}]'
)

_RENDERING = threading.Lock()
"""A compiled template, which the library shares in the process, serves one caller at a time."""


@dataclass(frozen=True)
class Chat:
    """A conversation with the tools that may be called in it (JSON text), whether it shows images or sounds, and
    whether its answer is labelled as one that is not wanted (KTO): that one is measured, and never learned."""

    messages: Sequence[Message]
    tools: str | None = None
    media: bool = False
    unwanted: bool = False


class Rendering:
    """One template of a tokenizer, for answering (`template`) and for what is learned (`taught`)."""

    def __init__(self, tokenizer: Any, template: str, with_tools: bool = False) -> None:
        """`with_tools`: the template is only asked to show conversations that have tools.

        Raises:
            UsageError: the template cannot show a question and its answer.
        """
        self.tokenizer, self.template, self.taught = tokenizer, template, training_template(template)
        self.tools = TOOLS if with_tools else None
        self.spelled_out, self.cue, self.trailing, self.form = SpelledOut(tokenizer), "", "", Form()
        self.form = replace(self.form, in_parts=self._wants_parts())
        self.form = replace(self.form, text_arguments=self._wants_text_arguments())
        between, after = self._around()
        self.trailing = self._trailing(between, after)
        """The cue for the next answer, which a template may write behind every conversation, asked or not."""
        self.cue = "" if self.trailing else self._missing_cue()
        """The header of an answer where the template never asks for one."""
        self.bos_text, self.header_text, before = self._probe()
        self.after = after.removesuffix(self.trailing) if self.trailing else after
        """What stands behind an answer that is the last."""
        self.frame = OPENER.sub("", before) + self.after
        """What stands between a question and an answer, and behind that."""
        self.spelled_out = SpelledOut(tokenizer, self.frame)
        opened = OPENS.search(between)
        if opened and thoughts_form(self.taught) == "inline":
            self.form = replace(self.form, close=opened[1].replace("<", "</").replace("[", "[/").replace("◁", "◁/"))

    def text(self, chat: Chat, template: str, prompt: bool = False) -> str:
        """A conversation by a template; special tokens that its texts spell out are broken up."""
        form = replace(self.form, thoughts=thoughts_form(template))
        turns = [self.spelled_out.mark(template_turn(turn, form)) for turn in chat.messages]
        tools = self.spelled_out.mark(tool_list(chat.tools)) if chat.tools else None
        with _RENDERING:
            text = render(template, turns, tools, prompt, self.tokenizer.special_tokens_map)
        return text + self.cue if prompt else text.removesuffix(self.trailing) if self.trailing else text

    def marked(self, before: Sequence[Message], tools: str | None) -> str:
        """The text of turns and an answer that is but the mark; "" where it cannot be shown."""
        try:
            return self.text(Chat([*before, message("assistant", MARK)], tools), self.taught)
        except Exception:
            return ""

    def _shown(self, *turns: Message) -> str:
        try:
            return self.text(Chat(turns, self.tools), self.template)
        except Exception:
            return ""

    def _wants_parts(self) -> bool:
        for in_parts in (False, True):
            self.form = replace(self.form, in_parts=in_parts)
            if MARK in self._shown(message("user", MARK)):
                return in_parts
        return False

    def _wants_text_arguments(self) -> bool:
        """Whether the template joins the arguments of calls to other text, or would print them as Python does."""
        called = message("user", "a"), message("assistant", "", CALL)
        for as_text in (False, True):
            self.form = replace(self.form, text_arguments=as_text)
            shown = self._shown(*called).replace(BREAK, "")
            if MARK in shown and "{'k': '" not in shown:
                return as_text
        return False

    def _missing_cue(self) -> str:
        question = [message("user", MARK)]
        try:
            plain, asked = (self.text(Chat(question, self.tools), self.taught, prompt) for prompt in (False, True))
        except Exception:
            return ""  # the probe that follows tells of it
        marked = self.marked(question, self.tools)
        header = marked.removeprefix(plain).partition(MARK)[0] if plain == asked and marked.startswith(plain) else ""
        return OPENER.sub("", header) if header.strip() else ""

    def _probe(self) -> tuple[str, str, str]:
        """BOS as the template writes it, the header that it puts before an answer, and all between a question and
        that."""
        question, answer = message("user", MARK), message("assistant", "a")
        try:
            plain, asked = (self.text(Chat([question], self.tools), self.taught, prompt) for prompt in (False, True))
            text = self.text(Chat([question, answer], self.tools), self.taught)
        except Exception as error:
            raise UsageError(
                f"{self.tokenizer.name_or_path}: the tokenizer's chat template cannot render one question: {error}"
            ) from error
        start = begin(text, asked)
        if start is None:
            marked = self.marked([question], self.tools)
            start = marked.rindex(MARK) if marked.count(MARK) == 2 else None
        if start is None:
            raise UsageError("the tokenizer's chat template does not show where an answer begins")
        before = text[:start].rpartition(MARK)[2]
        cue = text[len(plain) : start] if text.startswith(plain) else ""
        bos = self.tokenizer.bos_token or ""
        header = cue if cue and cue in before else before
        # A token that opens the second turn too is no beginning of the text, whatever the tokenizer calls it.
        begins = bool(bos) and text.startswith(bos) and bos not in before
        return bos if begins else "", header, before

    def _around(self) -> tuple[str, str]:
        """What stands between a question and the text of its answer, and what behind that."""
        parts = self.marked([message("user", MARK)], self.tools).split(MARK)
        return (parts[1], parts[2]) if len(parts) == 3 else ("", parts[-1])

    def _trailing(self, between: str, after: str) -> str:
        """What follows an answer from the token on that opens turns, where that also stands before an answer."""
        question = Chat([message("user", MARK)], self.tools)
        try:
            asked = [self.text(question, self.template, prompt) for prompt in (False, True)]
        except Exception:
            return ""
        bos = self.tokenizer.bos_token or ""
        first = next(iter(self.spelled_out.found(asked[0].removeprefix(bos))), "")
        at = after.find(first) if first else -1
        return after[at:] if at > 0 and asked[0] == asked[1] and after[at:].strip() in between else ""
