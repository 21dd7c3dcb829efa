"""What a process gives up before it runs a program: resources, another user's rights, files, system calls."""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from contextlib import suppress

NOBODY = 65534
"""The user that a process of root becomes, where that one can reach Python's library and the directory."""
_NO_NEW_PRIVILEGES, _CAPABILITY_DROP, _AMBIENT, _SECCOMP = 38, 24, 47, 22
_KILL, _ALLOW, _REFUSE, _NOT_SO = 0x80000000, 0x7FFF0000, 0x00050001, 0x00050019

# System calls of x86-64 that a Python program needs: to read and write, memory, files and folders of its own, time,
# signals to itself, pipes within itself, what it is and how it runs. All others end it.
_CALLS = (
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 32, 33, 34,
    35, 36, 37, 38, 39, 40, 60, 63, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89, 95, 96, 97, 98,
    99, 100, 102, 104, 107, 108, 110, 111, 115, 118, 120, 121, 124, 127, 128, 131, 137, 138, 140, 186, 201, 202, 204,
    217, 218, 219, 221, 228, 229, 230, 231, 232, 233, 257, 258, 262, 263, 264, 265, 266, 267, 269, 270, 271, 273, 281,
    285, 291, 292, 293, 295, 296, 309, 316, 318, 324, 326, 327, 328, 332, 334, 436, 439, 441, 449,
)  # fmt: skip
# Refused and no more: the C library asks for a socket to look up a user's name, for new calls to see whether they are
# there, and for a thread's name.
_REFUSED = (41, 42, 49, 53, 157)
_LIMITS = 302
# Calls of many uses, by their second argument: whether a file is a terminal, how a file is held and locked. To have
# signals sent to others is another use of `fcntl`.
_USES = {16: (0x5401, 0x5421, 0x5450, 0x5451), 72: (*range(8), 36, 37, 38, 1030, 1032)}


class _Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def limit(seconds: int, memory: int, file: int) -> None:
    """Processor seconds, bytes of address space, bytes of a file."""
    import resource

    for name, value in (
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, file),
        (resource.RLIMIT_NOFILE, 32),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
    ):
        resource.setrlimit(name, (value, value))


def readable() -> tuple[str, ...]:
    """What a program may read besides its own directory: Python's library and the shared libraries below it."""
    library = os.path.dirname(os.path.realpath(os.__file__))
    system = ("/lib", "/lib64", "/usr/lib", "/usr/share/zoneinfo", "/etc/ld.so.cache", "/etc/localtime")
    devices = ("/dev/null", "/dev/urandom", "/dev/random")
    return tuple(dict.fromkeys(os.path.realpath(path) for path in (library, *system, *devices)))


def give_up_rights() -> None:
    """No capability is left and none can come back; a process of root becomes `NOBODY` where that one can work.

    Elsewhere, as with a Python below `/root`, it stays root by name alone: what root may beyond other users are
    capabilities.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in range(64):
        libc.prctl(_CAPABILITY_DROP, capability, 0, 0, 0)
    if os.geteuid() == 0 and all(map(_open_to_all, (os.__file__, sys.executable, os.getcwd()))):
        with suppress(OSError):
            os.setgroups([])
            os.chown(".", NOBODY, NOBODY)
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
    libc.prctl(_AMBIENT, 4, 0, 0, 0)
    header = ctypes.create_string_buffer(struct.pack("=II", 0x20080522, 0), 8)
    libc.capset(header, ctypes.create_string_buffer(24))
    libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)


def _open_to_all(path: str) -> bool:
    """Whether any user can come to a path: every folder above it may be entered."""
    folder = os.path.dirname(os.path.realpath(path))
    while folder != "/":
        if not os.stat(folder).st_mode & 0o001:
            return False
        folder = os.path.dirname(folder)
    return True


def confine_files(allowed: tuple[str, ...]) -> None:
    """Landlock, where the kernel has it: files elsewhere cannot be opened, whatever the program does.

    In its own directory a program may make files, folders and links; no devices, pipes with a name or sockets.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    abi = libc.syscall(444, None, 0, 1)
    if abi < 1:
        return
    everything = (1 << (13 + min(abi - 1, 2) + (abi >= 5))) - 1
    execute, write, read, read_folder = 1 << 0, 1 << 1, 1 << 2, 1 << 3
    no_files = execute | 1 << 6 | 1 << 9 | 1 << 10 | 1 << 11 | 1 << 15
    ruleset = libc.syscall(444, ctypes.byref(ctypes.c_uint64(everything)), 8, 0)
    for path, access in [(os.getcwd(), everything & ~no_files), *((p, read | read_folder) for p in allowed)]:
        if not os.path.exists(path):
            continue
        folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
        given = access if os.path.isdir(path) else access & ~read_folder
        if path == os.devnull:
            given |= write
        rule = ctypes.create_string_buffer(struct.pack("=Qi", given, folder), 12)
        libc.syscall(445, ruleset, 1, rule, 0)
        os.close(folder)
    libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    libc.syscall(446, ruleset, 0)
    os.close(ruleset)


def confine_calls() -> None:
    """A seccomp filter that ends the process at any system call but those listed; for x86-64 alone.

    Of calls with many uses a few are left: whether a file is a terminal, how it is held, and what one's own limits are.
    """
    if sys.platform != "linux" or os.uname().machine != "x86_64" or sys.maxsize < 2**32:
        return
    code: list[tuple[int, int, int, int]] = [_load(4), (0x15, 1, 0, 0xC000003E), _give(_KILL), _load(0)]
    code += [(0x35, 0, 1, 0x40000000), _give(_KILL)]
    for call in _CALLS:
        code += [(0x15, 0, 1, call), _give(_ALLOW)]
    for call in _REFUSED:
        code += [(0x15, 0, 1, call), _give(_REFUSE)]
    for call, uses in _USES.items():
        code += [(0x15, 0, 2 * len(uses) + 2, call), _load(24)]
        code += [line for use in uses for line in ((0x15, 0, 1, use), _give(_ALLOW))] + [_give(_NOT_SO)]
    # prlimit64: of itself (0) and without new limits (a null pointer, both halves).
    code += [(0x15, 0, 8, _LIMITS), _load(16), (0x15, 0, 5, 0), _load(32), (0x15, 0, 3, 0), _load(36), (0x15, 0, 1, 0)]
    code += [_give(_ALLOW), _give(_KILL), _give(_KILL)]
    packed = b"".join(struct.pack("HBBI", *line) for line in code)
    held = ctypes.create_string_buffer(packed, len(packed))
    program = _Filter(len(code), ctypes.cast(held, ctypes.c_void_p))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    libc.prctl(_SECCOMP, 2, ctypes.byref(program), 0, 0)


def _load(offset: int) -> tuple[int, int, int, int]:
    return 0x20, 0, 0, offset


def _give(action: int) -> tuple[int, int, int, int]:
    return 0x06, 0, 0, action


def forget_ctypes() -> None:
    for name in [name for name in sys.modules if name.split(".")[0] in ("ctypes", "_ctypes")]:
        del sys.modules[name]
