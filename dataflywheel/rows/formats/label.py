"""The label of a record: a class, or whether its answer is wanted (KTO), in the spellings that data sets have."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import orjson

from dataflywheel.rows.formats.draft import Draft, ReadError, Record, has_words, kind
from dataflywheel.rows.formats.names import by_name, label_key

SENTENCE = 6
"""Words of a label that may be an answer."""
WANTED = {
    **dict.fromkeys(("true", "desirable", "chosen", "accepted", "thumbs_up", "thumbs up", "+1"), "true"),
    **dict.fromkeys(("good", "like", "accept", "preferred", "upvote", "\N{THUMBS UP SIGN}"), "true"),
    **dict.fromkeys(("false", "undesirable", "rejected", "thumbs_down", "thumbs down", "-1"), "false"),
    **dict.fromkeys(("bad", "dislike", "reject", "dispreferred", "downvote", "\N{THUMBS DOWN SIGN}"), "false"),
}
"""What says of an answer whether it is wanted, in any case."""
ONLY_THERE = {
    **dict.fromkeys(("yes", "positive", "1", "up"), "true"),
    **dict.fromkeys(("no", "negative", "0", "down"), "false"),
}
"""The same where the column's own name says that this is asked, or all three columns are those of KTO."""
KTO = frozenset(("prompt", "completion", "label"))
NUMBERS = {"1": "true", "0": "false", "1.0": "true", "0.0": "false", "-1": "false", "-1.0": "false"}


def take_label(record: Record) -> tuple[str, str] | None:
    """Take the label with the name of its column: texts as they stand, all else as JSON.

    Raises:
        ReadError: a column that asks whether the answer is wanted holds something else.
    """
    named = by_name(frozenset(record)).get("label")
    if named is not None:
        value = record.pop(named)
        return named, value if isinstance(value, str) else said(value)
    key = label_key(frozenset(record))
    if key is None:
        return None
    value = said(record[key]) if not isinstance(record[key], str) else record[key].strip().lower()
    wanted = WANTED.get(value, ONLY_THERE.get(value, NUMBERS.get(value)))
    if wanted is None:
        raise ReadError(key, f"expected true or false, got {kind(record[key])} {record[key]!r:.40}")
    del record[key]
    return key, wanted


def no_answer(draft: Draft, key: str, label: str) -> None:
    """Check that the label of a prompt without an answer is not that answer.

    Raises:
        ReadError: it is as long as one.
    """
    if draft.messages[-1]["role"] == "user" and has_words(label, SENTENCE):
        raise ReadError(key, f"may be the answer to the prompt; then name it: columns: {{prompt: ..., answer: {key}}}")


def said(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def add_label(draft: Draft, key: str, label: str, keys: Collection[str]) -> None:
    """Give a draft its label: of an answer to a prompt, 1 and 0 and True and False in text say whether it is wanted."""
    draft.exact = False
    if key != "label":
        draft.names["label"] = key
    roles = {turn["role"] for turn in draft.messages}
    if draft.rejected is None and {"user", "assistant"} <= roles and draft.messages[-1]["role"] == "assistant":
        said = label.strip().lower()
        usual = ONLY_THERE.get(said, label) if KTO.issubset(keys) else label
        label = WANTED.get(said, NUMBERS.get(said, usual))
    draft.label = label
