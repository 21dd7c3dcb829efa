"""What whoever compares two answers is told to do, where nothing else is said."""

from __future__ import annotations

TASK = (
    "You compare two answers to one prompt, answer_1 and answer_2. Decide which one serves the person who wrote the "
    "prompt better: it does what was asked, is correct, and is no longer or fancier than it needs to be. The order in "
    "which the answers stand, their length and their style are no merits in themselves."
)
