"""Text of rows into HTML: escaped, its control characters made visible, cut to a length that can be read."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

SHOWN_CHARACTERS = 400

# C0 and C1 controls (but tab and line feed), and the marks that reorder or hide text around them.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)


def visible(text: object) -> str:
    """Control, bidirectional and zero-width characters as their code point, so that text cannot disguise itself.

    >>> visible("a\\x00b\\u202ec")
    'a[U+0000]b[U+202E]c'
    """
    return _UNSAFE.sub(lambda match: f"[U+{ord(match[0]):04X}]", str(text).replace("\r\n", "\n"))


def esc(text: object) -> str:
    """Escaped for element content and for double-quoted attributes."""
    return html.escape(visible(text), quote=True)


def clip(text: str, limit: int = 60) -> str:
    """One line of at most `limit` characters, for labels."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "\u2026"


def passage(text: str, limit: int = SHOWN_CHARACTERS) -> str:
    """A block of row text; a long one is cut and its full length stated."""
    if not text:
        return '<div class="text empty">(empty)</div>'
    body = esc(text[:limit])
    if len(text) > limit:
        body += f'\u2026 <span class="cut">({len(text):,} characters in all)</span>'
    return f'<div class="text" dir="auto">{body}</div>'


def slug(*parts: object) -> str:
    """An id attribute made of ASCII letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", "-".join(str(p) for p in parts).lower()).strip("-") or "x"


def table(
    caption: str, head: Sequence[str], rows: Iterable[Sequence[str]], *, numeric: Sequence[int] = (), css: str = ""
) -> str:
    """A table with a caption and column headers; cells are HTML, the first one of each row is its header."""

    def cell(index: int, content: str) -> str:
        right = ' class="num"' if index in numeric else ""
        label = f' data-label="{esc(head[index])}"'
        if index == 0:
            return f'<th scope="row"{right}{label}>{content}</th>'
        return f"<td{right}{label}>{content}</td>"

    headings = "".join(
        f'<th scope="col"{" class=num" if i in numeric else ""}>{esc(title)}</th>' for i, title in enumerate(head)
    )
    body = "\n".join("<tr>" + "".join(cell(i, c) for i, c in enumerate(row)) + "</tr>" for row in rows)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{esc(caption)}"><table class="{css}">'
        f"<caption>{esc(caption)}</caption><thead><tr>{headings}</tr></thead><tbody>\n{body}\n</tbody></table></div>"
    )


def section(key: str, title: str, body: str, lead: str = "") -> str:
    """A titled part of the page; `lead` is HTML and says in one sentence what there is to see."""
    opening = f'<p class="lead">{lead}</p>' if lead else ""
    return (
        f'<section id="{key}" aria-labelledby="{key}-h"><h2 id="{key}-h">{esc(title)}</h2>{opening}\n{body}\n</section>'
    )


def note(text: str) -> str:
    """A remark in words on what is missing or not measured; `text` is plain."""
    return f'<p class="note">{esc(text)}</p>'


def tile(name: str, value: str, below: str) -> str:
    """A number of the first screen: its name, the number large, and a line below; all plain."""
    return f'<div class="tile"><dt>{esc(name)}</dt><dd><b>{esc(value)}</b><span>{esc(below)}</span></dd></div>'


def details(summary: str, body: str, *, opened: bool = False) -> str:
    return f"<details{' open' if opened else ''}><summary>{esc(summary)}</summary>\n{body}\n</details>"
