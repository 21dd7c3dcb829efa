"""Rows as a text with a label: which of both is where, and the row with another text or label."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import Message, Row
from dataflywheel.rows.text import fields_of
from dataflywheel.rows.thoughts import split_thoughts
from dataflywheel.rows.trainers.kind import LABELS

LABEL_WORDS = 6
"""Words of an answer that may be a label."""
FRAMED = 8
"""Rows of one source and tag that must begin or end alike before this is taken for what is asked of each text."""
_SIGNS = re.compile(r"^([\W_]*)(.*?)([\W_]*)$", re.DOTALL)


class Place(NamedTuple):
    """Where the text and the label of a row are."""

    turn: int
    """The turn that holds the text."""
    label: str
    in_answer: bool
    """The answer is the label."""


def place_of(row: Row) -> Place | str:
    """Where a row has its text and its label, or in a few words why it has none.

    The label is the row's own, or else a short answer. Where both are there, they must be the same.
    """
    turns, answer = row["messages"], ""
    asked = [i for i, turn in enumerate(turns) if turn["role"] == "user"]
    if row["media"]:
        return "images or sounds, which the writer cannot see"
    if row["rejected"] or any(turn["tool_calls"] for turn in turns):
        return "a pair of answers, or calls of tools"
    if asked and turns[-1]["role"] == "assistant":
        last = turns[-1]
        if last["reasoning"] or split_thoughts(last["content"])[0]:
            return "thoughts that lead to its label"
        answer = last["content"]
    if not asked and len(turns) != 1:
        return "no text"
    bare, own = core(answer), row["label"] or ""
    if own in LABELS and answer:
        return "a label that says whether the answer is wanted"
    if own and answer and core(own).casefold() != bare.casefold():
        return "an answer that is not its label"
    label = own or bare
    if not label or len(label.split()) > LABEL_WORDS:
        return "no label"
    turn = asked[-1] if asked else 0
    return Place(turn, label, bool(answer)) if turns[turn]["content"].strip() else "no text"


def core(text: str) -> str:
    """A text without the signs around it.

    >>> core(" (Positive). ")
    'Positive'
    """
    found = _SIGNS.match(text)
    return found[2] if found else text


def same(one: str, other: str) -> bool:
    """Whether two labels are one, in other capitals or with signs around."""
    return core(one).casefold() == core(other).casefold()


def frames(rows: Sequence[Row], places: Sequence[Place | str]) -> dict[tuple[str, str], tuple[str, str]]:
    """What all texts of one source and first tag begin and end with, in whole words: what is asked of each."""
    texts: dict[tuple[str, str], list[str]] = {}
    for row, place in zip(rows, places, strict=True):
        if isinstance(place, Place):
            texts.setdefault(kind_of(row), []).append(row["messages"][place.turn]["content"])
    found = {}
    for kind, some in texts.items():
        if len(some) >= FRAMED:
            start = re.sub(r"\S+\Z", "", _shared(some))
            rest = [text[len(start) :][::-1] for text in some]
            end = re.sub(r"\S+\Z", "", _shared(rest))[::-1]
            found[kind] = (start, end)
    return found


def _shared(texts: Sequence[str]) -> str:
    """What all begin with: the first and the last of them in order have no less of it in common."""
    first, last = min(texts), max(texts)
    length = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return first[:length]


def kind_of(row: Row) -> tuple[str, str]:
    return row["source"], row["tags"][0] if row["tags"] else ""


def usual_labels(places: Sequence[Place | str]) -> list[str]:
    """The labels that at least two rows have, in the spelling that is most frequent, in alphabetical order."""
    spelt: dict[str, Counter[str]] = {}
    for place in places:
        if isinstance(place, Place):
            spelt.setdefault(place.label.casefold(), Counter())[place.label] += 1
    return sorted(min(of, key=lambda one: (-of[one], one)) for of in spelt.values() if sum(of.values()) >= 2)


def relabelled(row: Row, place: Place, text: str, label: str, made_by: str) -> Row:
    """A new row with another text and label; what in tags and further fields says the old label, says the new one. A
    place without a label leaves all but the text as it is."""
    old = place.label.casefold()

    def said(value: Any) -> Any:
        return label if old and isinstance(value, str) and value.casefold() == old else value

    turns: list[Message] = [
        {**turn, "content": text} if i == place.turn else turn for i, turn in enumerate(row["messages"])
    ]
    if place.in_answer:
        before, _, after = _SIGNS.match(turns[-1]["content"]).groups()  # type: ignore[union-attr]
        turns[-1] = {**turns[-1], "content": f"{before}{label}{after}"}
    return make_row(
        turns,
        rejected=row["rejected"],
        tools=row["tools"],
        label=label if row["label"] and old else row["label"],
        source=row["source"],
        tags=[said(tag) for tag in row["tags"]],
        extra={name: said(value) for name, value in fields_of(row).items()},
        parents=[row["id"]],
        made_by=made_by,
        round=row["round"],
        cells=row["cells"],
        weight=row["weight"],
    )
