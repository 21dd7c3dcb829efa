"""What a recipe needs on this machine: files, packages, folders of models."""

from __future__ import annotations

import glob
import importlib.util
from collections.abc import Sequence
from pathlib import Path

from dataflywheel.contracts import UsageError
from dataflywheel.models.packaged import check_packaged, packaged
from dataflywheel.models.spec import ModelSpec
from dataflywheel.recipe.sections import Source
from dataflywheel.rows.containers.find import with_part


def check_files(sources: Sequence[Source], field: str) -> None:
    for number, entry in enumerate(sources):
        if entry.path and not _exists(entry.path):
            raise UsageError(
                f"{field}[{number}].path: {entry.path} is not there (looked from {Path.cwd()}); "
                "give a file, a folder, or a data set name"
            )


def _exists(path: str) -> bool:
    path, _ = with_part(path)
    place = Path(path).expanduser()
    if any(sign in path for sign in "*?["):
        return place.exists() or any(glob.iglob(str(place), recursive=True))
    hub_name = path.count("/") == 1 and not path.startswith((".", "/", "~")) and not Path(path).suffix
    return place.exists() or hub_name


def check_packages(*names: str, extra: str = "lm") -> None:
    for name in names:
        if importlib.util.find_spec(name) is None:
            raise UsageError(f"the package {name} is needed and not installed; pip install 'dataflywheel[{extra}]'")


def check_local(spec: ModelSpec, role: str) -> None:
    if spec.endpoint:
        raise UsageError(
            f"models.{role}: an endpoint cannot be trained or give likelihoods here; use `builtin: tiny` or `hf:`"
        )
    if spec.hf and packaged(spec.hf):
        check_packaged(spec.hf)
    if spec.hf and spec.hf.startswith((".", "/", "~")) and not (Path(spec.hf).expanduser() / "config.json").exists():
        raise UsageError(
            f"models.{role}: {spec.hf} is not a model folder (no config.json); see transformers' save_pretrained"
        )
