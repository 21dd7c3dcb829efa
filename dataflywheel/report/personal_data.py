"""Hints of personal data in text: addresses, numbers and cards by their form, shown masked only.

A hint is a form, not a proof: an example address or an invented number looks the same. Names and postal addresses have
no form and are not found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dataflywheel.signals.safety import personal_data_patterns as patterns

_NAMES: dict[str, str] = {
    "email": "email",
    "phone": "phone-like number",
    "ip": "IP address",
    "card": "card number",
    "iban": "account number",
    "ssn": "social security number",
    "api_key": "access key",
    "url_credentials": "credentials in an address",
}
KINDS = tuple(_NAMES.values())


def find(text: str) -> Iterator[tuple[str, str]]:
    """(kind, the piece of text) for every hint; a card number is not also a phone number."""
    return ((_NAMES[span.type], text[span.start : span.end]) for span in patterns.find(text, tuple(_NAMES)))


def masked(kind: str, text: str) -> str:
    """The form of a hint without its content.

    >>> masked("email", "jane.doe@example.org"), masked("phone-like number", "+44 20 7946 0958")
    ('j***@e***.org', '+** ** **** **58')
    """
    if kind == "email":
        name, _, domain = text.partition("@")
        return f"{name[0]}***@{domain[0]}***.{domain.rsplit('.', 1)[-1]}"
    if kind in ("access key", "credentials in an address"):
        return "***"
    if kind == "account number":
        return f"{text[:2]}** ***"
    if kind == "IP address":
        return f"{re.split('[.:]', text)[0]}.*.*.*"
    shown = 4 if kind == "card number" else 2
    hidden = sum(c.isdigit() for c in text) - shown
    return re.sub(r"\d", "*", text, count=hidden)
