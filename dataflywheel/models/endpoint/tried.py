"""What is known of a model's answers to a kind of question before many of them are paid for."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from dataflywheel.contracts import UnreadableAnswersError
from dataflywheel.models.endpoint.request import Outcome, Reply

TRIED = 20
"""Answers after which no more are asked for where none of them can be read."""
SHOWN = 300


@dataclass(frozen=True)
class Asking:
    """Who asks, and what an answer must look like, for people."""

    name: str
    form: str


@dataclass
class Tried:
    """What is known so far of a model's answers to one kind of question."""

    readable: bool = False
    first: Reply | None = None
    """The first that could not be read, and why."""
    why: str = ""
    unreadable: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, reply: Reply, why: str) -> bool:
        """Note a reply; False where it says nothing of how the model answers: it failed, or was not sent."""
        if reply.outcome not in (Outcome.ANSWERED, Outcome.TRUNCATED, Outcome.MALFORMED):
            return False
        if reply.outcome is Outcome.MALFORMED:  # a whole reply that holds no answer, and is paid
            why = reply.detail or why or "no answer"
        self.readable |= not why
        if why:
            self.unreadable += 1
            self.first, self.why = self.first or reply, self.why or why
        return True

    def error(self, asking: Asking, model: str) -> UnreadableAnswersError:
        reply = self.first or Reply(Outcome.MALFORMED)
        return UnreadableAnswersError(
            f"{asking.name}: none of the first {self.unreadable} answers of {model} can be read, so no more were asked "
            f"for; the first one: {escaped(reply.text)} ({self.why}); expected: {asking.form}. Name a model that "
            "follows instructions, or another method; what was answered is kept, and not paid for again"
        )


def escaped(text: str, most: int = SHOWN) -> str:
    """The beginning of a text from elsewhere, in quotes and in one line: what a terminal might obey is spelt out."""
    return repr(text[:most]) + (" and so on" if len(text) > most else "")
