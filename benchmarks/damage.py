"""Plants damage of four known kinds in a clean pool, and remembers which row has which.

A quarter of the damage each: answers swapped between rows, answers cut short, copies of other rows with small edits,
boilerplate in place of answers. What is planted where is kept beside the rows, by row id, and never in them.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.schema import Row
from dataflywheel.rows.text import part_of

KINDS = ("swapped", "cut", "copy", "boilerplate")
SHORTEST = 8
"""Words of an answer that can be cut, or edited and still be a copy."""

REFUSALS = (
    "As an AI language model, I {cannot} {help} with {this}.",
    "As an AI language model I {cannot} {help} with {this}. Please ask me something else.",
    "I'm sorry, but as an AI language model I {cannot} {help} with {this}",
    "Sorry, I {cannot} {help} with {this}. Is there anything else you would like to know?",
)
FILLERS = (
    "See documentation.",
    "See the documentation for more information.",
    "Please refer to the official documentation for further details.",
    "TODO",
    "TODO: write this answer",
    "N/A",
    "Not available.",
    "This answer is intentionally left blank.",
    "Thank you for your question! We will get back to you as soon as possible.",
    "Click here to read more about this topic on our website.",
)
CHOICES = {
    "cannot": ("cannot", "can't", "am not able to", "am unable to"),
    "help": ("help you", "assist you", "help", "assist"),
    "this": ("this", "that request", "this question", "your question", "that"),
}
SYNONYMS = {"the": "this", "a": "one", "is": "was", "of": "in", "and": "or", "to": "for", "in": "at", "for": "to"}


@dataclass
class Damaged:
    """The pool after damage, and the truth about it."""

    rows: list[Row] = field(default_factory=list)
    kinds: dict[str, str] = field(default_factory=dict)
    """Row id -> kind, for the damaged rows alone."""
    originals: dict[str, str] = field(default_factory=dict)
    """Id of an edited copy -> id of the row that it copies, which is clean and in the pool."""


def damage(clean: Sequence[Row], seed: int = 0, share: float = 0.4) -> Damaged:
    """As many rows as there were, `share` of them damaged in equal parts, in a random order.

    A copy takes the place of a row, so that the pool does not grow; what it copies is an undamaged row.
    """
    rng = random.Random(seed)
    count = round(len(clean) * share / len(KINDS))
    order = list(clean)
    rng.shuffle(order)
    long = [row for row in order if len(answer(row).split()) >= SHORTEST]
    cut = long[:count]
    sources = long[count : 2 * count]
    taken = {row["id"] for row in [*cut, *sources]}
    rest = [row for row in order if row["id"] not in taken]
    swapped, boring, replaced = rest[:count], rest[count : 2 * count], rest[2 * count : 3 * count]
    if len(sources) < count or len(replaced) < count:
        raise ValueError(f"{len(clean)} rows are too few, or too short, to damage {share:.0%} of them")
    gone = {row["id"] for row in [*cut, *swapped, *boring, *replaced]}
    made = Damaged(rows=[row for row in order if row["id"] not in gone])
    turned = [*swapped[1:], swapped[0]]
    plant(made, "swapped", [prompt_answer_row(prompt(a), answer(b)) for a, b in zip(swapped, turned, strict=True)])
    plant(made, "cut", [prompt_answer_row(prompt(row), cut_short(answer(row), rng)) for row in cut])
    copies = [prompt_answer_row(edited(prompt(row), rng), edited(answer(row), rng)) for row in sources]
    plant(made, "copy", copies)
    made.originals = {copy["id"]: row["id"] for copy, row in zip(copies, sources, strict=True)}
    plant(made, "boilerplate", [prompt_answer_row(prompt(row), boilerplate(rng)) for row in boring])
    rng.shuffle(made.rows)
    return made


def plant(made: Damaged, kind: str, rows: Sequence[Row]) -> None:
    made.rows += rows
    made.kinds |= {row["id"]: kind for row in rows}


def prompt(row: Row) -> str:
    return part_of(row["messages"], "prompt")


def answer(row: Row) -> str:
    return part_of(row["messages"], "answer")


def cut_short(text: str, rng: random.Random) -> str:
    """The first 30 to 80 % of a text, ending within a word or between two words of a sentence."""
    while True:
        at = int(len(text) * rng.uniform(0.3, 0.8))
        head = text[:at].rstrip()
        if head and head[-1].isalnum() and text[at:].strip():
            return head


def edited(text: str, rng: random.Random) -> str:
    """3 to 8 % of the words changed (replaced, left out or doubled; one at least), and some case and punctuation."""
    words = text.split(" ")
    for at in rng.sample(range(len(words)), max(1, round(len(words) * rng.uniform(0.03, 0.08)))):
        word = words[at]
        change = rng.choice(["replace", "leave out", "double"])
        words[at] = {"replace": SYNONYMS.get(word.lower(), "it"), "leave out": "", "double": f"{word} {word}"}[change]
    out = " ".join(word for word in words if word)
    if rng.random() < 0.5:
        out = out[:1].swapcase() + out[1:]
    return out.rstrip(".") if rng.random() < 0.5 else out.replace(",", " ,")


def boilerplate(rng: random.Random) -> str:
    """A refusal or a filler, with small variations of its words, case and full stop."""
    template = rng.choice(REFUSALS) if rng.random() < 0.5 else rng.choice(FILLERS)
    text = template.format(**{slot: rng.choice(words) for slot, words in CHOICES.items()})
    return rng.choice([text, text, text.lower(), text.rstrip("."), text.upper() if len(text) < 20 else text])
