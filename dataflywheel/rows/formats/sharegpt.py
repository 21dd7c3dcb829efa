"""`conversations` of `{from, value}`, tool calls as turns of their own: ShareGPT, and LLaMA-Factory's chat data."""

from __future__ import annotations

from dataflywheel.rows.formats.conversation import Conversation
from dataflywheel.rows.formats.draft import Record
from dataflywheel.rows.formats.written_turns import sharegpt_turn
from dataflywheel.rows.schema import Message


class ShareGPT(Conversation):
    """A chat in the spelling of ShareGPT; `tools` is JSON text."""

    name = "sharegpt"
    key = "conversations"
    turn = staticmethod(sharegpt_turn)

    def spoken(self, turn: Message) -> list[Record]:
        """A text and calls are two turns, which reading joins."""
        if turn["content"] and turn["tool_calls"] is not None and turn["role"] == "assistant":
            call: Message = {**turn, "content": "", "reasoning": None}
            return [sharegpt_turn({**turn, "tool_calls": None}), sharegpt_turn(call)]
        return [sharegpt_turn(turn)]

    def tools(self, tools: str) -> str:
        return tools
