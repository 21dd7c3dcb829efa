"""Starts one process of the jail: reads a job from standard input, gives up every right that it can, does the job."""

from __future__ import annotations

import json
import os
import sys
import types
from collections.abc import Callable
from typing import Any

VALUE_CHARS = 1000


def main() -> None:
    # The package itself imports what a jail has no use for: its place alone is made known.
    here = os.path.dirname(os.path.abspath(__file__))
    root = types.ModuleType("dataflywheel")
    root.__path__ = [os.path.dirname(os.path.dirname(here))]
    sys.modules["dataflywheel"] = root
    from dataflywheel.proposing.jail import ask, confine, reasons, serve
    from dataflywheel.proposing.jail.link import Link
    from dataflywheel.proposing.jail.watch import watch

    os.environ.pop("PWD", None)  # which the namespaces' maker sets
    report = int(sys.argv[1])
    job = json.loads(sys.stdin.buffer.read())
    sys.stdin = open(os.devnull)  # noqa: SIM115 - the program's own, for as long as it lives
    confine.limit(job["seconds"], job["memory"], job["file"])
    queries: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    if job["role"] == "query":  # whose library may lie where nothing can be read later
        from dataflywheel.proposing.jail.query import run_all

        queries = run_all
    readable = confine.readable()
    confine.give_up_rights()
    confine.confine_files(readable)
    confine.confine_calls()
    confine.forget_ctypes()
    del confine
    for name in [name for name in sys.modules if name.split(".")[0] == "dataflywheel"]:
        del sys.modules[name]
    sys.addaudithook(watch(report, os.path.realpath(os.getcwd()), readable))
    write, leave, dumps = os.write, os._exit, json.dumps
    if job["role"] == "serve":
        try:
            serve.run_and_serve(job["program"], Link(job["inbox"], job["outbox"]))
        except EOFError:
            leave(0)
    token = job["token"]
    if job["role"] == "ask":
        said = ask.test(job["tests"], Link(job["inbox"], job["outbox"]))
    elif queries is not None:
        said = queries(job)
    else:
        said = _run(job["program"], reasons.MEMORY, reasons.MUCH)
    write(report, dumps({"token": token, **said}).encode())
    leave(0)


def _run(program: str, memory: str, much: str) -> dict[str, Any]:
    """`value`: what a program without tests gives; `error`: the name of the exception that ended it."""
    space: dict[str, Any] = {"__name__": "__main__"}
    try:
        exec(compile(program, "program", "exec"), space)
        given = space["solution"]() if callable(space.get("solution")) else space.get("answer")
        value = None if given is None else str(given)[:VALUE_CHARS]
        sys.stdout.flush()
        return {"value": value}
    except MemoryError:
        return {"reason": memory}
    except BaseException as error:
        if isinstance(error, OSError) and error.errno == 27:  # the limit on a file's size
            return {"reason": much}
        return {"part": "program", "error": type(error).__name__}


if __name__ == "__main__":
    main()
