"""Which chat template a row is rendered by: the model's own, its variant for training, one that merges system turns."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from dataflywheel.rows.schema import Message

PLAIN_TEMPLATE = (
    "{% if bos_token is defined and bos_token %}{{ bos_token }}{% endif %}"
    "{% if tools %}{{ '### Tools:\n' + tools | tojson + '\n\n' }}{% endif %}"
    "{% for message in messages %}{{ '### ' + message.role | capitalize + ':\n' }}"
    "{% if message.role == 'assistant' %}"
    "{% if message.reasoning_content %}{{ '<think>\n' + message.reasoning_content + '\n</think>\n\n' }}{% endif %}"
    "{{ message.content }}{% if message.tool_calls %}{{ message.tool_calls | tojson }}{% endif %}"
    "{% if eos_token is defined and eos_token %}{{ eos_token }}{% endif %}"
    "{% else %}{{ message.content }}{% endif %}{{ '\n\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '### Assistant:\n' }}{% endif %}"
)
"""For tokenizers without a chat template of their own."""

MERGE = (
    "{%- if messages and messages[0].role == 'system' and messages | length > 1 and messages[1].role == 'user' -%}"
    "{%- set messages = [{'role': 'user', 'content': messages[0].content + '\n\n' + messages[1].content}]"
    " + messages[2:] -%}{%- endif -%}"
)
"""Before a template: the system text stands at the head of the first question."""

COMMENT = re.compile(r"{#.*?#}", re.DOTALL)
THOUGHT_FIELD = re.compile(r"(?:\.|['\"])(?:reasoning_content|thinking|reasoning)\b")
"""The names under which templates look for a turn's thoughts."""


def shows_thoughts(template: str) -> bool:
    """Whether a template reads the thoughts of a turn from a field of their own."""
    return THOUGHT_FIELD.search(COMMENT.sub("", template)) is not None


def training_template(template: str) -> str:
    """The variant of a known family's template that leaves nothing out of a turn, or the template itself.

    Templates for answering drop what a model need not read again, such as earlier thoughts; TRL ships variants of them
    that keep it. A template that was edited is nobody's variant.
    """
    merged, bare = template.startswith(MERGE), template.removeprefix(MERGE)
    found = _variants().get(bare, bare)
    return MERGE + found if merged else found


@lru_cache(maxsize=1)
def _variants() -> dict[str, str]:
    """The training variant of each template that TRL knows, by the template's text."""
    spec = importlib.util.find_spec("trl")
    folder = Path(spec.origin).parent / "chat_templates" if spec is not None and spec.origin else None
    found: dict[str, str] = {}
    for variant in sorted(folder.glob("*_training.jinja")) if folder is not None else ():
        original = variant.with_name(variant.name.replace("_training.jinja", ".jinja"))
        if original.is_file():
            found[original.read_text(encoding="utf-8")] = variant.read_text(encoding="utf-8")
    return found


def merge_system(tokenizer: Any) -> bool:
    """Let a tokenizer's template put system texts before the first question; False where it shows them itself, both to
    the model that is asked and beside an answer that is learned."""
    template = tokenizer.get_chat_template() if tokenizer.chat_template else PLAIN_TEMPLATE
    said = (("system", "\ue0f7"), ("user", "a"), ("assistant", "b"))
    turns = [{"role": role, "content": text} for role, text in said]
    try:
        texts = [
            render(one, turns[:end], None, end == 2, tokenizer.special_tokens_map)
            for one, end in ((template, 2), (training_template(template), 3))
        ]
        shown = all("\ue0f7" in text for text in texts)
    except Exception:
        shown = False
    if not shown:
        tokenizer.chat_template = MERGE + template
    return not shown


def render(template: str, turns: list[dict[str, Any]], tools: Any, prompt: bool, names: dict[str, Any]) -> str:
    """One conversation by a template, with the cue for an answer where `prompt`; `names` are its special tokens."""
    from transformers.utils.chat_template_utils import render_jinja_template

    texts, _ = render_jinja_template([turns], tools, chat_template=template, add_generation_prompt=prompt, **names)
    return str(texts[0])


def template_turn(turn: Message, inline: bool, in_parts: bool = False) -> dict[str, Any]:
    """A turn as templates read it; thoughts `inline`, in a block before the text, where a template has no field for
    them; the text as the one part of a list where it is to be `in_parts`."""
    one: dict[str, Any] = {"role": turn["role"], "content": turn["content"]}
    if turn["reasoning"]:
        if inline:
            one["content"] = f"<think>\n{turn['reasoning']}\n</think>\n\n{turn['content']}"
        else:
            one |= dict.fromkeys(("reasoning_content", "thinking", "reasoning"), turn["reasoning"])
    if in_parts:
        one["content"] = [{"type": "text", "text": one["content"]}]
    if turn["tool_calls"]:
        one["tool_calls"] = orjson.loads(turn["tool_calls"])
    if turn["name"]:
        one["name"] = turn["name"]
    if turn["tool_call_id"]:
        one["tool_call_id"] = turn["tool_call_id"]
    return one


def tool_list(tools: str) -> Any:
    """Tool specifications as templates read them: a list of objects, each with its `function`.

    Raises:
        ValueError: the text is not JSON.
    """
    found = orjson.loads(tools)
    specs: Iterable[Any] = found if isinstance(found, list) else [found]
    return [
        {"type": "function", "function": one}
        if isinstance(one, dict) and "function" not in one and "name" in one
        else one
        for one in specs
    ]
