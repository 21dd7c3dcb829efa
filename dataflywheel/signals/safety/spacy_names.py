"""Names by a spaCy pipeline that is installed or lies in a folder."""

from __future__ import annotations

import hashlib
import importlib.util
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import orjson

from dataflywheel.contracts import UsageError
from dataflywheel.signals.safety.name_types import LABELS
from dataflywheel.signals.safety.personal_data_patterns import Span

NO_NAMES = frozenset(
    {
        "tok2vec", "transformer", "tagger", "morphologizer", "parser", "senter", "sentencizer", "lemmatizer",
        "attribute_ruler", "textcat", "textcat_multilabel",
    }
)  # fmt: skip
"""Components whose labels are no names, whatever they are called."""
FEATURES = ("tok2vec", "transformer", "curated_transformer")
"""Components that others may read from."""
LONGEST = 100_000
"""Characters of a text that are read at a time; longer ones are cut where a line or a word ends."""
BATCH = 64


@dataclass(frozen=True)
class Pipeline:
    """What a pipeline says of itself, read without loading it."""

    folder: Path
    identity: str
    labels: Mapping[str, Sequence[str]]
    """Labels by component."""

    @property
    def finders(self) -> list[str]:
        """The components that find names."""
        return [name for name, labels in self.labels.items() if name not in NO_NAMES and set(labels) & set(LABELS)]


def check_pipeline(names: str) -> None:
    """
    Raises:
        UsageError: spaCy or the pipeline is not installed, or it finds no names.
    """
    if importlib.util.find_spec("spacy") is None:
        raise UsageError(f"names: {names} needs the package spacy: pip install 'dataflywheel[names]'")
    found = pipeline(names)
    if found.finders:
        return
    labelled = {name: list(labels) for name, labels in found.labels.items() if labels and name not in NO_NAMES}
    told = f"labels {labelled}" if labelled else f"components {list(found.labels)}"
    raise UsageError(
        f"names: the pipeline {found.identity} finds no names: it has the {told}, and needs a named-entity recogniser "
        f"with some of the labels {', '.join(LABELS)}"
    )


def pipeline_identity(names: str) -> str:
    """Language, name and version; of a folder also a digest of its files, since many say version 0.0.0."""
    found = pipeline(names)
    return f"{found.identity}:{_digest(found.folder)}" if _is_folder(names) else found.identity


def pipeline(names: str) -> Pipeline:
    """What the pipeline says of itself.

    Raises:
        UsageError: there is none of that name.
    """
    folder = Path(names).expanduser() if _is_folder(names) else _installed(names)
    file = folder / "meta.json"
    if not file.is_file():
        raise UsageError(f"names: {names} is no spaCy pipeline (no {file.name} in {folder}); {_way_out(names)}")
    meta = orjson.loads(file.read_bytes())
    identity = f"{meta['lang']}_{meta['name']}-{meta['version']}"
    inner = folder / f"{names}-{meta['version']}"
    return Pipeline(inner if inner.is_dir() else folder, identity, meta.get("labels") or {})


def _is_folder(names: str) -> bool:
    return not names.isidentifier()


def _installed(names: str) -> Path:
    found = importlib.util.find_spec(names)
    if found is None or found.origin is None:
        raise UsageError(f"names: there is no pipeline {names}; {_way_out(names)}")
    return Path(found.origin).parent


def _way_out(names: str) -> str:
    example = names if names.count("_") >= 3 else "en_core_web_sm"
    return f"python -m spacy download {example}, or give the folder of one, such as ./{example}"


def _digest(folder: Path) -> str:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return _content(folder, tuple((str(p), p.stat().st_mtime_ns, p.stat().st_size) for p in paths))


@lru_cache(maxsize=8)
def _content(folder: Path, stamp: tuple[tuple[str, int, int], ...]) -> str:
    """Files are read once a process; `stamp` makes a changed one a new entry."""
    whole = hashlib.blake2b(digest_size=8)
    for name, _, size in stamp:
        whole.update(f"{Path(name).relative_to(folder)}:{size}:".encode())
        whole.update(Path(name).read_bytes())
    return whole.hexdigest()


class SpacyNames:
    """A pipeline with what finds names in it, and no other component."""

    def __init__(self, names: str) -> None:
        import spacy

        found = pipeline(names)
        self._nlp = spacy.load(found.folder)
        components = self._nlp.config["components"]
        listening = any("Listener" in str(components[name].get("model")) for name in found.finders)
        wanted = {*found.finders, *(FEATURES if listening else ())}
        for name in set(self._nlp.pipe_names) - wanted:
            self._nlp.disable_pipe(name)
        self._one_at_a_time = threading.Lock()  # the table of strings of a pipeline is no two threads' at once

    def find(self, texts: Sequence[str]) -> list[list[Span]]:
        """The names in each text, in order."""
        pieces = [(number, start, text) for number, whole in enumerate(texts) for start, text in cut(whole)]
        found: list[list[Span]] = [[] for _ in texts]
        with self._one_at_a_time, self._nlp.memory_zone():
            read = self._nlp.pipe((text for _, _, text in pieces), batch_size=BATCH)
            for (number, start, _), doc in zip(pieces, read, strict=True):
                found[number] += [
                    Span(LABELS[entity.label_], start + entity.start_char, start + entity.end_char)
                    for entity in doc.ents
                    if entity.label_ in LABELS
                ]
        return found


def cut(text: str, longest: int = LONGEST) -> Iterator[tuple[int, str]]:
    """A text in pieces of at most so many characters, each with its place.

    >>> list(cut("one two\\nthree", 9))
    [(0, 'one two\\n'), (8, 'three')]
    """
    start = 0
    while len(text) - start > longest:
        window = text[start : start + longest]
        end = max(window.rfind("\n"), -1) + 1 or window.rfind(" ") + 1 or longest
        yield start, text[start : start + end]
        start += end
    yield start, text[start:]
