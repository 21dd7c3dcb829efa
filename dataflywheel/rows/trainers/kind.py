"""What a row can teach, and what every trainer asks of a row: trainers read one kind of row a file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Literal

import orjson

from dataflywheel.rows.formats.draft import CannotHold, Draft, Record, plain
from dataflywheel.rows.formats.shape import OURS
from dataflywheel.rows.schema import Message, Row

Kind = Literal["chat", "preference", "kto", "text"]
KINDS: Final[tuple[Kind, ...]] = ("chat", "preference", "kto", "text")
LABELS: Final = {"true": True, "false": False}
TRAIN: Final = "train"
"""The field of a turn that says whether it is learned; in prompts of comparisons, never learned, it is passed over."""


def kind_of(row: Row) -> Kind:
    """`preference` with a rejected answer, `kto` with a true or false label, `text` for a document, else `chat`."""
    if row["rejected"] is not None:
        return "preference"
    if row["label"] in LABELS:
        return "kto"
    return "text" if [m["role"] for m in row["messages"]] == ["assistant"] else "chat"


def document(row: Row) -> Record:
    """The record of a document, for all trainers.

    Raises:
        CannotHold: it has tools, media or anything beside its text.
    """
    if row["tools"] or row["media"]:
        raise CannotHold("tools or media of a document")
    return {"text": plain(row["messages"][0])}


def conversation(row: Row) -> list[Message]:
    """The turns of a chat or of a KTO row.

    Raises:
        CannotHold: the row does not end with an answer, has no turn to learn, or a turn that no template shows.
    """
    turns = told(row["messages"])
    if turns[-1]["role"] != "assistant":
        raise CannotHold("a row without an answer to learn")
    if row["label"] in LABELS and turns[-1]["learn"] is False:
        raise CannotHold("an answer to judge that must not be learned")
    if all(turn["learn"] is False for turn in turns if turn["role"] == "assistant"):
        raise CannotHold("a row of which no turn is to be learned")
    if row["label"] in LABELS and len(turns) == 1:
        raise CannotHold("an answer without a prompt")
    return turns


def pair_of(row: Row) -> tuple[list[Message], Message, Message]:
    """Prompt, chosen answer and rejected answer of a preference row.

    Raises:
        CannotHold: there is no prompt, or an answer is several turns long, not the assistant's or not to be learned.
    """
    ours = orjson.loads(row["extra"]).get(OURS)
    turns = ours.get("prompt_turns") if isinstance(ours, dict) else None
    valid = isinstance(turns, int) and 0 <= turns < len(row["messages"])
    prompt, chosen, rejected = Draft(row["messages"], row["rejected"], prompt_turns=turns if valid else None).pair()
    if len(chosen) != 1 or len(rejected) != 1:
        raise CannotHold("answers to compare that are several turns long: what others say in them would be learned")
    if any(turn["role"] != "assistant" for turn in (*chosen, *rejected)):
        raise CannotHold("an answer to compare that is not the assistant's")
    if any(turn["learn"] is False for turn in (*chosen, *rejected)):
        raise CannotHold("an answer to compare that must not be learned")
    if not prompt:
        raise CannotHold("answers to compare without a prompt")
    return told(prompt), told(chosen)[0], told(rejected)[0]


def told(turns: Iterable[Message]) -> list[Message]:
    """The turns, once it is sure that a chat template can show them.

    Raises:
        CannotHold: a turn that is not the assistant's thinks or calls tools.
    """
    found = list(turns)
    for turn in found:
        if turn["role"] != "assistant" and turn["reasoning"] is not None:
            raise CannotHold("thoughts in a turn that is not the assistant's")
        if turn["role"] != "assistant" and turn["tool_calls"] is not None:
            raise CannotHold("tool calls in a turn that is not the assistant's")
    return found


def all_learned(turns: Iterable[Message]) -> None:
    """Check that every answer is learned, for trainers that know no other way.

    Raises:
        CannotHold: one must not be.
    """
    if any(turn["learn"] is False for turn in turns):
        raise CannotHold("a turn that must not be learned")


def tools_of(row: Row) -> list[Any]:
    """The specifications of a row's tools; none where it has none.

    Raises:
        CannotHold: they are no JSON objects.
    """
    if not row["tools"]:
        return []
    try:
        tools: Any = orjson.loads(row["tools"])
    except orjson.JSONDecodeError:
        raise CannotHold("tool specifications that are not JSON") from None
    if isinstance(tools, dict) and tools.keys().isdisjoint(("name", "function", "type")):
        raise CannotHold("tool specifications that are an object by name, and not a list")
    tools = [tools] if isinstance(tools, dict) else tools
    if not isinstance(tools, list) or not all(isinstance(tool, dict) for tool in tools):
        raise CannotHold("tool specifications that are not a list of objects")
    return tools


def beside(row: Row, kind: Kind) -> Record:
    """Columns that trainers pass over: label, cells, how often the row stood, and how much it is to count, which no
    trainer knows of and a loss of the user's own can read."""
    record: Record = {}
    if row["label"] is not None and kind != "kto":
        record["label"] = LABELS.get(row["label"], row["label"])
    if row["cells"] is not None:
        record["cells"] = orjson.loads(row["cells"])
    if row["copies"] > 1:
        record["copies"] = row["copies"]
    if row["weight"] is not None:
        record["weight"] = row["weight"]
    return record


def with_thoughts(message: Message, said: str) -> str:
    """What a turn says, after its thoughts as the block that reasoning models write."""
    thoughts = message["reasoning"]
    return said if thoughts is None else f"<think>\n{thoughts}\n</think>\n\n{said}"
