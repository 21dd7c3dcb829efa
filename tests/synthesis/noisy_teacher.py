"""A teacher of word problems with known faults: what it writes is right, or wrong in a way that was planted.

Problems follow a grammar whose answers can be computed, so that every reply has a truth. Which fault a reply has is a
function of the request alone: two runs are alike, and the share of each fault is near its rate.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections import Counter
from dataclasses import dataclass, field

import orjson

from dataflywheel.models.endpoint.request import Outcome, Reply, Request
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.schema import Row
from tests.models.endpoint.fake import FakeClient, system_text, user_text
from tests.synthesis.support import parts_of

NAMES = ["Abel", "Bruna", "Chidi", "Dana", "Emre", "Farah", "Goran", "Hana", "Imani", "Jonas", "Kofi", "Leila"]
PLACES = ["harbour", "orchard", "library", "station", "workshop", "bakery", "castle", "meadow", "museum", "stable"]
LOOKS = [
    "old",
    "quiet",
    "crowded",
    "narrow",
    "sunny",
    "wooden",
    "distant",
    "famous",
    "muddy",
    "painted",
    "tiny",
    "tall",
]
THINGS = ["barrels", "lanterns", "ribbons", "pebbles", "violins", "melons", "saddles", "letters", "kettles", "feathers"]
FRAMES = [
    "{name} walked from {a} to {b}, carrying {x} and {y}.",
    "Behind {a}, where {name} once lived, somebody left {x}; inside {b} there were {y}.",
    "Last winter {name} sold {x} at {a}, then bought {y} not far off, by {b}.",
    "Between {a} and {b} a cart lost {x}, {y}, as well as its driver, poor {name}.",
    "To repair {b}, {name} needs {x}, {y}, some paint, and help from {a}.",
]
ENDS = {"sum": "What is their total?", "difference": "By how much do these differ?", "product": "Multiply both."}
REFUSAL = "I'm sorry, but I can't help with that request."
_NUMBERS = re.compile(r"\d+")


def problem(draw: random.Random) -> str:
    """A problem of the grammar: two numbers and one of three questions about them."""
    places, looks, things = draw.sample(PLACES, 2), draw.sample(LOOKS, 4), draw.sample(THINGS, 2)
    numbers = draw.randint(11, 99), draw.randint(2, 10)
    story = draw.choice(FRAMES).format(
        name=draw.choice(NAMES),
        a=f"the {looks[0]} {places[0]}",
        b=f"the {looks[1]} {places[1]}",
        x=f"{numbers[0]} {looks[2]} {things[0]}",
        y=f"{numbers[1]} {looks[3]} {things[1]}",
    )
    return f"{story} {ENDS[draw.choice(sorted(ENDS))]}"


def truth(text: str) -> int:
    """The right answer to a problem of the grammar."""
    many, few = sorted(map(int, _NUMBERS.findall(text)), reverse=True)
    kind = next(kind for kind, end in ENDS.items() if end in text)
    return {"sum": many + few, "difference": many - few, "product": many * few}[kind]


def solution(text: str, answer: int) -> str:
    many, few = _NUMBERS.findall(text)
    return f"The numbers are {many} and {few}, which gives {answer}.\n#### {answer}"


def seed_rows(count: int, tags: tuple[str, ...] = ("carry", "borrow")) -> list[Row]:
    """Problems with right answers; each has one of the tags."""
    draw, rows = random.Random(1), []
    for i in range(count):
        text = problem(draw)
        rows.append(prompt_answer_row(text, solution(text, truth(text)), tags=[tags[i % len(tags)]]))
    return rows


@dataclass
class NoisyTeacher:
    """Writes problems like a seed (as LLM2LLM asks for them), and solves problems that it is asked plainly."""

    error: float = 0.0
    """The answer is wrong by one to nine."""
    duplicate: float = 0.0
    """The problem is one of three that it always comes back to, told by somebody else."""
    leak: float = 0.0
    """A sentence of its instructions stands in the problem."""
    refusal: float = 0.0
    truncation: float = 0.0
    """Half of them say so by their outcome, half end in the middle of a word and nothing says so."""
    collapsed: bool = False
    """All its problems are the three."""
    told: dict[tuple[str, str], str] = field(default_factory=dict)
    """What it wrote, with the fault that was planted in it; "" where it is good."""
    faults: Counter[str] = field(default_factory=Counter)
    """How often each fault was planted in what it wrote, and in `solved` in what it was asked plainly."""
    solved: Counter[str] = field(default_factory=Counter)

    @property
    def client(self) -> FakeClient:
        return FakeClient(self.answer, json_schema=True)

    def answer(self, request: Request) -> str | Reply:
        digest = hashlib.blake2b(request.canonical("teacher"), digest_size=8).digest()
        draw = random.Random(int.from_bytes(digest, "big"))
        fault = self._fault(draw.random())
        written = bool(parts_of(request))
        (self.faults if written else self.solved)[fault] += 1
        if fault == "truncation" and draw.random() < 0.5:
            return Reply(Outcome.TRUNCATED, finish="length")
        text = self._problem(draw, fault, system_text(request)) if written else user_text(request)
        said = self._solution(draw, fault, text)
        if written:
            self.told[text, said] = fault
        return orjson.dumps({"problem": text, "solution": said}).decode() if written else said

    def _fault(self, number: float) -> str:
        for name in ("error", "duplicate", "leak", "refusal", "truncation"):
            number -= getattr(self, name)
            if number < 0:
                return name
        return ""

    def _problem(self, draw: random.Random, fault: str, instructions: str) -> str:
        if fault == "duplicate" or self.collapsed:
            return f"{draw.choice(NAMES)} asks: {problem(random.Random(draw.randrange(3)))}"
        words = instructions.split()
        leaked = f"{' '.join(words[20:36])} " if fault == "leak" else ""
        return leaked + problem(draw)

    def _solution(self, draw: random.Random, fault: str, text: str) -> str:
        if fault == "refusal":
            return REFUSAL
        said = solution(text, truth(text) + (draw.randint(1, 9) if fault == "error" else 0))
        return said[: said.index("gives") + 3] if fault == "truncation" else said


__all__ = ["NoisyTeacher", "parts_of", "problem", "seed_rows", "solution", "truth"]
