"""Lean on a file that nobody trusts: without network and other processes, and with nothing to write but its folder."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from dataflywheel.contracts import UsageError

OUTPUT_CHARS = 200_000
SECONDS = 120
"""For asking Lean and Lake what they are."""
_KEPT = ("PATH", "HOME", "ELAN_HOME", "LANG")
_OF_LAKE = ("LEAN", "LAKE", "ELAN", "LD_LIBRARY_PATH", "PATH")


class LeanSettings(BaseModel):
    """Which Lean, and what one check may use."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    command: str = "lean"
    """The program, found on the path."""
    project: Path | None = None
    """The folder of a Lake project that is built, for imports such as Mathlib's; its toolchain is used."""
    seconds: float = Field(default=120.0, gt=0, le=3600)
    """Wall-clock time of one check."""
    memory_mb: int = Field(default=8192, ge=256)
    """What Lean may hold in units of 2^20 bytes."""


def require_lean(settings: LeanSettings) -> None:
    """Raises:
    UsageError: Lean, the project or what keeps Lean apart is not there; says how to get it.
    """
    if shutil.which(settings.command) is None:
        raise UsageError(
            f"lean: no program {settings.command!r} on the path: install Lean 4 (https://lean-lang.org/install), or "
            "name it under `settings: {command: ...}`"
        )
    if not _apart():
        raise UsageError(
            "lean: Lean runs code of the proofs that it checks, so it is run in namespaces of its own, for which "
            "`bwrap` must be installed (the package bubblewrap) and allowed to make them here"
        )
    if settings.project is not None and not any(
        (settings.project / name).is_file() for name in ("lakefile.lean", "lakefile.toml")
    ):
        raise UsageError(f"lean: {settings.project} is no Lake project: it has no lakefile.lean or lakefile.toml")


@lru_cache(maxsize=8)
def version(settings: LeanSettings) -> str:
    """What Lean says of its version, "" where it says nothing."""
    with suppress(OSError, subprocess.SubprocessError):
        said = subprocess.run(
            [settings.command, "--version"], capture_output=True, text=True, timeout=SECONDS, check=True,
            cwd=settings.project, env=_environment(settings),
        )  # fmt: skip
        return said.stdout.strip()
    return ""


def run_lean(text: str, settings: LeanSettings) -> tuple[int | None, str]:
    """Exit code and output of Lean on a file; the code is None where it was ended at the time limit."""
    with tempfile.TemporaryDirectory(prefix="lean-", ignore_cleanup_errors=True) as home:
        file = Path(home, "Proof.lean")
        file.write_text(text, encoding="utf-8")
        place = str(settings.project.resolve()) if settings.project is not None else home
        inside = [
            *("bwrap", "--die-with-parent", "--unshare-user-try", "--unshare-ipc", "--unshare-pid", "--unshare-net"),
            *("--ro-bind", "/", "/", "--dev", "/dev", "--bind", home, home, "--chdir", place, "--"),
        ]
        process = subprocess.Popen(
            [*inside, settings.command, f"--memory={settings.memory_mb}", str(file)], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=_environment(settings), start_new_session=True,
        )  # fmt: skip
        try:
            said, _ = process.communicate(timeout=settings.seconds)
            code: int | None = process.returncode
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            said, _ = process.communicate()
            code = None
    return code, said.decode("utf-8", "replace")[-OUTPUT_CHARS:]


@lru_cache(maxsize=8)
def _of_project(project: Path) -> tuple[tuple[str, str], ...]:
    """What Lake has Lean know of a project: where its built modules lie.

    Raises:
        UsageError: Lake cannot say.
    """
    try:
        said = subprocess.run(
            ["lake", "env", "printenv"], cwd=project, capture_output=True, text=True, timeout=SECONDS, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise UsageError(f"lean: `lake env` fails in {project}: {error}; build the project first: lake build") from None
    pairs = [line.split("=", 1) for line in said.splitlines() if "=" in line]
    return tuple((name, value) for name, value in pairs if name.startswith(_OF_LAKE))


def _environment(settings: LeanSettings) -> dict[str, str]:
    own = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return own | (dict(_of_project(settings.project)) if settings.project is not None else {})


@lru_cache(maxsize=1)
def _apart() -> bool:
    """Whether `bwrap` can make namespaces here."""
    if shutil.which("bwrap") is None:
        return False
    tried = ["bwrap", "--unshare-user-try", "--unshare-pid", "--unshare-net", "--ro-bind", "/", "/", "--", "true"]
    with suppress(OSError, subprocess.TimeoutExpired):
        return subprocess.run(tried, capture_output=True, timeout=10, check=False).returncode == 0
    return False
