"""The forms in which an endpoint, a gateway or a library may write a key into what it says."""

from __future__ import annotations

import html
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote

import orjson

from dataflywheel.models.spec import KEY_LETTERS


def key_forms(secret: str) -> tuple[str, ...]:
    """The forms in which a key may be echoed, the longest first; none for a word that stands in for a key.

    >>> forms = key_forms("a-key+of/letters")
    >>> "a-key%2Bof%2Fletters" in forms, any(form in "Basic dTphLWtleStvZi9sZXR0ZXJz" for form in forms)
    (True, True)
    """
    if len(secret) < KEY_LETTERS:
        return ()
    escaped = orjson.dumps(secret).decode()[1:-1]
    codes = ["".join(f"\\u{ord(letter):{form}}" for letter in secret) for form in ("04x", "04X")]
    percent = quote(secret, safe="")
    hexed = secret.encode().hex()
    forms = [
        secret,
        escaped,
        orjson.dumps(escaped).decode()[1:-1],
        repr(secret)[1:-1],
        *codes,
        escaped.replace("/", "\\/"),
    ]
    forms += [percent, _lower(percent), quote(percent, safe=""), quote(secret), hexed, hexed.upper()]
    forms += [html.escape(secret), html.escape(secret).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")]
    forms += _packed(secret.encode())
    return tuple(sorted(dict.fromkeys(forms), key=len, reverse=True))


def _lower(percent: str) -> str:
    first, *rest = percent.split("%")
    return "%".join([first, *(part[:2].lower() + part[2:] for part in rest)])


def _packed(key: bytes) -> list[str]:
    """What base64 makes of the key whatever stands before and behind it, such as `Bearer ` or `user:`."""
    found = []
    for before, cut in ((0, 0), (1, 2), (2, 3)):
        whole = (before + len(key)) * 8 // 6
        found += [pack(bytes(before) + key).decode()[cut:whole] for pack in (b64encode, urlsafe_b64encode)]
    return found
