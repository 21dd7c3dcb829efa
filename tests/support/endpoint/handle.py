"""The scripted endpoint as a process of its own, held by a test."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.support.endpoint.bill import Bill, Line

ROOT = Path(__file__).resolve().parents[3]


class Endpoint:
    """Runs the server until `stop`; the process also ends by itself when its owner does.

    >>> with Endpoint(rules=[{"rule": "echo", "text": "yes"}]) as endpoint:
    ...     endpoint.bill().charged
    []
    """

    def __init__(self, file: Path | None = None, **plan: Any) -> None:
        self.file = file
        """Where the bill is also written, a line a request."""
        self.port, self.plan = 0, plan
        self._start()
        self.configure(**plan)

    def _start(self, *more: str) -> None:
        command = [sys.executable, "-m", "tests.support.endpoint", "--port", str(self.port), "--until-input-ends"]
        self.process = subprocess.Popen(
            [*command, *more, *(["--bill", str(self.file)] if self.file else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        if not said:
            raise RuntimeError("the scripted endpoint did not start")
        self.port = int(said)

    def kill(self) -> None:
        """End the server at once, with all that it works on."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()

    def again(self) -> None:
        """Start the killed server at the same address, with the same plan; its bill in memory is empty."""
        with tempfile.NamedTemporaryFile("w", suffix=".json") as plan:  # from the first request on
            json.dump(self.plan, plan)
            plan.flush()
            self._start("--plan", plan.name)

    @property
    def url(self) -> str:
        """The base address, as clients take it."""
        return f"http://127.0.0.1:{self.port}/v1"

    def configure(self, **plan: Any) -> None:
        """Behave by this plan from now on (fields that are not named take their defaults); the bill goes on."""
        self.plan = plan
        self._admin("configure", json.dumps(plan).encode())

    def reset(self) -> None:
        """Break all connections, forget the bill and behave by the default plan."""
        self._admin("configure", b"{}")
        self._admin("reset", b"")

    def bill(self, wait: float = 5.0) -> Bill:
        """Every request so far, once nothing is being worked on any more, or after `wait` seconds.

        A client that gave up leaves work behind, which is charged when it is done.
        """
        until = time.monotonic() + wait
        while (found := Bill.parse(self._admin("bill", None))).in_flight and time.monotonic() < until:
            time.sleep(0.05)
        return found

    def written(self) -> list[Line]:
        """The lines in the bill's file, which outlives resets."""
        assert self.file is not None, "no file was asked for"
        return [Line(**json.loads(line)) for line in self.file.read_text(encoding="utf-8").splitlines()]

    def stop(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def __enter__(self) -> Endpoint:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _admin(self, verb: str, body: bytes | None) -> bytes:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/admin/{verb}", data=body)
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as reply:
                found: bytes = reply.read()
        except urllib.error.HTTPError as error:
            raise ValueError(f"the plan is refused: {error.read().decode()}") from None
        return found
