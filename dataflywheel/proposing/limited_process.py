"""Runs Python that nobody trusts, for a moment, in processes that may do almost nothing.

What stands between a program and the machine, none of which needs root:

- an interpreter of its own without site packages, environment and standard input, in an empty directory that is removed
  afterwards; limits on processor time, address space, size and number of files; the whole process group is killed at
  the wall-clock limit;
- no capability; started by root, it becomes `nobody` where that user can reach Python and the directory, and else stays
  a root without any of its rights;
- on Linux, Landlock (kernel 5.13 on): nothing outside the directory can be opened but Python's library, for reading;
  names, sizes and times of files elsewhere can be seen. No devices, named pipes and sockets can be made anywhere;
- on Linux on x86-64, a seccomp filter: a list of the system calls that a program needs; at any other the process is
  killed: to start processes and threads, signal others, set clocks, limits, priorities. It gets no socket;
- an audit hook that ends the process at some of these acts and names the one that it was;
- around all of it namespaces of its own, where `bwrap` is installed and may make them.

Where the kernel offers neither filter, the audit hook alone stands, and a program written to defeat it can: it is then
a guard against accidents and no sandbox. In no case is this a virtual machine: a fault of the kernel is not covered.

Tests run in a process of their own, apart from the program's. What the program's functions give comes to them as plain
data, built anew of Python's own types, and is compared there: a program that changes how its values compare, what
Python's functions do, or what it reports, changes nothing that decides. It never sees the tests, only the arguments of
its calls. Objects that are no data can be called and looked into, and not be compared.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import BaseModel, ConfigDict, Field

from dataflywheel.proposing.jail import reasons
from dataflywheel.proposing.namespaces import code_of, within

SLOW = "ran too long"
FAILED = "program failed"
TESTS_FAILED = "tests failed"
EARLY = "ended before its end"
FORBIDDEN = "made a forbidden system call"
REASONS = (
    *(SLOW, FAILED, TESTS_FAILED, EARLY, FORBIDDEN),
    *(reasons.PROCESS, reasons.NETWORK, reasons.WROTE, reasons.READ, reasons.MUCH, reasons.MEMORY),
    *(reasons.INTERNALS, reasons.NOT_PLAIN),
)
"""Why a program did not finish: the closed list."""
_START = Path(reasons.__file__).resolve().with_name("start.py")
VALUE_CHARS = 1000
GRACE = 2.0
"""Seconds for a program's process to end after its tests' process found it ended."""
OUTPUT_BYTES = 65_536
"""What is read of a program's output, from its end."""


class Limits(BaseModel):
    """What one program may use."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seconds: float = Field(default=5.0, gt=0, le=600)
    """Wall-clock time; processor time is limited to the next whole second."""
    memory_mb: int = Field(default=512, ge=64)
    """Address space in units of 2^20 bytes."""
    file_mb: int = Field(default=1, ge=1)
    """Size of any one file that it writes, its output included; 64 files at most."""


@dataclass(frozen=True)
class Run:
    """How one program ended: `reason` is "" where it ran to its end, and its tests passed where it has any."""

    reason: str = ""
    detail: str = ""
    """The name of the exception."""
    checked: int = 0
    """Assertions of the tests that were made."""
    value: str | None = None
    """What `solution()` gave, else the variable `answer`, else the last line that was printed."""


def run_limited(program: str, tests: str = "", limits: Limits | None = None) -> Run:
    """Run a program; with tests, these against what the program defines.

    Equal programs give equal runs (the seed of hashes is fixed), time limits and programs that ask the clock aside.
    """
    limits = limits or Limits()
    token = secrets.token_hex(16)
    with ExitStack() as stack:
        try:
            if not tests:
                ended, output = _alone(stack, {"role": "run", "program": program, "token": token}, limits)
                return _ending(ended, token, output)
            return _tested(stack, program, tests, token, limits)
        except UnicodeEncodeError:
            return Run(FAILED, "UnicodeEncodeError")


@dataclass(frozen=True)
class Ended:
    """Exit code of a process (None: killed at the time limit) and what it reported."""

    code: int | None
    said: dict[str, Any]


class Process:
    """One process of the jail, with a directory, an output and a report of its own."""

    def __init__(
        self,
        stack: ExitStack,
        job: dict[str, Any],
        limits: Limits,
        pipes: Sequence[int] = (),
        files: Mapping[str, bytes] | None = None,
    ) -> None:
        """`files`: what lies in its directory when it begins, by name."""
        job |= {"seconds": int(limits.seconds) + 1, "memory": limits.memory_mb << 20, "file": limits.file_mb << 20}
        self.job = json.dumps(job).encode()
        json.dumps(job, ensure_ascii=False).encode()  # lone halves of a pair are no text
        home = stack.enter_context(tempfile.TemporaryDirectory(prefix="limited-", ignore_cleanup_errors=True))
        self.home = Path(home)
        for name, data in (files or {}).items():
            (self.home / name).write_bytes(data)
            (self.home / name).chmod(0o644)
        self.output = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
        self.report, theirs = os.pipe()
        stack.callback(os.close, self.report)
        python = [sys.executable, "-s", "-S", "-P", "-B", "-X", "utf8", str(_START), str(theirs)]
        command, self.apart = within(python, home, _START.parent)
        self.popen = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=self.output, stderr=subprocess.DEVNULL, cwd=home,
            pass_fds=(theirs, *pipes), env={"PYTHONHASHSEED": "0", "TMPDIR": home}, start_new_session=True,
        )  # fmt: skip
        stack.callback(self.kill)
        os.close(theirs)
        assert self.popen.stdin is not None
        with suppress(BrokenPipeError):
            self.popen.stdin.write(self.job)
        with suppress(BrokenPipeError):
            self.popen.stdin.close()

    def wait(self, seconds: float) -> Ended:
        code: int | None
        try:
            code = self.popen.wait(timeout=max(0.0, seconds))
            code = code_of(code) if self.apart else code
        except subprocess.TimeoutExpired:
            code = None
        self.kill()
        os.set_blocking(self.report, False)
        try:
            said = json.loads(os.read(self.report, 65_536) or b"{}")
        except (BlockingIOError, ValueError):
            said = {}
        return Ended(code, said if isinstance(said, dict) else {})

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()


def _alone(stack: ExitStack, job: dict[str, Any], limits: Limits) -> tuple[Ended, BinaryIO]:
    process = Process(stack, job, limits)
    return process.wait(limits.seconds), process.output


def _tested(stack: ExitStack, program: str, tests: str, token: str, limits: Limits) -> Run:
    """Two processes: of the program, which knows no test, and of the tests, whose word counts."""
    ends = [*os.pipe(), *os.pipe()]
    with ExitStack() as pipes:
        for end in ends:
            pipes.callback(os.close, end)
        asked_in, asked_out, said_in, said_out = ends
        began = time.monotonic()
        served = {"role": "serve", "program": program, "inbox": asked_in, "outbox": said_out}
        asks = {"role": "ask", "tests": tests, "token": token, "inbox": said_in, "outbox": asked_out}
        server = Process(stack, served, limits, (asked_in, said_out))
        asker = Process(stack, asks, limits, (said_in, asked_out))
    found = asker.wait(limits.seconds - (time.monotonic() - began))
    if found.code is None:
        return Run(SLOW)
    ending = _stopped(found)
    if ending is None and found.said.get("token") == token and "ended" in found.said:
        ended = server.wait(GRACE)
        return _stopped(ended) or Run(EARLY)
    if ending is not None or found.said.get("token") != token:
        return ending or Run(EARLY)
    said = found.said
    if "error" in said:
        return Run(TESTS_FAILED if said.get("part") == "tests" else FAILED, str(said["error"])[:80])
    return Run(checked=int(said["checked"]))


def _stopped(ended: Ended) -> Run | None:
    """Why a process did not come to its end, or None where it did."""
    if ended.code is None or ended.code == -signal.SIGXCPU:
        return Run(SLOW)
    if ended.code == -signal.SIGSYS:
        return Run(FORBIDDEN)
    if ended.code == reasons.STOPPED and ended.said.get("reason") in REASONS:
        return Run(ended.said["reason"])
    if ended.code == -signal.SIGKILL:
        return Run(reasons.MEMORY)
    if ended.code != 0:
        return Run(EARLY)
    return Run(ended.said["reason"]) if ended.said.get("reason") in REASONS else None


def _ending(ended: Ended, token: str, output: BinaryIO) -> Run:
    stopped = _stopped(ended)
    if stopped is not None or ended.said.get("token") != token:
        return stopped or Run(EARLY)
    if "error" in ended.said:
        return Run(FAILED, str(ended.said["error"])[:80])
    value = ended.said.get("value")
    return Run(value=value if value is not None else _last_line(output))


def _last_line(output: BinaryIO) -> str | None:
    size = output.seek(0, os.SEEK_END)
    output.seek(max(0, size - OUTPUT_BYTES))
    lines = output.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1][:VALUE_CHARS] if lines else None
