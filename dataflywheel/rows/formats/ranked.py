"""A prompt with several answers and their scores or ranks, the best beside the worst: UltraFeedback, Nectar."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dataflywheel.rows.formats.draft import Draft, ReadError, Record
from dataflywheel.rows.formats.flat import turns_of
from dataflywheel.rows.formats.names import ANSWERS, CHOSEN, LISTS, PROMPTS, REJECTED, by_name, first
from dataflywheel.rows.formats.speech import MARK, split
from dataflywheel.rows.formats.whole import Whole
from dataflywheel.rows.schema import Medium, Message, message

TEXTS = ("answer", "response", "text", "output", "content", "completion", "generation")
SCORES = ("fine_grained_score", "overall_score", "score", "rating", "reward", "avg_rating", "pm_score")
"""Names of a score of one answer, the surest first: the higher the better."""
BESIDE = ("ratings", "scores", "rating", "rewards")
"""Names of a list of scores beside the list of answers."""

Scored = tuple[float, str]


class Ranked(Whole):
    """The best answer is learned, the worst is the rejected one; the others stay beside the row."""

    name = "ranked"

    def matches(self, keys: frozenset[str]) -> bool:
        names = by_name(keys)
        return any(name in names for name in LISTS) and first(names, PROMPTS) is not None

    def accepts(self, record: Mapping[str, Any]) -> bool:
        names = by_name(frozenset(record))
        if first(names, CHOSEN) is not None and first(names, REJECTED) is not None:
            return False
        return list_key(record) is not None or lone(record) is not None

    def content(self, record: Record) -> tuple[Draft, list[str]]:
        if (alone := lone(record)) is not None:
            shown: list[Medium] = []
            turns = prompt_turns(record, alone[0], shown)
            return Draft([*turns, message("assistant", alone[2])], media=shown), [*alone[:2]]
        key, names = list_key(record), by_name(frozenset(record))
        prompt = first(names, PROMPTS)
        if key is None or prompt is None:
            raise ReadError("", "expected a prompt, and a list of answers with scores")
        answers = scored(record, key)
        if len(answers) < 2:
            raise ReadError(key, "fewer than two answers have a score")
        best, worst = max(answers, key=lambda one: one[0]), min(answers, key=lambda one: one[0])
        if best[0] == worst[0]:
            raise ReadError(key, f"all answers have the score {best[0]:g}; a tie teaches no preference")
        media: list[Medium] = []
        asked = prompt_turns(record, prompt, media)
        given = record.get(names.get("input", ""))
        if prompt == "instruction" and isinstance(given, str) and given:
            asked[-1]["content"] += f"\n\n{given}"
        draft = Draft([*asked, message("assistant", best[1])], [message("assistant", worst[1])], media=media)
        return draft, [prompt, key]


def prompt_turns(record: Record, key: str, media: list[Medium]) -> list[Message]:
    """The turns of the prompt, also where it is a transcript that waits for the assistant."""
    value = record[key]
    if isinstance(value, str) and MARK.match(value):
        turns = split(value)
        return turns[:-1] if turns[-1]["role"] == "assistant" and not turns[-1]["content"].strip() else turns
    return turns_of(record, key, "user", media)


def lone(record: Mapping[str, Any]) -> tuple[str, str, str] | None:
    """The keys of the prompt and of a list of one answer, and that answer, where the record has no other."""
    names = by_name(frozenset(record))
    prompt = first(names, PROMPTS)
    held = [names[name] for name in LISTS if isinstance(record.get(names.get(name, "")), list)]
    if (
        prompt is None
        or len(held) != 1
        or len(record[held[0]]) != 1
        or not ANSWERS.isdisjoint(names.keys() - set(LISTS))
    ):
        return None
    answer = record[held[0]][0]
    if isinstance(answer, dict):
        fields = by_name(frozenset(answer))
        answer = next(
            (answer[fields[name]] for name in TEXTS if isinstance(answer.get(fields.get(name, "")), str)), None
        )
    return (prompt, held[0], answer) if isinstance(answer, str) and answer else None


def list_key(record: Mapping[str, Any]) -> str | None:
    """The key of the list of answers that have scores."""
    names = by_name(frozenset(record))
    return next((names[name] for name in LISTS if name in names and scored(record, names[name])), None)


def scored(record: Mapping[str, Any], key: str) -> list[Scored]:
    """The answers that have a score, each with it."""
    value = record[key]
    if not isinstance(value, list):
        return []
    if all(isinstance(one, dict) for one in value):
        return [found for one in value if (found := score_of(one)) is not None]
    names = by_name(frozenset(record))
    scores = next((record[names[name]] for name in BESIDE if name in names), None)
    if not isinstance(scores, list) or len(scores) != len(value):
        return []
    pairs = zip(scores, value, strict=True)
    return [(float(s), text) for s, text in pairs if isinstance(s, int | float) and isinstance(text, str)]


def score_of(answer: Record) -> Scored | None:
    """The score and the text of one answer; a rank counts downwards."""
    names = by_name(frozenset(answer))
    text = next((answer[names[name]] for name in TEXTS if isinstance(answer.get(names.get(name, "")), str)), None)
    for name, sign in (*((name, 1.0) for name in SCORES), ("rank", -1.0)):
        score = answer.get(names.get(name, ""))
        if text is not None and isinstance(score, int | float) and not isinstance(score, bool):
            return sign * float(score), text
    return None
