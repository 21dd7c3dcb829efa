"""Our client beside distilabel and bespoke curator, against one scripted server in one run.

    python benchmarks/endpoints.py [--environments FOLDER]

Each client runs in a process of its own, and each peer in a virtual environment of its own, made in a temporary folder
(or kept in FOLDER), for their pins exclude each other. All have their default settings; the rows that say "opened"
differ in one: distilabel sends 1,000 rows at a time instead of 50, curator may send a million requests a minute instead
of 200. With 200 a minute curator gets fewer rows, or it would take all day.

1. speed: 100 ms latency, no limit, nothing goes wrong
2. trouble: at most 100 requests a second (429 with Retry-After), 10% of requests fail with 500, 2% of connections are
   lost, half of those after the work was done and paid
3. kill: everything is killed (SIGKILL) when 40% of the rows have been paid, and the same command is run again

Requests a second are the server's count from the first to the last; seconds and peak memory (all processes of a
client, shared pages divided) are those of the whole run with imports. Lost rows have no answer at the end. Requests
paid twice are counted by the server: one whose connection was lost, or that was under way at the kill, may be paid
without an answer, and nobody can help asking it again; one that had been answered, half a second before the kill or
earlier, should never be.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.support.endpoint import Bill, Endpoint

CLIENT = Path(__file__).with_name("endpoint_clients.py")
PEERS = {"distilabel": ["distilabel[openai]==1.5.3", "requests"], "curator": ["bespokelabs-curator==0.1.31"]}
ROWS = {"dataflywheel": 2000, "distilabel": 2000, "distilabel, opened": 2000, "curator": 200, "curator, opened": 2000}
LATENCY_MS = 100
SPEED: dict[str, Any] = {"latency": {"median_ms": LATENCY_MS}}
TROUBLE: dict[str, Any] = {
    **SPEED,
    "limits": {"per_second": 100, "burst": 20},
    "faults": {"http_500": 0.1, "reset_before": 0.01, "reset_after": 0.01},
}
STUCK = 60.0
"""Seconds without a request after which a client is stopped."""
JUST = 0.5
"""Seconds before a kill in which an answer that was sent may not have been read."""
LOOK = 0.25
"""Seconds between looks at a client."""


@dataclass
class Run:
    """What became of one client in one scenario."""

    seconds: float = 0.0
    peak_mb: float = 0.0
    rate: float = 0.0
    lost: int = 0
    wrong: int = 0
    twice: int = 0
    answered_twice: int = 0
    problem: str = ""
    refused: int = 0
    together: int = 0
    """Requests under way at a time, at most."""


@dataclass
class Client:
    """A client by name, with the interpreter that has it."""

    name: str
    python: str
    problem: str = ""
    environment: dict[str, str] = field(default_factory=dict)

    def start(self, url: str, rows: int, folder: Path, log: Path) -> subprocess.Popen[bytes]:
        command = [self.python, str(CLIENT), self.name, url, str(rows), str(folder)]
        with log.open("wb") as out:
            return subprocess.Popen(
                command, stdout=out, stderr=subprocess.STDOUT, env=self.environment, start_new_session=True
            )


def environment(peer: str, folder: Path) -> Client:
    """A peer in an environment of its own; `problem` says why it cannot run."""
    place = folder / peer
    python = place / "bin" / "python"
    quiet = {"TELEMETRY_ENABLED": "false", "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
    quiet |= {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "CURATOR_DISABLE_RICH_DISPLAY": "1"}
    problem = ""
    if not python.exists():
        nice = ["nice", "-n", "19"]
        subprocess.run([*nice, sys.executable, "-m", "venv", str(place)], check=True)
        install = [*nice, str(python), "-m", "pip", "install", "-q", *PEERS[peer]]
        done = subprocess.run(install, capture_output=True, text=True, check=False)
        problem = done.stderr.strip().splitlines()[-1] if done.returncode else ""
    # Curator counts tokens with a table that tiktoken would download; one of its dependencies carries it.
    tables = next(place.glob("lib/python*/site-packages/litellm/litellm_core_utils/tokenizers"), None)
    found = {"TIKTOKEN_CACHE_DIR": str(tables)} if tables else {}
    return Client(peer, str(python), problem, {**os.environ, **quiet, **found})


def ask(client: Client, endpoint: Endpoint, plan: dict[str, Any], rows: int, kill: bool = False) -> Run:
    """One client through one scenario; with `kill` it is stopped on the way and started again."""
    if client.problem:
        return Run(problem=client.problem)
    endpoint.reset()
    endpoint.configure(**plan)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        started = time.perf_counter()
        process = client.start(endpoint.url, rows, Path(folder) / "work", log)
        peak, stuck = watch(process, endpoint, round(0.4 * rows) if kill else None)
        long_ago = math.inf
        if kill and not stuck:
            long_ago = max(line.at for line in endpoint.bill().lines) - JUST
            process = client.start(endpoint.url, rows, Path(folder) / "work", log)
            again, stuck = watch(process, endpoint, None)
            peak = max(peak, again)
        seconds = time.perf_counter() - started
        bill = endpoint.bill()
        said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        times = [line.at for line in bill.charged]
        rate = len(times) / (max(times) - min(times) + LATENCY_MS / 1000) if times else 0.0
        run = Run(seconds, peak, rate, rows, refused=bill.statuses[429], together=bill.peak_in_flight)
        run.twice, run.answered_twice = paid_again(bill, long_ago)
        if stuck:
            run.problem = f"sent nothing for {STUCK:.0f} s and was stopped"
            return run
        counts = next((line for line in reversed(said) if line.startswith('{"right"')), "")
        if process.returncode or not counts:
            run.problem = next((line for line in reversed(said) if line.strip(" │╰╯─")), "no output")[:120]
            return run
        found = json.loads(counts)
        run.lost, run.wrong = found["missing"], found["wrong"]
        return run


def paid_again(bill: Bill, long_ago: float) -> tuple[int, int]:
    """Charges for a key that had been charged before; and those whose first answer was sent whole by `long_ago`."""
    paid, answered, twice, answered_twice = set[str](), set[str](), 0, 0
    for line in bill.charged:
        twice += line.key in paid
        answered_twice += line.key in answered
        paid.add(line.key)
        if line.delivered and line.at <= long_ago:
            answered.add(line.key)
    return twice, answered_twice


def watch(process: subprocess.Popen[bytes], endpoint: Endpoint, most: int | None) -> tuple[float, bool]:
    """Peak memory in MB until a client ends, is killed at `most` paid requests, or is stopped because it is stuck."""
    peak, seen, since = 0.0, -1, time.perf_counter()
    while process.poll() is None:
        time.sleep(LOOK)
        peak = max(peak, memory(process.pid))
        lines = endpoint.bill(wait=0).lines
        if len(lines) > seen:
            seen, since = len(lines), time.perf_counter()
        stuck = time.perf_counter() - since > STUCK
        if stuck or (most is not None and sum(line.billed for line in lines) >= most):
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return peak, stuck
    return peak, False


def memory(session: int) -> float:
    """Proportional memory in MB of all processes of a session."""
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rpartition(")")[2].split()[3]) == session:
                rollup = (stat.parent / "smaps_rollup").read_text()
                total += sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
        except (OSError, IndexError):
            continue
    return total / 1024


def report(title: str, runs: dict[str, Run], rows: dict[str, int]) -> None:
    head = [
        "client",
        "rows",
        "requests/s",
        "at a time",
        "seconds",
        "peak memory (MB)",
        "429s",
        "lost",
        "wrong",
        "paid twice",
    ]
    head += ["of these answered before", "remark"]
    print(f"\n{title}\n\n| " + " | ".join(head) + " |")
    print("| --- |" + " ---: |" * (len(head) - 2) + " --- |")
    for name, run in runs.items():
        counts = [rows[name], run.rate, run.together, run.seconds, run.peak_mb, run.refused, run.lost, run.wrong]
        cells = [f"{count:,.0f}" for count in (*counts, run.twice, run.answered_twice)]
        print(f"| {name} | " + " | ".join([*cells, run.problem.replace("|", "/")]) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--environments", type=Path, help="keep the peers' environments here")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the rows")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary, Endpoint() as endpoint:
        clients = [Client("dataflywheel", sys.executable, environment=dict(os.environ))]
        for peer in PEERS:
            made = environment(peer, given.environments or Path(temporary))
            clients += [made, Client(f"{peer}, opened", made.python, made.problem, made.environment)]
        rows = {name: max(20, round(count * given.scale)) for name, count in ROWS.items()}
        for title, plan, kill in (
            ("Speed: 100 ms latency, no limit", SPEED, False),
            ("Trouble: 100 requests/s, 10% errors, 2% of connections lost", TROUBLE, False),
            ("Killed at 40% and run again", SPEED, True),
        ):
            runs = {}
            for client in clients:
                runs[client.name] = ask(client, endpoint, plan, rows[client.name], kill)
                print(f"{title}, {client.name}: {runs[client.name]}", file=sys.stderr)
            report(title, runs, rows)
    print("\nDefault settings; opened: distilabel sends 1,000 rows at a time (50), curator a million a minute (200).")


if __name__ == "__main__":
    main()
