"""Ways out of the jail in one table, tried at the kernel without the audit hook before it, by every kind of user."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from dataflywheel.proposing.jail import confine
from dataflywheel.proposing.limited_process import Limits, run_limited

X86 = sys.platform == "linux" and os.uname().machine == "x86_64"
ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
SYSTEM = shutil.which("python3", path="/usr/bin")

# Expressions that must not succeed: `call` is a raw system call, `parent` who started the program, `home` where it is.
ACTS = {
    "a device of characters": "call(133, b'k', 0o20600, 0x10b)",
    "a device of blocks": "call(133, b'b', 0o60600, 0x800)",
    "a named pipe": "os.mkfifo('p')",
    "a socket's node": "call(133, b's', 0o140600, 0)",
    "mknodat": "call(259, -100, b'k', 0o20600, 0x10b)",
    "a socket": "call(41, 2, 1, 0)",
    "a socket of the machine": "call(41, 1, 1, 0)",
    "a pair of sockets": "call(53, 1, 1, 0, buffer)",
    "netlink": "call(41, 16, 3, 0)",
    "packets": "call(41, 17, 3, 0)",
    "the kernel's ciphers": "call(41, 38, 5, 0)",
    "a socket by the x32 interface": "call(0x40000000 | 41, 2, 1, 0)",
    "io_uring": "call(425, 8, buffer)",
    "a key ring": "call(250, 0, -3, 0)",
    "a key": "call(248, b'user', b'a', b'b', 1, -3)",
    "fork": "os.fork()",
    "vfork": "call(58)",
    "clone": "call(56, 17, 0, 0, 0, 0)",
    "clone3": "call(435, buffer, 88)",
    "a new name space": "call(272, 0x10000000)",
    "another's name space": "call(308, 0, 0)",
    "execute": "os.execv('/bin/true', ['true'])",
    "execute from memory": "call(319, b'x', 0)",
    "execveat": "call(322, 0, b'', 0, 0, 0x1000)",
    "mount": "call(165, b'none', b'.', b'tmpfs', 0, 0)",
    "unmount": "call(166, b'/tmp', 2)",
    "pivot_root": "call(155, b'.', b'.')",
    "another root": "os.chroot('.')",
    "a new tree of mounts": "call(428, -100, b'.', 1)",
    "a file system": "call(430, b'tmpfs', 0)",
    "ptrace": "call(101, 16, parent, 0, 0)",
    "another's memory": "call(310, parent, buffer, 1, buffer, 1, 0)",
    "write another's memory": "call(311, parent, buffer, 1, buffer, 1, 0)",
    "a process as a file": "call(434, parent, 0)",
    "another's files": "call(438, 0, 0, 0)",
    "compare processes": "call(312, parent, parent, 0, 0, 0)",
    "kill the parent": "os.kill(parent, 0)",
    "a signal to all": "call(62, -1, 0)",
    "tkill": "call(200, parent, 0)",
    "tgkill": "call(234, parent, parent, 0)",
    "a queued signal": "call(129, parent, 18, buffer)",
    "a signal by ownership": "call(72, 1, 8, parent)",
    "a signal of choice": "call(72, 1, 10, 9)",
    "a lease": "call(72, 1, 1024, 0)",
    "the parent's cores": "os.sched_setaffinity(parent, {0})",
    "the parent's priority": "os.setpriority(os.PRIO_PROCESS, parent, 19)",
    "the parent's scheduler": "os.sched_setscheduler(parent, os.SCHED_IDLE, os.sched_param(0))",
    "real time": "os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))",
    "sched_setattr": "call(314, 0, buffer, 0)",
    "priority of the disk": "call(251, 1, parent, 0)",
    "the parent's limits": "call(302, parent, 7, ctypes.byref((ctypes.c_ulong * 2)(9, 9)), 0)",
    "its own limits": "call(302, 0, 9, ctypes.byref((ctypes.c_ulong * 2)(1 << 60, 1 << 60)), 0)",
    "setrlimit": "call(160, 9, ctypes.byref((ctypes.c_ulong * 2)(1 << 60, 1 << 60)))",
    "the clock": "call(227, 0, ctypes.byref((ctypes.c_long * 2)(1, 0)))",
    "settimeofday": "call(164, ctypes.byref((ctypes.c_long * 2)(1, 0)), 0)",
    "adjtimex": "call(159, buffer)",
    "bpf": "call(321, 0, buffer, 0)",
    "perf": "call(298, buffer, 0, -1, -1, 0)",
    "userfaultfd": "call(323, 0)",
    "another filter": "call(317, 1, 0, buffer)",
    "prctl": "call(157, 4, 1, 0, 0, 0)",
    "personality": "call(135, 0x40000)",
    "ports": "call(172, 3)",
    "a module": "call(313, 0, b'', 0)",
    "kexec": "call(246, 0, 0, 0, 0)",
    "reboot": "call(169, 0, 0, 0, 0)",
    "the host's name": "call(170, b'x', 1)",
    "swap": "call(167, b'x', 0)",
    "the kernel's log": "call(103, 3, buffer, 10)",
    "a file by its handle": "call(304, -100, buffer, 0)",
    "watch files": "call(294, 0)",
    "fanotify": "call(300, 0, 0)",
    "another user": "os.setuid(1)",
    "another group": "os.setgid(1)",
    "groups": "os.setgroups([0])",
    "capabilities": "call(126, (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)(1))",
    "a session": "os.setsid()",
    "another group of processes": "os.setpgid(0, 0)",
    "shared memory": "call(29, 5, 4096, 0o1600)",
    "a queue of messages": "call(68, 5, 0o1600)",
    "semaphores": "call(64, 5, 1, 0o1600)",
    "a queue by name": "call(240, b'q', 0o102, 0o600, 0)",
    "locked memory": "call(149, buffer, 16)",
    "type into the terminal": "call(16, 0, 0x5412, b'x')",
    "a mode": "os.chmod('own', 0o4777)",
    "an owner": "os.chown('own', 1, 1)",
    "times": "os.utime('own')",
    "an attribute": "os.setxattr('own', 'user.a', b'b')",
    "read a secret": "open(secret).read()",
    "read the passwords": "open('/etc/passwd').read()",
    "list the root": "os.listdir('/')",
    "list the folder above": "os.listdir('..')",
    "the parent's environment": "open(f'/proc/{parent}/environ').read()",
    "the parent's memory": "open(f'/proc/{parent}/mem', 'rb')",
    "its own status": "open('/proc/self/status').read()",
    "a setting of the kernel": "open('/proc/sys/kernel/hostname', 'w')",
    "a device": "open('/dev/kmsg')",
    "the terminal": "open('/dev/tty')",
    "memory for all": "open('/dev/shm/out', 'w')",
    "a file for all": "open('/tmp/out-of-jail', 'w')",
    "a file beside": "open('../out', 'w')",
    "cut a secret": "os.truncate(secret, 0)",
    "remove a secret": "os.remove(secret)",
    "move a secret here": "os.rename(secret, 'secret')",
    "move something out": "os.rename('own', '../out')",
    "link a secret here": "os.link(secret, 'secret')",
    "link something out": "os.link('own', '../out')",
    "a folder beside": "os.mkdir('../out')",
    "through a link": "(os.symlink(secret, 'link'), open('link').read())",
    "write through a link": "(os.symlink('../out', 'link'), open('link', 'w'))",
    "from another folder": "(os.chdir('..'), open('secret').read())",
}
HELD = {"killed", "PermissionError", "OSError", "BlockingIOError"}
# What one program may do, or everything above would pass for a jail that is shut.
ALLOWED = {
    "write its own": "open('own2', 'w').write('x')",
    "read its own": "open('own').read()",
    "a folder and a link of its own": "(os.mkdir('d'), os.symlink('own', 'd/l'), os.listdir('d'), os.rename('d', 'e'))",
    "a pipe": "os.pipe()",
    "its own limits seen": "__import__('resource').getrlimit(9)",
    "chance": "os.urandom(8)",
    "time": "__import__('time').time()",
    "a module of Python": "__import__('fractions').Fraction(1, 3)",
    "the size of a file elsewhere": "os.stat(secret).st_size",
}
SCRIPT = """
import ctypes, json, os, sys
sys.path.insert(0, sys.argv[1])
import confine
import fractions, resource
home, acts, secret = sys.argv[2], json.loads(sys.argv[3]), sys.argv[4]
found = {}
acts["user"] = "raise SystemExit if 0 else type(str(os.getuid()), (Exception,), {})"
for name, act in acts.items():
    place = os.path.join(home, str(len(found)))
    os.mkdir(place, 0o777)
    os.chmod(place, 0o777)
    into, out = os.pipe()
    parent = os.getpid()
    child = os.fork()
    if not child:
        os.chdir(place)
        open("own", "w").write("own")
        os.chmod("own", 0o666)
        libc = ctypes.CDLL(None, use_errno=True)
        buffer = ctypes.create_string_buffer(4096)
        def call(*given):
            if libc.syscall(*given) == -1:
                raise OSError(ctypes.get_errno(), "refused")
        readable = confine.readable()
        confine.limit(5, 1 << 30, 1 << 20)
        confine.give_up_rights()
        confine.confine_files(readable)
        confine.confine_calls()
        try:
            exec(act)
            said = "done"
        except BaseException as error:
            said = type(error).__name__
        os.write(out, said.encode())
        os._exit(0)
    os.close(out)
    said = os.read(into, 100).decode()
    os.close(into)
    _, status = os.waitpid(child, 0)
    found[name] = said or ("killed" if os.WIFSIGNALED(status) and os.WTERMSIG(status) == 31 else f"status {status}")
print(json.dumps(found))
"""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can come to."""
    with tempfile.TemporaryDirectory(dir="/tmp") as made:
        Path(made).chmod(0o777)
        yield Path(made)


def tried(acts: dict[str, str], folder: Path, python: str, user: int | None) -> tuple[dict[str, str], str]:
    """How each act ended in a jail of its own, begun by that user with that Python; and as which user."""
    jail, home, secret = folder / "jail", folder / "homes", folder / "homes" / "secret"
    shutil.copytree(Path(confine.__file__).parent, jail, ignore=shutil.ignore_patterns("__pycache__"))
    home.mkdir()
    secret.write_text("s")
    for place in (jail, home, *jail.iterdir(), secret):
        place.chmod(0o777)
    command = [python, "-S", "-B", "-c", SCRIPT, str(jail), str(home), json.dumps(acts), str(secret)]
    ended = subprocess.run(command, user=user, cwd=folder, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr[-2000:]
    found: dict[str, str] = json.loads(ended.stdout)
    assert secret.read_text() == "s"
    assert not (home / "out").exists()
    return found, found.pop("user")


USERS = [
    pytest.param(sys.executable, None, id="whoever runs the tests"),
    pytest.param(SYSTEM, None, id="root that becomes nobody", marks=pytest.mark.skipif(not ROOT, reason="needs root")),
    pytest.param(SYSTEM, 65534, id="another user", marks=pytest.mark.skipif(not ROOT, reason="needs root")),
]


@pytest.mark.skipif(not X86, reason="the filters of the kernel are for Linux on x86-64")
@pytest.mark.parametrize(("python", "user"), USERS)
def test_nothing_gets_out_of_the_jail(open_folder: Path, python: str | None, user: int | None) -> None:
    if python is None:
        pytest.skip("no Python that another user can read")
    if ctypes.CDLL(None).syscall(444, None, 0, 1) < 1:
        pytest.skip("this kernel has no Landlock")
    before = os.sched_getaffinity(0), os.getpriority(os.PRIO_PROCESS, 0), os.uname().nodename
    found, who = tried(ACTS | ALLOWED, open_folder, python, user)
    allowed = {name: found.pop(name) for name in ALLOWED}
    assert allowed == dict.fromkeys(ALLOWED, "done")
    assert {name: end for name, end in found.items() if end not in HELD} == {}
    assert before == (os.sched_getaffinity(0), os.getpriority(os.PRIO_PROCESS, 0), os.uname().nodename)
    if python == SYSTEM:
        assert who == "65534"


@pytest.mark.skipif(not ROOT or SYSTEM is None, reason="needs root, and a Python that another user can read")
def test_a_program_that_root_starts_runs_as_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", SYSTEM)
    assert run_limited("import os\nopen('a', 'w')\nanswer = os.getuid(), os.getgid(), os.listdir()").value == str(
        (65534, 65534, ["a"])
    )
    assert run_limited("import os\nf = os.getuid", "assert f() == 65534").checked == 1


WHOLE = {
    "an open file of whoever started it": "import os\nheld = []\nfor fd in range(3, 9999):\n    try: os.fstat(fd)\n"
    "    except OSError: continue\n    held.append(fd)\nanswer = len(held)",
    "a name of the environment": "import os\nanswer = 'JAIL_SECRET' in os.environ or 'JAIL_SECRET' in str(os.environb)",
}


def test_nothing_of_who_starts_a_program_reaches_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAIL_SECRET", "sk-secret")
    (tmp_path / "secret").write_text("s")
    with (tmp_path / "secret").open() as file:
        os.set_inheritable(file.fileno(), True)
        found = {name: run_limited(program, limits=Limits(seconds=5)).value for name, program in WHOLE.items()}
    # Its report, and an input that is empty.
    assert found == {"an open file of whoever started it": "2", "a name of the environment": "False"}


def test_large_and_endless_programs_are_stopped() -> None:
    limits = Limits(seconds=1, memory_mb=128)
    much, long, failed = "used too much memory", "ran too long", "program failed"
    for program, reasons in {
        "x = bytearray(10**9)": {much},
        "import mmap\nx = [mmap.mmap(-1, 10**8) for _ in range(99)]": {much, failed},
        "import os\np = [os.pipe() for _ in range(99)]": {failed},
        "import sys\nsys.setrecursionlimit(10**9)\nf = lambda: f()\nf()": {failed, "ended before its end", much, long},
        "import re\nre.match('(a+)+$', 'a' * 40 + 'b')": {long},
        "9 ** 9 ** 9": {long, much},
        "import os\nfor i in range(99): os.mkdir(str(i))": {"wrote too much"},
        "import sys\nfor _ in range(10**6): sys.stderr.write('x' * 10**6)": {"", long},
    }.items():
        assert run_limited(program, limits=limits).reason in reasons, program
