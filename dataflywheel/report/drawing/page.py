"""The frame of a page: one file, no request, no script."""

from __future__ import annotations

from collections.abc import Sequence

from dataflywheel.report.drawing.markup import esc
from dataflywheel.report.drawing.style import STYLE

# The page holds text from strangers; should an escape ever fail, the browser still runs and loads nothing.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def page(title: str, body: str, contents: Sequence[tuple[str, str]], footer: str) -> str:
    """A whole HTML document; `contents` lists (section id, title) for the navigation."""
    links = "".join(f'<a href="#{key}">{esc(name)}</a>' for key, name in [("top", "Top"), *contents])
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">'
        f"<title>{esc(title)}</title><style>{STYLE}</style></head>\n"
        '<body><main id="top">\n'
        f"{body.replace('<!--contents-->', f'<nav aria-label=Contents>{links}</nav>', 1)}\n"
        f"<footer>{footer}</footer></main></body></html>\n"
    )
