"""Changes of a text that break its meaning, or leave it: what gates of meaning are measured with.

None of these rules is shared with the gates. Each gives None where a text offers nothing to change.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

Mutation = Callable[[str, random.Random], str | None]

AUXILIARY = re.compile(r"\b(?:is|are|was|were|can|will|should|would|could|must|may|has|have|does|did)\b(?! not|n't)")
NOT = re.compile(r" not\b|n['\u2019]t\b")
NUMBER = re.compile(r"(?<![\w.,])\d[\d,]*(?:\.\d+)?(?![\w]|[.,]\d)")
NAME = re.compile(r"(?<=[a-z,] )[A-Z][a-z]{2,}\b")
UNIT = re.compile(
    r"(?<![\w.,])(?P<sign>[$\u20ac\u00a3])(?P<after>\d[\d,.]*)|(?P<before>\d[\d,.]*) ?(?P<unit>%|percent|dollars?|"
    r"cents?|hours?|minutes?|seconds?|days?|weeks?|months?|years?|miles?|feet|inch(?:es)?|pounds?|ounces?|gallons?|kg|km|cm|"
    r"mm|meters?|degrees?|grams?|lit(?:er|re)s?|tons?|yards?|cups?)\b"
)
CONTRACTED = {
    " is not ": " isn't ", " are not ": " aren't ", " do not ": " don't ", " does not ": " doesn't ",
    " did not ": " didn't ", " was not ": " wasn't ", " cannot ": " can't ", " will not ": " won't ",
}  # fmt: skip
SPELLED = {"2": "two", "3": "three", "4": "four", "5": "five", "6": "six", "7": "seven", "8": "eight", "9": "nine"}


def put(text: str, match: re.Match[str], new: str) -> str:
    return text[: match.start()] + new + text[match.end() :]


def negate(text: str, rng: random.Random) -> str | None:
    """`not` behind an auxiliary verb, or one that is there left out."""
    here = [(m, m.group() + " not") for m in AUXILIARY.finditer(text)]
    gone = [(m, "") for m in NOT.finditer(text)]
    return put(text, *rng.choice(here + gone)) if here or gone else None


def swap_numbers(text: str, rng: random.Random) -> str | None:
    """Two numbers of different value change places."""
    found = numbers(text)
    pairs = [(a, b) for i, a in enumerate(found) for b in found[i + 1 :] if value(a) != value(b)]
    if not pairs:
        return None
    a, b = rng.choice(pairs)
    return text[: a.start()] + b.group() + text[a.end() : b.start()] + a.group() + text[b.end() :]


def numbers(text: str) -> list[re.Match[str]]:
    """The numbers of a text but for those of list items."""
    return [m for m in NUMBER.finditer(text) if not re.match(r"\d+[.)] ", text[m.start() :]) or inner(text, m.start())]


def inner(text: str, place: int) -> bool:
    """Whether anything but space stands before a place in its line."""
    return bool(text[:place].rpartition("\n")[2].strip())


def value(match: re.Match[str]) -> float:
    return float(match.group().replace(",", "") or 0)


def change_number(text: str, rng: random.Random) -> str | None:
    """One number becomes another one."""
    found = numbers(text)
    if not found:
        return None
    match = rng.choice(found)
    return put(text, match, f"{value(match) + rng.randint(1, 9):g}")


def swap_names(text: str, rng: random.Random) -> str | None:
    """Two names change places everywhere."""
    found = sorted({m.group() for m in NAME.finditer(text)})
    if len(found) < 2:
        return None
    a, b = rng.sample(found, 2)
    return re.sub(rf"\b(?:{a}|{b})\b", lambda m: b if m.group() == a else a, text)


def change_name(text: str, rng: random.Random) -> str | None:
    """One mention of a name becomes another name."""
    found = list(NAME.finditer(text))
    return put(text, rng.choice(found), rng.choice(["Zebulon", "Xanthippe", "Quorn", "Ulverston"])) if found else None


def drop_unit(text: str, rng: random.Random) -> str | None:
    """A number loses its unit of measure, time or money."""
    found = list(UNIT.finditer(text))
    if not found:
        return None
    match = rng.choice(found)
    return put(text, match, match["after"] or match["before"])


def change_option(text: str, rng: random.Random) -> str | None:
    """The letter of the chosen option becomes another one."""
    match = re.search(r"answer is \((\w)\)", text)
    return put(text, match, f"answer is ({rng.choice([c for c in 'ABCD' if c != match[1]])})") if match else None


def swap_options(text: str, rng: random.Random) -> str | None:
    """Two options of a question change letters."""
    lines = text.split("\n")
    found = [i for i, line in enumerate(lines) if re.match(r"[A-D]\) ", line)]
    if len(found) < 2:
        return None
    a, b = rng.sample(found, 2)
    lines[a], lines[b] = lines[a][:3] + lines[b][3:], lines[b][:3] + lines[a][3:]
    return "\n".join(lines)


def respaced(text: str, rng: random.Random) -> str | None:
    """Blank space doubled, at the ends of lines and around, outside code."""
    return None if "`" in text else "\n".join(f"{line.replace(' ', '  ')} " for line in f" {text}\n".split("\n"))


def lower_case(text: str, rng: random.Random) -> str | None:
    return text.lower() if text != text.lower() and "http" not in text and "`" not in text else None


def contracted(text: str, rng: random.Random) -> str | None:
    """`is not` becomes `isn't`."""
    out = re.sub("|".join(CONTRACTED), lambda m: CONTRACTED[m.group()], text)
    return out if out != text else None


def spelled_out(text: str, rng: random.Random) -> str | None:
    """Small numbers in words."""
    out = re.sub(r"(?<![\w.,/*+=<>$\u20ac\u00a3-])[2-9](?= [a-z])", lambda m: SPELLED[m.group()], text)
    return out if out != text else None


def grouped(text: str, rng: random.Random) -> str | None:
    """`1000` becomes `1,000`."""
    out = re.sub(r"(?<![\w.,])[1-9]\d{3,6}(?![\w]|[.,]\d)", lambda m: f"{int(m.group()):,}", text)
    return out if out != text else None


def sentences_turned(text: str, rng: random.Random) -> str | None:
    """The first two sentences of a text change places."""
    match = re.match(r"([A-Z][^.!?\n]{20,}\.) ([A-Z][^.!?\n]{20,}\.)(?= |$)", text)
    return f"{match[2]} {match[1]}{text[match.end() :]}" if match else None


BREAKING: dict[str, Mutation] = {
    f.__name__: f
    for f in (negate, swap_numbers, change_number, swap_names, change_name, drop_unit, change_option, swap_options)
}
KEEPING: dict[str, Mutation] = {
    f.__name__: f for f in (respaced, lower_case, contracted, spelled_out, grouped, sentences_turned)
}
