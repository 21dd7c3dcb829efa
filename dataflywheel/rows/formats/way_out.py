"""The mapping that would help where a flat record holds more than its known names say."""

from __future__ import annotations

from dataflywheel.rows.formats.draft import Record
from dataflywheel.rows.formats.names import FLAT, REJECTED, REPLIES, Found, folded, quoted, thoughtful
from dataflywheel.rows.formats.proposal import answers_in, texts_of


def way_out(record: Record, found: Found, doubt: str) -> str:
    """The mapping that would help."""
    value = record[doubt]
    path = doubt if isinstance(value, list) and len(value) > 1 else next(iter(texts_of({doubt: value})), doubt)
    prompt, answer = quoted(found.prompt or path), quoted(found.answer or path)
    if thoughtful(folded(doubt)) and found.prompt is not None and found.answer is not None:
        return (
            f"where it is what the answer was thought of: columns: {{prompt: {prompt}, answer: {answer}, "
            f"reasoning: {quoted(path)}}}; where not: columns: {{prompt: {prompt}, answer: {answer}}}"
        )
    given: dict[str, str | None] = {
        "prompt": found.prompt or path,
        "answer": found.answer or path,
        "rejected": found.rejected,
    }
    if found.prompt is not None and found.answer is not None and folded(doubt) in REJECTED:
        given["rejected"] = path
    elif found.prompt is not None and found.answer is not None and found.rejected is None:
        return (
            f"where it is part of the prompt: columns: {{prompt: [{quoted(doubt)}, {prompt}], answer: {answer}}}; "
            f"where not: columns: {{prompt: {prompt}, answer: {answer}}}"
        )
    if found.prompt is not None and found.answer is None and found.two is None:
        if folded(doubt) in REJECTED:
            return (
                f"where it is the worse answer, name the better one too: columns: {{prompt: {prompt}, answer: ..., "
                f"rejected: {quoted(path)}}}"
            )
        left = {key: value for key, value in record.items() if key != found.prompt}
        given["answer"] = likely = next((path for path in answers_in(left)), path)
        if folded(doubt) not in FLAT and folded(doubt).rpartition("_")[2] not in REPLIES:
            both = f"where it is the answer: columns: {{prompt: {prompt}, answer: {quoted(likely)}}}"
            return f"{both}; where not: columns: {{prompt: {prompt}}}"
    shown = ", ".join(f"{key}: {quoted(name)}" for key, name in given.items() if name is not None)
    return f"say what is what: columns: {{{shown}}}"
