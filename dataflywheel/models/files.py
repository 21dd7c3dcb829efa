"""Where models lie on disk, and their identity by content."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from dataflywheel.contracts import FlywheelError, UsageError

PATTERNS = ("*.safetensors", "*.json", "*.txt", "*.model", "*.jinja")


def models_folder(given: Path | None = None) -> Path:
    """The folder for models made here: the environment's `FLYWHEEL_CACHE`, else `given`, else `.flywheel/models`."""
    return Path(os.environ.get("FLYWHEEL_CACHE") or given or Path(".flywheel") / "models")


@lru_cache(maxsize=64)
def resolve_folder(name: str, cache_dir: Path | None = None) -> Path:
    """The local folder of a model: `name` itself where it is one, else the hub's snapshot (fetched when absent).

    Raises:
        UsageError: no such folder, or it holds no safetensors weights.
        FlywheelError: the hub has no such model or cannot be reached.
    """
    folder = Path(name).expanduser()
    if not folder.is_dir():
        if named_like_a_path(name):
            raise UsageError(f"model folder {name!r} does not exist; give a folder with config.json, or a hub name")
        folder = _snapshot(name, cache_dir)
    if not any(folder.glob("*.safetensors")):
        raise UsageError(f"{folder} holds no *.safetensors file; save the model with `safe_serialization=True` first")
    return folder


@lru_cache(maxsize=64)
def tokenizer_folder(name: str) -> Path:
    """The local folder of a tokenizer: `name` itself where it is one, else the hub's, whose weights are left there.

    Raises:
        UsageError: no such folder, or it holds no tokenizer.
        FlywheelError: the hub has no such model or cannot be reached.
    """
    folder = Path(name).expanduser()
    if not folder.is_dir():
        if named_like_a_path(name):
            raise UsageError(f"folder {name!r} does not exist; give one that holds a tokenizer, or a hub name")
        folder = _snapshot(name, None, [pattern for pattern in PATTERNS if pattern != "*.safetensors"])
    if not (folder / "tokenizer.json").exists():
        raise UsageError(f"{folder} holds no tokenizer.json; save the tokenizer with `save_pretrained` first")
    return folder


def named_like_a_path(name: str) -> bool:
    """Whether it can be no name of the hub."""
    return Path(name).expanduser().is_absolute() or name.startswith(".") or name.count("/") > 1


def _snapshot(name: str, cache_dir: Path | None, patterns: Sequence[str] = PATTERNS) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=list(patterns), cache_dir=cache_dir))
    except Exception as error:
        why = f"model {name!r} is no local folder, and from the hub it cannot be fetched: {_of_the_hub(error)}"
        raise FlywheelError(why) from error


def _of_the_hub(error: Exception) -> str:
    """What came of asking the hub, and the way out."""
    named = {kind.__name__ for kind in type(error).__mro__}
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror} ({error.filename})" if error.filename else error.strerror
    if "GatedRepoError" in named:
        return "its owner wants to be asked first; accept its terms on its page and set HF_TOKEN"
    if "RepositoryNotFoundError" in named or "HFValidationError" in named:
        return "there is no such model; look at its name, or set HF_TOKEN if it is private"
    if "HfHubHTTPError" in named:
        return f"the hub refused ({str(error).splitlines()[0]})"
    return "the hub cannot be reached and no earlier copy is here; give a local folder, or try again with a network"


def folder_digest(folder: Path) -> str:
    """16 hex digits over the weights, configuration, tokenizer and template files: equal files, equal model."""
    paths = sorted({path for pattern in PATTERNS for path in folder.rglob(pattern) if path.is_file()})
    stamp = tuple((str(p), p.stat().st_mtime_ns, p.stat().st_size) for p in paths)
    return _digest(folder, stamp)


@lru_cache(maxsize=64)
def _digest(folder: Path, stamp: tuple[tuple[str, int, int], ...]) -> str:
    """Contents are read once a process; `stamp` makes a changed file a new entry of the cache."""
    whole = hashlib.blake2b(digest_size=8)
    for path, _, size in stamp:
        whole.update(f"{Path(path).relative_to(folder)}:{size}:".encode())
        with open(path, "rb") as file:
            whole.update(hashlib.file_digest(file, hashlib.blake2b).digest())
    return whole.hexdigest()
