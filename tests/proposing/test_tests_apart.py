"""Tests run apart from the program: what it does to Python's own things, to its values and to its process decides
nothing, and what honest programs give is compared as it is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from dataflywheel.proposing.jail import reasons
from dataflywheel.proposing.limited_process import FORBIDDEN, Limits, run_limited

QUICK = Limits(seconds=3, memory_mb=256)
CHECK = "def check(candidate):\n    assert candidate(1) == 2\n    assert abs(candidate(2) - 3) < 1e-6\n\ncheck(f)\n"
EVERYTHING = "".join(
    f"    def __{name}__(self, *rest, **named): return self if '{name}' in ('sub', 'rsub', 'abs', 'call') else True\n"
    for name in ("eq", "ne", "lt", "le", "gt", "ge", "bool", "sub", "rsub", "abs", "contains", "call")
)
ATTACKS = {
    "a class that is equal to all": f"class E:\n{EVERYTHING}    __hash__ = None\ndef f(x): return E()",
    **{
        f"a subclass of {base}": f"class E({base}):\n{EVERYTHING}    __hash__ = {base}.__hash__\ndef f(x): return E()"
        for base in ("int", "float", "str", "list", "dict", "tuple", "set", "complex", "bytes", "Exception")
    },
    "__class__": "class E:\n    __class__ = property(lambda self: int)\n    def __eq__(self, o): return True\n"
    "    def __sub__(self, o): return 0\ndef f(x): return E()",
    "a metaclass": "class M(type):\n    def __eq__(c, o): return True\n    def __sub__(c, o): return 0\n"
    "class E(metaclass=M): pass\ndef f(x): return E",
    "builtins": "import builtins\nbuiltins.abs = lambda x: 0\nbuiltins.AssertionError = Warning\n"
    "builtins.len = builtins.all = lambda *a: 1\nabs = lambda x: 0\ndef f(x): return 0",
    "no candidate": "def check(c): pass\ndef f(x): return 0",
    "exit": "import sys\ndef f(x): sys.exit(0)",
    "exit at once": "import os\ndef f(x): os._exit(0)",
    "exit with the stop code": f"import os\ndef f(x): os._exit({reasons.STOPPED})",
    "atexit": "import atexit, os\natexit.register(lambda: os._exit(0))\ndef f(x): return 0",
    "every pipe": "import os\ndef f(x):\n    for fd in range(3, 32):\n"
    '        for line in (b\'{"checked": 2, "token": ""}\', b\'{"value": true}\\n\' * 9):\n'
    "            try: os.write(fd, line)\n            except OSError: pass\n    os._exit(0)",
    "answers in advance": "import os\nfor fd in range(3, 32):\n    try: os.write(fd, b'{\"value\": true}\\n' * 20)\n"
    "    except OSError: pass\ndef f(x): return 0",
    "json": "import json\njson.dumps = lambda *a, **k: '{\"checked\": 9}'\njson.loads = lambda *a: {'checked': 9}\n"
    "def f(x): return 0",
    "frames": "import sys\nframe = sys._getframe()\nwhile frame:\n    frame.f_globals['encode'] = lambda *a: True\n"
    "    for v in list(frame.f_locals.values()) + list(frame.f_globals.values()):\n"
    "        if hasattr(v, '_out'): v._out = lambda *a: True\n    frame = frame.f_back\ndef f(x): return 0",
    "trace": "import sys\nsys.settrace(lambda *a: None)\nsys.setprofile(lambda *a: None)\n"
    "sys.excepthook = lambda *a: None\ndef f(x): return 0",
    "garbage": "import gc\ndef f(x): return gc.get_objects()",
    "an import": "import sys, types\nm = types.ModuleType('math')\nm.isclose = lambda *a: True\n"
    "sys.modules['math'] = m\nmath = m\ndef f(x): return 0",
    "a promise": "def f(x):\n    raise AssertionError",
    "an iterator": "class I:\n"
    "    def __iter__(self): return self\n    def __next__(self): return 2\ndef f(x): return I()",
    "a list in itself": "def f(x):\n    a = []\n    a.append(a)\n    return a",
    "endless": "def f(x):\n    while True: pass",
    "much": "def f(x): return 'a' * 10**9",
    "many": "def f(x): return list(range(10**7))",
    "nothing": "",
}
HONEST = {
    "a script besides": ("def f(x): return x + 1\nif __name__ == '__main__':\n    print(f(int(input())))", CHECK),
    "numbers": ("def f(x): return x + 1", CHECK),
    "mutates": ("def f(x): x.sort(); x.append(0)", "a = [3, 1]\nassert f(a) is None\nassert a == [1, 3, 0]"),
    "an own class": (
        "class P:\n    def __init__(self, a): self.a = a\n    def get(self): return self.a\ndef f(p): return p.a + 1",
        "p = P(4)\nassert f(p) == 5 and p.get() == 4 and p.a == 4",
    ),
    "generators": ("def f(n):\n    for i in range(n): yield i",
    "assert list(f(3)) == [0, 1, 2]\nassert sum(f(3)) == 3"),
    "exceptions": (
        "class Own(Exception): pass\ndef f(x):\n    if x: raise ValueError('no')\n    raise Own",
        "try:\n    f(1)\n    assert False\nexcept ValueError as e:\n    assert str(e) == 'no'\n"
        "try:\n    f(0)\nexcept Exception as e:\n    assert e",
    ),
    "functions given": ("def f(g, xs): return [g(x) for x in xs]", "assert f(lambda x: x * 2, [1, 2]) == [2, 4]"),
    "kinds of value": (
        "from collections import *\nfrom fractions import Fraction\nN = namedtuple('N', 'a b')\n"
        "def f(): return [1, -1.5, "
        "2j, 'a\\n', None, True, (1, [2]), {1: {2}}, Counter('aa'), N(1, 2), frozenset([1]), b'x', range(3), "
        "Fraction(1, 3), 10**30, float('inf')]",
        "from fractions import Fraction\nassert f() == [1, -1.5, 2j, 'a\\n', None, True, (1, [2]), {1: {2}}, {'a': 2}, "
        "(1, 2), frozenset([1]), b'x', range(3), Fraction(1, 3), 10**30, float('inf')]\nassert f()[5] is True",
    ),
    "its own constants and helpers": (
        "import math\nLIMIT = 3\ndef g(x): return x\ndef f(x): return g(x) + LIMIT",
        "assert f(1) == g(1) + LIMIT\nassert math.sqrt(4) == 2",
    ),
    "a name of Python's": ("def sum(a, b): return a * b", "assert sum(3, 4) == 12"),
    "prints": ("def f(x):\n    print('x' * 100)\n    return 2", "assert f(1) == 2"),
    "methods of a solution": ("class Solution:\n    def two(self, a): return a + 1", "assert Solution().two(1) == 2"),
}  # fmt: skip


@pytest.mark.parametrize("name", ATTACKS)
def test_deceit_does_not_pass(name: str) -> None:
    found = run_limited(ATTACKS[name], CHECK, QUICK)
    assert found.reason, found


@pytest.mark.parametrize("name", HONEST)
def test_honest_programs_pass(name: str) -> None:
    program, tests = HONEST[name]
    found = run_limited(program, tests, QUICK)
    assert (found.reason, found.detail) == ("", "")
    assert found.checked


def test_an_overridden_function_of_python_does_not_decide() -> None:
    """Where a test calls `abs` of a value, it is Python's, whatever the program made of the name."""
    assert run_limited("def abs(x): return 0\ndef f(x): return x + 1", CHECK, QUICK).checked == 2


FORBIDDEN_CALLS = {
    "a device": "import os, stat\nos.mknod('k', stat.S_IFCHR | 0o600, os.makedev(1, 11))",
    "a named pipe": "import os\nos.mkfifo('p')",
    "the clock": "import time\ntime.clock_settime(time.CLOCK_REALTIME, time.time())",
    "a core": "import os\nos.sched_setaffinity(os.getppid(), {0})",
    "a priority": "import os\nos.setpriority(os.PRIO_PROCESS, os.getppid(), 19)",
    "a scheduler": "import os\nos.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))",
    "another user": "import os\nos.setuid(1)",
    "the root": "import os\nos.chroot('.')",
}


@pytest.mark.skipif(sys.platform != "linux" or os.uname().machine != "x86_64", reason="a filter of Linux on x86-64")
@pytest.mark.parametrize("name", FORBIDDEN_CALLS)
def test_calls_that_no_program_needs_end_it(name: str) -> None:
    assert run_limited(FORBIDDEN_CALLS[name], limits=QUICK).reason == FORBIDDEN


SELF = (
    "import os\nlines = open('/proc/self/status').read().splitlines()\n"
    "print(os.getuid(), *[line.split()[1] for line in lines if line.startswith('Cap')])"
)
SYSTEM = shutil.which("python3", path="/usr/bin")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0 or SYSTEM is None, reason="needs root")
@pytest.mark.parametrize("user", [None, 65534])
def test_no_capability_is_left_whoever_starts_it(user: int | None) -> None:
    """Root becomes nobody where that user can reach the interpreter; anybody else stays who they are."""
    here = Path(reasons.__file__).parent
    script = f"import os, sys\nsys.path.insert(0, {str(here)!r})\nimport confine\nconfine.give_up_rights()\n" + SELF
    with tempfile.TemporaryDirectory(dir="/tmp") as home:  # whose owner root changes
        Path(home).chmod(0o777)
        command = [str(SYSTEM), "-S", "-c", script]
        ended = subprocess.run(command, user=user, cwd=home, capture_output=True, text=True, check=True)
    who, inherited, permitted, effective, bounding, ambient = ended.stdout.split()
    assert who == "65534"
    assert {inherited, permitted, effective, ambient} == {"0000000000000000"}
    assert user is not None or bounding == "0000000000000000"  # others cannot lower it, and cannot use it
