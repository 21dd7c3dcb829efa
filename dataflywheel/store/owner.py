"""Which process reserved something: a name that no later process has, whatever its number."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path


def owner_of(pid: int) -> str:
    """`host:pid:start`: a process, told from a later one with the same number; the start is empty if there is none."""
    try:
        # After the command's name, which may hold spaces and brackets: the state first, the start time 20th.
        facts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        start = "" if facts[0] in "ZX" else facts[19]
    except (FileNotFoundError, ProcessLookupError):
        start = "" if Path("/proc/self/stat").exists() else _started(pid)
    return f"{platform.node().replace(':', '-')}:{pid}:{start}"


def _started(pid: int) -> str:
    """The start of a process where there is no /proc."""
    listed = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return "".join(listed.stdout.split()).replace(":", "-")
