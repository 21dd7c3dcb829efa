"""A run's folder in place of its rows: what it ended with counts, and not the rows of each of its steps."""

from __future__ import annotations

from pathlib import Path

from dataflywheel.contracts import UsageError

CARD = "README.md"


def result_of(folder: Path) -> Path:
    """The folder of the final rows where `folder` is a run, else the folder itself.

    Raises:
        UsageError: the run has no data set.
    """
    if not all((folder / name).is_file() for name in ("recipe.yaml", "plan.json")):
        return folder
    if (folder / "dataset").is_dir():
        return folder / "dataset"
    partial = folder / "dataset.partial"
    more = f", or name {partial}, which holds the rows so far" if partial.is_dir() else ""
    raise UsageError(f"{folder}: this run is not finished and has no data set; run its recipe again{more}")
