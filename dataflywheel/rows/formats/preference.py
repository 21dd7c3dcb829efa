"""A chosen and a rejected answer, with their prompt: as texts, or as lists of turns (DPO data as TRL reads it)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dataflywheel.rows.formats.draft import CannotHold, Draft, Record, plain, text, texts_in
from dataflywheel.rows.formats.flat import thoughts_apart
from dataflywheel.rows.formats.serialized import turns_in_text
from dataflywheel.rows.formats.shape import Shape
from dataflywheel.rows.formats.speech import waits
from dataflywheel.rows.formats.turns import read_turns, speaker
from dataflywheel.rows.formats.unnamed import unsaid
from dataflywheel.rows.formats.written_turns import openai_turn
from dataflywheel.rows.schema import Medium, Message, message


def shared(a: Sequence[Message], b: Sequence[Message]) -> int:
    """How many leading turns two chats share, leaving at least one turn to each."""
    for count, (left, right) in enumerate(zip(a[:-1], b[:-1], strict=False)):
        if left != right:
            return count
    return min(len(a), len(b)) - 1


class Preference(Shape):
    """Texts: `prompt` (may be absent), `chosen`, `rejected`."""

    name = "preference"
    own = frozenset({"prompt", "chosen", "rejected"})
    system_column = True

    def matches(self, keys: frozenset[str]) -> bool:
        return {"chosen", "rejected"} <= keys

    def accepts(self, record: Mapping[str, Any]) -> bool:
        texts = (record["chosen"], record["rejected"], record.get("prompt", ""))
        if thoughts_apart(record) or any(not isinstance(text, str) or turns_in_text(text) for text in texts):
            return False
        if waits(record.get("prompt")):
            return False
        return (
            bool(record.get("prompt"))
            or unsaid(record, self.own, [message("", text) for text in texts], "prompt") is None
        )

    def parse(self, record: Record) -> Draft:
        prompt = [message("user", text(record, "prompt"))] if "prompt" in record else []
        chosen, rejected = text(record, "chosen"), text(record, "rejected")
        return Draft([*prompt, message("assistant", chosen)], [message("assistant", rejected)], extra=record)

    def render(self, draft: Draft) -> Record:
        prompt, chosen, rejected = draft.pair()
        turns = [*prompt, *chosen, *rejected]
        if [m["role"] for m in turns] not in (["user", "assistant", "assistant"], ["assistant", "assistant"]):
            raise CannotHold("a comparison of more than one turn")
        names = ("prompt", "chosen", "rejected")[-len(turns) :]
        return {name: plain(turn) for name, turn in zip(names, turns, strict=True)}


class TurnsPreference(Shape):
    """Lists of turns: `prompt`, and `chosen` and `rejected` that continue it."""

    name = "turns_preference"
    own = frozenset({"prompt", "chosen", "rejected"})

    def matches(self, keys: frozenset[str]) -> bool:
        return {"prompt", "chosen", "rejected"} <= keys

    def accepts(self, record: Mapping[str, Any]) -> bool:
        return all(isinstance(record[key], list) for key in ("prompt", "chosen", "rejected"))

    def parse(self, record: Record) -> Draft:
        media: list[Medium] = []
        keys = ("prompt", "chosen", "rejected")
        prompt, chosen, rejected = (read_turns(record.pop(key), key, media)[0] for key in keys)
        count = shared(chosen, rejected)
        turns = len(prompt) + count
        return Draft(prompt + chosen, rejected[count:], extra=record, prompt_turns=turns, media=media)

    def render(self, draft: Draft) -> Record:
        prompt, chosen, rejected = ([openai_turn(turn) for turn in part] for part in draft.pair())
        if not prompt:
            raise CannotHold("answers without a prompt")
        return {"prompt": prompt, "chosen": chosen, "rejected": rejected}


class ImplicitPreference(Shape):
    """Lists of turns with the prompt at their head: `chosen`, `rejected`; a `prompt` beside them is kept in extra."""

    name = "implicit_preference"
    own = frozenset({"prompt", "chosen", "rejected"})

    def matches(self, keys: frozenset[str]) -> bool:
        return {"chosen", "rejected"} <= keys

    def accepts(self, record: Mapping[str, Any]) -> bool:
        held = (record["chosen"], record["rejected"])
        both = all(isinstance(value, list) and all(isinstance(turn, dict) for turn in value) for value in held)
        if not both or isinstance(record.get("prompt"), list):
            return False
        if record.get("prompt") or any(value and speaker(value[0]) != "assistant" for value in held):
            return True
        return unsaid(record, self.own, [message("", text) for text in texts_in([*held])], "prompt") is None

    def parse(self, record: Record) -> Draft:
        media: list[Medium] = []
        chosen, _ = read_turns(record.pop("chosen"), "chosen", media)
        rejected, _ = read_turns(record.pop("rejected"), "rejected")
        prompt = record.get("prompt")
        if isinstance(prompt, str) and chosen[0]["role"] == rejected[0]["role"] == "assistant":
            chosen, rejected = ([message("user", prompt), *turns] for turns in (chosen, rejected))
        count = shared(chosen, rejected)
        return Draft(chosen, rejected[count:], extra=record, prompt_turns=count, media=media)

    def render(self, draft: Draft) -> Record:
        prompt, chosen, rejected = ([openai_turn(turn) for turn in part] for part in draft.pair())
        return {"chosen": prompt + chosen, "rejected": prompt + rejected}
