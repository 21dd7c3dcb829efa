"""The scripted endpoint itself: protocol, limits, every fault once, determinism and the bill."""

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

from tests.support.endpoint import Endpoint
from tests.support.endpoint.bill import Line
from tests.support.endpoint.faults import FREE, LOST

GOOD = '{"id": "r1", "score": 4}'


def post(endpoint: Endpoint, body: dict[str, Any], path: str = "/v1/chat/completions", timeout: float = 10) -> Any:
    """Status, headers and body of one request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=timeout)
    try:
        connection.request("POST", path, json.dumps(body), {"Authorization": "Bearer key"})
        reply = connection.getresponse()
        return reply.status, dict(reply.getheaders()), reply.read()
    finally:
        connection.close()


def chat(text: str, **more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": text}], "temperature": 0, **more}


def said(endpoint: Endpoint, text: str, **more: Any) -> dict[str, Any]:
    status, _, body = post(endpoint, chat(text, **more))
    assert status == 200, body
    choice: dict[str, Any] = json.loads(body)["choices"][0]
    return choice


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


def outcome(endpoint: Endpoint, fault: str) -> str:
    """What a plain client sees of a fault."""
    try:
        status, headers, body = post(endpoint, chat(f"[[fault:{fault}]] [[say:{GOOD}]]"), timeout=0.4)
    except TimeoutError:
        return "timeout"
    except http.client.IncompleteRead:
        return "incomplete"
    except (ConnectionError, http.client.RemoteDisconnected):
        return "reset"
    if headers["content-type"] == "text/html":
        return f"html {status}"
    if status != 200:
        return str(status)
    reply = json.loads(body)
    choice = reply["choices"][0]
    message = choice["message"]
    if message.get("tool_calls") or message["refusal"]:
        return f"{choice['finish_reason']} {message['content']} {bool(message['refusal'])}"
    if "usage" not in reply:
        return "no usage"
    return f"{choice['finish_reason']} {message['content']}"


SEEN = {
    "http_400": "400", "http_429": "429", "http_500": "500", "http_502": "502", "http_503": "503",
    "html": "html 502", "html_ok": "html 200", "reset_before": "reset", "reset_after": "reset",
    "truncated_body": "incomplete", "hang": "timeout", "drip": f"stop {GOOD}", "slow": "timeout",
    "length": f"length {GOOD}", "cut": f"stop {GOOD[:16]}", "content_filter": "content_filter ",
    "refusal": "stop I'm sorry, but I can't help with that request.", "refusal_field": "stop None True",
    "fenced": f"stop ```json\n{GOOD}\n```",
    "prose": f"stop {GOOD}\n\nI hope this helps! Let me know whether {{you}} need more.",
    "two_values": f'stop {GOOD}\n{{"id":"r1","score":97}}', "wrong_enum": 'stop {"id":"r1","score":97}',
    "wrong_ids": 'stop {"id":"r1-x","score":4}', "unicode": 'stop {"\\u0069d": "r1", "score": 4}',
    "empty": "stop ", "tool_call": "tool_calls None False", "no_usage": "no usage",
}  # fmt: skip


@pytest.mark.parametrize("fault", SEEN)
def test_every_fault_does_what_it_says_and_is_billed_so(endpoint: Endpoint, fault: str) -> None:
    assert outcome(endpoint, fault) == SEEN[fault]
    [line] = endpoint.bill().lines
    assert line.fault == fault
    assert line.billed == (fault not in FREE)
    assert line.delivered == (fault not in LOST | {"reset_before", "slow"})
    assert (line.tokens_in > 0) == line.billed


def test_a_dripping_body_takes_its_time(endpoint: Endpoint) -> None:
    endpoint.configure(drip_seconds=0.6)
    started = time.monotonic()
    assert outcome(endpoint, "drip") == f"stop {GOOD}"
    assert 0.5 < time.monotonic() - started < 2


def test_a_stream_can_break_off(endpoint: Endpoint) -> None:
    with pytest.raises(http.client.IncompleteRead) as broken:
        post(endpoint, chat("[[fault:truncated_body]] one two three four", stream=True))
    assert b"[DONE]" not in broken.value.partial
    assert endpoint.bill().charged[0].delivered is False


def test_faults_by_attempt_by_script_and_by_probability(endpoint: Endpoint) -> None:
    assert [outcome(endpoint, "http_500*2") for _ in range(3)] == ["500", "500", f"stop {GOOD}"]
    script = [{"fault": "http_503", "match": "bad row", "attempts": [1]}, {"fault": "empty", "requests": [3]}]
    endpoint.reset()
    endpoint.configure(script=script)
    texts = ["bad row 1", "good row", "any", "bad row 1"]
    assert [post(endpoint, chat(text))[0] for text in texts] == [503, 200, 200, 200]
    assert [line.fault for line in endpoint.bill().lines] == ["http_503", "", "empty", ""]
    endpoint.configure(seed=5, faults={"http_500": 0.3, "empty": 0.2})
    endpoint.bill()
    for i in range(200):
        post(endpoint, chat(f"row {i}"))
    found = [line.fault for line in endpoint.bill().lines[4:]]
    assert 40 <= found.count("http_500") <= 80
    assert 22 <= found.count("empty") <= 58


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
