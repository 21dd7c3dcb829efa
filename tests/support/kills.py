"""A recipe that is run once calmly and once with kills: what it is for must be the same bytes, and the bill clean."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import signal
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from dataflywheel.models.endpoint.caller import HARMLESS
from dataflywheel.models.endpoint.openai_endpoint import OpenAIEndpoint
from dataflywheel.models.endpoint.request import Request, Sampling
from dataflywheel.models.spec import ModelSpec
from dataflywheel.store.answer_ledger import PICO
from tests.support.endpoint import Endpoint
from tests.support.endpoint.faults import LOST
from tests.support.endpoint.question import body_key
from tests.support.killed import start

LONGEST = 300.0
PRICE = {"in": 1.0, "out": 10.0}
FILES = (
    "round-*/*/rows/part-*.parquet", "round-*/*/decisions.parquet", "round-*/turn.json", "dataset/*",
    "models/**/*.safetensors", "models/**/*.json",
)  # fmt: skip


@dataclass
class Kills:
    """Kills of one recipe, in `folder/recipe.yaml`, whose model is behind `endpoint`, where it has one.

    Half of the kills come at a moment drawn from the whole of a calm run, half within a commit or up to 3 ms later.
    A run that finishes is compared with the calm one, and begun again from nothing.
    """

    folder: Path
    endpoint: Endpoint | None = None
    plan: dict[str, Any] = field(default_factory=dict)
    seed: int = 0
    killed: int = 0
    within: int = 0
    """Kills that found work done and work left."""
    finished: int = 0
    on_their_way: int = 0
    """Answers that were paid twice: at a kill they were on their way, and not in the store."""

    def __post_init__(self) -> None:
        self._settled: dict[bytes, int] = {}
        self._names: dict[bytes, str] = {}
        self._draw = random.Random(self.seed)
        self._commits = 0

    def go(self, kills: int, reach: float = 0.6) -> None:
        """The calm run, and so many kills, each within that part of the time that the calm run took.

        Raises:
            AssertionError: a promise is broken.
        """
        self._anew()
        start(["--version"], self.folder / "log").join(LONGEST)  # from now on forks are quick
        began = time.monotonic()
        calm = start(self._command("calm"), self.folder / "log")
        calm.join(LONGEST)
        assert calm.exitcode == 0, self._said()
        whole, commits = time.monotonic() - began, int(self._said().split()[-1])
        self._calm = outcome(self.folder / "calm/runs")
        self._check_bill("calm")
        assert self._calm
        self._anew()
        until = time.monotonic() + 60 + 2 * kills * whole
        while self.killed < kills and time.monotonic() < until:
            self._try(reach * whole, commits)
        assert self.killed == kills, f"{self.killed} kills in time"
        self._to_the_end()

    def _try(self, longest: float, commits: int) -> None:
        """One start of the command, killed unless it ends before."""
        if self.killed % 2:
            commit = self._draw.randint(1, max((commits - self._commits) * 2 // 3, 1))
            late = self._draw.choice([0.0, self._draw.uniform(0, 0.003)])
            process = start(self._command("killed"), self.folder / "log", commit, late)
            process.join(LONGEST)
            self._commits += commit
        else:
            process = start(self._command("killed"), self.folder / "log")
            process.join(self._draw.uniform(0, longest))
            process.kill()
            process.join()
        if process.exitcode == 0:
            self._compare()
        else:
            assert process.exitcode == -signal.SIGKILL, self._said()
            self.killed += 1
            self.within += any((self.folder / "killed").rglob("metrics.json"))
            self._check_paid()

    def _to_the_end(self) -> None:
        process = start(self._command("killed"), self.folder / "log")
        process.join(LONGEST)
        assert process.exitcode == 0, self._said()
        self._compare()

    def _compare(self) -> None:
        """A run that was killed and is through against the calm one."""
        found = outcome(self.folder / "killed/runs")
        differ = sorted(name for name in found.keys() | self._calm.keys() if found.get(name) != self._calm.get(name))
        assert not differ, f"after {self.killed} kills: {differ}"
        assert not list((self.folder / "killed").rglob("*.partial"))
        self._check_paid()
        self._check_bill("killed")
        self.finished += 1
        self._anew()

    def _anew(self) -> None:
        """Begin from nothing."""
        shutil.rmtree(self.folder / "killed", ignore_errors=True)
        self._settled.clear()
        self._commits = 0
        if self.endpoint:
            self.endpoint.reset()
            self.endpoint.configure(**self.plan)

    def _command(self, name: str) -> list[str]:
        where = ["--runs", str(self.folder / name / "runs"), "--home", str(self.folder / name / "store")]
        return ["run", str(self.folder / "recipe.yaml"), *where]

    def _said(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def _check_paid(self) -> None:
        """No answer that a kill found in the store is charged again, ever."""
        if not self.endpoint or not (store := self.folder / "killed/store/answers.db").exists():
            return
        here, charged = stored(store), self.endpoint.bill().keys
        for key, request in here.items():
            name = self._names.setdefault(key, name_of(self.endpoint, request))
            times = self._settled.setdefault(key, charged[name])
            assert charged[name] == times, f"paid again after {self.killed} kills: {request[:200]!r}"

    def _check_bill(self, name: str) -> None:
        """The run's ledger is what its store says was paid, and not less than what the server charged."""
        if not self.endpoint:
            return
        bill, store = self.endpoint.bill(), self.folder / name / "store/answers.db"
        if not store.exists():
            assert not bill.lines
            return
        ledger = json.loads(next((self.folder / name / "runs").glob("*/ledger.json")).read_text())["total"]
        (sure, usd), (maybe, maybe_usd) = spent(store, 0), spent(store, 1)
        assert abs(ledger["usd"] - usd - maybe_usd) < 1e-9
        assert ledger["calls"] == sure + maybe
        names = {name_of(self.endpoint, request) for request in stored(store, "answers", "failures").values()}
        # What only asks whether the endpoint is there is not asked again where the answer, or who asked, was lost.
        asked = [line for line in bill.charged if line.key in names or not line.begins.startswith(HARMLESS[:20])]
        assert {line.key for line in asked} <= names, "charged for what is not in the store"
        assert len(bill.charged) <= sure + maybe
        assert bill.usd(PRICE["in"], PRICE["out"]) <= ledger["usd"] + 1e-9
        if "odd_usage" not in self.plan["faults"]:  # the bill is the server's to the last digit
            once = {line.key: line for line in asked}.values()
            cost = sum(line.tokens_in * PRICE["in"] + line.tokens_out * PRICE["out"] for line in once) / 1e6
            assert abs(cost - usd) < 1e-9
            assert sure == len(once)
        arrived = [line for line in bill.charged if line.fault not in LOST]
        self.on_their_way += len(arrived) - len({line.key for line in arrived})


def outcome(runs: Path) -> dict[str, str]:
    """Digest of every file that a run is for: rows, decisions, rounds, models, the final data set."""
    files = [path for run in runs.iterdir() for pattern in FILES for path in run.glob(pattern) if path.is_file()]
    return {str(path.relative_to(runs)): hashlib.blake2b(path.read_bytes()).hexdigest() for path in files}


def stored(path: Path, *tables: str) -> dict[bytes, bytes]:
    """Keys and requests of the answers that are there, read without opening the store."""
    with closing(sqlite3.connect(path)) as db:
        there = {name for (name,) in db.execute("SELECT name FROM sqlite_master")}
        found: dict[bytes, bytes] = {}
        for table in set(tables or ["answers"]) & there:
            found.update((key, request.encode()) for key, request in db.execute(f"SELECT key, request FROM {table}"))
        return found


def spent(path: Path, maybe: int) -> tuple[int, float]:
    """Calls and dollars of all scopes."""
    with closing(sqlite3.connect(path)) as db:
        calls, pico = db.execute("SELECT sum(calls), sum(pico) FROM spent WHERE maybe=?", (maybe,)).fetchone()
    return calls or 0, (pico or 0) / PICO


def name_of(endpoint: Endpoint, canonical: bytes) -> str:
    """The server's name of a question that the store holds."""
    parts: dict[str, Any] = orjson.loads(canonical)
    model = parts.pop("identity").split("@")[0]
    sampling = parts.pop("sampling")
    request = Request(**parts, sampling=Sampling(**{**sampling, "stop": tuple(sampling["stop"])}))
    spec = ModelSpec(endpoint=endpoint.url, model=model)
    return body_key("/v1/chat/completions", orjson.loads(orjson.dumps(OpenAIEndpoint(spec).body(request))))
