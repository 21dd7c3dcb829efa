"""Namespaces around a process of the jail, where `bwrap` (bubblewrap) is installed and may make them.

In there are no other files than Python's and its own directory, not even by name, no other processes and no network, so
that a fault in one of the jail's own filters shows nothing. Many systems do not let users make namespaces: then, as
without `bwrap`, the jail stands alone.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

SECONDS = 10
SIGNAL = 128
"""`bwrap` gives this and the signal's number as the code of a process that a signal ended."""
_SYSTEM = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/share/zoneinfo", "/etc/ld.so.cache", "/etc/localtime")


def within(command: Sequence[str], home: str, code: Path) -> tuple[list[str], bool]:
    """A command in namespaces of its own, in which `home` can be written and the folder `code` be read, and True; the
    command as it is, and False, where none can be made."""
    made = _bwrap()
    return ([*_inside(made, home, code), *command], True) if made else (list(command), False)


def code_of(code: int) -> int:
    """The exit code as Python has it, of what `bwrap` gave.

    >>> code_of(0), code_of(137)
    (0, -9)
    """
    return SIGNAL - code if code > SIGNAL else code


@lru_cache(maxsize=1)
def _bwrap() -> str | None:
    """The command, where it runs Python here."""
    found = shutil.which("bwrap")
    if found is None:
        return None
    with tempfile.TemporaryDirectory(prefix="limited-") as home:
        command = [*_inside(found, home, Path(home)), sys.executable, "-S", "-c", "import os; os.listdir('.')"]
        try:
            tried = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return None
    return found if tried.returncode == 0 else None


def _inside(bwrap: str, home: str, code: Path) -> list[str]:
    library = os.path.dirname(os.__file__)
    python = (os.path.dirname(sys.executable), os.path.dirname(os.path.realpath(sys.executable)))
    about = os.path.join(sys.prefix, "pyvenv.cfg")
    readable = list(dict.fromkeys((*_SYSTEM, *python, about, os.path.join(sys.base_prefix, "lib"), library, str(code))))
    # Folders above them, which anybody may enter: the jail may make root another user.
    above = sorted({str(one) for path in (*readable, home) for one in Path(path).parents if one != one.parent})
    folders = [part for path in above for part in ("--perms", "0755", "--dir", path)]
    bound = [part for path in readable for part in ("--ro-bind-try", path, path)]
    # Root needs no namespace of users, in which the jail could not do that.
    root = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]
    apart = root if os.geteuid() == 0 else ["--unshare-all"]
    made = ["--die-with-parent", "--dev", "/dev", *folders, *bound, "--bind", home, home, "--chdir", home]
    return [bwrap, *apart, *made, "--"]
