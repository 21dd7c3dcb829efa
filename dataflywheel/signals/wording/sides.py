"""A text before and after it was rewritten, and which of its sentences became which."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from dataflywheel.signals.wording import marked, negation
from dataflywheel.signals.wording.sentences import sentences
from dataflywheel.signals.wording.turned_round import turned_round


@dataclass(frozen=True)
class Sides:
    """A text before and after it was rewritten."""

    before: str
    after: str
    additions: bool = False
    """Whether anything may be added, and a sentence be written anew or left out, as a revision does."""

    @classmethod
    def of(cls, before: str, after: str, additions: bool = False) -> Sides:
        """Two texts, the second one with sentences turned back that say the same with their sides exchanged."""
        made = cls(before, after, additions)
        for one, other in made.versions:
            if turned_round(one, other) == "same":
                after = after.replace(other, one, 1)
        return made if after is made.after else cls(before, after, additions)

    @cached_property
    def prose(self) -> tuple[str, str]:
        """Without code and links."""
        return marked.prose(self.before), marked.prose(self.after)

    @cached_property
    def sentences(self) -> tuple[list[str], list[str]]:
        return sentences(self.prose[0]), sentences(self.prose[1])

    @cached_property
    def versions(self) -> list[tuple[str, str]]:
        """Sentences that were changed, each with what became of it."""
        return negation.aligned(*self.sentences)

    @cached_property
    def compared(self) -> list[tuple[str, str]]:
        """The pieces of text that must hold the same: all of it, or where texts may be added versions of sentences."""
        return self.versions if self.additions else [self.prose]
