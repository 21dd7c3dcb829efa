"""Which chat template a row is rendered by: the model's own, its variant for training, one that merges system turns."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import orjson

from dataflywheel.contracts import UsageError
from dataflywheel.models.templates.bounded_template import bounded, compiled
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
OPENED = re.compile(r"\A\s*(?:<think>|<thinking>|<thought>|\[THINK\]|<seed:think>|◁think▷)\s*")
"""A tag that opens thoughts at the head of a text."""
THOUGHT_FIELD = re.compile(r"(?:\.|['\"])(?:reasoning_content|thinking|reasoning)\b")
"""The names under which templates look for a turn's thoughts."""


THOUGHT_PART = re.compile(r"\btype\b['\"\])]*\s*==\s*['\"]thinking['\"]")
"""Of templates that read a turn's thoughts from a part of its content."""


Thoughts = Literal["field", "part", "inline"]


@dataclass(frozen=True)
class Form:
    """In which form a template reads turns."""

    thoughts: Thoughts = "inline"
    """From fields of their own, from a part of the content, or in a block before the text, where it knows neither."""
    in_parts: bool = False
    """Contents as lists of parts, as templates of models that see may want them."""
    text_arguments: bool = False
    """Arguments of calls as JSON text."""
    close: str = ""
    """The tag behind the thoughts, where the template itself opens them before every answer that ends a conversation:
    no answer is then shown as thoughts."""


def thoughts_form(template: str) -> Thoughts:
    bare = COMMENT.sub("", template)
    if THOUGHT_PART.search(bare):
        return "part"
    return "field" if THOUGHT_FIELD.search(bare) else "inline"


def templates_of(tokenizer: Any) -> tuple[str, str]:
    """The template for conversations, and the one for those with tools: published tokenizers may name one `tool_use`.

    Raises:
        UsageError: there are several, and none is the default.
    """
    given = tokenizer.chat_template or PLAIN_TEMPLATE
    if isinstance(given, str):
        return given, given
    if "default" not in given and len(given) > 1:
        names = ", ".join(sorted(given))
        raise UsageError(f"{tokenizer.name_or_path}: it has the chat templates {names}; one must be called `default`")
    plain = str(given.get("default") or next(iter(given.values())))
    return plain, str(given.get("tool_use", plain))


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
    the model that is asked and beside an answer that is learned. Named templates are looked at one by one."""
    given = tokenizer.chat_template or PLAIN_TEMPLATE
    named = {"": given} if isinstance(given, str) else given
    merged = {
        name: text if _shows_system(text, tokenizer.special_tokens_map) else MERGE + text
        for name, text in named.items()
    }
    if merged == named:
        return False
    tokenizer.chat_template = merged[""] if isinstance(given, str) else merged
    return True


def _shows_system(template: str, names: dict[str, Any]) -> bool:
    said = (("system", "\ue0f7"), ("user", "a"), ("assistant", "b"))
    turns = [{"role": role, "content": text} for role, text in said]
    for tools in (None, [{"type": "function", "function": {"name": "a", "description": "", "parameters": {}}}]):
        try:
            jobs = ((template, 2), (training_template(template), 3))
            texts = [render(one, turns[:end], tools, end == 2, names) for one, end in jobs]
        except Exception:
            continue  # templates for tools may insist on some
        if all("\ue0f7" in text for text in texts):
            return True
    return False


def render(template: str, turns: list[dict[str, Any]], tools: Any, prompt: bool, names: dict[str, Any]) -> str:
    """One conversation by a template, with the cue for an answer where `prompt`; `names` are its special tokens.

    Raises:
        Exception: the template refuses the conversation, does not end, or makes giants.
    """

    def work() -> str:
        found = compiled(template)
        return str(found.render(messages=turns, tools=tools, documents=None, add_generation_prompt=prompt, **names))

    return bounded(template, work)


def template_turn(turn: Message, form: Form) -> dict[str, Any]:
    """A turn in the form in which a template reads it."""
    text, parts = _content(turn, form), []
    if turn["reasoning"] and form.thoughts == "part":
        parts.append({"type": "thinking", "thinking": turn["reasoning"], "closed": True})
    one: dict[str, Any] = {"role": turn["role"], "content": text}
    if turn["reasoning"] and form.thoughts == "field":
        one |= dict.fromkeys(("reasoning_content", "thinking", "reasoning"), turn["reasoning"])
    if form.in_parts or parts:
        one["content"] = [*parts, {"type": "text", "text": text}]
    if turn["tool_calls"]:
        one["tool_calls"] = [_call(call, form) for call in orjson.loads(turn["tool_calls"])]
    if turn["name"]:
        one["name"] = turn["name"]
    if turn["tool_call_id"]:
        one["tool_call_id"] = turn["tool_call_id"]
    return one


def _content(turn: Message, form: Form) -> str:
    thoughts, text = turn["reasoning"] if form.thoughts == "inline" else None, turn["content"]
    if form.close and turn["role"] == "assistant":
        opened = OPENED.sub("", text)
        if thoughts or (opened.strip() and form.close not in opened):
            return f"{thoughts}\n{form.close}\n\n{text}" if thoughts else f"{form.close}\n\n{text}"
        return opened
    return f"<think>\n{thoughts}\n</think>\n\n{text}" if thoughts else text


def _call(call: Any, form: Form) -> Any:
    function = call.get("function") if isinstance(call, dict) else None
    if not form.text_arguments or not isinstance(function, dict) or isinstance(function.get("arguments"), str):
        return call
    written = json.dumps(function.get("arguments", {}), ensure_ascii=False)
    return {**call, "function": {**function, "arguments": written}}


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
