"""Prompt, answer and what stands beside them under any of the names that data sets use, told from the names alone.

The exact shapes come first; this one reads what has other names (OpenOrca, distilabel, OpenThoughts), a context beside
the question, thoughts beside the answer, texts beside turns, or two answers with a verdict. It remembers the names.
"""

from __future__ import annotations

from typing import Any

from dataflywheel.rows.formats.draft import CannotHold, Draft, ReadError, Record
from dataflywheel.rows.formats.flat import (
    in_speech,
    in_turns,
    left_over,
    said_by,
    spoken,
    thoughts_apart,
    thoughts_of,
    turns_of,
)
from dataflywheel.rows.formats.history import history_turns
from dataflywheel.rows.formats.names import Found, folded, resolve
from dataflywheel.rows.formats.preference import shared
from dataflywheel.rows.formats.shape import Shape
from dataflywheel.rows.formats.unnamed import Part, unsaid
from dataflywheel.rows.formats.verdicts import OTHERS, first_is_better
from dataflywheel.rows.formats.way_out import way_out
from dataflywheel.rows.schema import Medium, Message


class Columns(Shape):
    """Flat records with names of their own; what would be left over of a prompt or an answer is refused by name."""

    name = "columns"
    system_column = True

    def matches(self, keys: frozenset[str]) -> bool:
        return resolve(keys) is not None

    def takes_label(self, record: Record) -> bool:
        found = resolve(frozenset(record))
        return found is None or found.two is None or not OTHERS.isdisjoint(map(folded, record))

    def parse(self, record: Record) -> Draft:
        held = (key for key, value in record.items() if value not in ("", [], {}) and not tokens(value))
        found = resolve(frozenset(held))
        if found is None or (found.answer is None and found.two is None):
            found = resolve(frozenset(record))
        if found is None:
            raise ReadError("", "expected a prompt or an answer, and their fields are empty")
        return take(record, found)

    def render(self, draft: Draft) -> Record:
        if draft.tools is not None:
            raise CannotHold("tool specifications")
        names, record = draft.names, {}
        if draft.rejected is not None:
            before, chosen, rejected = draft.pair()
            if names and "prompt" not in names:
                before, chosen, rejected = [], [*before, *chosen], [*before, *rejected]
            record = {
                names.get("chosen", "chosen"): spoken(chosen, "assistant"),
                names.get("rejected", "rejected"): spoken(rejected, "assistant"),
            }
        elif draft.messages and draft.messages[-1]["role"] == "assistant":
            before, answer = draft.messages[:-1], draft.messages[-1]
            thoughts = answer["reasoning"]
            if thoughts is not None and (not names or "reasoning" in names):
                record[names.get("reasoning", "reasoning")] = thoughts
                answer = {**answer, "reasoning": None}
            record[names.get("completion", "completion")] = spoken([answer], "assistant")
        else:
            before = draft.messages
        return {**asked(draft, before), **record} if before else record


def tokens(value: Any) -> bool:
    """Whether a value is a text in numbers."""
    return isinstance(value, list) and isinstance(value[0], int) and all(isinstance(one, int) for one in value)


class Told(Columns):
    """Records of which somebody said what their columns hold: nothing is doubted."""

    told = True

    def __init__(self, found: Found) -> None:
        self.found = found

    def takes_label(self, record: Record) -> bool:
        return True

    def parse(self, record: Record) -> Draft:
        return take(record, self.found, sure=True)


def take(record: Record, found: Found, sure: bool = False) -> Draft:
    """The draft of a record of whose keys it is known what they hold.

    Raises:
        ReadError: two keys claim one place, or a text would be left over.
    """
    if found.rivals is not None and record[found.rivals[0]] != record[found.rivals[1]]:
        one, other = found.rivals
        raise ReadError(other, f"an answer beside {one}; say which is to be learned: columns: {{answer: {one}}}")
    if found.two is not None and found.prompt is not None:
        record = in_turns(record, found.prompt, found.two)
    if found.prompt is not None:
        record = in_speech(record, found.prompt)
    draft = Draft([], media=[])
    if found.prompt is not None:
        draft.messages = turns_of(record, found.prompt, "user", draft.media)
        draft.names["prompt"] = found.prompt
    if found.context is not None:
        add_context(draft, record, found.context)
    if found.history is not None and (before := history_turns(record.get(found.history), found.history)):
        draft.messages, draft.names["history"] = [*before, *draft.messages], found.history
    if found.two is not None:
        one, other = found.two if first_is_better(record, found.two) else found.two[::-1]
        compare(draft, record, one, other)
    elif found.answer is not None and found.rejected is not None:
        compare(draft, record, found.answer, found.rejected)
    elif found.answer is not None:
        draft.messages = draft.messages + turns_of(record, found.answer, "assistant", draft.media)
        draft.names["completion"] = found.answer
    if found.thoughts is not None:
        add_thoughts(draft, record, found.thoughts)
    partial = not sure and ("prompt" not in draft.names or not draft.names.keys() - {"prompt", "context"})
    if partial and not (draft.messages and draft.messages[0]["role"] != "assistant" and draft.rejected):
        lacks: Part | None = "prompt" if "prompt" not in draft.names else "answer" if found.two is None else None
        doubt = unsaid(record, found.used(), [*draft.messages, *(draft.rejected or ())], lacks)
        if doubt is not None:
            raise ReadError(
                doubt,
                f"may be the rest of the row beside {' and '.join(found.used())}; {way_out(record, found, doubt)}",
            )
    doubts = [key for key in found.doubts if key not in draft.names.values()]
    doubt = left_over(record, doubts, [*draft.messages, *(draft.rejected or ())], draft.rejected is not None)
    if doubt is not None:
        raise ReadError(
            doubt, f"would be left out beside {' and '.join(found.used())}; {way_out(record, found, doubt)}"
        )
    used = {name for key, name in draft.names.items() if key not in ("context", "history")}
    draft.extra = {key: value for key, value in record.items() if key not in used}
    return draft


def add_context(draft: Draft, record: Record, key: str) -> None:
    """Put the context into the prompt, before a question and after an instruction, where it does not stand there yet.

    Turns without a prompt beside them are the prompt.
    """
    value = record[key]
    value = str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
    if "prompt" not in draft.names:
        draft.messages = turns_of(record, key, "user", draft.media)
        draft.names["prompt"] = key
    elif isinstance(value, str) and value and len(draft.messages) == 1 and value not in draft.messages[0]["content"]:
        said = draft.messages[0]["content"]
        parts = (said, value) if folded(draft.names["prompt"]) == "instruction" else (value, said)
        draft.messages[0]["content"] = "\n\n".join(part for part in parts if part)
        draft.names["context"] = key
    elif value and not said_by(value, draft.messages):
        raise ReadError(
            key, f"expected a text that belongs to {draft.names['prompt']}; name its place with columns: "
            f"{{prompt: ['{key}[0]', {draft.names['prompt']}], answer: ...}}",
        )  # fmt: skip


def asked(draft: Draft, turns: list[Message]) -> Record:
    """The prompt under its name, without the context that stands beside it."""
    key = draft.names.get("prompt", "prompt")
    if "history" in draft.names:
        before = history_turns(draft.extra.get(draft.names["history"]), draft.names["history"])
        if before and before[0]["role"] == "system" and turns[0]["role"] != "system":
            before = before[1:]
        if turns[: len(before)] != before:
            raise CannotHold("a prompt without the history beside it")
        turns = turns[len(before) :]
    said, context = spoken(turns, "user"), draft.extra.get(draft.names.get("context", ""))
    if isinstance(context, str) and isinstance(said, str) and context:
        after = folded(key) == "instruction"
        kept = said.removesuffix(f"\n\n{context}") if after else said.removeprefix(f"{context}\n\n")
        if kept == said and said != context:
            raise CannotHold("a prompt without the context beside it")
        said = kept if kept != said else ""
    return {key: said}


def compare(draft: Draft, record: Record, chosen: str, rejected: str) -> None:
    """Add the two answers; whole conversations bring their prompt with them."""
    media: list[Medium] = []
    good = turns_of(record, chosen, "assistant", media)
    bad = turns_of(record, rejected, "assistant", media)
    draft.media += media
    if draft.messages and good[0]["role"] != "assistant":
        draft.messages = []
        del draft.names["prompt"]
    count = shared(good, bad)
    draft.names |= {"chosen": chosen, "rejected": rejected}
    draft.prompt_turns = len(draft.messages) + count
    draft.messages, draft.rejected = [*draft.messages, *good], bad[count:]
    for which, key in thoughts_apart(record).items():
        answer = draft.messages[-1] if which == "chosen" else draft.rejected[-1]
        if answer["reasoning"] is not None:
            raise ReadError(key, "thoughts beside an answer that has its own; keep one of them")
        answer["reasoning"] = thoughts_of(record, key)
        draft.names[f"{which}_reasoning"] = key


def add_thoughts(draft: Draft, record: Record, key: str) -> None:
    """Give the answer the thoughts of a column.

    Raises:
        ReadError: two answers, or one that has other thoughts.
    """
    thoughts = thoughts_of(record, key)
    if thoughts is None:
        return
    answer = draft.messages[-1]
    if draft.rejected is not None or answer["reasoning"] is not None:
        raise ReadError(key, "thoughts beside answers that may have their own; write them as reasoning in the turns")
    answer["reasoning"] = thoughts
    draft.names["reasoning"] = key
