"""The splits that a data set's card declares: which files are which, whatever their names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FRONT = re.compile(r"\A\ufeff?---\r?\n(.*?)\r?\n---\s*(?:\n|\Z)", re.DOTALL)
CARD_BYTES = 1 << 18
DEFAULT = "default"


def declared(folder: Path) -> dict[Path, tuple[str, str]]:
    """Configuration and split by file, as `configs` in the head of the folder's README.md has them; empty without.

    The configuration that is taken where none is named is `DEFAULT`. A file of several splits belongs to the first, of
    several configurations to that one or else to the first; what is declared badly is not declared.
    """
    card = folder / "README.md"
    try:
        with card.open(encoding="utf-8") as text:
            head = FRONT.match(text.read(CARD_BYTES))
    except (OSError, UnicodeDecodeError):
        return {}
    if head is None or "data_files" not in head[1]:
        return {}
    import yaml

    from dataflywheel.rows.plain_yaml import read_yaml

    try:
        _, facts = read_yaml(head[1])
    except yaml.YAMLError:
        return {}
    found: dict[Path, tuple[str, str]] = {}
    configs = facts.get("configs") if isinstance(facts, dict) else None
    named = [config for config in configs if isinstance(config, dict)] if isinstance(configs, list) else []
    for config in sorted(named, key=lambda config: not usual(config)):
        name = DEFAULT if usual(config) else str(config.get("config_name", ""))
        for split, pattern in patterns(config.get("data_files")):
            for file in matching(folder, str(config.get("data_dir") or ""), pattern):
                found.setdefault(file, (name, split))
    return found


def usual(config: dict[str, Any]) -> bool:
    """Whether a configuration is the one that is meant where none is named."""
    return config.get("default") is True or config.get("config_name", DEFAULT) == DEFAULT


def patterns(files: Any) -> Iterator[tuple[str, str]]:
    """Splits and the patterns of their files."""
    if isinstance(files, dict):
        files = [{"split": split, "path": path} for split, path in files.items()]
    for entry in files if isinstance(files, list) else [files]:
        split, held = (entry.get("split"), entry.get("path")) if isinstance(entry, dict) else ("train", entry)
        for path in held if isinstance(held, list) else [held]:
            if isinstance(path, str) and isinstance(split, str):
                yield split, path


def matching(folder: Path, inside: str, pattern: str) -> Iterator[Path]:
    """The files below the folder that a pattern of its card means; nothing outside of it."""
    if pattern.startswith("/") or ".." in Path(pattern).parts or ".." in Path(inside).parts or inside.startswith("/"):
        return
    try:
        yield from sorted(file for file in (folder / inside).glob(pattern) if file.is_file())
    except (ValueError, NotImplementedError, OSError):
        return
