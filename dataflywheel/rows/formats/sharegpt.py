"""`conversations` of `{from, value}`, tool calls as turns of their own: ShareGPT, and LLaMA-Factory's chat data."""

from __future__ import annotations

from dataflywheel.rows.formats.conversation import Conversation
from dataflywheel.rows.formats.turns import sharegpt_turn


class ShareGPT(Conversation):
    """A chat in the spelling of ShareGPT; `tools` is JSON text."""

    name = "sharegpt"
    key = "conversations"
    turn = staticmethod(sharegpt_turn)

    def tools(self, tools: str) -> str:
        return tools
