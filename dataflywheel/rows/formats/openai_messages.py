"""`messages` of `{role, content}`, with `tool_calls`, `tools`, a `label` for KTO: what chat endpoints and TRL read."""

from __future__ import annotations

from dataflywheel.rows.formats.conversation import Conversation
from dataflywheel.rows.formats.draft import Draft, Record
from dataflywheel.rows.formats.written_turns import openai_turn


class OpenAIMessages(Conversation):
    """A chat in the spelling of the OpenAI API."""

    name = "messages"
    key = "messages"
    turn = staticmethod(openai_turn)

    def add_system(self, draft: Draft, key: str, said: str, record: Record) -> Record:
        """As a turn, and written as one: what reads messages looks nowhere else. The column stays beside it."""
        exact, turns = draft.exact, len(draft.messages)
        super().add_system(draft, key, said, record)
        if len(draft.messages) == turns:
            return record
        draft.exact, draft.extra[key] = exact, said
        draft.names.pop("system", None)
        return {**record, self.key: [openai_turn(draft.messages[0]), *record[self.key]]}


class ToldMessages(OpenAIMessages):
    """A chat of which somebody said where it is."""

    sure = True
