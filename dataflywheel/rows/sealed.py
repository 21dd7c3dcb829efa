"""Rows sealed under a key that only the user has: what a redaction keeps of a row beside what it made of it.

AES-SIV (RFC 5297), 256-bit keys: it needs no chance, so that equal rows and keys give equal bytes, and what was changed
since is refused.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import os
import re
import zlib
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import orjson

from dataflywheel.contracts import FlywheelError, UnshownError, UsageError
from dataflywheel.rows.schema import Row
from dataflywheel.rows.text import fields_of

SHORTEST = 32
"""Characters that a secret has at least: guessing must be hopeless."""
_REFERENCE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:.+")
_SEALED = re.compile(r"sealed1\.([0-9a-f]{16})\.([A-Za-z0-9_-]+)")
_ABOUT = b"dataflywheel row 1"
_MAKE_ONE = "`export NAME=$(openssl rand -hex 32)` makes one"


@dataclass(frozen=True)
class Secret:
    """What is derived from a user's secret; none of it but `digest` may be written anywhere."""

    digest: str
    """16 hex digits that tell secrets apart and say nothing of them."""
    cipher: bytes = field(repr=False)
    stand_ins: bytes = field(repr=False)

    def of_row(self, id: str) -> str:
        """What stand-ins of a row are made from: whoever guesses the row cannot see that the guess was right."""
        return hashlib.blake2b(id.encode(), key=self.stand_ins, digest_size=16).hexdigest()


def check_reference(key: object) -> None:
    """See that a key says where a secret is, without looking there.

    Raises:
        UnshownError: it says nothing of the kind; the message does not show it, since it may be the secret itself.
    """
    if not isinstance(key, str) or not _REFERENCE.fullmatch(key):
        raise UnshownError("say where the secret is, `env:NAME` or `file:PATH`, and never the secret itself")


def secret(key: str) -> Secret:
    """The secret that `env:NAME` or `file:PATH` refers to, derived by scrypt.

    Raises:
        UsageError: there is none, it is too short, or the package `cryptography` is not installed.
    """
    try:
        check_reference(key)
    except UnshownError as error:
        raise UsageError(f"key: {error}") from None
    if importlib.util.find_spec("cryptography") is None:
        raise UsageError("key: the package cryptography is needed: pip install 'dataflywheel[keyed]'")
    kind, _, place = key.partition(":")
    if kind == "env":
        given = os.environ.get(place, "")
        where = f"the environment variable {place}"
    else:
        path = Path(place).expanduser()
        where = f"the file {path}"
        try:
            given = path.read_text(encoding="utf-8").strip() if path.is_file() else ""
        except (OSError, UnicodeDecodeError) as error:
            why = "is no text" if isinstance(error, ValueError) else f"cannot be read ({error.strerror})"
            raise UsageError(f"key: {where} {why}; `openssl rand -hex 32 > {path.name}` makes one") from None
    if len(given) < SHORTEST:
        what = f"has fewer than {SHORTEST} characters" if given else "is not set or empty"
        raise UsageError(f"key: {where} {what}; {_MAKE_ONE}")
    return _derived(given)


@lru_cache(maxsize=4)
def _derived(given: str) -> Secret:
    made = hashlib.scrypt(given.encode(), salt=_ABOUT, n=2**14, r=8, p=1, dklen=104)
    return Secret(made[:8].hex(), cipher=made[8:72], stand_ins=made[72:])


def seal(row: Row, became: str, by: Secret) -> str:
    """A row as text that only the secret opens; `became` is the id of what was made of it."""
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

    plain = zlib.compress(orjson.dumps({"row": row, "became": became}))
    closed = AESSIV(by.cipher).encrypt(plain, [_ABOUT])
    return f"sealed1.{by.digest}.{base64.urlsafe_b64encode(closed).decode().rstrip('=')}"


def is_sealed(value: object) -> bool:
    """Whether it has the form of what `seal` gives."""
    return isinstance(value, str) and _SEALED.fullmatch(value) is not None


def without_seals(row: Row) -> Row:
    """A new row made from a sealed one, without what that one was: opened, it would become its parent."""
    held = fields_of(row)
    left = {name: value for name, value in held.items() if not is_sealed(value)}
    return row if len(left) == len(held) else {**row, "extra": orjson.dumps(left, option=orjson.OPT_SORT_KEYS).decode()}


def sealed_by(value: str) -> str:
    """The digest of the secret that sealed it."""
    return value.split(".")[1]


def unsealed(value: str, by: Secret) -> tuple[Row, str]:
    """The row that was sealed, and the id of what was made of it then.

    Raises:
        FlywheelError: it was sealed by another secret, or changed since.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

    found = _SEALED.fullmatch(value)
    if found is None or found[1] != by.digest:
        raise FlywheelError("it was sealed by another key")
    try:
        closed = base64.urlsafe_b64decode(found[2] + "=" * (-len(found[2]) % 4))
        held = orjson.loads(zlib.decompress(AESSIV(by.cipher).decrypt(closed, [_ABOUT])))
    except (InvalidTag, ValueError):
        raise FlywheelError("what was sealed has been changed since") from None
    row: Row = held["row"]
    return row, str(held["became"])
