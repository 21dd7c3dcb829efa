"""The tokens of answers that are labelled as wanted or not, from rows with a label and from pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dataflywheel.distillation.model.pairs import UNBOUNDED, chat_with, cut, pairs_of
from dataflywheel.distillation.model.preferring import Example
from dataflywheel.models.templates.chat import ChatFormat, EncodedRow
from dataflywheel.rows.trainers.kind import LABELS

NO_LABEL = "it has neither a label that says whether its answer is wanted (`true`, `false`) nor a worse answer"


def labelled(format: ChatFormat, rows: Sequence[Any], max_length: int) -> list[list[Example] | str]:
    """Of each row its answer with its label, of a pair both answers, or why a row gives none. Prompts are cut from
    their left to fit the answer, those of a pair alike."""
    pairs = iter(pairs_of(format, [row for row in rows if row["rejected"]], max_length))
    alone = [row for row in rows if not row["rejected"]]
    found = iter(format.encode([chat_with(row, row["messages"]) for row in alone], UNBOUNDED))
    return [_both(row, next(pairs)) if row["rejected"] else _alone(row, next(found), max_length) for row in rows]


def _both(row: Any, pair: dict[str, list[int]] | str) -> list[Example] | str:
    if isinstance(pair, str):
        return pair
    if row["label"] == "false":
        return "its label says that its better answer is not wanted"
    return [
        {"prompt_ids": pair["prompt_ids"], "completion_ids": pair[name], "label": name == "chosen_ids"}
        for name in ("chosen_ids", "rejected_ids")
    ]


def _alone(row: Any, one: EncodedRow, max_length: int) -> list[Example] | str:
    if row["label"] not in LABELS:
        return NO_LABEL
    if not one.ids:
        return one.reason
    if len(row["messages"]) < 2:
        return "it has no prompt"
    if row["messages"][-1].get("learn") is False:
        return "its answer is marked as not to be learned"
    room = max_length - one.answer_tokens
    if not room >= one.bos + one.start - one.header > 0:
        return f"its answer leaves no room for the prompt in {max_length} tokens"
    prompt = cut(one.ids[: one.start], room, one.bos)
    return [{"prompt_ids": prompt, "completion_ids": one.ids[one.start :], "label": LABELS[row["label"]]}]


def good_and_bad(rows: Sequence[Any]) -> tuple[int, int]:
    """Answers of these rows that are wanted, and that are not, as far as labels and pairs say."""
    pairs = sum(bool(row["rejected"]) for row in rows)
    labels = [LABELS[row["label"]] for row in rows if not row["rejected"] and row["label"] in LABELS]
    return pairs + sum(labels), pairs + len(labels) - sum(labels)
