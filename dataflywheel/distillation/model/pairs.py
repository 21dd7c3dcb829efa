"""The tokens of a better and a worse answer to one prompt, as all trainings on preferences read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from dataflywheel.distillation.model.preferring import Example, PreferenceTrainer
from dataflywheel.models.templates.chat import Chat, ChatFormat, EncodedRow
from dataflywheel.models.training.trainer import Learns
from dataflywheel.rows.schema import Message, Row
from dataflywheel.rows.text import split_answer

UNBOUNDED = 1 << 30


class PairTrainer(PreferenceTrainer):
    """A training on pairs: a prompt with a better and a worse answer."""

    learns: ClassVar[Learns] = "pairs"

    def examples(self, chat: ChatFormat, rows: Sequence[Row], max_length: int) -> list[list[Example] | str]:
        return [pair if isinstance(pair, str) else [pair] for pair in pairs_of(chat, rows, max_length)]

    def counted(self, examples: Sequence[Example]) -> dict[str, Any]:
        return {"pairs": len(examples)}


def pairs_of(format: ChatFormat, rows: Sequence[Any], max_length: int) -> list[dict[str, list[int]] | str]:
    """Tokens of each pair, the prompt cut from its left to fit the longer answer, or why a row gives none."""
    prompts = [split_answer(row["messages"])[0] for row in rows]
    good = format.encode([chat_with(row, row["messages"]) for row in rows], UNBOUNDED)
    worse = [[*p, *row["rejected"]] if row["rejected"] else [] for p, row in zip(prompts, rows, strict=True)]
    bad = format.encode([chat_with(row, turns) for row, turns in zip(rows, worse, strict=True)], UNBOUNDED)
    return [
        _unfit(row) or _pair(format, chosen, rejected, max_length)
        for row, chosen, rejected in zip(rows, good, bad, strict=True)
    ]


def chat_with(row: Any, turns: Sequence[Message]) -> Chat:
    """Turns with the row's tools and media around them."""
    return Chat(turns, row.get("tools"), bool(row.get("media")))


def _unfit(row: Any) -> str:
    if not row["rejected"]:
        return "it has no worse answer"
    if len(row["rejected"]) > 1:
        return f"its worse answer has {len(row['rejected'])} turns, and one is learned"
    return "its better answer is marked as not to be learned" if row["messages"][-1].get("learn") is False else ""


def _pair(format: ChatFormat, chosen: EncodedRow, rejected: EncodedRow, max_length: int) -> dict[str, list[int]] | str:
    for which, one in (("better", chosen), ("worse", rejected)):
        if not one.ids:
            return f"its {which} answer cannot be learned: {one.reason}"
    # A blank that ends the header may be a token of its own before one answer, and part of the other's first word.
    prompts = chosen.ids[: chosen.start], rejected.ids[: rejected.start]
    start = next((i for i, (a, b) in enumerate(zip(*prompts, strict=False)) if a != b), min(map(len, prompts)))
    if any(format.tokenizer.decode(one[start:]).strip() for one in prompts):
        return "the chat template shows its prompt otherwise before the worse answer"
    prompt, answers = chosen.ids[:start], (chosen.ids[start:], rejected.ids[start:])
    if answers[0] == answers[1]:
        return "its answers are the same"
    room = max_length - max(map(len, answers))
    if not room >= chosen.bos + start - chosen.header > 0:
        return f"its answers leave no room for the prompt in {max_length} tokens"
    return {"prompt_ids": cut(prompt, room, chosen.bos), "chosen_ids": answers[0], "rejected_ids": answers[1]}


def cut(prompt: list[int], room: int, bos: int) -> list[int]:
    """The end of a prompt that fits, behind the mark that begins it, where there is one."""
    return prompt if len(prompt) <= room else prompt[:bos] + prompt[len(prompt) - room + bos :]
