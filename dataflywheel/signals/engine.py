"""Where signals are measured: in threads of this machine, or on a Ray cluster."""

from __future__ import annotations

import os
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from dataflywheel.contracts import UsageError


class Engine(BaseModel):
    """The recipe's `engine`: `local` (threads, or `auto`) or `ray` (`auto` for this machine, or an address)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    local: Literal["auto"] | int | None = None
    """Threads, or `auto`."""
    ray: str | None = None
    """`auto`, or the address of a cluster."""
    gpus: float = 0
    """GPUs for each instance of a signal that needs a model."""
    concurrency: int = 1
    """Instances of a signal that needs a model."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.local is not None and self.ray is not None:
            raise ValueError("give `local` or `ray`, not both")
        if isinstance(self.local, int) and self.local < 1:
            raise ValueError("local: at least one thread, or `auto`")
        return self

    @property
    def threads(self) -> int:
        """Batches that are worked on at a time on this machine."""
        return self.local if isinstance(self.local, int) else os.cpu_count() or 1

    def start(self) -> Any:
        """Daft, which runs on the Ray cluster from now on.

        Raises:
            UsageError: Daft or Ray is not installed.
        """
        os.environ.setdefault("DAFT_PROGRESS_BAR", "0")
        try:
            import daft
            import ray
        except ImportError as error:
            raise UsageError(f"engine: {error.name} is not installed; pip install 'dataflywheel[ray]'") from None
        if self.ray == "auto" and not ray.is_initialized():
            ray.init(include_dashboard=False, log_to_driver=False, logging_level="ERROR")
        daft.set_runner_ray(None if self.ray == "auto" else self.ray, noop_if_initialized=True)
        return daft
