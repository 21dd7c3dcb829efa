"""Calls of tools as values, read from rows and from what models write."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import orjson

from dataflywheel.rows.text import fields_of, split_answer
from dataflywheel.rows.thoughts import split_thoughts
from dataflywheel.signals.wording.fences import blocks, without_blocks

MAX_CHARS = 200_000
MAX_CALLS = 256
MAX_TRIED = 20
"""Places in a text at which JSON may begin that are looked at."""
FIELDS = ("tool_calls", "answers", "ground_truth", "expected_calls", "function_calls")
"""Fields of the input that hold the right calls."""
_TAG = re.compile(r"<(/?)(tool_calls?|function_calls?|functioncall|tools?|function)(?:=([\w.\-]{1,200}))?>")
_MARKS = re.compile(r"\[TOOL_CALLS\]|<\|python_tag\|>|<\|tool_calls?(?:_start|_section_begin|_begin)?\|>")
_BEGINS = re.compile(r"<[|\uff5c]tool[_\u2581]call[_\u2581]begin[|\uff5c]>")
_CALL_ENDS = re.compile(r"<[|\uff5c]tool[_\u2581]calls?(?:_section)?[_\u2581]end[|\uff5c]>")
_NAMED = re.compile(
    r"\s{0,9}(?:function<\uff5ctool\u2581sep\uff5c>)?(?:functions\.)?(?P<name>[\w.\-]{1,200})(?::\d{1,4})?\s{0,9}"
    r"(?:<\uff5ctool\u2581sep\uff5c>|<\|tool_call_argument_begin\|>|(?<=\n)|$)"
)
_PARAMETER = re.compile(r"<parameter=([\w.\-]{1,200})>([^<]*)</parameter>")
_ENDS = re.compile(r"</s>|<\|eot_id\|>|<\|im_end\|>|<\|eom_id\|>|<\|tool_call_end\|>")


@dataclass(frozen=True)
class Call:
    """One call: the name of the tool, and its arguments as JSON values."""

    name: str
    arguments: Any

    def key(self) -> str:
        """Equal for equal calls: keys in any order, 1 and 1.0 the same, texts letter by letter."""
        return f"{self.name}({json.dumps(_plain(self.arguments), sort_keys=True, default=repr)})"


def _plain(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, set | frozenset):
        return {"set": sorted(map(repr, value))}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def expected_calls(row: Mapping[str, Any]) -> list[Call] | None:
    """The calls of a row's reference turn, else of a field of its input; None where it says nothing of calls.

    An empty list in a field says that no tool is to be called.
    """
    said = split_answer(row["messages"])[1]
    if said and said[0]["tool_calls"]:
        return calls_in(orjson.loads(said[0]["tool_calls"]))
    extra = fields_of(row)
    for name in FIELDS:
        value = extra.get(name)
        if isinstance(value, str) and value.strip()[:1] in ("[", "{"):
            try:
                value = orjson.loads(value)
            except orjson.JSONDecodeError:
                continue
        if isinstance(value, list | dict):
            found = calls_in(value)
            if found or value == []:
                return found
    found = written_calls(said[0]["content"]) if said else []
    return found or None


def calls_in(value: Any) -> list[Call]:
    """Calls in JSON of any usual form: `{name, arguments}`, `{function: {...}}`, `{name, parameters}`, and lists."""
    if isinstance(value, list):
        return [call for item in value[:MAX_CALLS] for call in calls_in(item)]
    if not isinstance(value, dict):
        return []
    inner = value.get("function") if isinstance(value.get("function"), dict) else None
    inner = inner or (value.get("tool_call") if isinstance(value.get("tool_call"), dict) else None) or value
    if isinstance(value.get("tool_calls"), list):
        return calls_in(value["tool_calls"])
    name = inner.get("name") or inner.get("tool_name") or inner.get("function")
    if not isinstance(name, str):
        return []
    given: Any = next((inner[key] for key in ("arguments", "parameters", "args", "input") if key in inner), {})
    if isinstance(given, str):
        try:
            given = orjson.loads(given) if given.strip() else {}
        except orjson.JSONDecodeError:
            return [Call(name, given)]
    return [Call(name, {} if given is None else given)]


def written_calls(text: str) -> list[Call]:
    """The calls that a model wrote into its text, in the forms of the usual chat templates: between tags, behind a
    mark, as JSON or as calls of Python, fenced or bare. Thoughts before them are no calls."""
    if len(text) > MAX_CHARS:
        return []
    text = split_thoughts(text)[1]
    parted = [call for piece in _BEGINS.split(text)[1:] for call in _begun(piece)]
    if parted:
        return parted
    tagged = list(_tagged(text))
    if tagged:
        return [call for name, piece in tagged for call in _tagged_call(name, piece)]
    mark = _MARKS.search(text)
    bare = _ENDS.sub("", text[mark.end() :] if mark else text)
    bare = _MARKS.sub("\n", bare).strip()
    for piece in [*(block.body for block in blocks(bare)), bare if not blocks(bare) else without_blocks(bare)]:
        found = _call_of(piece)
        if found:
            return found
    return _among_prose(bare)


def _begun(piece: str) -> list[Call]:
    """A call between marks of its own: its name, a mark or a line end, its arguments as JSON, bare or fenced."""
    body = _CALL_ENDS.split(piece, maxsplit=1)[0]
    named = _NAMED.match(body)
    if named is None:
        return _call_of(body)
    given = body[named.end() :].strip()
    return calls_in({"name": named["name"], "arguments": next((b.body for b in blocks(given)), given)})


def _among_prose(text: str) -> list[Call]:
    """A call in JSON behind words; only what has arguments is one, since much else has a name."""
    for start in islice(re.finditer(r'[\[{]\s*[{"]', text), MAX_TRIED):
        try:
            value, _ = json.JSONDecoder().raw_decode(text, start.start())
        except (ValueError, RecursionError):
            continue
        found = calls_in(value)
        if found and ('"arguments"' in text or '"parameters"' in text):
            return found
    return []


def _tagged(text: str) -> Iterator[tuple[str, str]]:
    """What stands between a tag and the next that closes it, with the name in the tag; a tag left open reaches to the
    end, since models end their answers there."""
    opened: tuple[str, str, int] | None = None
    for tag in _TAG.finditer(text):
        closes, kind, name = bool(tag[1]), tag[2], tag[3] or ""
        if not closes:
            opened = (kind, name, tag.end())
        elif opened is not None and kind == opened[0]:
            yield opened[1], text[opened[2] : tag.start()]
            opened = None
    if opened is not None:
        yield opened[1], _ENDS.sub("", text[opened[2] :])


def _tagged_call(name: str, piece: str) -> list[Call]:
    if name and (given := _PARAMETER.findall(piece)):
        return [Call(name, {key: _value(value.strip("\n")) for key, value in given})]
    return calls_in({"name": name, "arguments": piece.strip()}) if name else _call_of(piece)


def _value(text: str) -> Any:
    """A value that stands without quotes: JSON where it is some, else a text."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def _call_of(text: str) -> list[Call]:
    """Calls of a piece of text that is nothing else: JSON values one after the other, or Python."""
    text = text.strip()
    try:
        return calls_in(orjson.loads(text))
    except orjson.JSONDecodeError:
        pass
    several: list[Call] = []
    for line in re.split(r"\n|(?<=\});", text):
        if line.strip():
            try:
                several += calls_in(orjson.loads(line.strip()))
            except orjson.JSONDecodeError:
                return list(_python(text))
    return several


def _python(text: str) -> Iterator[Call]:
    """`[f(a=1), g(b="x")]`: names and literal arguments, parsed and never run."""
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    nodes: Sequence[ast.expr] = tree.elts if isinstance(tree, ast.List | ast.Tuple) else [tree]
    if not all(isinstance(node, ast.Call) for node in nodes):
        return
    for node in nodes[:MAX_CALLS]:
        assert isinstance(node, ast.Call)
        try:
            given = {word.arg or "": ast.literal_eval(word.value) for word in node.keywords}
            values = [ast.literal_eval(value) for value in node.args]
        except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
            return
        yield Call(ast.unparse(node.func), {**given, **({"": values} if values else {})})
