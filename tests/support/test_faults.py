"""Every fault of the scripted endpoint once: what a plain client sees of it, and what it costs."""

from __future__ import annotations

import http.client
import time

import pytest

from tests.support.asking import GOOD, chat, outcome, post
from tests.support.endpoint import Endpoint
from tests.support.endpoint.faults import FREE, LOST, THOUGHT

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
    "ok_429": "200 error", "ok_502": "200 error", "finish_error": f"error {GOOD[: len(GOOD) // 2]}",
    "choice_error": f"error {GOOD[: len(GOOD) // 2]}", "thoughts": f"stop <think>\n{THOUGHT}\n</think>\n\n{GOOD}",
    "unopened": f"stop {THOUGHT}\n</think>\n\n{GOOD}",
    "reasoning_field": f"stop {GOOD}", "only_thoughts": "stop None",
    "empty": "stop ", "tool_call": "tool_calls None False", "no_usage": "no usage", "odd_usage": f"stop {GOOD}",
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
