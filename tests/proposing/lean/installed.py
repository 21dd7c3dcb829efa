"""The stand-in for Lean where programs are looked for."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

from dataflywheel.proposing.lean import run

HERE = Path(__file__).resolve().with_name("stand_in.py")


def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The stand-in on the path; where `bwrap` cannot work, so is one that runs what it is given."""
    place = tmp_path / "bin"
    place.mkdir()
    shutil.copy(HERE, place / "lean")
    run._apart.cache_clear()
    if not run._apart():
        (place / "bwrap").write_text('#!/bin/sh\nwhile [ "$1" != "--" ]; do shift; done\nshift\nexec "$@"\n')
    for program in place.iterdir():
        program.chmod(program.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    monkeypatch.setenv("PATH", f"{place}{os.pathsep}{os.environ['PATH']}")
    run._apart.cache_clear()
    run.version.cache_clear()
    return place / "lean"
