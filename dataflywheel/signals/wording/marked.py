"""What must stay as it is, letter for letter: code, links, and the options of a question."""

from __future__ import annotations

import re
from collections import Counter

from dataflywheel.signals.wording.sentences import fold, words

FENCED = re.compile(r"^[ \t]*(`{3,}|~{3,})[^\n]*\n(.*?)(?:^[ \t]*\1[ \t]*$|\Z)", re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
LINK = re.compile(r"(?:https?://|www\.)[^\s<>\"'`]+", re.IGNORECASE)
SPACES = re.compile(r"[^\S\n]+")
OPTION = re.compile(
    r"(?:^|(?<=\s))\(?(?P<letter>[A-Ha-h])[).:]\s+(?P<text>.+?)(?=\s+\(?[A-Ha-h][).:]\s|\n|$)", re.MULTILINE
)
CHOICE = re.compile(
    r"\b(?:answer|option|choice|choose|pick)\b(?:\s+(?:is|would\s+be|should\s+be))?\s*[:=]?\s*\(?"
    r"(?P<letter>[A-H](?=\s*(?:[).,;:\]]|$))|(?-i:[B-H])(?!['\u2019]))(?!\w)",
    re.IGNORECASE | re.MULTILINE,
)
ALONE = re.compile(r"\(?([A-H])[).]?", re.IGNORECASE)


def code(text: str) -> Counter[str]:
    """Fenced blocks without their fences and pieces between backticks, each as often as it occurs.

    Spaces at line ends and blank lines around do not matter.

    >>> sorted(code("Use `a`:\\n```py\\nb = 1\\n```"))
    ['a', 'b = 1']
    """
    blocks = ["\n".join(line.rstrip() for line in m[2].strip("\n").split("\n")).rstrip() for m in FENCED.finditer(text)]
    return Counter(blocks + [m[1].strip() for m in INLINE.finditer(FENCED.sub("\n", text))])


def links(text: str) -> Counter[str]:
    """Web addresses, without the punctuation of the sentence around them.

    >>> list(links("See (https://a.b/c)."))
    ['https://a.b/c']
    """
    return Counter(m.group().rstrip(".,;:!?)]}\u2019”") for m in LINK.finditer(text))


def prose(text: str) -> str:
    """A text without its code and links, with one space between words."""
    return SPACES.sub(" ", LINK.sub(" ", INLINE.sub(" ", FENCED.sub("\n", text))))


def options(text: str) -> dict[str, set[str]]:
    """Words of each lettered option of a question (`A) red B) blue`); empty where A and B are not both there."""
    found: dict[str, set[str]] = {}
    for m in OPTION.finditer(text):
        found.setdefault(m["letter"].upper(), set()).update(fold(w.text) for w in words(m["text"]))
    return found if {"A", "B"} <= set(found) else {}


def choices(text: str) -> Counter[str]:
    """Letters of options that a text chooses: `the answer is (C)`, or a letter that stands alone in a line.

    >>> list(choices("Answer: b")), list(choices("(C)")), list(choices("The answer is a cat"))
    (['B'], ['C'], [])
    """
    chosen = [m["letter"] for m in CHOICE.finditer(text)]
    alone = (ALONE.fullmatch(line.strip()) for line in text.splitlines())
    return Counter([letter.upper() for letter in chosen] + [m[1] for m in alone if m])
