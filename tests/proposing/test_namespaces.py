"""The jail within namespaces, where `bwrap` makes them; a stand-in for it where there is none."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dataflywheel.proposing import namespaces
from dataflywheel.proposing.limited_process import FORBIDDEN, SLOW, Limits, run_limited

LINUX = pytest.mark.skipif(sys.platform != "linux" or os.uname().machine != "x86_64", reason="the kernel's filter")
RUNS = '#!/bin/sh\nwhile [ "$1" != "--" ]; do shift; done\nshift\n"$@"\nexit $?\n'
"""It makes nothing, runs the command and gives its code as bwrap does: 128 and the number of a signal."""


@pytest.fixture(autouse=True)
def _anew() -> Iterator[None]:
    namespaces._bwrap.cache_clear()
    yield
    namespaces._bwrap.cache_clear()


def found(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """A `bwrap` of one's own before all others."""
    (folder / "bwrap").write_text(script)
    (folder / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def test_without_bwrap_or_with_one_that_may_not_the_command_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert namespaces.within(["python"], "/home", Path("/code")) == (["python"], False)
    monkeypatch.undo()
    namespaces._bwrap.cache_clear()
    found(tmp_path, monkeypatch, "#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    assert namespaces.within(["python"], "/home", Path("/code")) == (["python"], False)


@LINUX
def test_how_a_program_ended_is_told_through_bwrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found(tmp_path, monkeypatch, RUNS)
    assert namespaces.within(["python"], "/home", Path("/code"))[1]
    assert run_limited("answer = 6 * 7").value == "42"
    assert run_limited("def double(x): return 2 * x", "assert double(4) == 8").checked == 1
    assert run_limited("import ctypes").reason == "reached into the interpreter"
    signalled = "import os\nos.kill(os.getppid(), 0)"
    assert run_limited(signalled).reason in (FORBIDDEN, "started a process")
    assert run_limited("while True: pass", limits=Limits(seconds=0.8)).reason == SLOW
    assert (namespaces.code_of(159), namespaces.code_of(3)) == (-31, 3)


def test_nothing_else_of_the_machine_is_seen(tmp_path: Path) -> None:
    if namespaces._bwrap() is None:
        pytest.skip("no bwrap is installed here that may make namespaces")
    (tmp_path / "secret").write_text("s")
    seen = (
        f"import os\nanswer = os.path.exists({str(tmp_path / 'secret')!r}), os.getpid() < 10, os.path.exists('/proc/1')"
    )
    assert run_limited(seen).value == "(False, True, False)"
    assert run_limited("answer = 1\nimport os\nopen('a', 'w').write('x')\nanswer = os.listdir()").value == "['a']"
