"""The connection to an endpoint: tells nothing of this machine, follows no redirect, reads no reply without bounds."""

from __future__ import annotations

import ipaddress
import socket
import zlib
from collections.abc import AsyncIterator, Callable
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

from dataflywheel.contracts import FlywheelError
from dataflywheel.models.endpoint.chat_model import UnreadableError
from dataflywheel.models.spec import ModelSpec, hidden_address

CONNECT_SECONDS = 10.0
MOST: ContextVar[int] = ContextVar("most", default=1 << 31)
"""Bytes of the reply to the request at hand, at most, as it comes and unpacked."""
ALIVE: ContextVar[Callable[[], None]] = ContextVar("alive", default=lambda: None)
"""Called with every sign of life in the reply to the request at hand: its headers, each piece of its body."""
WINDOW = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
UNSENT = (
    "X-Stainless-Lang",
    "X-Stainless-Package-Version",
    "X-Stainless-OS",
    "X-Stainless-Arch",
    "X-Stainless-Runtime",
    "X-Stainless-Runtime-Version",
    "X-Stainless-Async",
    "OpenAI-Organization",
    "OpenAI-Project",
)
"""What the transport would tell about this machine and its environment."""


def connect(spec: ModelSpec, secret: str) -> Any:
    """A client of the `openai` package, its own retries off.

    Proxies of the environment (HTTPS_PROXY and the like) are used, but never to this machine itself.
    """
    import httpx2
    import openai

    assert spec.endpoint is not None
    places = httpx2.Limits(max_connections=spec.concurrency, max_keepalive_connections=spec.concurrency)
    timeout = httpx2.Timeout(None, connect=min(CONNECT_SECONDS, spec.timeout))  # the rest has a clock of its own
    unsent: dict[str, Any] = {name: openai.omit for name in UNSENT}
    here = is_here(spec.endpoint)
    try:
        carrier = openai.DefaultAsyncHttpxClient(
            limits=places,
            timeout=timeout,
            follow_redirects=False,
            trust_env=not here,
            event_hooks={"response": [guarded]},
        )
    except (ImportError, ValueError, httpx2.InvalidURL) as error:
        if here:
            raise
        raise FlywheelError(
            f"the proxy that the environment names (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY) cannot be used: {error}; name "
            f"an http:// proxy, or add {urlsplit(spec.endpoint).hostname} to NO_PROXY"
        ) from None
    # All is said here, for what is not said is taken from the environment: a key of another provider, say.
    return openai.AsyncOpenAI(
        api_key=secret or "none",
        base_url=spec.endpoint,
        max_retries=0,
        timeout=timeout,
        http_client=carrier,
        default_headers={**unsent, "Accept-Encoding": "identity"},
    )


def is_here(address: str) -> bool:
    """Whether an address is on this machine.

    >>> is_here("http://localhost:8000/v1"), is_here("http://[::1]:1/v1"), is_here("https://10.0.0.1/v1")
    (True, True, False)
    >>> is_here("http://127.1:8000/v1"), is_here("http://[::ffff:127.0.0.1]/v1"), is_here("http://0.0.0.0:8000/v1")
    (True, True, True)
    """
    host = (urlsplit(address).hostname or "").rstrip(".")
    if host == "localhost" or host.endswith((".localhost", "localhost.localdomain")):
        return True
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        try:
            found = ipaddress.ip_address(socket.inet_aton(host))  # 127.1 and the like
        except OSError:
            return False
    found = getattr(found, "ipv4_mapped", None) or found
    return found.is_loopback or found.is_unspecified


async def guarded(response: Any) -> None:
    """Before a body is read: see that it is the endpoint's own, and bound it.

    Raises:
        FlywheelError: it points elsewhere.
    """
    ALIVE.get()()
    if response.has_redirect_location:
        place = hidden_address(str(response.url.join(response.headers["location"])))
        raise FlywheelError(
            f"{response.url.scheme}://{response.url.netloc.decode()} sends requests on to {place} "
            f"({response.status_code}); nothing was sent there: if that is the endpoint, write its address"
        )
    packed = response.headers.get("content-encoding", "identity").strip().lower()
    if packed not in ("", "identity"):
        if packed not in WINDOW:
            raise UnreadableError(f"the reply is packed as {packed}, which was not asked for", maybe_paid=True)
        del response.headers["content-encoding"]
    response.stream = bounded(response.stream, MOST.get(), WINDOW.get(packed))


def bounded(stream: Any, most: int, window: int | None) -> Any:
    """The stream, unpacked where there is a `window`, until it is longer than `most`."""
    import httpx2

    alive = ALIVE.get()

    class Bounded(httpx2.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            unpack = zlib.decompressobj(window) if window is not None else None
            came = gave = 0
            async for piece in stream:
                alive()
                came += len(piece)
                try:
                    piece = unpack.decompress(piece, most - gave + 1) if unpack else piece
                except zlib.error as error:
                    raise UnreadableError(f"the reply cannot be unpacked: {error}", maybe_paid=True) from None
                gave += len(piece)
                if max(came, gave) > most:
                    raise UnreadableError(f"the reply is longer than {most:,} bytes", maybe_paid=True)
                yield piece

        async def aclose(self) -> None:
            await stream.aclose()

    return Bounded()
