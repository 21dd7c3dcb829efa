"""Which columns of a record of no known shape may be the prompt and the answer: a mapping for a person to look at."""

from __future__ import annotations

from typing import Any

from dataflywheel.rows.formats.draft import Record
from dataflywheel.rows.formats.names import COMPLETIONS, LESS, PROMPTS, SOLUTIONS, folded, quoted, system_key
from dataflywheel.rows.formats.turns import ROLES

ASKING = frozenset((
    "q", "question", "questions", "ask", "asked", "prompt", "instruction", "instructions", "query", "problem",
    "input", "user", "human", "source", "src", "request", "article", "document", "passage", "post", "goal",
    "task", "message", "title", "body", "situation", "premise", "sentence", "utterance", "source_text",
    "customer", "client", "frage", "pregunta", "x",
))  # fmt: skip
"""Words in the names of columns that may hold what is asked."""
SAYING = frozenset((
    "a", "answer", "answers", "ans", "response", "responses", "resp", "reply", "replies", "output", "outputs",
    "completion", "target", "tgt", "summary", "highlights", "translation", "solution", "assistant", "bot",
    "agent", "gold", "generated", "generation", "truth", "reference", "result", "antwort", "respuesta", "y",
    "model", "caption",
))  # fmt: skip
"""Words in the names of columns that may hold what is answered."""
ALONE = frozenset(("q", "question", "prompt", "instruction", "query", "problem", "goal", "task", "request", "input"))
"""Words that make a lone text a prompt, and not a document."""
NO_TEXT = frozenset((
    "id", "uuid", "hash", "url", "link", "date", "time", "timestamp", "created", "lang", "language", "license",
    "source_url", "path", "file", "name", "version", "split", "model_name", "category", "type", "topic", "key",
    "index", "idx", "metadata",
))  # fmt: skip
"""Words in the names of columns that hold neither."""
WHO = ("role", "from", "speaker", "sender", "author", "who", "name", "party", "side")
LONGEST = 4
ANSWERS = (*COMPLETIONS, *SOLUTIONS, *LESS)


def propose(record: Record) -> str:
    """`columns: {prompt: q, answer: a}` for a record, by the names, types and lengths of its fields; or nothing."""
    for key, value in record.items():
        proposal = of_turns(key, value)
        if proposal:
            return proposal
    system = system_key(frozenset(record))
    texts = {path: text for path, text in texts_of(record).items() if path != system and not words(path) & NO_TEXT}
    if not texts:
        return ""
    if len(texts) == 1:
        [only] = texts
        return (
            f"columns: {{text: {quoted(only)}}}" if not words(only) & ALONE else f"columns: {{prompt: {quoted(only)}}}"
        )
    asked = best(texts, ASKING, PROMPTS)
    answered = best(
        {path: text for path, text in texts.items() if path != asked}, SAYING, (*COMPLETIONS, *SOLUTIONS, *LESS)
    )
    longest = sorted(texts, key=lambda path: -len(texts[path]))
    asked = asked or next(path for path in [*(p for p in texts if p in longest[:2]), *longest] if path != answered)
    answered = answered or next(path for path in longest if path != asked)
    return f"columns: {{prompt: {quoted(asked)}, answer: {quoted(answered)}}}"


def answers_in(record: Record) -> list[str]:
    """The columns that may hold an answer, the likeliest first."""
    texts = texts_of(record)
    found = best(texts, SAYING, ANSWERS)
    return [found] if found is not None else []


def texts_of(record: Record, before: str = "", depth: int = LONGEST) -> dict[str, str]:
    """The texts of a record by their paths, in order; of a list its first item."""
    found: dict[str, str] = {}
    for key, value in record.items():
        path = f"{before}{key}"
        if isinstance(value, list) and value and depth:
            value, path = value[0], f"{path}[0]"
        if isinstance(value, str) and any(map(str.isalpha, value[:1000])):
            found[path] = value
        elif isinstance(value, dict) and depth:
            found |= texts_of(value, f"{path}.", depth - 1)
    return found


def words(path: str) -> frozenset[str]:
    """The words in the last name of a path."""
    return frozenset(folded(path.rsplit(".", 1)[-1].split("[")[0]).split("_"))


def best(texts: dict[str, str], hints: frozenset[str], names: tuple[str, ...]) -> str | None:
    """The column whose name is known for this, else the longest of those with a word that hints at it."""
    known = [path for path in texts if folded(path) in names]
    hinted = sorted((path for path in texts if words(path) & hints), key=lambda path: -len(texts[path]))
    return next(iter(known + hinted), None)


def of_turns(key: str, value: Any) -> str:
    """A mapping for a column that holds turns under names of their own."""
    if not isinstance(value, list) or not value or not all(isinstance(turn, dict) for turn in value):
        return ""
    who = next((name for name in WHO if all(isinstance(turn.get(name), str) for turn in value)), None)
    held = texts_of(value[0], depth=0)
    said = max((name for name in held if name != who), key=lambda name: len(held[name]), default=None)
    if who is None or said is None:
        return ""
    unknown = list(dict.fromkeys(turn[who] for turn in value if turn[who].strip().lower() not in ROLES))[:LONGEST]
    meant = dict(zip(unknown, ("user", "assistant", "tool", "system"), strict=False))
    roles = f"; roles: {{{', '.join(f'{quoted(name)}: {role}' for name, role in meant.items())}}}" if meant else ""
    return f"columns: {{messages: {quoted(key)}, role: {quoted(who)}, content: {quoted(said)}}}{roles}"
