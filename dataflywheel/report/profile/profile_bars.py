"""What is counted of a pool, as bars, and what its sources are like one by one."""

from __future__ import annotations

import numpy as np

from dataflywheel.report.drawing.charts import histogram, svg
from dataflywheel.report.drawing.markup import esc, note, table
from dataflywheel.report.drawing.numbers import count, percent, plural, short
from dataflywheel.report.profile.pool_profile import LENGTHS, Profile

BARS_SHOWN = 20
FEW = 6
"""Numbers of messages that have a line each; more of them are a histogram."""


def bars(caption: str, what: str, counts: dict[str, int], total: int, unit: str = "rows") -> str:
    """A bar, a count and a share for each entry that is there; nothing for none."""
    shown = [(name, n) for name, n in counts.items() if n][:BARS_SHOWN]
    if not shown:
        return ""
    rows = []
    for name, n in shown:
        bar = f'<rect class="kept" x="0" y="3" width="{min(100.0, 100 * n / max(total, 1)):.2f}%" height="10" rx="2"/>'
        drawing = svg(f"{caption}-{name}", name, f"{count(n)} of {count(total)}", 16, bar, "mini")
        rows.append([esc(name or "unnamed"), drawing, esc(count(n)), esc(percent(n / max(total, 1)))])
    more = len([n for n in counts.values() if n]) - len(shown)
    rest = note(f"{plural(more, 'further entry')} not shown.") if more > 0 else ""
    return table(caption, [what, "", unit, "share"], rows, numeric=(2, 3), css="bars") + rest


def turns(found: Profile) -> str:
    """How many messages rows have: a line each, or a histogram of many."""
    turns = found.facts.turns
    if len(turns) <= FEW:
        return bars(
            "Messages in a row", "messages", {plural(n, "message"): turns[n] for n in sorted(turns)}, found.rows
        )
    values = np.repeat(np.array(sorted(turns), dtype=np.float64), [turns[n] for n in sorted(turns)])
    drawing = histogram("turns", "messages in a row", values, np.zeros(0))
    caption = (
        f"<b>messages in a row</b> <span>median {count(float(np.median(values)))}, at most {count(max(turns))}</span>"
    )
    return f'<figure class="plot"><figcaption>{caption}</figcaption>{drawing}</figure>'


def sources(found: Profile) -> str:
    """Each source by itself: what one looks for in a mixture."""
    facts, lines = found.facts, []
    sources = np.asarray(facts.row_sources)
    for name, n in facts.sources.most_common(BARS_SHOWN):
        of = sources == name
        cells = [count(n), percent(n / max(found.rows, 1))]
        for column in LENGTHS[:2]:
            values = facts.numbers[column][of]
            values = values[np.isfinite(values)]
            cells += [short(float(np.percentile(values, p))) if len(values) else "none" for p in (50, 95)]
        symbols = facts.numbers["symbol_ratio"][of]
        cells.append(percent(float(np.nanmean(symbols))) if np.isfinite(symbols).any() else "none")
        lines.append([esc(name or "unnamed"), *map(esc, cells)])
    head = ["source", "rows", "share", "prompt, tokens", "95% under", "answer, tokens", "95% under", "symbols"]
    more = len(facts.sources) - len(lines)
    rest = note(f"{plural(more, 'further source')} not shown.") if more > 0 else ""
    return table("Sources, with medians of estimated tokens", head, lines, numeric=range(1, 8), css="stack") + rest


def shown_rows(found: Profile) -> str:
    """A few rows of each of the largest sources, prompt beside answer."""
    cards = []
    for source, _ in found.facts.sources.most_common(BARS_SHOWN):
        for id, prompt, answer in found.facts.shown.get(source, []):
            sides = "".join(
                f'<div class="row"><h5>{name}</h5><div class="text" dir="auto">{esc(text) or "nothing"}</div></div>'
                for name, text in (("prompt", prompt), ("answer", answer))
            )
            title = f"{esc(source or 'unnamed')} <code>{esc(id[:12])}</code>"
            cards.append(f'<article class="example"><h4>{title}</h4><div class="pair">{sides}</div></article>')
    return "".join(cards)
