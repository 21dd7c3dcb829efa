"""Where the work runs: Daft on this machine, or the same plan on a Ray cluster."""

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

    def start(self) -> Any:
        """Daft with its runner set. A process has one runner for life, as Daft does.

        Raises:
            UsageError: Ray not installed, or another runner is already in use.
        """
        os.environ.setdefault("DAFT_PROGRESS_BAR", "0")
        import daft

        running = daft.get_or_infer_runner_type() if _started else None
        wanted = "ray" if self.ray else "native"
        if running is not None:
            if running != wanted:
                raise UsageError(f"engine: this process already runs on {running}; start a new one for {wanted}")
            return daft
        if self.ray:
            try:
                import ray
            except ImportError:
                raise UsageError("engine: ray is not installed; pip install 'dataflywheel[ray]'") from None
            if self.ray == "auto" and not ray.is_initialized():
                ray.init(include_dashboard=False, log_to_driver=False, logging_level="ERROR")
            daft.set_runner_ray(None if self.ray == "auto" else self.ray, noop_if_initialized=True)
        else:
            threads = self.local if isinstance(self.local, int) else None
            daft.set_runner_native(num_threads=threads)
        _started.append(wanted)
        return daft


_started: list[str] = []
