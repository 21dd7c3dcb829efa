"""What a result depends on, as digests: texts, files, folders of models."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dataflywheel.models.files import folder_digest
from dataflywheel.models.packaged import packaged, packaged_folder
from dataflywheel.recipe.schema import Recipe


def digest(*parts: Any) -> str:
    """16 hex digits over the text of the parts."""
    return hashlib.blake2b("\x1f".join(str(part) for part in parts).encode(), digest_size=8).hexdigest()


def model_contents(recipe: Recipe) -> str:
    """Digests of the models that lie in local folders, whose contents may change under the same name."""
    models = recipe.models
    given = [models.student.hf, models.embedder.hf, *(m.hf for m in (models.scorer, models.teacher) if m)]
    folders = [packaged_folder(name) if packaged(name) else Path(name).expanduser() for name in given if name]
    return ":".join(folder_digest(folder) for folder in folders if folder.is_dir())


def named_contents(given: Any) -> list[str]:
    """Digests of the files and model folders that parameters name, in the order in which they stand there: labels,
    expert revisions, a step's own model, the file of a function (`./metrics.py:score`)."""
    if isinstance(given, Mapping):
        return [found for value in given.values() for found in named_contents(value)]
    if isinstance(given, list | tuple):
        return [found for value in given for found in named_contents(value)]
    path = os.path.expanduser(given) if isinstance(given, str) else ""
    file, _, function = path.rpartition(":")
    path = file if file.endswith(".py") and function.isidentifier() else path  # a function of the user's
    if os.path.isfile(path):
        return [hashlib.blake2b(Path(path).read_bytes(), digest_size=8).hexdigest()]
    return [folder_digest(Path(path))] if os.path.isfile(os.path.join(path, "config.json")) else []
