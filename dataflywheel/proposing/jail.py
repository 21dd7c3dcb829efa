"""The inner side of `limited_process`: limits itself, then runs a program and its tests. Standard library only.

Run as a script, never imported for use: it reads one JSON object from standard input, gives up every right that it can,
runs the program, and writes one JSON object to the file descriptor that it was told.
"""

from __future__ import annotations

import ast
import json
import os
import struct
import sys
from typing import Any

STOPPED = 77
"""Exit code after a forbidden act, which is in the report."""
WRITES = 64
"""Files and folders that a program may create or open for writing."""
VALUE_CHARS = 1000

PROCESS = "started a process"
NETWORK = "opened a connection"
WROTE = "wrote outside its directory"
READ = "read outside its directory"
MUCH = "wrote too much"
MEMORY = "used too much memory"
INTERNALS = "reached into the interpreter"

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

_SOCKETS = (41, 42, 49, 53)
# System calls of x86-64 that start processes and threads, signal others, change owners and modes (which Landlock leaves
# free), share memory past the limits, or change limits and namespaces.
_CALLS = (
    56, 57, 58, 59, 62, 101, 109, 112, 129, 155, 160, 161, 165, 166, 169, 175, 200, 234, 246, 248, 249, 250,
    272, 297, 298, 302, 308, 310, 311, 313, 319, 321, 322, 323, 424, 425, 426, 435, 438, 29, 64, 68, 90, 91, 92,
    93, 94, 132, 188, 189, 190, 235, 260, 261, 268, 280, 452,
)  # fmt: skip


def main() -> None:
    report = int(sys.argv[1])
    job = json.loads(sys.stdin.buffer.read())
    sys.stdin = open(os.devnull)  # noqa: SIM115 - the program's own, for as long as it lives
    token = job.pop("token")
    _limit(job)
    readable = _readable()
    _confine_files(readable)
    _confine_calls()
    for name in [name for name in sys.modules if name.split(".")[0] in ("ctypes", "_ctypes")]:
        del sys.modules[name]
    sys.addaudithook(_watch(report, os.path.realpath(os.getcwd()), readable))
    said = _run(job["program"], job["tests"])
    os.write(report, json.dumps({"token": token, **said}).encode())
    os._exit(0)


def _limit(job: dict[str, Any]) -> None:
    import resource

    for name, value in (
        (resource.RLIMIT_CPU, job["seconds"]),
        (resource.RLIMIT_AS, job["memory"]),
        (resource.RLIMIT_FSIZE, job["file"]),
        (resource.RLIMIT_NOFILE, 32),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
    ):
        resource.setrlimit(name, (value, value))


def _readable() -> tuple[str, ...]:
    """What a program may read besides its own directory: Python's library and the shared libraries below it."""
    library = os.path.dirname(os.path.realpath(os.__file__))
    system = ("/lib", "/lib64", "/usr/lib", "/usr/share/zoneinfo", "/etc/ld.so.cache", "/etc/localtime")
    devices = ("/dev/null", "/dev/urandom", "/dev/random")
    return tuple(dict.fromkeys(os.path.realpath(path) for path in (library, *system, *devices)))


def _confine_files(readable: tuple[str, ...]) -> None:
    """Landlock, where the kernel has it: files elsewhere cannot be opened, whatever the program does."""
    import ctypes

    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    abi = libc.syscall(444, None, 0, 1)
    if abi < 1:
        return
    everything = (1 << min(12 + abi, 15)) - 1
    ruleset = libc.syscall(444, ctypes.byref(ctypes.c_uint64(everything)), 8, 0)
    read_file, read_folder = 1 << 2, 1 << 3
    for path, access in [(os.getcwd(), everything & ~1), *((p, read_file | read_folder) for p in readable)]:
        if not os.path.exists(path):
            continue
        folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
        allowed = access if os.path.isdir(path) else access & ~read_folder
        if path == os.devnull:
            allowed |= 1 << 1
        rule = ctypes.create_string_buffer(struct.pack("=Qi", allowed, folder), 12)
        libc.syscall(445, ruleset, 1, rule, 0)
        os.close(folder)
    libc.prctl(38, 1, 0, 0, 0)
    libc.syscall(446, ruleset, 0)
    os.close(ruleset)


def _confine_calls() -> None:
    """A seccomp filter that kills the process at a forbidden system call; for x86-64 alone.

    A socket is denied and no more: the C library asks for one to look up a user's name.
    """
    import ctypes

    if sys.platform != "linux" or os.uname().machine != "x86_64" or sys.maxsize < 2**32:
        return

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]

    kill, allow = (0x06, 0, 0, 0x80000000), (0x06, 0, 0, 0x7FFF0000)
    code = [(0x20, 0, 0, 4), (0x15, 1, 0, 0xC000003E), kill, (0x20, 0, 0, 0), (0x35, 0, 1, 0x40000000), kill]
    for call in (*_SOCKETS, *_CALLS):
        code += [(0x15, 0, 1, call), (0x06, 0, 0, 0x00050001) if call in _SOCKETS else kill]
    packed = b"".join(struct.pack("HBBI", *line) for line in [*code, allow])
    held = ctypes.create_string_buffer(packed, len(packed))
    program = Program(len(code) + 1, ctypes.cast(held, ctypes.c_void_p))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(38, 1, 0, 0, 0)
    libc.prctl(22, 2, ctypes.byref(program), 0, 0)


def _watch(report: int, home: str, readable: tuple[str, ...]) -> Any:
    """The audit hook: says which rule a program broke, and ends it there."""
    write, leave, real, dumps = os.write, os._exit, os.path.realpath, json.dumps
    starts, changes, internals, writing = _STARTS, _CHANGES, _INTERNALS, os.O_WRONLY | os.O_RDWR | os.O_CREAT
    left = [WRITES]

    def stop(reason: str) -> None:
        write(report, dumps({"reason": reason}).encode())
        leave(STOPPED)

    def inside(path: Any, folders: tuple[str, ...]) -> bool:
        if isinstance(path, int) or path is None:
            return True
        text = path.decode("utf-8", "surrogateescape") if isinstance(path, bytes) else str(path)
        found = real(text)
        return any(found == folder or found.startswith(folder + "/") for folder in folders)

    def written(*paths: Any) -> None:
        if not all(inside(path, (home, "/dev/null")) for path in paths):
            stop(WROTE)
        left[0] -= 1
        if left[0] < 0:
            stop(MUCH)

    def hook(event: str, values: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = values
            if isinstance(flags, int) and flags & writing:
                written(path)
            elif not inside(path, (home, *readable)):
                stop(READ)
        elif event in starts:
            stop(PROCESS)
        elif event in changes:
            written(*values[: 2 if event in ("os.rename", "os.link", "os.symlink") else 1])
        elif event.startswith("socket."):
            stop(NETWORK)
        elif event.startswith("ctypes.") or event in internals:
            stop(INTERNALS)

    return hook


class _Counted(ast.NodeTransformer):
    """Puts a call before every assertion, so that it is known how many were made."""

    def visit_Assert(self, node: ast.Assert) -> list[ast.stmt]:
        call = ast.Expr(ast.Call(ast.Name("_count_", ast.Load()), [], []))
        return [ast.fix_missing_locations(ast.copy_location(call, node)), node]


def _run(program: str, tests: str) -> dict[str, Any]:
    """`checked`: assertions of the tests that were made; `value`: what the program gives where there are no tests;
    `error`: the name of the exception that ended either, with the `part` that it came from."""
    space: dict[str, Any] = {"__name__": "__main__"}
    checked = [0]
    part = "program"
    try:
        exec(compile(program, "program", "exec"), space)
        if tests:
            part = "tests"
            space["_count_"] = lambda: checked.__setitem__(0, checked[0] + 1)
            exec(compile(_Counted().visit(ast.parse(tests)), "tests", "exec"), space)
            sys.stdout.flush()
            return {"checked": checked[0]}
        given = space["solution"]() if callable(space.get("solution")) else space.get("answer")
        value = None if given is None else str(given)[:VALUE_CHARS]
        sys.stdout.flush()
        return {"value": value}
    except MemoryError:
        return {"reason": MEMORY}
    except BaseException as error:
        if isinstance(error, OSError) and error.errno == 27:  # the limit on a file's size
            return {"reason": MUCH}
        return {"part": part, "error": type(error).__name__}


if __name__ == "__main__":
    main()
