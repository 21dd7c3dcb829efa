"""What Evol-Instruct throws away: an evolved instruction that failed, told by four rules of its paper (2304.12244)."""

from __future__ import annotations

import re
from functools import cache

NO_GAIN = "no information gain"
"""The first rule, asked of the model: the evolved instruction asks for nothing more."""
LEAK = "leaked prompt words"
SHORT = 80
"""Words: an answer with "sorry" in it and fewer of them could not answer."""
_SORRY = re.compile(r"\bsorry\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_LEAKED = re.compile(
    r"\b(?:given|rewritten|created|evolved|original|new|above|this)[ _-](?:prompt|instruction)s?\b"
    r"|#(?:the )?\w+ prompt#|\bprompt (?:creator|rewriter)\b"
    r"|\brewrit(?:e|ten|ing) (?:of )?the (?:prompt|instruction)\b",
    re.IGNORECASE,
)


def could_not_answer(answer: str) -> bool:
    """The answer says sorry and is short.

    >>> could_not_answer("I'm sorry, I cannot do that."), could_not_answer("Say sorry. " + "Then explain. " * 60)
    (True, False)
    """
    return bool(_SORRY.search(answer)) and len(answer.split()) < SHORT


def says_nothing(answer: str) -> bool:
    """The answer is of punctuation and stop words alone.

    >>> says_nothing("It is what it is."), says_nothing("... -- !"), says_nothing("It is 42.")
    (True, True, False)
    """
    words = [word.casefold() for word in _WORD.findall(answer)]
    return all(word in _stop_words() or _without_ending(word) in _stop_words() for word in words)


def leaks_prompt(instruction: str, before: str) -> bool:
    """The evolved instruction speaks of the rewriting itself, in words that the one before did not have.

    >>> leaks_prompt("Rewritten Prompt: name two birds.", "Name two birds.")
    True
    >>> leaks_prompt("Improve this instruction: sit.", "Say this instruction louder: sit.")
    False
    """
    had = {found.casefold() for found in _LEAKED.findall(before)}
    return any(found.casefold() not in had for found in _LEAKED.findall(instruction))


def eliminated(answer: str) -> str:
    """Why an evolution failed by its answer, or ""."""
    if could_not_answer(answer):
        return "could not be answered"
    return "answer says nothing" if says_nothing(answer) else ""


def _without_ending(word: str) -> str:
    return re.split("['\u2019]", word)[0]


@cache
def _stop_words() -> frozenset[str]:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return frozenset(ENGLISH_STOP_WORDS)
