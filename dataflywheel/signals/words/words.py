"""What a word is: the one rule that duplicates, leaks, novelty and the statistics of words share.

A text is folded first: Unicode form NFKC, case, and decimal digits of every script; characters that a reader does not
see (soft hyphen, zero-width and direction marks, variation selectors), the Arabic tatweel, and marks that writers leave
out at will (Arabic and Hebrew vowels, stress) are dropped; forms of one Arabic letter are one. Words are then runs of
letters, marks, digits and underscores. Thai, Lao, Khmer, Burmese, Chinese and Japanese are written without spaces:
their words are those of ICU's dictionaries. Other scripts without spaces, of which no dictionary is at hand, have a
word for every letter with its marks. An emoji is a word of its own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
OPTIONAL = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f"
    "\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u0711\u0730-\u074a\u07eb-\u07f3\u07fa"
    "\u08ca-\u08e1\u08e3-\u08ff\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20f0\ufe20-\ufe2f"
)
"""Tatweel, vowels, and marks for which there is no letter that has them: accents of letters are part of these."""
UNSPACED = (
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ece\u0edc-\u0edf\u1000-\u103f\u1050-\u109f\u1780-\u17d3\u17d7\u17dc\u17dd"
    "\u3005-\u3007\u3021-\u302f\u3031-\u3035\u3038-\u303b\u3041-\u3096\u3099\u309a\u309d-\u309f\u30a1-\u30fa"
    "\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua9e0-\ua9fe\uaa60-\uaa7f\uf900-\ufaff"
    "\U0001b000-\U0001b16f\U00020000-\U0003fffd"
)
"""Scripts that ICU has a dictionary for."""
SYLLABIC = (
    "\u1950-\u1974\u1980-\u19cf\u1a20-\u1a7e\u1b00-\u1b4c\u3105-\u312f\u31a0-\u31bf\ua000-\ua48c\ua980-\ua9c0"
    "\uaa80-\uaadf\U00011700-\U0001174f"
)
"""Tai Le, New Tai Lue, Tai Tham, Balinese, Bopomofo, Yi, Javanese, Tai Viet and Ahom: no spaces, no dictionary."""
ZEROS = "٠۰߀०০੦૦୦௦౦೦൦෦๐໐༠၀႐០᠐᥆᧐᪀᪐᭐᮰᱀᱐꘠꣐꤀꧐꧰꩐꯰"
DIGITS = {chr(ord(zero) + value): str(value) for zero in ZEROS for value in range(10)}
LETTERS = dict(
    zip("\u0622\u0623\u0625\u0671\u0649\u06cc\u06a9", "\u0627\u0627\u0627\u0627\u064a\u064a\u0643", strict=True)
)
"""Alef with and without hamza, madda and wasla; Persian and Arabic yeh and kaf."""
SPLIT_VOWELS = {"\u0e4d\u0e32": "\u0e33", "\u0ecd\u0eb2": "\u0eb3"}
"""NFKC takes Thai and Lao `am` apart, which dictionaries know in one piece."""
HALF_WIDTH_MARKS = {"\uff9e": "\u3099", "\uff9f": "\u309a"}
MOST_MARKS = 30
"""Marks on one letter that are looked at, as in Unicode's stream-safe form: more take time that is not linear."""
ASCII = bytes(range(128))

PILED = re.compile(rf"[^\w\s\x00-\x7f]{{{MOST_MARKS + 1},}}")
UNSEEN = re.compile(f"[{INVISIBLE}]+")
DROPPED = re.compile(f"[{INVISIBLE}{OPTIONAL}]+")
LOCAL_DIGITS = re.compile(f"[{''.join(DIGITS)}]")
RUNS = re.compile(f"[{UNSPACED}]+")
LONE_KANA = re.compile(r"(?<![^ \n])[\u3041-\u3096](?: [\u3041-\u3096](?![^ \n]))+")
"""What the dictionary does not know comes out letter by letter: such letters in a row are one word."""
SYLLABLES = re.compile(f"[{SYLLABIC}]")
UNPLAIN = re.compile(
    "[^\u00a0-\u00a7\u00a9\u00ab\u00ac\u00ae\u00b0\u00b1\u00b6\u00b7\u00bb\u00bf-\u00de\u00e0-\u00ff\u2010-\u2027\u2030-\u203a\u20ac]"
)
"""All but the letters and marks of western Europe, of which folding leaves everything but the case as it is."""
UNUSUAL = re.compile(f"[{INVISIBLE}{OPTIONAL}{''.join(DIGITS)}{''.join(LETTERS)}{UNSPACED}{SYLLABIC}]")


def folded_text(text: str) -> str:
    """The text with its words apart and in the one form in which they are compared, in linear time.

    >>> folded_text("Stra\\u00adße كتـــاب"), folded_text("我喜欢苹果。").split()
    ('strasse كتاب', ['我', '喜欢', '苹果', '。'])
    """
    foreign = beyond_ascii(text)
    if UNPLAIN.search(foreign) is None:
        return text.lower()
    if UNSEEN.search(foreign) is not None:
        text = UNSEEN.sub("", text)
    text = renamed(text, HALF_WIDTH_MARKS)
    if PILED.search(beyond_ascii(text)) is not None:
        text = PILED.sub(_few_marks, text)
    text = unicodedata.normalize("NFKC", text).casefold()
    if UNUSUAL.search(beyond_ascii(text)) is None:
        return text
    text = LOCAL_DIGITS.sub(lambda digit: DIGITS[digit[0]], renamed(DROPPED.sub("", text), LETTERS))
    return with_spaces(SYLLABLES.sub(_apart, text))


def beyond_ascii(text: str) -> str:
    """What is left of a text without its ASCII characters: nearly nothing of English, where looking costs most."""
    return text.encode().translate(None, ASCII).decode()


def renamed(text: str, forms: Mapping[str, str]) -> str:
    for form, name in forms.items():
        text = text.replace(form, name)
    return text


def with_spaces(text: str) -> str:
    """The text with spaces around the words of scripts that are written without."""
    from icu4py.breakers import WordBreaker

    text = renamed(text, SPLIT_VOWELS)
    runs = RUNS.findall(text)
    if not runs:
        return text
    # All runs go through one breaker; the line ends between them end words, so that none depends on another run.
    divided = " ".join(WordBreaker("\n".join(runs), "en"))
    found = iter(LONE_KANA.sub(lambda letters: letters[0].replace(" ", ""), divided).split("\n"))
    return RUNS.sub(lambda _: f" {next(found)} ", text)


def _few_marks(run: re.Match[str]) -> str:
    marks, kept = 0, []
    for character in run[0]:
        marks = marks + 1 if unicodedata.category(character)[0] == "M" else 0
        if marks <= MOST_MARKS:
            kept.append(character)
    return "".join(kept)


def _apart(letter: re.Match[str]) -> str:
    character = letter[0]
    return character if unicodedata.category(character)[0] == "M" else f" {character}"
