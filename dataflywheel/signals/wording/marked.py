"""What must stay as it is, letter for letter: code, links, and the options of a question."""

from __future__ import annotations

import re
from collections import Counter

from dataflywheel.signals.wording.fences import blocks, without_blocks
from dataflywheel.signals.wording.sentences import fold, words

INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
LINK = re.compile(r"(?:https?://|www\.)[^\s<>\"'`]+", re.IGNORECASE)
SPACES = re.compile(r"[^\S\n]+")
OPTION = re.compile(r"(?:^|(?<=\s))\(?(?P<letter>[A-Ha-h])[).:](?=\s)", re.MULTILINE)
CHOICE = re.compile(
    r"\b(?:answer|option|choice|choose|pick)\b(?:\s{1,3}(?:is|would\sbe|should\sbe))?\s{0,3}[:=]?\s{0,3}\(?"
    r"(?P<letter>[A-H](?=\s{0,3}(?:[).,;:\]]|$))|(?-i:[B-H])(?!['\u2019]))(?!\w)",
    re.IGNORECASE | re.MULTILINE,
)
ALONE = re.compile(r"\(?([A-H])[).]?", re.IGNORECASE)


def code(text: str) -> Counter[str]:
    """Fenced blocks without their fences and pieces between backticks, each as often as it occurs.

    Spaces at line ends and blank lines around do not matter.

    >>> sorted(code("Use `a`:\\n```py\\nb = 1\\n```"))
    ['a', 'b = 1']
    """
    bodies = ["\n".join(line.rstrip() for line in block.body.split("\n")).strip("\n") for block in blocks(text)]
    return Counter(bodies + [m[1].strip() for m in INLINE.finditer(without_blocks(text))])


def links(text: str) -> Counter[str]:
    """Web addresses, without the punctuation of the sentence around them.

    >>> list(links("See (https://a.b/c)."))
    ['https://a.b/c']
    """
    return Counter(m.group().rstrip(".,;:!?)]}\u2019”") for m in LINK.finditer(text))


def prose(text: str) -> str:
    """A text without its code and links, with one space between words."""
    return SPACES.sub(" ", LINK.sub(" ", INLINE.sub(" ", without_blocks(text))))


def options(text: str) -> dict[str, set[str]]:
    """Words of each lettered option of a question (`A) red B) blue`); empty where A and B are not both there."""
    found: dict[str, set[str]] = {}
    marks = list(OPTION.finditer(text))
    for mark, after in zip(marks, [*(m.start() for m in marks[1:]), len(text)], strict=False):
        said = text[mark.end() : after].lstrip().partition("\n")[0]
        if said:
            found.setdefault(mark["letter"].upper(), set()).update(fold(w.text) for w in words(said))
    return found if {"A", "B"} <= set(found) else {}


def choices(text: str) -> Counter[str]:
    """Letters of options that a text chooses: `the answer is (C)`, or a letter that stands alone in a line.

    >>> list(choices("Answer: b")), list(choices("(C)")), list(choices("The answer is a cat"))
    (['B'], ['C'], [])
    """
    chosen = [m["letter"] for m in CHOICE.finditer(text)]
    alone = (ALONE.fullmatch(line.strip()) for line in text.splitlines())
    return Counter([letter.upper() for letter in chosen] + [m[1] for m in alone if m])
