"""What a record holds of a prompt or an answer under a name that nobody knows, where it has none under a known one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal

from dataflywheel.rows.formats.draft import has_words, texts_in
from dataflywheel.rows.formats.flat import said_by
from dataflywheel.rows.formats.lone_turns import is_conversation
from dataflywheel.rows.formats.names import LISTS, VERDICTS, folded
from dataflywheel.rows.formats.proposal import ASKING, NO_TEXT
from dataflywheel.rows.schema import Message

Part = Literal["prompt", "answer"]
SENTENCE = 6
"""Texts with at least so many words may be a prompt or an answer, whatever their column is called."""
NOTES = frozenset({"rationale", "critique", "feedback", "explanation", "comment", "notes", "description", "license"})
"""Columns that speak about the row."""
ABOUT = NO_TEXT | frozenset((
    "meta", "info", "extra", "tags", "tag", "labels", "dataset", "subset", "origin", "domain", "subject",
    "area", "level", "tier", "group", "style", "skill", "skills", "ability", "capability", "annotator",
    "annotators", "author", "rater", "locale", "country", "format", "config", "settings", "params", "tokens",
    "length", "count", "num", "by", "usage", "state", "class", "intent", "sentiment", "emotion", "tone",
    "dimension", "aspect", "principle", "stage", "phase", "method", "strategy",
))  # fmt: skip
"""Words in the names of columns that say of what kind a row is, or where it comes from."""
CHECKS = frozenset((
    "rubric", "rubrics", "constraint", "constraints", "criteria", "criterion", "checklist", "check", "checks", "test",
    "tests", "testcases", "assertions", "verifier", "verification", "reward", "metric", "metrics", "kwargs",
    "keywords", "principles",
))  # fmt: skip
"""Words in the names of columns by which an answer is checked that is yet to be written."""
LOOSE = frozenset(("source", "src", "task", "title", "customer", "client", "user", "human", "model"))
"""Words that ask in some sets and classify in others."""
GIVEN = frozenset((
    "final", "answer", "reply", "response", "completion", "output", "result", "ideal", "best", "continuation",
    "demonstration", "solution", "target", "generation", "summary", "translation",
))  # fmt: skip
"""Last words in the names of columns that hold an answer, however short."""
REFERENCES = frozenset(
    ("reference", "gold", "golden", "truth", "ground", "correct", "expected", "final", "label", "key")
)
"""Words in the names of answers that only check one, where they are short."""
NAMES = frozenset(("model", "source", "data_source", "generator"))
"""Whole names of columns that say where a row comes from; a long text there may be what is to be translated."""


def unsaid(
    record: Mapping[str, Any], used: Iterable[str], turns: Sequence[Message], lacks: Part | None = None
) -> str | None:
    """The first key beyond those used that holds a text which none of the turns says: a part of the row, it may be.

    Long texts may be under any name but those of notes; shorter ones where a name hints at the part that the row
    `lacks`, or, for a prompt, where no name says that it is something else.
    """
    held = frozenset(used)
    for key in sorted(record.keys() - held):
        value, name = record[key], folded(key)
        if not value or name in NOTES or (lacks == "answer" and is_note(name)):
            continue
        found = name in LISTS or is_conversation(value) or any(has_words(text, SENTENCE) for text in texts_in(value))
        found = found or (lacks is not None and any(may_be(lacks, name, text) for text in texts_in(value)))
        if found and not said_by(value, turns):
            return key
    return None


@lru_cache(maxsize=4096)
def is_note(name: str) -> bool:
    """Whether a folded name says that its column is about a row whose answer is yet to be written."""
    return not (CHECKS | ABOUT).isdisjoint(name.split("_"))


def may_be(part: Part, name: str, text: str) -> bool:
    """Whether a short text under such a folded name may be the prompt or the answer."""
    hint = hinted(part, name)
    return hint == "by name" or (hint == "by text" and (has_words(text, 2) or text.rstrip()[-1:] in "?\uff1f"))


@lru_cache(maxsize=4096)
def hinted(part: Part, name: str) -> Literal["by name", "by text", ""]:
    """What tells whether a column holds the part: its folded name, what stands in it, or nothing since it is a note."""
    words = frozenset(name.split("_"))
    if part == "answer":
        given = name.rpartition("_")[2] in GIVEN and (words.isdisjoint(REFERENCES) or name == "final")
        return "by name" if given else ""
    if name in NAMES or name.endswith("_model") or not words.isdisjoint(ABOUT | VERDICTS | NOTES):
        return ""
    return "by name" if not words.isdisjoint(ASKING - LOOSE) else "by text"
