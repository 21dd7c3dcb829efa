"""What a document is about, as its row's prompt names it."""

from __future__ import annotations

import re

_QUOTED = re.compile(r"((?:\b[Tt]he (?:[\w-]+ ){0,4})?)(`[^`\n]{1,120}`|\"[^\"\n]{2,120}\"|“[^”\n]{2,120}”)")
_VERBS = r"(?:is|are|was|were|does|do|did|can|could|should|would|has|have|will)"
_OPENINGS = re.compile(
    rf"how to \w+\s+|what causes\s+|what to do for\s+|who is at risk (?:for|of)\s+"
    rf"|(?:what|who|which|where|when|why|how)(?:'s|\s+{_VERBS}(?:\s*\((?:is|are)\))?)\s+"
    rf"|(?:please\s+)?(?:can you\s+|could you\s+)?(?:tell me|explain|describe|define|summari[sz]e|discuss|introduce"
    rf"|outline|write|give(?: me)?|provide)\b(?:\s+(?:an?|some|the)\s+(?:\w+\s+){{0,2}}(?:of|on|about|for|to))?"
    rf"(?:\s+(?:what|who|how))?(?:\s+about)?\s+",
    re.IGNORECASE,
)
_CLOSINGS = re.compile(r"\s+(?:do|does|mean|means|for|work|works|about|is|are|used for|like)$", re.IGNORECASE)
LONGEST = 15
"""Words: what is longer is no name of a subject but a text of its own."""


def subject_of(prompt: str) -> str:
    """The subject in words that fit into a question; "" where the prompt names none.

    A name in quotes or backquotes counts with the words that say what it is; else the question without its opening.

    >>> subject_of("What does the Python function `os.walk` do?"), subject_of("What is (are) Acromegaly ?")
    ('the Python function `os.walk`', 'Acromegaly')
    >>> subject_of("Tell me about the life of bees."), subject_of("Continue.\\n\\n" + "word " * 40)
    ('the life of bees', '')
    """
    line = prompt.strip()
    if len(line.split()) > 2 * LONGEST or "\n" in line:
        return ""
    quoted = _QUOTED.search(line)
    if quoted is not None:
        kind = quoted[1]
        return f"{kind[:1].lower()}{kind[1:]}{quoted[2]}"
    opening = _OPENINGS.match(line)
    if opening is None:
        bare = line.rstrip(" .:")
        return bare if bare and len(bare.split()) <= 6 and not line.endswith(("?", "!")) else ""
    rest = _CLOSINGS.sub("", line[opening.end() :].rstrip(" ?.!:"))
    return rest if 0 < len(rest.split()) <= LONGEST else ""
