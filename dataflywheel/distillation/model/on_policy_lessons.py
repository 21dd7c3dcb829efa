"""What on-policy distillation learns from: prompts that the student answers, and the answers of rows beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dataflywheel.contracts import UsageError
from dataflywheel.models.templates.chat import Chat, ChatFormat
from dataflywheel.rows.text import split_answer, text_of


@dataclass(frozen=True)
class Asked:
    """The tokens of one prompt, of it as the row's own answer follows it, and of that answer, where it is learned."""

    prompt: list[int]
    before: list[int]
    answer: list[int]
    cut: bool = False
    """Whether the beginning of the prompt was left out."""


def lessons(
    chat: ChatFormat, rows: Sequence[Chat], max_length: int, new_tokens: int, answers: bool
) -> list[Asked | str]:
    """A lesson for each row, or why there is none; with the rows' own `answers` where they are learned too. Prompts
    are cut from their left to leave room for `new_tokens`.

    Raises:
        UsageError: there is no room for a prompt.
    """
    room = max_length - new_tokens
    if room < 1:
        raise UsageError(f"max_new_tokens: {new_tokens} leave no room for a prompt in {max_length} tokens")
    prompts = [Chat(split_answer(row.messages)[0], row.tools, row.media) for row in rows]
    ids = chat.asked(prompts)
    given = chat.examples(rows, max_length, "last") if answers else []
    found: list[Asked | str] = []
    for place, (prompt, tokens) in enumerate(zip(prompts, ids, strict=True)):
        one = given[place] if answers else None
        why = _unfit(prompt) or (tokens if isinstance(tokens, str) else "") or (one.reason if one else "")
        if why or isinstance(tokens, str):
            found.append(why)
            continue
        lead = int(tokens[:1] == [chat.tokenizer.bos_token_id] and len(tokens) > room > 1)
        kept = tokens if len(tokens) <= room else tokens[:lead] + tokens[len(tokens) - room + lead :]
        before, answer = (one.ids[: one.start], one.ids[one.start :]) if one else ([], [])
        found.append(Asked(kept, before, answer, len(tokens) > room))
    return found


def _unfit(prompt: Chat) -> str:
    if not text_of(prompt.messages).strip():
        return "it has no prompt"
    return "it shows images or sounds, and only text is read" if prompt.media else ""


def student_writes(share: float, seed: int, step: int) -> bool:
    """Whether the student writes the batch of a step: with the probability `share`, whatever came before, so that a
    training that was broken off goes on as it would have."""
    return bool(np.random.default_rng((seed, step)).random() < share)


def taught_by_lessons(kind: Any, asked: Sequence[Asked], share: float, end_ids: Sequence[int]) -> Any:
    """TRL's trainer on prompts that are tokens already, a batch of which is answered by the student or, with the
    probability 1 - `share`, by the rows themselves. Its data set names each lesson by its number."""

    class OfLessons(kind):  # type: ignore[misc]
        eos_token_ids: list[int]

        def __init__(self, *args: Any, **given: Any) -> None:
            super().__init__(*args, **given)
            self.eos_token_ids = sorted({*end_ids, *self.eos_token_ids} - {None})
            self.generation_config.eos_token_id = self.generation_kwargs["eos_token_id"] = self.eos_token_ids
            self.answers: list[list[int]] | None = None

        def _tokenize_prompts(self, prompts: list[str]) -> tuple[list[list[int]], None, dict[str, Any]]:
            batch = [asked[int(prompt)] for prompt in prompts]
            if student_writes(share, self.args.seed, self.state.global_step):
                self.answers = None
                return [one.prompt for one in batch], None, {}
            self.answers = [one.answer for one in batch]
            return [one.before for one in batch], None, {}

        def _generate_single_turn(self, prompt_ids: list[list[int]], *given: Any) -> Any:
            return super()._generate_single_turn(prompt_ids, *given) if self.answers is None else self.answers

    return OfLessons
