"""A prompt and its completion under one of their usual pairs of names; prompts without a completion too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dataflywheel.rows.formats.draft import CannotHold, Draft, Record, plain, roles, text, texts_in
from dataflywheel.rows.formats.names import COMPLETIONS, LESS, SOLUTIONS, by_name, versus
from dataflywheel.rows.formats.serialized import turns_in_text
from dataflywheel.rows.formats.shape import Shape
from dataflywheel.rows.formats.speech import waits
from dataflywheel.rows.formats.turns import read_turns
from dataflywheel.rows.formats.unnamed import unsaid
from dataflywheel.rows.formats.written_turns import openai_turn
from dataflywheel.rows.schema import Medium, message


class PromptCompletion(Shape):
    """Two texts: one user turn, one assistant turn."""

    system_column = True

    def __init__(self, prompt: str, completion: str) -> None:
        self.name, self.prompt, self.completion = f"{prompt}_{completion}", prompt, completion
        self.own = frozenset({prompt, completion})

    def matches(self, keys: frozenset[str]) -> bool:
        return self.prompt in keys and self.completion in keys

    def accepts(self, record: Mapping[str, Any]) -> bool:
        held = record[self.prompt], record[self.completion]
        return all(isinstance(value, str) and turns_in_text(value) is None for value in held) and not waits(held[0])

    def parse(self, record: Record) -> Draft:
        prompt, answer = text(record, self.prompt), text(record, self.completion)
        return Draft([message("user", prompt), message("assistant", answer)], extra=record)

    def render(self, draft: Draft) -> Record:
        prompt, answer = draft.turn()
        return {self.prompt: prompt, self.completion: answer}


class TurnsCompletion(Shape):
    """A prompt and a completion that are both lists of turns, as TRL reads them; the prompt may have many turns."""

    name = "turns_completion"
    own = frozenset({"prompt", "completion"})

    def matches(self, keys: frozenset[str]) -> bool:
        return {"prompt", "completion"} <= keys

    def accepts(self, record: Mapping[str, Any]) -> bool:
        return isinstance(record["prompt"], list) and isinstance(record["completion"], list)

    def parse(self, record: Record) -> Draft:
        media: list[Medium] = []
        prompt, _ = read_turns(record.pop("prompt"), "prompt", media)
        answer, _ = read_turns(record.pop("completion"), "completion", media)
        return Draft(prompt + answer, extra=record, media=media)

    def render(self, draft: Draft) -> Record:
        if draft.rejected is not None:
            raise CannotHold("a rejected answer")
        if len(draft.messages) < 2:
            raise CannotHold(f"a row of one turn (it has {roles(draft.messages)})")
        turns = [openai_turn(turn) for turn in draft.messages]
        return {"prompt": turns[:-1], "completion": turns[-1:]}


def counted(record: Mapping[str, Any]) -> bool:
    """Whether an answer stands beside the prompt that is a number (or true or false, under a name of answers only)."""
    names = by_name(frozenset(record))
    held = {name: record[names[name]] for name in (*COMPLETIONS, *SOLUTIONS, *LESS) if name in names}
    numbers = [name for name, value in held.items() if isinstance(value, int | float)]
    if any(name in COMPLETIONS or type(held[name]) is not bool for name in numbers):
        return True
    return all(key is not None and isinstance(record[key], int | float) for key in versus(names))


class Prompt(Shape):
    """A prompt that nobody has answered yet."""

    name = "prompt"
    own = frozenset({"prompt"})
    by_keys = False

    def matches(self, keys: frozenset[str]) -> bool:
        return "prompt" in keys

    def accepts(self, record: Mapping[str, Any]) -> bool:
        if turns_in_text(record["prompt"]) is not None or waits(record["prompt"]) or counted(record):
            return False
        said = [message("", text) for text in texts_in(record["prompt"])]
        return unsaid(record, self.own, said, "answer") is None

    def parse(self, record: Record) -> Draft:
        if isinstance(record["prompt"], list):
            media: list[Medium] = []
            return Draft(read_turns(record.pop("prompt"), "prompt", media)[0], extra=record, media=media)
        return Draft([message("user", text(record, "prompt"))], extra=record)

    def render(self, draft: Draft) -> Record:
        if draft.rejected is not None or not draft.messages:
            raise CannotHold("a rejected answer")
        if draft.messages[-1]["role"] == "assistant":
            raise CannotHold("an answer")
        if len(draft.messages) == 1 and draft.messages[0]["role"] == "user":
            return {"prompt": plain(draft.messages[0])}
        return {"prompt": [openai_turn(turn) for turn in draft.messages]}
