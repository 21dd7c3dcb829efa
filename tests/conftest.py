"""Shared fixtures: where real data lies, and quiet, single-threaded numeric libraries."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.endpoint import Endpoint

# The same examples in every run: a law that fails fails for everybody.
settings.register_profile("seeded", derandomize=True, deadline=None)
settings.load_profile("seeded")
if "PYTEST_XDIST_WORKER" in os.environ:  # one core each, for what a test starts too
    os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("FLYWHEEL_CACHE", str(Path(__file__).resolve().parent / ".cache"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests first, so that no core waits for another at the end."""
    items.sort(key=lambda item: "slow" not in item.keywords)


@pytest.fixture(autouse=True)
def own_garbage() -> Iterator[None]:
    """A test collects the garbage of its own, not what libraries and other tests hold: its time is its own, too.

    What it left open is closed with it.
    """
    gc.freeze()
    yield
    gc.collect()
    gc.unfreeze()


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real data sets; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("FLYWHEEL_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("real data not found: set FLYWHEEL_DATA to the folder that holds alpaca_pool, p3_multitask, ...")
    return folder


@pytest.fixture(scope="session")
def endpoint_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """One scripted endpoint for all tests of a session."""
    with Endpoint(tmp_path_factory.mktemp("endpoint") / "bill.jsonl") as running:
        yield running


@pytest.fixture
def endpoint(endpoint_process: Endpoint) -> Endpoint:
    """The scripted endpoint with an empty bill and the default plan: `.url`, `.configure(**plan)`, `.bill()`."""
    endpoint_process.reset()
    return endpoint_process
