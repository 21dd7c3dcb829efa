"""Killed at random moments: nothing that was answered is asked again, by the server's own bill."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest

from dataflywheel.models.endpoint.openai_endpoint import OpenAIEndpoint
from dataflywheel.models.spec import ModelSpec
from dataflywheel.store.answer_ledger import Spent
from dataflywheel.store.answers import AnswerStore
from tests.models.endpoint.kill_job import requests
from tests.support.endpoint import Endpoint
from tests.support.endpoint.question import body_key
from tests.support.kills import stored


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


@dataclass
class Killed:
    """What became of a job that was killed often."""

    same_rows: bool
    in_the_middle: int
    """Kills that found some of the answers stored, and not all."""
    asked_again: set[str]
    """Keys that the server charged after a kill had found their answers stored."""
    charged: Counter[str]
    """Charges of each question of the job, by key."""
    strangers: int
    """Charges of questions that the job does not have."""
    spent: Spent


def kill_often(endpoint: Endpoint, folder: Path, count: int, kills: int, longest: float) -> Killed:
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
    settled: Counter[str] = Counter()
    asked_again: set[str] = set()
    in_the_middle = 0
    for _ in range(kills):
        process = start(endpoint.url, path.parent, count)
        time.sleep(draw.uniform(0.0, longest))
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
        charged = endpoint.bill().keys
        here = {key.hex() for key in stored(path)}
        in_the_middle += 0 < len(here) < count
        asked_again |= {key for key in here if settled.setdefault(key, charged[names[key]]) != charged[names[key]]}
    rows = finish(endpoint.url, path.parent, count)
    bill = endpoint.bill()
    at_the_end = Counter({key: bill.keys[name] for key, name in names.items()})
    asked_again |= {key for key, times in settled.items() if at_the_end[key] != times}
    strangers = bill.keys.total() - at_the_end.total()
    return Killed(rows == calm, in_the_middle, asked_again, at_the_end, strangers, AnswerStore(path).spent("job"))


KILLS = [
    pytest.param(300, 3, 0.2, id="3 kills"),
    pytest.param(2000, 200, 0.06, id="200 kills", marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("count", "kills", "longest"), KILLS)
def test_no_answer_is_paid_twice(endpoint: Endpoint, tmp_path: Path, count: int, kills: int, longest: float) -> None:
    found = kill_often(endpoint, tmp_path, count, kills, longest)
    assert found.same_rows
    assert found.in_the_middle > kills / 3
    assert found.asked_again == set()
    assert found.strangers == 0
    assert len(found.charged) == count
    assert min(found.charged.values()) >= 1
    assert found.spent.calls == count
    assert found.spent.reserved_calls == 0
    # What was paid beyond once is what the ledger says may have been paid.
    assert found.charged.total() - count <= found.spent.maybe_paid_calls <= 64 * kills
