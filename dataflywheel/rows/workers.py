"""Blocks to worker processes and back, in order.

Workers are fresh interpreters that speak over pipes rather than children of `multiprocessing`: those import the
caller's main module again, which breaks scripts without a main guard.
"""

from __future__ import annotations

import gc
import os
import pickle
import struct
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import IO, Any

from dataflywheel.contracts import FlywheelError
from dataflywheel.rows.spill import Spilled, Task, spill_task

SIZE = struct.Struct("<Q")


def send(pipe: IO[bytes], value: Any) -> None:
    data = pickle.dumps(value, protocol=5)
    pipe.write(SIZE.pack(len(data)))
    pipe.write(data)
    pipe.flush()


def receive(pipe: IO[bytes]) -> Any:
    """The next value.

    Raises:
        EOFError: the other side has gone.
    """
    head = pipe.read(SIZE.size)
    if len(head) < SIZE.size:
        raise EOFError
    return pickle.loads(pipe.read(SIZE.unpack(head)[0]))


def run(tasks: Iterable[Task], workers: int) -> Iterator[tuple[Task, Spilled]]:
    """Results in the order of the tasks; at most two tasks a worker are under way at a time."""
    if workers < 2:
        for task in tasks:
            yield task, spill_task(task)
        return
    local = threading.local()
    processes: list[subprocess.Popen[bytes]] = []
    waiting: deque[tuple[Task, Future[Spilled]]] = deque()
    try:
        with ThreadPoolExecutor(workers, initializer=start, initargs=(local, processes)) as pool:
            for task in tasks:
                waiting.append((task, pool.submit(ask, local, task)))
                if len(waiting) > 2 * workers:
                    done, future = waiting.popleft()
                    yield done, future.result()
            while waiting:
                done, future = waiting.popleft()
                yield done, future.result()
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def start(local: threading.local, processes: list[subprocess.Popen[bytes]]) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-c", "from dataflywheel.rows.workers import serve; serve()"]
    local.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
    processes.append(local.process)


def ask(local: threading.local, task: Task) -> Spilled:
    try:
        send(local.process.stdin, task)
        result = receive(local.process.stdout)
    except (EOFError, BrokenPipeError):
        where = f"{task.file}, line {task.block.first}"
        raise FlywheelError(f"{where}: a reading process ended early (out of memory?); try fewer workers") from None
    if isinstance(result, Exception):
        raise result
    assert isinstance(result, Spilled)
    return result


def serve() -> None:
    """What a worker does: answer tasks until there are no more. Its standard output belongs to the answers."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    gc.disable()  # rows hold no cycles, and the collector would walk all of them again and again
    while True:
        try:
            task = receive(sys.stdin.buffer)
        except EOFError:
            return
        try:
            send(answers, spill_task(task))
        except Exception as error:
            send(answers, error)
