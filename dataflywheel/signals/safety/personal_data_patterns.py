"""Personal data in text by form, checksum and context: where they stand and of what type, never what they are.

A match is a form, not a proof: an invented number looks the same. Names and postal addresses have no form and are not
found (see `name_recogniser`). Stand-ins that redaction put there (`surrogate`) are not found either.
"""

from __future__ import annotations

import ipaddress
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, get_args

Type = Literal["url_credentials", "api_key", "email", "iban", "card", "ssn", "ip", "date_of_birth", "phone"]
TYPES: tuple[Type, ...] = get_args(Type)
"""In order of precedence: a card number is not also a telephone number."""
PRIVATE: tuple[Type, ...] = tuple(name for name in TYPES if name != "date_of_birth")
"""What is looked for where nothing is said: the birthdays that texts tell are mostly those of the famous."""
CONTEXT_CHARS = 40
"""Characters before a number in which a word may say what it is."""

SURROGATE = re.compile(
    r"name-[0-9a-f]{8}@redacted\.invalid|\bredacted-[0-9a-f]{8}\b@?|\+999 \d{3} \d{3} \d{3}\b|\b000-\d{2}-\d{4}\b"
    r"|\bZZ00(?: ?\d{4}){4}\b|\b0000(?: \d{4}){3}\b|\b240(?:\.\d{1,3}){3}\b"
    r"|(?:Person|Place|Organisation)-[BDFGKLMNPRSTVZ][aeiou](?:[bdfgklmnprstvz][aeiou]){3}"
)
# A value may stand behind any sign, a comma, letters of other scripts and an escaped line end, but not within a word or
# a number: no ASCII letter or digit before it, and no digit with a sign that goes on with a number.
_FREE = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))"
_DONE = r"(?![A-Za-z0-9])"
_URL = re.compile(r"\b[a-zA-Z][a-zA-Z0-9+.-]{1,15}://([^\s/:@\"'<>]{1,64}:[^\s/@\"'<>]{1,128})@(?=[\w\[])")
_KEY = re.compile(
    r"(?<![\w-])(?:sk-[A-Za-z0-9_-]{20,200}|[sr]k_(?:live|test)_[A-Za-z0-9]{16,100}|(?:AKIA|ASIA)[0-9A-Z]{16}"
    r"|gh[pousr]_[A-Za-z0-9]{36,100}|github_pat_[A-Za-z0-9_]{40,120}|glpat-[A-Za-z0-9_-]{20,60}|hf_[A-Za-z0-9]{30,60}"
    r"|xox[abeoprs]-[A-Za-z0-9-]{10,120}|AIza[0-9A-Za-z_-]{35}|eyJ[\w-]{10,2000}\.eyJ[\w-]{10,4000}\.[\w-]{10,1000})"
    r"(?![\w-])"
)
_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----.{1,8000}?-----END [A-Z ]{0,30}PRIVATE KEY-----", re.S
)
_NAMED_KEY = re.compile(
    r"(?i)\b(?:api[ _-]?key|secret(?:[ _-]?key)?|access[ _-]?token|auth[ _-]?token|password|passwd)\b"
    r"[\"']?\s{0,3}[:=]\s{0,3}[\"']?((?=[^\s\"']{0,200}\d)(?=[^\s\"']{0,200}[a-zA-Z])[A-Za-z0-9_/+=.-]{16,200})"
)
_EMAIL = re.compile(
    r"(?<![\w.+-])[\w.+-]{1,64}@(?:[^\W_](?:[^\W_]|-){0,62}\.){1,8}"
    r"(?:[A-Za-z]{2,24}(?![A-Za-z0-9-])|[^\W\d_a-zA-Z]{2,6})"
)
_AT = r"[(\[{]\s?at\s?[)\]}]"
_SPELLED_EMAIL = re.compile(
    rf"(?i)(?<![\w.+-])[\w.+-]{{1,64}}\s?{_AT}\s?"
    r"(?:[a-z0-9-]{1,63}(?:\.|\s?[(\[{]\s?dot\s?[)\]}]\s?)){1,4}[a-z]{2,24}(?![a-z0-9-])"
)
_SPELLED_AT = re.compile(rf"(?i){_AT}")
_IBAN = re.compile(rf"(?i){_FREE}[a-z]{{2}}\d{{2}}(?: ?[a-z0-9]{{4}}){{2,7}}(?: ?[a-z0-9]{{1,3}})?{_DONE}")
# Four digits at a time with one separator throughout, 4-6-5, or a bare run in the ranges of the card networks.
_CARD = re.compile(
    rf"{_FREE}(?<!\d[.+-])(?<!\+)"
    r"(?:[3-6]\d{3}([ -]?)\d{4}\1\d{4}\1\d{4}(?:\1\d{3})?|3[47]\d{2}([ -]?)\d{6}\2\d{5}"
    r"|4\d{12}|3[0689]\d{12}|2[2-7]\d{14}|(?:1800|2131)\d{11}|(?:50|5[6-9]|6\d)\d{10,17})"
    rf"{_DONE}(?![.-]\d)"
)
_SSN = re.compile(rf"{_FREE}(?<!\d-)(?!000|666|9\d\d)\d{{3}}-(?!00)\d{{2}}-(?!0000)\d{{4}}{_DONE}(?!-\d)")
_IP = re.compile(
    rf"{_FREE}"
    r"(?<!\d[.-])(?:\d{1,3}\.){3}\d{1,3}(?![A-Za-z0-9]|[.-]\d)"
    r"|(?<![A-Za-z0-9:.])(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{1,4}(?![A-Za-z0-9:])"
)
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
_DATE = re.compile(
    rf"(?i)(?<![\w/-])(?:\d{{1,2}}[/.-]\d{{1,2}}[/.-](?:\d{{4}}|\d{{2}})|\d{{4}}[/.-]\d{{1,2}}[/.-]\d{{1,2}}"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?\.? (?:of )?{_MONTH},? \d{{4}}|{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}})"
    r"(?![\w/]|-\d)"
)
_BIRTH = re.compile(r"(?i)\b(?:born|birth|birthday|birthdate|dob|d\.o\.b)\b")
_EXTENSION = r"(?:\s?(?:x|ext\.?)\s?\d{1,6})?"
# Behind a digit and a comma, a number in three groups alone: `1,000-500-100` is a sum.
_PHONE_FREE = (
    rf"(?:{_FREE}(?<!\d[ .,/-])(?<![A-Za-z]-)|(?<=\d,)(?=\(?[2-9]\d\d\)?[ .-]{{1,2}}\d{{3}}[ .-]\d{{4}}{_DONE}))"
)
_PHONE = re.compile(
    rf"{_PHONE_FREE}"
    r"(?:(?:\+?\d{1,3}[ .-]?)?(?:\(\d{2,4}\)[ .-]?|\d{2,4}[ .-])\d{3,4}[ .-]\d{3,4}"
    # Fewer or more groups only where a trunk zero, a plus or a bracket says that it is a telephone number.
    r"|0\d{2,4} ?/ ?\d{5,8}(?:-\d{1,4})?"
    r"|(?:\+\d{1,3}[ .-]?\(?\d{1,4}\)?|\(\d{1,4}\)|0\d{1,4})(?:[ .-]?(?:\(\d{2,4}\)|\d{2,4})){2,5})"
    rf"{_EXTENSION}"
    r"(?![A-Za-z0-9/]|[.-]\d| \d|,\d{3}(?!\d)|\s{0,3}=)"
)
_DIGITS = re.compile(
    rf"{_FREE}(?<!\d[.,/:-])\+?\(?\d{{1,4}}\)?(?:[ .-]?\(?\d{{1,4}}\)?){{1,6}}{_EXTENSION}"
    r"(?![A-Za-z0-9/]|[.,-]\d|\s{0,3}=)"
)
_ROUND_SUM = re.compile(r"[1-9]\d{0,2}(?: \d{3})* 000")
_ABROAD = re.compile(r"\(?(?:\+|00)")
_FROM_ABROAD = re.compile(r"\D*[1-9](?:\D*\d){6}")
_YEARS = re.compile(r"\(?[12]\d{3} ?- ?[12]\d{3}\)?")
_PHONE_WORD = re.compile(
    r"(?i)\b(?:tele|cell)?(?:phones?|tel|mobile|mob|cell|ph|fax|desk|office|call|called|calling|dial|sms|text(?:ed)?|whatsapp|viber"
    r"|telegram|reach|contact|answering|voicemail|message|hotline|helpline|landline|(?:my|his|her|their|your|our)\s(?:\w{1,12}\s)?number"
    r"|tel[eé]fono|t[eé]l[eé]phone|telefon\w?|telefoon|handy|m[oó]vil|celular|cellulare|portable|puhelin|\u0442\u0435\u043b(?:\u0435\u0444\u043e\u043d)?)\b"
    r"|\u7535\u8bdd|\u96fb\u8a71|\u624b\u673a|\u624b\u6a5f|\u643a\u5e2f|\uc804\ud654|\u0647\u0627\u062a\u0641|\u092b\u093c?\u094b\u0928"
)
_PHONE_WORD_AFTER = re.compile(r"(?i)\s?-?\s?(?:office|mobile|home|work|fax|desk|cell)\b")


@dataclass(frozen=True, slots=True)
class Span:
    """Characters [start, end) of a text, and what type of personal data they are."""

    type: str
    start: int
    end: int


def find(text: str, types: tuple[str, ...] = TYPES) -> list[Span]:
    """The personal data of the asked types, in order, without overlaps.

    >>> [(s.type, s.start, s.end) for s in find("mail jane.doe@example.org or call +44 20 7946 0958")]
    [('email', 5, 25), ('phone', 34, 50)]
    """
    taken = [(match.start(), match.end()) for match in SURROGATE.finditer(text)]
    found = []
    for name in TYPES:
        for start, end in _FINDERS[name](text):
            place = bisect_right(taken, (start, end))
            before_free = place == 0 or taken[place - 1][1] <= start
            if before_free and (place == len(taken) or end <= taken[place][0]):
                taken.insert(place, (start, end))
                found.append(Span(name, start, end))
    return sorted((span for span in found if span.type in types), key=lambda span: span.start)


def _spans(pattern: re.Pattern[str], good: Callable[[str], bool] = bool, group: int = 0) -> _Finder:
    def finder(text: str) -> Iterator[tuple[int, int]]:
        return (match.span(group) for match in pattern.finditer(text) if good(match[group]))

    return finder


def _emails(text: str) -> Iterator[tuple[int, int]]:
    if "@" in text:
        yield from _spans(_EMAIL)(text)
    if _SPELLED_AT.search(text):
        yield from _spans(_SPELLED_EMAIL)(text)


def _keys(text: str) -> Iterator[tuple[int, int]]:
    for pattern, group in ((_PRIVATE_KEY, 0), (_KEY, 0), (_NAMED_KEY, 1)):
        yield from _spans(pattern, group=group)(text)


def _births(text: str) -> Iterator[tuple[int, int]]:
    """Dates with a word of birth before them."""
    if _BIRTH.search(text):
        for match in _DATE.finditer(text):
            if _before(_BIRTH, match):
                yield match.span()


def _phones(text: str) -> Iterator[tuple[int, int]]:
    """Numbers that look like nothing else, and those beside a word that says so."""
    for match in _PHONE.finditer(text):
        if _may_be_dialled(match[0], 8) and not _ROUND_SUM.fullmatch(match[0]):
            yield match.span()
    for match in _DIGITS.finditer(text):
        if _may_be_dialled(match[0], 7) and (_before(_PHONE_WORD, match) or _PHONE_WORD_AFTER.match(text, match.end())):
            yield match.span()


def _before(word: re.Pattern[str], match: re.Match[str]) -> bool:
    """Whether such a word stands in the characters before a match."""
    return bool(word.search(match.string, max(0, match.start() - CONTEXT_CHARS), match.start()))


def _may_be_dialled(number: str, fewest: int) -> bool:
    """Whether it has as many digits as a telephone number, and is no pair of years; one that says that it is dialled
    from abroad goes on with a country, whose code begins with no zero, and a number there."""
    if (abroad := _ABROAD.match(number)) and not _FROM_ABROAD.match(number, abroad.end()):
        return False
    return fewest <= sum(map(str.isdigit, number)) <= 21 and not _YEARS.fullmatch(number)


def _is_card(text: str) -> bool:
    from stdnum import luhn

    digits = re.sub(r"\D", "", text)
    return 12 <= len(digits) <= 19 and len(set(digits)) > 1 and bool(luhn.is_valid(digits))


def _is_iban(text: str) -> bool:
    """By check digits and the form of its country's numbers; national check digits, which invented ones lack, are not
    asked for."""
    from stdnum import iban

    return bool(iban.is_valid(text, check_country=False))


def _is_public(text: str) -> bool:
    """Not a version number with parts over 255, and not an address that stands for no one (loopback, private)."""
    try:
        return ipaddress.ip_address(text).is_global
    except ValueError:
        return False


_Finder = Callable[[str], Iterator[tuple[int, int]]]
_FINDERS: dict[str, _Finder] = {
    "url_credentials": _spans(_URL, group=1),
    "api_key": _keys,
    "email": _emails,
    "iban": _spans(_IBAN, _is_iban),
    "card": _spans(_CARD, _is_card),
    "ssn": _spans(_SSN),
    "ip": _spans(_IP, _is_public),
    "date_of_birth": _births,
    "phone": _phones,
}
