"""Which process reserved something: a name that no later process has, whatever its number."""

from __future__ import annotations

import platform
import subprocess
import zlib
from functools import lru_cache
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


def mark_of(pid: int) -> str:
    """`where-pid-start`, short and fit for the name of a file; `where` tells machines and containers apart."""
    return f"{_where()}-{pid}-{owner_of(pid).rpartition(':')[2]}"


def gone(mark: str) -> bool:
    """A process of this machine and container that has ended; of another one nothing is known."""
    where, _, rest = mark.partition("-")
    pid, _, start = rest.partition("-")
    if where != _where() or not pid.isdecimal():
        return False
    return owner_of(int(pid)).rpartition(":")[2] != start


@lru_cache(maxsize=1)
def _where() -> str:
    space = Path("/proc/self/ns/pid")
    numbered = space.readlink() if space.is_symlink() else ""
    return f"{zlib.crc32(f'{platform.node()} {numbered}'.encode()):08x}"
