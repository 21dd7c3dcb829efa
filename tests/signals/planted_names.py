"""A recogniser whose names are planted, in place of a model; spaCy is not needed for it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

import pytest

from dataflywheel.signals.safety import name_recogniser, names_found, personal_data, personal_data_options
from dataflywheel.signals.safety.personal_data_patterns import Span


class Planted:
    """Finds each planted name wherever it stands; like a model it knows nothing of code, patterns and stand-ins."""

    def __init__(self, names: Mapping[str, str], most: int) -> None:
        self.names, self.most = names, most
        self.read: list[str] = []
        self.pattern = re.compile("|".join(map(re.escape, sorted(names, key=len, reverse=True))))

    def find(self, texts: Sequence[str]) -> list[list[Span]]:
        self.read += texts
        return [[Span(self.names[m[0]], *m.span()) for m in self.pattern.finditer(text)][: self.most] for text in texts]


def plant(
    monkeypatch: pytest.MonkeyPatch, names: Mapping[str, str], identity: str = "planted-1", most: int = 99
) -> Planted:
    """Let every `names:` mean this recogniser, which finds so many names of a text."""
    planted = Planted(names, most)
    monkeypatch.setattr(names_found, "recogniser", lambda named: planted)
    for place in (personal_data, personal_data_options, name_recogniser):
        monkeypatch.setattr(place, "check_names", lambda named: None)
        monkeypatch.setattr(place, "names_identity", lambda named: identity)
    return planted


def module(name: str, **held: object) -> ModuleType:
    """A module that counts as installed."""
    made = ModuleType(name)
    made.__spec__ = ModuleSpec(name, None)
    for key, value in held.items():
        setattr(made, key, value)
    return made


def found(texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> Iterator[list[tuple[str, str]]]:
    """Types and texts of spans."""
    for text, of_text in zip(texts, spans, strict=True):
        yield [(span.type, text[span.start : span.end]) for span in of_text]
