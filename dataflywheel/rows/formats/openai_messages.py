"""`messages` of `{role, content}`, with `tool_calls`, `tools`, a `label` for KTO: what chat endpoints and TRL read."""

from __future__ import annotations

from typing import Any

from dataflywheel.rows.formats.conversation import Conversation, tool_list
from dataflywheel.rows.formats.turns import openai_turn


class OpenAIMessages(Conversation):
    """A chat in the spelling of the OpenAI API."""

    name = "messages"
    key = "messages"
    turn = staticmethod(openai_turn)

    def tools(self, tools: str) -> Any:
        return tool_list(tools)
