"""What a program may do in the limited process, and what stops it, each with its own reason."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dataflywheel.proposing.jail import confine
from dataflywheel.proposing.jail import reasons as jail
from dataflywheel.proposing.limited_process import (
    EARLY,
    FAILED,
    FORBIDDEN,
    SLOW,
    TESTS_FAILED,
    Limits,
    Run,
    run_limited,
)

QUICK = Limits(seconds=1.5, memory_mb=256)
X86 = os.uname().machine == "x86_64" and os.uname().sysname == "Linux"


@pytest.mark.parametrize(
    ("program", "value"),
    [
        ("answer = 3", "3"),
        ("def solution():\n    return 1 / 4\nanswer = 2", "0.25"),
        ("print(1)\nprint(22)", "22"),
        ("", None),
        ("open('x', 'w').write('own')\nanswer = open('x').read()", "own"),
        ("import tempfile\nwith tempfile.TemporaryDirectory() as d:\n    open(d + '/a', 'w')\nanswer = 1", "1"),
        ("import hashlib\nanswer = hashlib.md5(b'1').hexdigest()[:4]", "c4ca"),
        ("import os\nanswer = sorted(set(os.environ) - {'LC_CTYPE'})", "['PYTHONHASHSEED', 'TMPDIR']"),
        ("import sys\nanswer = sys.stdin.read()", ""),
        ("import collections, dataclasses, datetime, decimal, fractions, heapq, random, typing\nanswer = 5", "5"),
    ],
)
def test_what_a_program_may_do(program: str, value: str | None) -> None:
    assert run_limited(program, limits=QUICK) == Run(value=value)


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("import os\nos.fork()", jail.PROCESS),
        ("import subprocess\nsubprocess.run(['true'])", jail.PROCESS),
        ("import os\nos.execv('/bin/true', ['true'])", jail.PROCESS),
        ("import os\nos.kill(os.getppid(), 9)", jail.PROCESS),
        ("import time\ntime.sleep(60)", SLOW),
        ("while True: pass", SLOW),
        ("x = 'a' * 10**9", jail.MEMORY),
        ("x = []\nwhile True: x.append('a' * 10**7)", jail.MEMORY),
        ("open('/tmp/escaped', 'w')", jail.WROTE),
        ("open('../escaped', 'w')", jail.WROTE),
        ("import os\nos.symlink('/tmp', 'link')", jail.WROTE),
        ("import os\nos.remove('/etc/hostname')", jail.WROTE),
        ("open('/etc/hostname').read()", jail.READ),
        ("f = open('x', 'w')\nwhile True:\n    f.write('a' * 10**5)", jail.MUCH),
        ("for i in range(1000): open(f'f{i}', 'w')", jail.MUCH),
        ("while True: print('x' * 1000)", jail.MUCH),
        ("import socket\nsocket.socket()", jail.NETWORK),
        ("import urllib.request\nurllib.request.urlopen('http://127.0.0.1:1')", jail.NETWORK),
        ("import ctypes\nctypes.CDLL(None)", jail.INTERNALS),
        ("import gc\ngc.get_objects()", jail.INTERNALS),
        ("import sys\nsys.exit(0)", FAILED),
        ("import os\nos._exit(0)", EARLY),
        ("try:\n    open('/tmp/escaped', 'w')\nexcept BaseException:\n    pass", jail.WROTE),
        ("(" * 5000, FAILED),
        ("x = '\ud800'", FAILED),
        ("import nothing_of_this_name", FAILED),
    ],
)
def test_what_stops_a_program(program: str, reason: str) -> None:
    started = time.monotonic()
    assert run_limited(program, limits=QUICK).reason == reason
    assert time.monotonic() - started < 6
    assert not Path("/tmp/escaped").exists()


@pytest.mark.skipif(not X86, reason="the filter of system calls is for Linux on x86-64")
@pytest.mark.parametrize(
    "program",
    [
        "import threading\nthreading.Thread(target=print).start()",
        "import resource\nresource.setrlimit(resource.RLIMIT_AS, (-1, -1))",
        "import os\nos.setsid()",
    ],
)
def test_the_kernel_stops_what_the_interpreter_does_not_report(program: str) -> None:
    assert run_limited(program, limits=QUICK).reason == FORBIDDEN


def test_the_kernel_stands_where_the_hook_is_defeated() -> None:
    """A program that stubs out what the hook ends with gains no file, no process and no socket."""
    program = (
        "import sys\n"
        "frame = sys._getframe()\n"
        "while frame.f_back: frame = frame.f_back\n"
        "space = frame.f_globals\n"
        "space['_watch'] = None\n"
        "import os\nos._exit = lambda code: None\nos.write = lambda fd, data: None\n"
        "open('/tmp/escaped', 'w').write('out')\n"
    )
    assert run_limited(program, limits=QUICK).reason in (jail.WROTE, FAILED)
    assert not Path("/tmp/escaped").exists()


def test_tests_count_their_assertions_and_must_be_reached() -> None:
    program = "def f(x):\n    return x + 1"
    check = "def check(f):\n    assert f(1) == 2\n    assert f(2) == 3\n"
    assert run_limited(program, check + "check(f)") == Run(checked=2)
    assert run_limited(program, check) == Run(checked=0)
    assert run_limited(program, "assert f(1) == 3") == Run(TESTS_FAILED, "AssertionError")
    assert run_limited(program, "assert g(1)") == Run(TESTS_FAILED, "NameError")
    assert run_limited(program + "\nimport os\nos._exit(0)", check + "check(f)").reason == EARLY
    assert run_limited(program + "\nraise SystemExit", check + "check(f)").reason == FAILED


def test_equal_programs_give_equal_runs_and_leave_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    program = "open('left', 'w')\nanswer = list({str(i) for i in range(50)})"
    assert run_limited(program).value == run_limited(program).value != None  # noqa: E711
    assert list(tmp_path.iterdir()) == []


def test_a_secret_of_the_environment_is_not_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "sk-not-to-be-seen")
    assert run_limited("import os\nanswer = 'SOME_API_KEY' in os.environ").value == "False"


LANDLOCKED = "import ctypes; print(ctypes.CDLL(None).syscall(444, None, 0, 1))"


@pytest.mark.skipif(not X86, reason="the filters of the kernel are for Linux on x86-64")
@pytest.mark.parametrize(
    ("act", "expected"),
    [
        ("open('own', 'w').write('x')", "done"),
        ("open('{outside}', 'w')", "PermissionError"),
        ("open('../secret').read()", "PermissionError"),
        ("import socket\nsocket.socket()", "PermissionError"),
        ("os.fork()", "killed"),
        ("os.chmod('.', 0o777)", "killed"),
    ],
)
def test_the_kernel_alone_confines(act: str, expected: str, tmp_path: Path) -> None:
    """Without the audit hook: what is left when a program has defeated it."""
    probe = subprocess.run([sys.executable, "-c", LANDLOCKED], capture_output=True, text=True, check=True)
    if int(probe.stdout) < 1:
        pytest.skip("this kernel has no Landlock")
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "secret").write_text("s")
    script = (
        "import os, sys\n"
        f"sys.path.insert(0, {str(Path(confine.__file__).parent)!r})\n"
        "import socket, confine\n"
        "confine.confine_files(confine.readable())\nconfine.confine_calls()\n"
        f"try:\n    exec({act.format(outside=tmp_path / 'out')!r})\n    print('done')\n"
        "except Exception as error:\n    print(type(error).__name__)\n"
    )
    ended = subprocess.run([sys.executable, "-S", "-c", script], cwd=home, capture_output=True, text=True, check=False)
    assert ("killed" if ended.returncode == -signal.SIGSYS else ended.stdout.strip()) == expected
