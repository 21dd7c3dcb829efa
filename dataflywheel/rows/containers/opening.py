"""Open a file by what it is, not by its name: compression is undone, UTF-16 and UTF-32 become UTF-8."""

from __future__ import annotations

import codecs
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from dataflywheel.rows.containers.unpacking import Damage, Unpacked, damage_of, unpacked

UTF8_BOM = b"\xef\xbb\xbf"
WIDE = {b"\xff\xfe\x00\x00": "utf-32", b"\x00\x00\xfe\xff": "utf-32", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
BROKEN = (EOFError, OSError, zlib.error, pa.ArrowException, UnicodeDecodeError)
"""What reading a damaged file may raise."""


def decompressed(path: Path) -> io.BufferedReader:
    """The bytes of the file behind at most one layer of compression (gzip, Zstandard, bzip2, xz, lz4).

    A damaged file gives what stands before the damage, and then `damage_of` the stream tells.
    """
    with path.open("rb") as file:
        magic = file.read(8)
    pieces = unpacked(path, magic)
    return io.BufferedReader(io.FileIO(path) if pieces is None else Unpacked(pieces), 1 << 20)


def open_bytes(path: Path) -> io.BufferedReader:
    """`decompressed`, as UTF-8 without a byte order mark where the file begins with one."""
    stream = decompressed(path)
    head = stream.peek(4)[:4]
    for mark, encoding in WIDE.items():
        if head.startswith(mark):
            return io.BufferedReader(Unpacked(recoded(stream, encoding)), 1 << 20)
    if head.startswith(UTF8_BOM):
        stream.read(3)
    return stream


def recoded(stream: BinaryIO, encoding: str) -> Iterator[bytes]:
    """UTF-8 pieces of a stream in another encoding; a lone surrogate stays one, for its line alone to be set aside.

    Raises:
        Damage: after the last character that could be read.
    """
    decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
    with stream:
        ended = False
        while not ended:
            chunk = stream.read(1 << 16)
            ended = not chunk
            state = decoder.getstate()
            try:
                text, broken = decoder.decode(chunk, final=ended), None
            except UnicodeDecodeError as error:
                decoder.setstate(state)
                text, broken = decoder.decode(chunk[: max(0, error.start - len(state[0]))]), error
            if text:
                yield text.encode("utf-8", "surrogatepass")
            if broken:
                raise Damage(f"not {encoding.upper()}: {broken.reason}", cut=True)
        damage = damage_of(stream)
        if damage:
            raise damage
