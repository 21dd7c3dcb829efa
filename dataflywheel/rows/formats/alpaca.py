"""`instruction`, `input`, `output`, with `system` and `history`: Alpaca, and Dolly with its own names for the three."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dataflywheel.rows.formats.draft import CannotHold, Draft, ReadError, Record, plain, roles, text
from dataflywheel.rows.formats.history import history_turns
from dataflywheel.rows.formats.serialized import turns_in_text
from dataflywheel.rows.formats.shape import Shape
from dataflywheel.rows.schema import Message, message


class Alpaca(Shape):
    """The prompt is the instruction, then a blank line and the input where there is one; the input stays in `extra`."""

    system_column = True

    def __init__(self, name: str, input_key: str, output_key: str) -> None:
        self.name, self.input_key, self.output_key = name, input_key, output_key
        self.own = frozenset({"instruction", input_key, output_key, "chosen", "rejected", "history"})

    def matches(self, keys: frozenset[str]) -> bool:
        return "instruction" in keys and (self.output_key in keys or {"chosen", "rejected"} <= keys)

    def parse(self, record: Record) -> Draft:
        instruction = text(record, "instruction")
        given = record.get(self.input_key)
        if given is not None and not isinstance(given, str):
            raise ReadError(self.input_key, "expected text")
        if not given:
            record.pop(self.input_key, None)
        prompt = f"{instruction}\n\n{given}" if given and instruction else given or instruction
        messages = self._history(record)
        messages.append(message("user", prompt))
        rejected = None
        answer = self.output_key
        if answer not in record:
            answer = "chosen"
            rejected = [message("assistant", text(record, "rejected"))]
        messages.append(message("assistant", text(record, answer)))
        return Draft(messages, rejected, extra=record)

    def accepts(self, record: Mapping[str, Any]) -> bool:
        held = [record.get(key) for key in (self.input_key, self.output_key, "chosen", "rejected")]
        return all(
            isinstance(value, str | None) and not turns_in_text(value) for value in (record["instruction"], *held)
        )

    def _history(self, record: Record) -> list[Message]:
        turns = history_turns(record.get("history"), "history")
        if turns:
            del record["history"]
        return turns

    def render(self, draft: Draft) -> Record:
        messages = draft.messages
        record: Record = {}
        if messages and messages[0]["role"] == "system":
            record["system"] = plain(messages[0])
            messages = messages[1:]
        if draft.tools is not None:
            raise CannotHold("tool specifications")
        if not messages or [m["role"] for m in messages] != ["user", "assistant"] * (len(messages) // 2):
            raise CannotHold(f"turns other than user, assistant in turn (it has {roles(draft.messages)})")
        contents = [plain(m) for m in messages]
        if len(contents) > 2:
            record["history"] = [[contents[i], contents[i + 1]] for i in range(0, len(contents) - 2, 2)]
        return {**self._question(contents[-2], draft.extra), **record, **self._answers(draft, contents[-1])}

    def _question(self, prompt: str, extra: dict[str, Any]) -> Record:
        given = extra.get(self.input_key)
        if isinstance(given, str) and given and (prompt == given or prompt.endswith(f"\n\n{given}")):
            del extra[self.input_key]
            return {"instruction": prompt[: -len(given) - 2] if prompt != given else "", self.input_key: given}
        return {"instruction": prompt, self.input_key: ""}

    def _answers(self, draft: Draft, answer: str) -> Record:
        if draft.rejected is None:
            return {self.output_key: answer}
        _, chosen, rejected = draft.pair()
        if len(chosen) != 1 or len(rejected) != 1 or rejected[0]["role"] != "assistant":
            raise CannotHold("answers to compare that are several turns long")
        return {"chosen": answer, "rejected": plain(rejected[0])}
