"""Open a file by what it is, not by its name: gzip and Zstandard are undone, UTF-16 and UTF-32 become UTF-8."""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa

GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
UTF8_BOM = b"\xef\xbb\xbf"
WIDE = {b"\xff\xfe\x00\x00": "utf-32", b"\x00\x00\xfe\xff": "utf-32", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
BROKEN = (EOFError, OSError, zlib.error, pa.ArrowException, UnicodeDecodeError)
"""What reading a damaged file may raise."""


class _Recoded(io.RawIOBase):
    """UTF-8 bytes of a stream in another encoding."""

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        self._text = io.TextIOWrapper(stream, encoding=encoding, newline="")
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(cast(bytearray, buffer))
        if not self._rest:
            self._rest = self._text.read(1 << 16).encode("utf-8", errors="surrogatepass")
        count = min(len(view), len(self._rest))
        view[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def close(self) -> None:
        self._text.close()
        super().close()


def decompressed(path: Path) -> io.BufferedReader:
    """The bytes of the file behind at most one layer of gzip or Zstandard."""
    with path.open("rb") as file:
        magic = file.read(4)
    if magic.startswith(GZIP):
        return io.BufferedReader(cast(io.RawIOBase, gzip.open(path, "rb")), 1 << 20)
    if magic == ZSTD:
        return io.BufferedReader(cast(io.RawIOBase, pa.input_stream(str(path), compression="zstd")), 1 << 20)
    return io.BufferedReader(io.FileIO(path), 1 << 20)


def open_bytes(path: Path) -> io.BufferedReader:
    """`decompressed`, as UTF-8 without a byte order mark where the file begins with one."""
    stream = decompressed(path)
    head = stream.peek(4)[:4]
    for mark, encoding in WIDE.items():
        if head.startswith(mark):
            return io.BufferedReader(_Recoded(stream, encoding), 1 << 20)
    if head.startswith(UTF8_BOM):
        stream.read(3)
    return stream
