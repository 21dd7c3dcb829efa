"""Batches that are worked on a few at a time, in threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context

import pyarrow as pa

WAKE_SECONDS = 0.5


def side_by_side(
    batches: Iterable[pa.RecordBatch], work: Callable[[pa.RecordBatch], pa.RecordBatch], threads: int = 2
) -> Iterator[pa.RecordBatch]:
    """What `work` makes of each batch, in order; it works on the next ones meanwhile, one a thread.

    After an interruption or an error nobody waits for the batches beside it.
    """
    pool = ThreadPoolExecutor(threads)
    under_way: deque[Future[pa.RecordBatch]] = deque()
    try:
        for batch in batches:
            # In this thread's context: what is asked there is paid on the account that is open here.
            under_way.append(pool.submit(copy_context().run, work, batch))
            if len(under_way) >= max(threads, 2):
                yield _result(under_way.popleft())
        while under_way:
            yield _result(under_way.popleft())
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _result(batch: Future[pa.RecordBatch]) -> pa.RecordBatch:
    """Wakes up now and then: some systems show an interruption between waits only."""
    while not wait([batch], timeout=WAKE_SECONDS).done:
        pass
    return batch.result()
