"""A digest of what inputs hold, so that a changed file is seen."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from dataflywheel.rows.containers.find import find, hub_name
from dataflywheel.rows.reading import Input

CHUNK = 1 << 20


def fingerprint(inputs: Sequence[Input]) -> str:
    """32 hex digits over source, format, mapping, size and content of every file, in order; file names do not count.

    Of a hub data set its name counts, and of `records` the rows themselves.

    Raises:
        FlywheelError: a path names nothing.
    """
    digest = hashlib.blake2b(digest_size=16)
    for given in inputs:
        digest.update(repr((given.source, given.format)).encode())
        if given.mapping is not None:
            digest.update(repr(given.mapping).encode())
        if given.records is not None:
            for row in given.records():
                digest.update(repr(row).encode())
            continue
        assert given.path is not None
        if hub_name(given.path):
            digest.update(given.path.encode())
            continue
        found = find(given.path)
        if found.part:
            digest.update(f"#{found.part}".encode())
        for path in found.files:
            digest.update(f"{path.stat().st_size}:".encode())
            with path.open("rb") as file:
                while chunk := file.read(CHUNK):
                    digest.update(chunk)
    return digest.hexdigest()
