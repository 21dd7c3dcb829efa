"""Which columns of a record of no known shape may be the prompt and the answer: a mapping for a person to look at."""

from __future__ import annotations

from typing import Any

from dataflywheel.rows.formats.draft import Record
from dataflywheel.rows.formats.media import media_keys
from dataflywheel.rows.formats.names import COMPLETIONS, LESS, PROMPTS, SOLUTIONS, folded, quoted, system_key
from dataflywheel.rows.formats.pair_names import PAIRS
from dataflywheel.rows.formats.paths import value_at
from dataflywheel.rows.formats.serialized import turns_in_text
from dataflywheel.rows.formats.turns import CONTENT_KEYS, ROLE_KEYS, ROLES

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
    "model", "caption", "final", "ideal", "best", "continuation", "demonstration",
))  # fmt: skip
"""Words in the names of columns that may hold what is answered."""
ALONE = frozenset(("q", "question", "prompt", "instruction", "query", "problem", "goal", "task", "request", "input"))
"""Words that make a lone text a prompt, and not a document."""
NO_TEXT = frozenset((
    "id", "uuid", "hash", "url", "link", "date", "time", "timestamp", "created", "lang", "language", "license",
    "source_url", "path", "file", "name", "version", "split", "model_name", "category", "type", "topic", "key",
    "index", "idx", "metadata", "role", "status", "reason", "object", "event", "kind", "policy", "worker",
))  # fmt: skip
"""Words in the names of columns that hold neither."""
VERDICTS = frozenset(("accept", "reject", "ignore", "stop", "length", "yes", "no", "true", "false"))
"""What a person or an endpoint says of a row."""
WHO = ("role", "from", "speaker", "sender", "author", "who", "name", "party", "side")
LONGEST = 4
ANSWERS = (*COMPLETIONS, *SOLUTIONS, *LESS)


def propose(record: Record) -> str:
    """`columns: {prompt: q, answer: a}` for a record, by the names, types and lengths of its fields; or nothing."""
    for path, value in lists_of(record).items():
        proposal = of_turns(path, value, record)
        if proposal:
            return proposal
    aside = {system_key(frozenset(record)), *(key for key, _ in media_keys(frozenset(record)))}
    found = {path: text for path, text in texts_of(record).items() if path.split(".")[0].split("[")[0] not in aside}
    texts = {path: text for path, text in found.items() if told(path, text)}
    if not texts:
        return ""
    if len(texts) == 1:
        [only] = texts
        if several(record, only):
            return ""
        return (
            f"columns: {{text: {quoted(only)}}}" if not words(only) & ALONE else f"columns: {{prompt: {quoted(only)}}}"
        )
    asked = best(texts, ASKING, PROMPTS)
    answered = best(
        {path: text for path, text in texts.items() if path != asked}, SAYING, (*COMPLETIONS, *SOLUTIONS, *LESS)
    )
    longest = sorted(texts, key=lambda path: -len(texts[path]))
    if (both := two_answers(texts)) is not None and asked is not None:
        one, other = map(quoted, both)
        return f"columns: {{prompt: {quoted(asked)}, answer: {one}, rejected: {other}}}, where the first is the better"
    asked = asked or next(path for path in [*(p for p in texts if p in longest[:2]), *longest] if path != answered)
    answered = answered or next(path for path in longest if path != asked)
    return f"columns: {{prompt: {quoted(asked)}, answer: {quoted(answered)}}}"


def told(path: str, text: str) -> bool:
    """Whether a text may be asked or answered, by its name and by what it says."""
    return not words(path) & NO_TEXT and text.strip().lower() not in ROLES and text not in VERDICTS


def several(record: Record, path: str) -> bool:
    """Whether a path takes one of several items of a list."""
    names = path.split("[0]")
    return any(len(value_at(record, "[0]".join(names[: at + 1]))) > 1 for at in range(len(names) - 1))


def two_answers(texts: dict[str, str]) -> tuple[str, str] | None:
    """The paths of two answers side by side, of which nothing says the better."""
    by_last = {folded(path.rsplit(".", 1)[-1]): path for path in texts}
    pairs = (*PAIRS, ("answer1", "answer2"), ("response_1", "response_2"), ("text1", "text2"), ("option_a", "option_b"))
    return next(((by_last[one], by_last[other]) for one, other in pairs if one in by_last and other in by_last), None)


def lists_of(record: Record, before: str = "", depth: int = LONGEST) -> dict[str, list[Any]]:
    """The lists of objects in a record by their paths, the outer ones first."""
    found: dict[str, list[Any]] = {}
    inner: dict[str, list[Any]] = {}
    for key, value in record.items():
        value = turns_in_text(value) or value
        if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
            found[f"{before}{key}"] = value
        elif isinstance(value, dict) and depth:
            inner |= lists_of(value, f"{before}{key}.", depth - 1)
    return found | inner


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


def of_turns(path: str, value: list[Any], record: Record) -> str:
    """A mapping for a column that holds turns, perhaps under names of their own, with an answer that stands beside."""
    who = next((name for name in WHO if all(isinstance(turn.get(name), str) for turn in value)), None)
    held = texts_of(value[0], depth=0)
    usual = [name for name in CONTENT_KEYS if any(name in turn for turn in value)]
    said = (
        usual[0]
        if usual
        else max((n for n in held if n != who and told(n, held[n])), key=lambda n: len(held[n]), default=None)
    )
    if who is None or said is None or who == said:
        return ""
    roles = [turn[who].strip().lower() for turn in value]
    unknown = list(dict.fromkeys(turn[who] for turn in value if turn[who].strip().lower() not in ROLES))[:LONGEST]
    meant = dict(zip(unknown, ("user", "assistant", "tool", "system"), strict=False))
    if not unknown and "system" in roles[1:] and not {ROLES[role] for role in roles} & {"assistant"}:
        meant = {turn[who]: "assistant" for turn in value if turn[who].strip().lower() == "system"}
    fields = {"messages": path}
    if unknown or who not in ROLE_KEYS or said not in CONTENT_KEYS:
        fields |= {"role": who, "content": said}
    if not meant and ROLES.get(roles[-1]) == "user":
        beside = {key: held for key, held in record.items() if key != path.split(".")[0]}
        fields |= dict(zip(("answer",), answers_in(beside), strict=False))
    shown = ", ".join(f"{field}: {quoted(name)}" for field, name in fields.items())
    names = f"; roles: {{{', '.join(f'{quoted(name)}: {role}' for name, role in meant.items())}}}" if meant else ""
    return f"columns: {{{shown}}}{names}"
