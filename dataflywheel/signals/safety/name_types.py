"""Types of names, and what models call them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

NameType = Literal["person", "place", "organisation"]
NAME_TYPES: tuple[NameType, ...] = get_args(NameType)
LABELS: Mapping[str, NameType] = {
    "PERSON": "person",
    "PER": "person",
    "GPE": "place",
    "LOC": "place",
    "LOCATION": "place",
    "FAC": "place",
    "ORG": "organisation",
    "ORGANIZATION": "organisation",
    "ORGANISATION": "organisation",
}
"""Of OntoNotes, CoNLL and Presidio; what other labels mean is not known, and they are passed over."""
