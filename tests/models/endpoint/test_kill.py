"""Killed at random moments: nothing that was answered is asked again, by the server's own bill."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import orjson
import pytest

from dataflywheel.models.endpoint.openai_endpoint import OpenAIEndpoint
from dataflywheel.models.spec import ModelSpec
from dataflywheel.store.answers import AnswerStore
from tests.models.endpoint.kill_job import requests
from tests.support.endpoint import Endpoint
from tests.support.endpoint.question import body_key


def start(url: str, folder: Path, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.models.endpoint.kill_job", url, str(folder), str(count)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    return process


def finish(url: str, folder: Path, count: int) -> bytes:
    process = start(url, folder, count)
    assert process.wait(120) == 0
    assert process.stdout is not None
    process.stdout.close()
    return (folder / "rows.jsonl").read_bytes()


def stored(path: Path) -> set[str]:
    """Keys of the answers that are there, read without opening the store."""
    db = sqlite3.connect(path)
    try:
        return {key.hex() for (key,) in db.execute("SELECT key FROM answers")}
    finally:
        db.close()


def kill_often(endpoint: Endpoint, folder: Path, count: int, kills: int, longest: float) -> None:
    endpoint.configure(latency={"median_ms": 20, "sigma": 0.3})
    (folder / "calm").mkdir()
    calm = finish(endpoint.url, folder / "calm", count)
    endpoint.reset()
    endpoint.configure(latency={"median_ms": 20, "sigma": 0.3})
    model = OpenAIEndpoint(ModelSpec(endpoint=endpoint.url, model="m"))
    # The server's name of each question, by ours.
    names = {
        request.key(model.identity): body_key("/v1/chat/completions", orjson.loads(orjson.dumps(model.body(request))))
        for request in requests(count)
    }
    draw, path = random.Random(0), folder / "killed" / "answers.db"
    path.parent.mkdir()
    settled: dict[str, int] = {}
    in_the_middle = 0
    for _ in range(kills):
        process = start(endpoint.url, path.parent, count)
        time.sleep(draw.uniform(0.0, longest))
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
        charged = endpoint.bill().keys
        here = stored(path)
        in_the_middle += 0 < len(here) < count
        for key in here:
            assert settled.setdefault(key, charged[names[key]]) == charged[names[key]], "asked again"
    rows = finish(endpoint.url, path.parent, count)
    assert rows == calm
    bill, spent = endpoint.bill(), AnswerStore(path).spent("job")
    assert in_the_middle > kills / 3
    assert set(bill.keys) == set(names.values())
    assert spent.calls == count
    assert spent.reserved_calls == 0
    # What was paid beyond once is what the ledger says may have been paid.
    assert bill.keys.total() - count <= spent.maybe_paid_calls <= 64 * kills
    for key, times in settled.items():
        assert bill.keys[names[key]] == times


def test_no_answer_is_paid_twice_over_some_kills(endpoint: Endpoint, tmp_path: Path) -> None:
    kill_often(endpoint, tmp_path, count=400, kills=5, longest=0.2)


@pytest.mark.slow
def test_no_answer_is_paid_twice_over_two_hundred_kills(endpoint: Endpoint, tmp_path: Path) -> None:
    kill_often(endpoint, tmp_path, count=2000, kills=200, longest=0.06)
