"""llama.cpp's server with SmolLM2-135M-Instruct, in a process of its own, as long as a block of code runs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

PORT = 18765
"""One and the same in every run, since stored answers are those of an address."""
SERVE = """
import sys, time
import xllamacpp
given = xllamacpp.CommonParams()
given.model.path = sys.argv[1]
given.n_ctx, given.n_parallel, given.warmup = 8192, 2, False
given.cpuparams.n_threads = int(sys.argv[2])
given.hostnames, given.port = ["127.0.0.1"], int(sys.argv[3])
server = xllamacpp.Server(given)
print(server.listening_address, flush=True)
sys.stdin.read()  # until whoever started it has gone
"""


@contextmanager
def served() -> Iterator[str]:
    """The address of the server, as `endpoint` takes it."""
    from dataflywheel.models.packaged import check_packaged

    command = [
        sys.executable,
        "-c",
        SERVE,
        str(check_packaged("packaged/smollm2")),
        str(len(os.sched_getaffinity(0))),
        str(PORT),
    ]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            address = ""
            while not address.startswith("http"):
                line = process.stdout.readline()
                if not line:
                    raise RuntimeError(f"the server did not start: is xllamacpp installed, and the port {PORT} free?")
                address = line.strip()
            yield f"{address}/v1"
        finally:
            process.stdin.close()
            process.terminate()
