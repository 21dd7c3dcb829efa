"""The scripted endpoint itself: protocol, limits, determinism and the bill."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.asking import chat, outcome, post, said
from tests.support.endpoint import Endpoint
from tests.support.endpoint.bill import Line


def test_chat_completion_models_and_keep_alive(endpoint: Endpoint) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", endpoint.port)
    for path, body in (("chat/completions", chat("hello")), ("completions", {"model": "m", "prompt": "hello"})):
        connection.request("POST", f"/v1/{path}", json.dumps(body))
        reply = json.loads(connection.getresponse().read())
        choice = reply["choices"][0]
        assert (choice["message"]["content"] if "message" in choice else choice["text"]) == "hello"
        assert reply["usage"]["completion_tokens"] == 1
        assert choice["finish_reason"] == "stop"
    connection.request("GET", "/v1/models")
    assert json.loads(connection.getresponse().read())["data"][0]["id"] == "scripted"
    connection.close()


def test_the_official_client_streams_embeds_and_samples(endpoint: Endpoint) -> None:
    import openai

    client = openai.OpenAI(base_url=endpoint.url, api_key="key", max_retries=0)
    endpoint.configure(rules=[{"rule": "echo", "text": "one two three", "vary": True}])
    asked: Any = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    pieces = list(client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True}))
    text = "".join(p.choices[0].delta.content or "" for p in pieces if p.choices)
    assert text.startswith("one two three ")
    assert pieces[-1].usage.completion_tokens == len([p for p in pieces if p.choices and p.choices[0].delta.content])
    several = client.chat.completions.create(**asked, n=3, temperature=1)
    assert len({choice.message.content for choice in several.choices}) == 3
    found = client.embeddings.create(model="m", input=["red fish", "red fish swim", "tax law"]).data
    near, far = (sum(a * b for a, b in zip(found[0].embedding, f.embedding, strict=True)) for f in found[1:])
    assert near > 0.7 > 0.3 > far
    client.close()


def test_logprobs_name_the_alternatives_of_the_score(endpoint: Endpoint) -> None:
    endpoint.configure(rules=[{"rule": "rater", "noise": 0.4, "template": "Score: $score"}])
    choice = said(endpoint, "row [[truth:3]]", logprobs=True, top_logprobs=5)
    tokens = choice["logprobs"]["content"]
    assert "".join(one["token"] for one in tokens) == choice["message"]["content"]
    top = {one["token"].strip(): one["logprob"] for one in tokens[-1]["top_logprobs"]}
    assert set(top) == set("12345")
    assert sum(2.718281828**value for value in top.values()) == pytest.approx(1, abs=1e-6)
    assert max(top, key=top.__getitem__) == choice["message"]["content"][-1]
    status, _, body = post(endpoint, {"model": "m", "prompt": "row [[truth:3]]", "logprobs": 2}, "/v1/completions")
    found = json.loads(body)["choices"][0]["logprobs"]
    assert status == 200
    assert [len(one) for one in found["top_logprobs"]] == [2] * len(found["tokens"])


FORMS = {"seconds": "retry-after", "date": "retry-after", "ms": "retry-after-ms", "absent": "", "absurd": "retry-after"}


@pytest.mark.parametrize(("form", "name"), FORMS.items())
def test_the_bucket_turns_away_what_is_too_fast_and_charges_nothing(endpoint: Endpoint, form: str, name: str) -> None:
    endpoint.configure(limits={"per_second": 2, "burst": 3, "retry_after": form})
    replies = [post(endpoint, chat(f"row {i}")) for i in range(5)]
    assert [status for status, _, _ in replies] == [200, 200, 200, 429, 429]
    headers = {key: value for key, value in replies[-1][1].items() if key.startswith("retry")}
    assert set(headers) == ({name} if name else set())
    if form == "date":
        assert -1 < parsedate_to_datetime(headers[name]).timestamp() - time.time() < 3
    elif name:
        assert float(headers[name]) == {"seconds": 1, "absurd": 86400}.get(form, pytest.approx(450, abs=150))
    assert len(endpoint.bill().charged) == 3


def test_the_bucket_refills_at_its_rate(endpoint: Endpoint) -> None:
    endpoint.configure(limits={"per_second": 50, "burst": 1, "retry_after": "ms"})
    started, good = time.monotonic(), 0
    while time.monotonic() - started < 1:
        good += post(endpoint, chat(f"row {good}"))[0] == 200
    assert 40 <= good <= 52


def test_tokens_a_minute_and_requests_in_flight_are_limited(endpoint: Endpoint) -> None:
    endpoint.configure(limits={"tokens_per_minute": 40})
    assert [post(endpoint, chat("x" * 80))[0] for _ in range(3)] == [200, 429, 429]
    endpoint.configure(limits={"concurrency": 2}, latency={"median_ms": 300})
    with ThreadPoolExecutor(6) as pool:
        statuses = sorted(pool.map(lambda i: post(endpoint, chat(f"row {i}"))[0], range(6)))
    assert statuses == [200, 200, 429, 429, 429, 429]
    assert endpoint.bill().peak_in_flight == 2


def lines_of(plan: dict[str, Any], file: Path) -> tuple[bytes, list[bytes]]:
    with Endpoint(file, **plan) as endpoint:
        replies = [post(endpoint, chat(f"row {i % 30} [[truth:{i % 5 + 1}]]", temperature=i % 2)) for i in range(90)]
    return file.read_bytes(), [body for _, _, body in replies]


def test_two_runs_of_a_plan_are_the_same_to_the_byte(tmp_path: Path) -> None:
    rule = {"rule": "rater", "accuracy": 0.6, "noise": 0.5}
    plan = {"faults": {"http_500": 0.2, "cut": 0.1}, "rules": [rule], "latency": {"median_ms": 1, "sigma": 0.5}}
    first, second = lines_of(plan, tmp_path / "a"), lines_of(plan, tmp_path / "b")
    assert first == second
    assert lines_of({**plan, "seed": 1}, tmp_path / "c") != first
    written = [Line(**json.loads(line)) for line in first[0].splitlines()]
    assert len(written) == 90
    assert {line.attempt for line in written} == {1, 2, 3}


def test_the_bill_counts_what_was_paid_and_never_what_was_not(endpoint: Endpoint) -> None:
    endpoint.configure(rules=[{"rule": "echo", "text": "a b c"}])
    for text in ("one", "two", "one", "[[fault:http_500]]"):
        post(endpoint, chat(text))
    bill = endpoint.bill()
    assert bill.statuses == {200: 3, 500: 1}
    assert sorted(bill.keys.values()) == [1, 2]
    assert list(bill.paid_twice.values()) == [2]
    assert (bill.tokens_in, bill.tokens_out) == (3 * 8, 9)
    assert bill.usd(1.0, 2.0) == pytest.approx((24 + 18) / 1e6)
    assert endpoint.written()[-4:] == [Line(**{**vars_of(line), "at": 0.0}) for line in bill.lines]
    post(endpoint, {**chat("one"), "user": "other", "metadata": {"a": "b"}})
    assert list(endpoint.bill().paid_twice.values()) == [3]
    post(endpoint, {**chat("one"), "seed": 4})
    assert list(endpoint.bill().paid_twice.values()) == [3]


def vars_of(line: Line) -> dict[str, Any]:
    return {name: getattr(line, name) for name in Line.__slots__}


def test_a_client_that_leaves_is_charged_all_the_same(endpoint: Endpoint) -> None:
    endpoint.configure(latency={"median_ms": 200})
    body = json.dumps(chat("row")).encode()
    with socket.create_connection(("127.0.0.1", endpoint.port)) as raw:
        raw.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        time.sleep(0.05)
        assert endpoint.bill(wait=0).in_flight == 1
    [line] = endpoint.bill().lines
    assert line.billed
    assert not line.delivered


def test_keys_models_length_and_nonsense_are_refused(endpoint: Endpoint) -> None:
    endpoint.configure(api_key="secret")
    assert post(endpoint, chat("hi"))[0] == 401
    endpoint.configure(api_key="key", models=["m"], context=50)
    assert post(endpoint, chat("hi", max_tokens=20))[0] == 200
    assert post(endpoint, {**chat("hi"), "model": "other"})[0] == 404
    status, _, body = post(endpoint, chat("hi " * 100, max_tokens=20))
    assert (status, json.loads(body)["error"]["code"]) == (400, "context_length_exceeded")
    assert [post(endpoint, {"model": "m"})[0], post(endpoint, chat("x"), "/v1/nowhere")[0]] == [400, 404]
    assert len(endpoint.bill().charged) == 1
    with pytest.raises(ValueError, match="per_secnd"):
        endpoint.configure(limits={"per_secnd": 2})


def test_answers_are_cut_at_the_token_limit(endpoint: Endpoint) -> None:
    choice = said(endpoint, "one two three four", max_tokens=2)
    assert (choice["message"]["content"], choice["finish_reason"]) == ("one two", "length")


def test_reset_breaks_connections_and_forgets(endpoint: Endpoint) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(outcome, endpoint, "hang")
        time.sleep(0.1)
        endpoint.reset()
        assert waiting.result(5) == "reset"
    assert endpoint.bill().lines == []
    assert endpoint.bill().in_flight == 0


def test_the_process_runs_by_itself_and_ends_with_its_owner(tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text('{"rules": [{"rule": "echo", "text": "yes"}]}')
    command = [sys.executable, "-m", "tests.support.endpoint", "--plan", str(plan), "--until-input-ends"]
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=root) as running:
        assert running.stdout is not None
        connection = http.client.HTTPConnection("127.0.0.1", int(running.stdout.readline()))
        connection.request("POST", "/v1/completions", json.dumps({"model": "m", "prompt": "x"}))
        assert json.loads(connection.getresponse().read())["choices"][0]["text"] == "yes"
        assert running.stdin is not None
        running.stdin.close()
        assert running.wait(5) == 0
