"""What store, ledger, caps and checks cost: requests a second beside the bare `openai` client, against one server.

    python benchmarks/endpoint_overhead.py [--requests N] [--long N] [--repeats N]

The server (a process of its own) answers after 100 ms and has no limit; both clients keep 64 requests under way. The
bare client keeps nothing: no retries, no store. Takes turns and gives medians. Memory is that of one long run of ours,
in which replies are taken as they come and dropped.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

TEXT = (
    "Rate this answer from 0 to 5 and say why in one sentence. " + "The quick brown fox jumps over the lazy dog. " * 12
)
IN_FLIGHT = 64
LATENCY_MS = 100


def question(number: int) -> str:
    return f"{TEXT} [{number}]"


def bare(url: str, requests: int) -> dict[str, float]:
    """The `openai` package as its documentation shows it, with a semaphore."""
    import openai

    async def run() -> float:
        client = openai.AsyncOpenAI(api_key="none", base_url=url, max_retries=0)
        places = asyncio.Semaphore(IN_FLIGHT)

        async def one(number: int) -> str:
            async with places:
                messages = [{"role": "user", "content": question(number)}]
                reply = await client.chat.completions.create(model="m", messages=messages, max_tokens=256)
                return reply.choices[0].message.content

        await asyncio.gather(*(one(-1 - i) for i in range(IN_FLIGHT)))
        started = time.perf_counter()
        texts = await asyncio.gather(*(one(i) for i in range(requests)))
        seconds = time.perf_counter() - started
        assert all(texts)
        await client.close()
        return seconds

    return {"seconds": asyncio.run(run())}


def ours(url: str, requests: int) -> dict[str, float]:
    from dataflywheel.models.endpoint.client import Client
    from dataflywheel.models.endpoint.openai_endpoint import OpenAIEndpoint
    from dataflywheel.models.endpoint.request import Request, Sampling
    from dataflywheel.models.spec import ModelSpec
    from dataflywheel.store.answer_ledger import Caps
    from dataflywheel.store.answers import AnswerStore

    def questions(first: int, last: int) -> Iterator[Request]:
        return (Request.chat(question(i), sampling=Sampling(max_tokens=256)) for i in range(first, last))

    with tempfile.TemporaryDirectory() as folder:
        spec = ModelSpec(endpoint=url, model="m", concurrency=IN_FLIGHT)
        store = AnswerStore(Path(folder) / "answers.db")
        client = Client(OpenAIEndpoint(spec), store, Caps(usd=100.0, tokens=10**12, calls=10**9), "benchmark")
        client.ask(questions(-4 * IN_FLIGHT, 0))
        started = time.perf_counter()
        early = 0.0
        answered = 0
        for _, reply in client.stream(questions(0, requests)):
            answered += reply.answered
            if answered == requests // 5:
                early = memory()
        seconds = time.perf_counter() - started
        assert answered == requests
        client.close()
    return {"seconds": seconds, "early_mb": early, "late_mb": memory()}


def memory() -> float:
    """Peak resident memory so far in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(name: str, url: str, requests: int) -> dict[str, float]:
    """One client in a process of its own."""
    command = [sys.executable, __file__, "--only", name, "--url", url, "--requests", str(requests)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{name} failed:\n{done.stderr}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    found["rate"] = requests / found["seconds"]
    print(f"{name}: {found['rate']:.0f} requests/s", file=sys.stderr)
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=4000)
    parser.add_argument("--long", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", choices=["bare", "ours"])
    parser.add_argument("--url", default="")
    given = parser.parse_args()
    if given.only:
        print(json.dumps((bare if given.only == "bare" else ours)(given.url, given.requests)))
        return
    from tests.support.endpoint import Endpoint

    with Endpoint(latency={"median_ms": LATENCY_MS}, rules=[{"rule": "echo"}]) as endpoint:
        rates: dict[str, list[float]] = {"bare": [], "ours": []}
        for _ in range(given.repeats):
            for name, found in rates.items():
                found.append(run(name, endpoint.url, given.requests)["rate"])
                endpoint.reset()
                endpoint.configure(latency={"median_ms": LATENCY_MS})
        long = run("ours", endpoint.url, given.long)
    report({name: statistics.median(found) for name, found in rates.items()}, long, given.long)


def report(rates: dict[str, float], long: dict[str, float], requests: int) -> None:
    most = IN_FLIGHT / (LATENCY_MS / 1000)
    print(f"{LATENCY_MS} ms latency, {IN_FLIGHT} under way (at most {most:.0f} requests/s):\n")
    print("| client | requests/s | ratio |")
    print("| --- | ---: | ---: |")
    print(f"| openai, bare | {rates['bare']:.0f} | 1.00 |")
    print(f"| dataflywheel, with store, ledger, caps | {rates['ours']:.0f} | {rates['ours'] / rates['bare']:.2f} |")
    print(
        f"\nPeak memory over {requests:,} requests: {long['early_mb']:.0f} MB after a fifth of them, "
        f"{long['late_mb']:.0f} MB at the end ({long['rate']:.0f} requests/s)."
    )


if __name__ == "__main__":
    main()
