"""What models and trainings need of this machine's memory, at least, before anything is loaded."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Sequence
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import orjson

from dataflywheel.contracts import UsageError
from dataflywheel.models.packaged import packaged
from dataflywheel.models.spec import ModelSpec
from dataflywheel.recipe.pricing import PARAMETERS
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.learning import Learning
from dataflywheel.recipe.steps.step import Step

HELD, LEARNED = 4, 16
"""Bytes of a weight: as it is held, in float32; and as it is learned, with its gradient and AdamW's two moments."""
GIB = 2**30
NVIDIA = Path("/proc/driver/nvidia/version")
CGROUP = Path("/sys/fs/cgroup/memory.max")


def check_memory(recipe: Recipe, steps: Sequence[Step]) -> Iterator[Any]:
    """Checks that no training, by what it cannot do without, is larger than this machine's memory: weights, gradients,
    moments, and the weights of a local teacher beside them. What rows take comes on top, and other programs."""
    for step in steps:
        if isinstance(step, Learning):
            yield partial(_check, recipe, step, memory())


def _check(recipe: Recipe, step: Learning, there: float) -> None:
    """
    Raises:
        UsageError: it cannot fit.
    """
    heard = "teacher" in type(step.work).model_fields
    student = weights(recipe.models.student)
    beside = weights(getattr(step.work, "teacher", None) or recipe.models.teacher) if heard else 0.0
    held = HELD * (student + beside)
    needed = held if step.work.lora else LEARNED * student + HELD * beside
    if needed <= there:
        return
    with_lora = not step.work.lora and held < there
    way = f"train adapters (`lora: {{}}`: {_gib(held)} or more)" if with_lora else "take a smaller model"
    what = f"training {'adapters of ' if step.work.lora else ''}{student / 1e9:.3g} billion weights"
    more = f" beside a teacher of {beside / 1e9:.3g} billion" if beside else ""
    raise UsageError(
        f"{step.title}: {what}{more} takes {_gib(needed)} at least, and this machine has {_gib(there)} of memory "
        f"for it; {way}, or run this on a larger machine"
    )


def _gib(bytes: float) -> str:
    return f"{bytes / GIB:,.3g} GiB"


def weights(spec: ModelSpec | None) -> float:
    """Weights of a model as far as they are known here: of a folder as its files say; 0 of a name of the hub, and where
    there is no model or it is asked over a network."""
    if spec is None or spec.endpoint:
        return 0.0
    if spec.builtin:
        return PARAMETERS.get(spec.size, 0.0) if not packaged(spec.hf) else 0.0
    if known := packaged(spec.hf):
        return float(known.parameters)
    folder = Path(str(spec.hf)).expanduser()
    return float(sum(map(weights_in, folder.glob("*.safetensors")))) if folder.is_dir() else 0.0


def weights_in(file: Path) -> int:
    """Weights in a file of safetensors, by its header; 0 where it has none that can be read."""
    try:
        with file.open("rb") as opened:
            (length,) = struct.unpack("<Q", opened.read(8))
            header = orjson.loads(opened.read(min(length, 2**27)))
        return sum(prod(one["shape"]) for name, one in header.items() if name != "__metadata__")
    except (OSError, struct.error, ValueError, KeyError, TypeError, AttributeError):
        return 0


def memory() -> float:
    """Bytes that models may take: those of the accelerator where there is one, else of the machine or of the limit that
    this process runs under."""
    if NVIDIA.exists():
        import torch

        if torch.cuda.is_available():
            return float(torch.cuda.get_device_properties(0).total_memory)
    whole = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    try:
        return min(whole, float(CGROUP.read_text()))
    except (OSError, ValueError):  # "max": there is no limit
        return whole
