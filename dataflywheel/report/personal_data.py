"""Hints of personal data in text: addresses, numbers and cards by their form, shown masked only.

A hint is a form, not a proof: an example address or an invented number looks the same. Names and postal addresses have
no form and are not found.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

KINDS = ("email", "phone-like number", "IP address", "card number")

EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![\w-])")
PHONE = re.compile(
    r"(?<![\w.,/-])(?<!\d[ .-])"
    r"(?:(?:\+\d{1,3}[ .-]?)?(?:\(\d{2,4}\)[ .-]?|\d{2,4}[ .-])\d{3,4}[ .-]\d{3,4}"
    # Fewer or more groups only where a trunk zero, a plus or a bracket says that it is a telephone number.
    r"|(?:\+\d{1,3}[ .-]?\(?|\(|\(?0)\d{1,4}\)?(?:[ .-]?\(?\d{2,4}\)?){2,5})"
    r"(?![\w/-]|[.,]\d| \d)"
)
IP = re.compile(r"(?<![\w.-])(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d)")
# Four digits at a time with one separator throughout, 4-6-5, or a bare run in the ranges of the card networks.
CARD = re.compile(
    r"(?<![\w.,-])(?:[3-6]\d{3}([ -]?)\d{4}\1\d{4}\1\d{4}(?:\1\d{3})?|3[47]\d{2}([ -]?)\d{6}\2\d{5}"
    r"|3[0689]\d{12}|2[2-7]\d{14}|(?:1800|2131)\d{11}|(?:50|5[6-9]|6\d)\d{10,17})"
    r"(?![\w-]|[.,]\d)"
)


def luhn(digits: str) -> bool:
    """Whether the check digit of a card number is right.

    >>> luhn("4111111111111111"), luhn("4111111111111112")
    (True, False)
    """
    doubled = [int(d) * (2 if i % 2 else 1) for i, d in enumerate(reversed(digits))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def find(text: str) -> Iterator[tuple[str, str]]:
    """(kind, the piece of text) for every hint; a card number is not also a phone number."""
    if "@" in text:
        yield from (("email", match[0]) for match in EMAIL.finditer(text))
    cards = [match for match in CARD.finditer(text) if _is_card(match[0])]
    yield from (("card number", match[0]) for match in cards)
    for match in IP.finditer(text):
        if _is_public(match[0]):
            yield "IP address", match[0]
    for match in PHONE.finditer(text):
        inside = any(card.start() <= match.start() < card.end() for card in cards)
        if not inside and 8 <= sum(c.isdigit() for c in match[0]) <= 15:
            yield "phone-like number", match[0]


def _is_card(text: str) -> bool:
    digits = re.sub(r"\D", "", text)
    return 12 <= len(digits) <= 19 and len(set(digits)) > 1 and luhn(digits)


def _is_public(text: str) -> bool:
    """Not a version number with parts over 255, and not an address that stands for no one (loopback, private)."""
    try:
        return ipaddress.ip_address(text).is_global
    except ValueError:
        return False


def masked(kind: str, text: str) -> str:
    """The form of a hint without its content.

    >>> masked("email", "jane.doe@example.org"), masked("phone-like number", "+44 20 7946 0958")
    ('j***@e***.org', '+** ** **** **58')
    """
    if kind == "email":
        name, _, domain = text.partition("@")
        return f"{name[0]}***@{domain[0]}***.{domain.rsplit('.', 1)[-1]}"
    if kind == "IP address":
        return f"{text.split('.')[0]}.*.*.*"
    shown = 4 if kind == "card number" else 2
    hidden = sum(c.isdigit() for c in text) - shown
    return re.sub(r"\d", "*", text, count=hidden)
