"""Where the turns of a rendered conversation stand: each begins where the model is asked for it, and ends with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from dataflywheel.models.templates.shown import as_written, holds_another, lost, lost_before, switched
from dataflywheel.models.templates.spelled_out import BREAK
from dataflywheel.rows.schema import Message
from dataflywheel.rows.thoughts import split_thoughts

# Private-use characters: no template changes them and no sensible text holds them side by side.
MARK = "\ue0f1\ue0f2\ue0f3"

OPENER = re.compile(
    r"(?:<think>\s*(?:</think>\s*)?|<thinking>\s*|<thought>\s*|\[THINK\]|<seed:think>\s*|◁think▷\s*"
    r"|<\|START_THINKING\|>(?:<\|END_THINKING\|>)?|<\|channel>thought\s*(?:<channel\|>)?)\Z"
)
"""How a cue may open the thoughts, which the turn itself then begins with, or not."""

Rendered = Mapping[tuple[int, bool], str]
"""Texts by how many turns they show and whether they end in the cue for an answer."""


@dataclass(frozen=True)
class Placed:
    """A text with the turns that are learned from it: (turn, first character, first character after it)."""

    text: str
    turns: tuple[tuple[int, int, int], ...]
    changed: str = ""


@dataclass(frozen=True)
class Around:
    """What a template writes around the turns of one row: the text up to a turn with the mark in place of what that
    turn says (`marked`), the header before an answer, and all that stands around an answer (`frame`)."""

    marked: Callable[[int], str]
    header: str
    frame: str


class Unplaced(Exception):  # noqa: N818 - says what the template does with the row
    """The template does not show the row; the text says what it does."""


def jobs(wanted: Sequence[int]) -> list[tuple[int, bool]]:
    """The texts that `placed` needs for these turns."""
    return [job for turn in wanted for job in ((turn, True), (turn + 1, False))]


def placed(messages: Sequence[Message], wanted: Sequence[int], texts: Rendered, around: Around) -> list[Placed]:
    """The texts that the turns `wanted` are learned from, the last turn's last.

    One text holds every turn that stands in it as it stood when it was the last; a turn that a template shows
    otherwise once others follow, without its thoughts for one, has a text of its own that ends with it.

    Raises:
        Unplaced: the template hides where a turn begins, or leaves something out.
    """
    whole, header = texts[len(messages), False], around.header
    together: list[tuple[int, int, int]] = []
    alone: list[Placed] = []
    for turn in wanted:
        upto, cue = texts[turn + 1, False], texts.get((turn, True))
        start = begin_by_mark(upto, around.marked(turn)) if cue is None else begin(whole, cue)
        if start is not None and whole.startswith(upto):
            start = behind_header(whole, start, header)
            together.append((turn, start, end_of(upto, start, messages[turn])))
            continue
        start = begin(upto, cue) if cue is not None else start
        start = begin_by_mark(upto, around.marked(turn)) if start is None else behind_header(upto, start, header)
        if start is None and turn:
            start = begin_by_header(upto, messages[turn - 1]["content"], messages[turn]["content"], header)
        if start is None:
            raise Unplaced(f"the chat template does not show where turn {turn + 1} begins")
        one = Placed(upto, ((turn, start, end_of(upto, start, messages[turn])),))
        alone.append(checked(messages[: turn + 1], one, around.frame))
    shared = [checked(messages, Placed(whole, tuple(together)), around.frame)] if together else []
    return sorted([*alone, *shared], key=lambda one: one.turns[-1][0])


def begin(text: str, cue: str) -> int | None:
    """Where a turn begins in a text, given the text that asks for it; an opening of thoughts belongs to the turn."""
    bare = OPENER.sub("", cue)
    for start in (bare, cue, bare.rstrip()):
        if start and text.startswith(start):
            return len(start)
    return None


def behind_header(text: str, start: int, header: str) -> int:
    """Where the turn goes on behind its header, where the text that asks for it lacks one: some templates ask only
    after a question."""
    bare = OPENER.sub("", header)
    asked = not bare.strip() or text.endswith(bare, 0, start) or not text.startswith(bare, start)
    return start if asked else start + len(bare)


def end_of(text: str, start: int, turn: Message) -> int:
    """Where a turn ends in the text up to it: white space that the template adds to a bare answer is not its own."""
    said = turn["content"]
    end = text.rfind(said, start) + len(said) if said and not turn["tool_calls"] else -1
    return end if end >= start + len(said) and not text[end:].strip() else len(text)


def begin_by_mark(text: str, marked: str) -> int | None:
    """Where the mark stands, the turn's text stands: between the same text before and after."""
    before, mark, after = marked.rpartition(MARK)
    if not mark or not text.startswith(before) or not text.endswith(after) or len(text) <= len(before) + len(after):
        return None
    return len(before)


def begin_by_header(text: str, before: str, answer: str, header: str) -> int | None:
    """After the first header between what was said last and the answer: templates may drop earlier thoughts once an
    answer is there, so that its text does not begin as the one that asks for it."""
    bare = OPENER.sub("", header)
    said = text.rfind(before, 0, text.rfind(answer.strip())) if before and answer.strip() else -1
    found = text.find(bare, said + len(before)) if said >= 0 and bare else -1
    return found + len(bare) if found >= 0 else None


def checked(messages: Sequence[Message], one: Placed, frame: str) -> Placed:
    """The text with a word about what the template changes.

    Raises:
        Unplaced: what is learned, or read before it, is not all there.
    """
    text = one.text.replace(BREAK, "")
    learned = {turn: one.text[start:end].replace(BREAK, "") for turn, start, end in one.turns}
    changed: list[str] = []
    for place, turn in enumerate(messages):
        gone = lost(learned[place], turn) if place in learned else lost_before(text, turn)
        if gone:
            raise Unplaced(f"the chat template leaves out {gone} of turn {place + 1} ({turn['role']})")
        within = place in learned and holds_another(learned[place], messages, place, frame)
        if within:
            other = f"turn {within} ({messages[within - 1]['role']})"
            raise Unplaced(f"the chat template shows {other} within turn {place + 1} ({turn['role']})")
        if place not in learned and switched(text, turn):
            changed.append(f"takes the switch out of turn {place + 1}")
        if place in learned and not as_written(learned[place], turn):
            changed.append(f"writes turn {place + 1} with other white space")
    moved = out_of_order(text, messages)
    if moved:
        changed.append(f"moves the text of turn {moved} ({messages[moved - 1]['role']})")
    return Placed(one.text, one.turns, "; ".join(changed))


def out_of_order(text: str, messages: Sequence[Message]) -> int:
    """The first turn, counted from 1, whose text stands before that of an earlier turn; 0 where none does."""
    at = 0
    for place, turn in enumerate(messages):
        content = split_thoughts(turn["content"])[1].strip()
        found = text.find(content, at)
        if content and found < 0 and content in text:
            return place + 1
        at = found + len(content) if found >= 0 else at
    return 0
