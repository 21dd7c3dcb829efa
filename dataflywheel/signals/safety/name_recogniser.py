"""Names of persons, places and organisations in text, by a model that the user names: what has no form to find it by.

`names` is an installed spaCy pipeline, the folder of one, or `presidio` (with its own pipeline, else
`presidio:PIPELINE`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

from dataflywheel.signals.safety.personal_data_patterns import Span
from dataflywheel.signals.safety.presidio_names import PresidioNames, check_presidio, presidio_identity
from dataflywheel.signals.safety.spacy_names import SpacyNames, check_pipeline, pipeline_identity

PRESIDIO = "presidio"
CHARS_A_SECOND = 15_000
"""That a small pipeline reads on one core, for estimates."""


class Recogniser(Protocol):
    """What finds names."""

    def find(self, texts: Sequence[str]) -> list[list[Span]]:
        """The names in each text, in order, without overlaps."""


def check_names(names: str) -> None:
    """See that the recogniser is installed and finds names, without loading it.

    Raises:
        UsageError: it is not or does not; says how to get one.
    """
    kind, _, pipeline = names.partition(":")
    if kind == PRESIDIO:
        check_presidio(pipeline)
    else:
        check_pipeline(names)


def names_identity(names: str) -> str:
    """Name and version of the recogniser, of a folder also a digest of its files: equal ones find the same.

    Raises:
        UsageError: it is not installed.
    """
    kind, _, pipeline = names.partition(":")
    return presidio_identity(pipeline) if kind == PRESIDIO else pipeline_identity(names)


def recogniser(names: str) -> Recogniser:
    """The recogniser, loaded once a process and version.

    Raises:
        UsageError: it is not installed, or finds no names.
    """
    check_names(names)
    return _loaded(names, names_identity(names))


@lru_cache(maxsize=2)
def _loaded(names: str, identity: str) -> Recogniser:
    """`identity` makes a changed one a new entry."""
    kind, _, pipeline = names.partition(":")
    return PresidioNames(pipeline) if kind == PRESIDIO else SpacyNames(names)
