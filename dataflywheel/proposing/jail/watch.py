"""The audit hook: says which rule a program broke, and ends it there."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

from dataflywheel.proposing.jail import reasons

WRITES = 64
"""Files and folders that a program may create or open for writing."""
_STARTS = frozenset((
    "os.fork", "os.forkpty", "os.exec", "os.posix_spawn", "os.spawn", "os.system", "subprocess.Popen",
    "pty.spawn", "_thread.start_new_thread", "os.kill", "os.killpg", "signal.pthread_kill",
))  # fmt: skip
_CHANGES = frozenset((
    "os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate", "os.chmod",
    "os.chown", "os.lchown", "os.utime", "os.setxattr", "os.removexattr", "os.mkfifo", "os.mknod", "os.chflags",
))  # fmt: skip
_INTERNALS = frozenset(
    ["gc.get_objects", "gc.get_referrers", "gc.get_referents", "sys.addaudithook", "sys._current_frames"]
)


def watch(report: int, home: str, readable: tuple[str, ...]) -> Callable[[str, tuple[Any, ...]], None]:
    """The audit hook: says which rule a program broke, and ends it there."""
    write, leave, real, dumps = os.write, os._exit, os.path.realpath, json.dumps
    starts, changes, internals, writing = _STARTS, _CHANGES, _INTERNALS, os.O_WRONLY | os.O_RDWR | os.O_CREAT
    left = [WRITES]

    def stop(reason: str) -> None:
        write(report, dumps({"reason": reason}).encode())
        leave(reasons.STOPPED)

    def inside(path: Any, folders: tuple[str, ...]) -> bool:
        if isinstance(path, int) or path is None:
            return True
        text = path.decode("utf-8", "surrogateescape") if isinstance(path, bytes) else str(path)
        found = real(text)
        return any(found == folder or found.startswith(folder + "/") for folder in folders)

    def written(*paths: Any) -> None:
        if not all(inside(path, (home, "/dev/null")) for path in paths):
            stop(reasons.WROTE)
        left[0] -= 1
        if left[0] < 0:
            stop(reasons.MUCH)

    def hook(event: str, values: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = values
            if isinstance(flags, int) and flags & writing:
                written(path)
            elif not inside(path, (home, *readable)):
                stop(reasons.READ)
        elif event in starts:
            stop(reasons.PROCESS)
        elif event in changes:
            written(*values[: 2 if event in ("os.rename", "os.link", "os.symlink") else 1])
        elif event.startswith("socket."):
            stop(reasons.NETWORK)
        elif event.startswith("ctypes.") or event in internals:
            stop(reasons.INTERNALS)

    return hook
