"""Compressed files, undone step by step: what came before a damaged place is given, and the damage is remembered."""

from __future__ import annotations

import bz2
import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Protocol, cast

import pyarrow as pa

STEP = 1 << 14
PIECE = 1 << 20
GZIP, BZIP2, XZ = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00"
ZSTD, LZ4 = b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18"
SKIPPABLE = b"\x2a\x4d\x18"
"""How a frame goes on that holds no data, as parallel packers write one first."""
FAULTS = (EOFError, OSError, zlib.error, lzma.LZMAError, pa.ArrowException)


class Damage(Exception):  # noqa: N818 - what happened to the file, not a fault of the program
    """Why a stream ends; `cut` unless all of its content came before."""

    def __init__(self, reason: str, cut: bool) -> None:
        super().__init__(reason)
        self.reason, self.cut = reason, cut


class Unpacked(io.RawIOBase):
    """Bytes from pieces; where a piece is damaged the stream ends, and `damage` tells."""

    damage: Damage | None = None

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._rest = pieces, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(cast(bytearray, buffer))
        while not self._rest:
            try:
                self._rest = next(self._pieces)
            except StopIteration:
                return 0
            except Damage as damage:
                self.damage = damage
                return 0
        count = min(len(view), len(self._rest))
        view[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def close(self) -> None:
        getattr(self._pieces, "close", lambda: None)()
        super().close()


def damage_of(stream: object) -> Damage | None:
    """The damage that ended a stream before its file did, or None."""
    return getattr(getattr(stream, "raw", None), "damage", None)


def unpacked(path: Path, magic: bytes) -> Iterator[bytes] | None:
    """The content of a file behind one layer of compression that `magic`, its first bytes, tells; None for none."""
    if magic.startswith(GZIP):
        return members(path, Inflater, "gzip")
    if magic.startswith(BZIP2) and magic[3:4].isdigit():
        return members(path, bz2.BZ2Decompressor, "bzip2")
    if magic.startswith(XZ):
        return members(path, lzma.LZMADecompressor, "xz")
    if magic[1:4] == SKIPPABLE and 0x50 <= magic[0] <= 0x5F:
        return framed(path, "zstd")
    if magic.startswith((ZSTD, LZ4)):
        return framed(path, "zstd" if magic.startswith(ZSTD) else "lz4")
    return None


class Decompressor(Protocol):
    """What `bz2` and `lzma` have."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class Inflater:
    """gzip as `bz2` and `lzma` have theirs; of a damaged step, what stands before the damage is given first."""

    def __init__(self) -> None:
        self._engine = zlib.decompressobj(wbits=31)
        self._failed: zlib.error | None = None

    @property
    def eof(self) -> bool:
        return self._engine.eof

    @property
    def needs_input(self) -> bool:
        return not self._engine.unconsumed_tail and self._failed is None

    @property
    def unused_data(self) -> bytes:
        return self._engine.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        if self._failed:
            raise self._failed
        data = self._engine.unconsumed_tail + data
        before = self._engine.copy()
        try:
            return self._engine.decompress(data, max(0, max_length))
        except zlib.error as error:
            self._failed = error
        found = bytearray()
        try:
            for at in range(len(data)):
                found += before.decompress(data[at : at + 1])
        except zlib.error:
            pass
        return bytes(found)


def members(path: Path, start: Callable[[], Decompressor], name: str) -> Iterator[bytes]:
    """Decompressed pieces of a file of one or more streams in a row; zeros after the last are padding.

    Raises:
        Damage: after the last piece that could be had.
    """
    with path.open("rb") as file:
        waiting, whole = file.read(STEP), False
        while waiting:
            engine = start()
            began = False
            try:
                while not engine.eof:
                    piece = engine.decompress(waiting, PIECE)
                    waiting = b""
                    if piece:
                        began = True
                        yield piece
                    elif not engine.eof and engine.needs_input:
                        waiting = file.read(STEP)
                        if not waiting:
                            raise EOFError("it ends in the middle")
            except FAULTS as error:
                if whole and not began:
                    raise Damage(f"bytes after the end of the {name} data", cut=False) from None
                raise Damage(f"{name}: {error}", cut=True) from None
            whole = True
            waiting = engine.unused_data or file.read(STEP)
            while waiting and not waiting.strip(b"\0"):
                waiting = file.read(STEP)


def framed(path: Path, codec: str) -> Iterator[bytes]:
    """Decompressed pieces of a Zstandard or LZ4 file.

    Raises:
        Damage: after the last piece that could be had.
    """
    position = 0
    try:
        with pa.input_stream(str(path), compression=codec) as stream:
            while piece := stream.read(1 << 16):
                position += len(piece)
                yield piece
        return
    except FAULTS as error:
        reason = str(error)
    # A failing read throws away what it had undone: go there again and take single bytes.
    with pa.input_stream(str(path), compression=codec) as stream:
        found = skip(cast(BinaryIO, stream), position)
        try:
            while byte := stream.read(1):
                found += byte
        except FAULTS:
            pass
    if found:
        yield bytes(found)
    raise Damage(f"{codec}: {reason}", cut="frame descriptor" not in reason and "frameType" not in reason)


def skip(stream: BinaryIO, count: int) -> bytearray:
    while count:
        count -= len(stream.read(min(count, 1 << 16)))
    return bytearray()
