"""A small HTTP/1.1 server on asyncio: keep-alive, chunked bodies both ways, and connections that can be broken."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests"}
REASONS |= {500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable"}


@dataclass
class Incoming:
    """One request. Header names are lower case."""

    method: str
    path: str
    head: bytes
    body: bytes
    connection: Connection

    def header(self, name: str) -> str:
        """The value of a header, empty where it is absent."""
        return _header(self.head, name.encode())


def _header(head: bytes, name: bytes) -> str:
    start = head.lower().find(b"\r\n" + name + b":")
    if start < 0:
        return ""
    start += len(name) + 3
    end = head.find(b"\r\n", start)
    return head[start : end if end >= 0 else len(head)].strip().decode("latin-1")


Handler = Callable[[Incoming], Awaitable[None]]


class Connection(asyncio.Protocol):
    """Requests of one client, one after another."""

    def __init__(self, handler: Handler, open_connections: set[Connection]) -> None:
        self.handler, self.all = handler, open_connections
        self.buffer = bytearray()
        self.busy = False
        self.task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        sock: socket.socket = transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.all.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.all.discard(self)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.busy:
            self._next()

    def _next(self) -> None:
        found = self._request()
        if found is not None:
            self.busy = True
            self.task = asyncio.get_running_loop().create_task(self._handle(found))

    async def _handle(self, request: Incoming) -> None:
        # A client that has gone does not stop the work: a vendor finishes it, and charges it.
        await self.handler(request)
        self.busy = False
        if not self.closed:
            self._next()

    def _request(self) -> Incoming | None:
        """The next whole request in the buffer."""
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = bytes(self.buffer[:end])
        method, path, _ = head[: head.find(b"\r\n")].decode("latin-1").split(" ", 2)
        if _header(head, b"expect"):
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if _header(head, b"transfer-encoding").lower() == "chunked":
            found = _dechunked(self.buffer, end + 4)
        else:
            length = int(_header(head, b"content-length") or 0)
            stop = end + 4 + length
            found = (bytes(self.buffer[end + 4 : stop]), stop) if len(self.buffer) >= stop else None
        if found is None:
            return None
        body, stop = found
        del self.buffer[:stop]
        return Incoming(method, path, head, body, self)

    @property
    def closed(self) -> bool:
        return self.transport.is_closing()

    def reply(self, status: int, body: bytes, headers: Mapping[str, str] | None = None, cut: int | None = None) -> None:
        """A whole reply; with `cut` only that many bytes of the body are sent, and then the connection ends."""
        if self.closed:
            return
        given = {"content-type": "application/json", **(headers or {})}
        lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
        head = f"HTTP/1.1 {status} {REASONS.get(status, 'Error')}\r\n{lines}content-length: {len(body)}\r\n\r\n"
        self.transport.write(head.encode("latin-1") + (body if cut is None else body[:cut]))
        if cut is not None:
            self.transport.close()

    def start(self, content_type: str) -> None:
        """The head of a reply that follows in chunks."""
        head = f"HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ntransfer-encoding: chunked\r\n\r\n"
        self.transport.write(head.encode())

    def chunk(self, data: bytes) -> None:
        """One chunk; an empty one ends the reply."""
        if not self.closed:
            self.transport.write(b"%x\r\n%b\r\n" % (len(data), data))

    def reset(self) -> None:
        """End the connection with a TCP reset."""
        if not self.closed:
            sock: socket.socket = self.transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.transport.abort()


def _dechunked(buffer: bytearray, at: int) -> tuple[bytes, int] | None:
    """The body that is sent in chunks from `at`, and where it ends; None while it is not whole."""
    body = bytearray()
    while True:
        line = buffer.find(b"\r\n", at)
        if line < 0:
            return None
        size = int(buffer[at:line].split(b";")[0], 16)
        at = line + 2
        if len(buffer) < at + size + 2:
            return None
        body += buffer[at : at + size]
        at += size + 2
        if size == 0:
            return bytes(body), at
