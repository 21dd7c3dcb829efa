"""Small plugins as users write them."""

from __future__ import annotations

from pathlib import Path

CARD = """
from typing import ClassVar
import numpy as np, pyarrow as pa
from dataflywheel.contracts import Card, Selection, Selector, Signal, Status

def card(category, subcategory, summary):
    return Card(title="Mine", authors="", year=2026, paper="", category=category, subcategory=subcategory,
                summary=summary, checked="by hand")
"""
SIGNAL = (
    CARD
    + """
class Vowels(Signal):
    card: ClassVar[Card] = card("signals", "text", "Counts vowels.")
    columns: ClassVar[dict] = {"count": pa.int32()}

    def measure(self, batch):
        said = [turns[-1]["content"] for turns in batch.column("messages").to_pylist()]
        count = [sum(letter in "aeiou" for letter in text) FACTOR for text in said]
        return {"count": np.array(count, np.int32), "status": np.zeros(len(said), np.uint8)}


class FewVowels(Selector):
    card: ClassVar[Card] = card("selection", "static", "Rows with few vowels.")

    def needs(self):
        return ("vowels.count",)

    def rank(self, columns, budget, rng):
        order = np.lexsort((columns.ids, columns["vowels.count"]))
        return Selection(order, -columns["vowels.count"][order].astype(float), "few vowels")
"""
)


def write_vowels(path: Path, factor: str = "") -> Path:
    """A signal and the selector that reads it."""
    path.write_text(SIGNAL.replace("FACTOR", factor), encoding="utf-8")
    return path
