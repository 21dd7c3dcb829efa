"""What an endpoint may not do to us: send us on, flood us, pack a bomb; and proxies for this machine itself."""

from __future__ import annotations

import gzip
import threading
import time
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pydantic import SecretStr

from dataflywheel.contracts import FlywheelError
from dataflywheel.models.endpoint.client import Client
from dataflywheel.models.endpoint.flow import Flow
from dataflywheel.models.endpoint.openai_endpoint import OpenAIEndpoint, most_bytes
from dataflywheel.models.endpoint.pace import Pace
from dataflywheel.models.endpoint.request import Outcome, Reply, Request, Sampling
from dataflywheel.models.endpoint.transport import connect, is_here
from dataflywheel.models.spec import ModelSpec
from dataflywheel.store.answers import AnswerStore

GOOD = b'{"choices": [{"message": {"content": "yes"}, "finish_reason": "stop"}]}'
BOMB = gzip.compress(GOOD + b" " * 50_000_000)
PACKED = {
    "gzip": ("gzip", gzip.compress(GOOD)),
    "deflate": ("deflate", zlib.compress(GOOD)),
    "bomb": ("gzip", BOMB),
    "brotli": ("br", b"\x0b\x02\x80abc\x03"),
    "broken": ("gzip", b"no gzip at all"),
}


class Odd(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen: list[str] = []

    def log_message(self, *given: object) -> None: ...

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        kind = self.path.split("/")[1]
        self.seen.append(kind)
        if kind in PACKED:
            encoding, body = PACKED[kind]
            return self.reply(200, body, {"content-encoding": encoding})
        if kind == "flood":
            self.send_response(200)
            self.send_header("connection", "close")
            self.end_headers()
            try:
                for _ in range(4000):
                    self.wfile.write(b"x" * 65536)
            except OSError:
                pass
            self.close_connection = True
            return None
        if kind == "key":
            key = self.headers["authorization"].split()[1]
            return self.reply(307, b"", {"location": f"http://u:{key}@127.0.0.2/{key}/v1?k={key}#{key}"})
        if kind.isdigit():
            return self.reply(int(kind), b"", {"location": f"http://127.0.0.2:{self.server.server_address[1]}/good/v1"})
        return self.reply(200, GOOD, {})

    def reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def odd() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Odd)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


def ask(address: str, folder: Path, key: str = "none") -> Reply:
    model = OpenAIEndpoint(ModelSpec(endpoint=address, model="m", timeout=10, api_key=SecretStr(key)))
    asking = Client(model, AnswerStore(folder / "answers.db"), flow=Flow(Pace(backoff=0.01)))
    (reply,) = asking.ask([Request.chat("x")])
    asking.close()
    return reply


@pytest.mark.parametrize("kind", ["gzip", "deflate"])
def test_a_packed_reply_is_read(odd: str, tmp_path: Path, kind: str) -> None:
    assert ask(f"{odd}/{kind}", tmp_path).text == "yes"


@pytest.mark.parametrize("kind", ["bomb", "flood", "brotli", "broken"])
def test_a_reply_without_bounds_is_no_answer_and_is_asked_for_twice(odd: str, tmp_path: Path, kind: str) -> None:
    Odd.seen.clear()
    begun = time.monotonic()
    reply = ask(f"{odd}/{kind}", tmp_path)
    assert reply.outcome is Outcome.MALFORMED
    assert Odd.seen == [kind] * 2
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(odd: str, tmp_path: Path, status: int) -> None:
    Odd.seen.clear()
    with pytest.raises(FlywheelError, match=r"sends requests on to http://127\.0\.0\.2.*nothing was sent there"):
        ask(f"{odd}/{status}", tmp_path)
    assert Odd.seen == [str(status)]


def test_where_an_endpoint_points_is_told_without_the_key(odd: str, tmp_path: Path) -> None:
    key = "a-key-of-no-known-shape-7"
    with pytest.raises(FlywheelError, match=r"sends requests on to http://\*\*\*@127\.0\.0\.2/\*\*\*/v1") as error:
        ask(f"{odd}/key", tmp_path, key)
    assert key not in str(error.value)


def test_a_proxy_of_the_environment_is_not_for_this_machine(
    odd: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert ask(f"{odd}/good", tmp_path).text == "yes"
    assert [is_here(f"http://{host}/v1") for host in ("127.0.0.9:1", "[::1]", "LOCALHOST", "10.0.0.1", "a.org")] == [
        *(True, True, True),
        *(False, False),
    ]


@pytest.mark.parametrize(
    "proxy", ["socks5://127.0.0.1:9", "ftp://user:a-password@x", "http://127.0.0.1:3128:x", "::::"]
)
def test_a_proxy_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(
        FlywheelError, match=r"proxy that the environment names .*or add llm\.example\.org to NO_PROXY"
    ) as e:
        connect(ModelSpec(endpoint="http://llm.example.org/v1", model="m"), "")
    assert "a-password" not in str(e.value)


def test_the_bound_has_room_for_the_longest_answer() -> None:
    request = Request.chat("x", sampling=Sampling(max_tokens=2000, top_logprobs=20))
    assert 2000 * 20 * 100 < most_bytes(request) < 20_000_000
    assert most_bytes(Request.chat("x")) < 2_000_000
