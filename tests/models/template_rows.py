"""Rows of every kind that a chat template may show or not, and tokenizers with the templates that TRL ships."""

from __future__ import annotations

import copy
import importlib.util
import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from dataflywheel.models.templates.chat import Chat
from dataflywheel.rows.schema import message
from tests.models.test_chat import tokenizer

SPEC = {
    "name": "weather",
    "description": "Weather of a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
TOOLS = json.dumps([{"type": "function", "function": SPEC}])
CALL = '[{"function":{"arguments":{"city":"Oslo"},"name":"weather"},"id":"call12345","type":"function"}]'
QUESTION, ANSWER = message("user", "What is two and two?"), message("assistant", "It is four.")
FOLLOW, AGAIN = message("user", "And three and three?"), message("assistant", "It is six.")
LOOKED = [message("user", "How is Oslo?"), message("assistant", "", CALL)]
SEEN = message("tool", "5 degrees", name="weather", tool_call_id="call12345")
COLD = message("assistant", "It is cold there.")
THOUGHTS = "Two and two make four."


def thinking(turn: Any, thoughts: str) -> Any:
    return {**turn, "reasoning": thoughts}


KINDS = {
    "answer": Chat([QUESTION, ANSWER]),
    "system": Chat([message("system", "Be terse."), QUESTION, ANSWER]),
    "two turns": Chat([QUESTION, ANSWER, FOLLOW, AGAIN]),
    "thoughts": Chat([QUESTION, thinking(ANSWER, THOUGHTS)]),
    "thoughts in the text": Chat([QUESTION, message("assistant", f"<think>\n{THOUGHTS}\n</think>\n\nIt is four.")]),
    "thoughts twice": Chat([QUESTION, thinking(ANSWER, THOUGHTS), FOLLOW, thinking(AGAIN, "Three twice.")]),
    "a call": Chat(LOOKED, TOOLS),
    "a call and its result": Chat([*LOOKED, SEEN, COLD], TOOLS),
    "thoughts and calls": Chat(
        [LOOKED[0], thinking(LOOKED[1], "I must look."), SEEN, thinking(COLD, "Now I know.")], TOOLS
    ),
    "document": Chat([message("assistant", "A plain document.")]),
}
SPECIAL = re.compile(
    r"<\|[^|<>\s]{1,30}\|>|<\uff5c[^\uff5c<>\s]{1,30}\uff5c>|<(?:start|end)_of_turn>|<\|[a-z_]+>|<[a-z_]+\|>"
)


def folder() -> Path:
    spec = importlib.util.find_spec("trl")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "chat_templates"


def names() -> list[str]:
    return sorted(path.stem for path in folder().glob("*.jinja") if not path.stem.endswith("_training"))


@lru_cache(maxsize=4)
def with_template(name: str) -> Any:
    """A small tokenizer with a family's template and its special tokens."""
    text = (folder() / f"{name}.jinja").read_text(encoding="utf-8")
    made = copy.deepcopy(tokenizer(None))
    made.add_special_tokens({"additional_special_tokens": sorted(set(SPECIAL.findall(text)))})
    made.chat_template = text
    return made
