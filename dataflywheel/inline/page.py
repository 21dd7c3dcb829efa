"""What a notebook shows of a result: rows are untrusted text, and stay text."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import orjson

LONGEST = 240
Table = tuple[str, str, Sequence[tuple[str, str]]]
"""The heads of two columns, and their cells."""


def page(title: str, note: str, tables: Sequence[Table]) -> str:
    """A sentence and small tables, those without rows left out, in HTML without scripts or styles from elsewhere."""
    parts = [f"<p><b>{escape(title)}</b>{f'<br>{escape(note)}' if note else ''}</p>"]
    for left, right, rows in tables:
        if rows:
            cells = "".join(f"<tr><td>{escape(a)}</td><td>{escape(b)}</td></tr>" for a, b in rows)
            parts.append(f"<table><tr><th>{escape(left)}</th><th>{escape(right)}</th></tr>{cells}</table>")
    return f"<div>{''.join(parts)}</div>"


def preview(row: object) -> str:
    """The beginning of a row on one line.

    >>> preview({"prompt": "Hi"})
    '{"prompt":"Hi"}'
    """
    try:
        text = orjson.dumps(row, default=str, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY).decode()
    except TypeError:
        text = repr(row)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
