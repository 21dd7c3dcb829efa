"""The funnel: how many rows each step took and left, and what it dropped them for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection

from dataflywheel.report.drawing.charts import svg
from dataflywheel.report.drawing.markup import esc, note, section
from dataflywheel.report.drawing.numbers import MINUS, count, percent, plural
from dataflywheel.report.rundir import Run, Step
from dataflywheel.report.sections.leak_settings import leak_settings

REASONS_SHOWN = 8
NUMBER = re.compile(r"\d[\d,.]*(?<=\d)")


def step_title(run: Run, step: Step) -> str:
    """`deduplicate`, or `round 2: deduplicate` where there are several rounds."""
    rounds = {s.round for s in run.steps}
    return f"round {step.round}: {step.name}" if len(rounds) > 1 else step.name


def reason_class(reason: str) -> str:
    """What a reason says before its particulars: up to the first colon or semicolon."""
    return re.split("[:;]", reason, maxsplit=1)[0].strip()


def without_numbers(text: str) -> str:
    return NUMBER.sub("\u2026", text)


def common_text(texts: Collection[str]) -> str:
    """Texts that differ in numbers only, as one: a number in which they differ is left out.

    >>> common_text(["tokens = 1 < 4", "tokens = 3 < 4"])
    'tokens = \u2026 < 4'
    """
    columns = zip(*(NUMBER.findall(text) for text in texts), strict=True)
    numbers = iter([column[0] if len(set(column)) == 1 else "\u2026" for column in columns])
    return NUMBER.sub(lambda _: next(numbers), next(iter(texts)))


def reasons(step: Step) -> list[tuple[str, str, int]]:
    """Action, reason class and count for everything but kept rows, the most frequent first.

    Classes that differ in numbers only are one class.
    """
    sizes: Counter[tuple[str, str]] = Counter()
    texts: dict[tuple[str, str], set[str]] = {}
    for name, n in step.counts.items():
        action, _, reason = name.partition(": ")
        if action == "kept" or not n:
            continue
        text = reason_class(reason) or action
        key = (action, without_numbers(text))
        sizes[key] += int(n)
        texts.setdefault(key, set()).add(text)
    named = [(key[0], common_text(texts[key]), n) for key, n in sizes.items()]
    return sorted(named, key=lambda item: (-item[2], item[1]))


def _bar(step: Step, title: str, widest: int) -> str:
    kept = 100 * step.rows_out / widest
    lost = 100 * max(step.rows_in - step.rows_out, 0) / widest
    body = (
        f'<rect class="kept" x="0" y="0" width="{kept:.2f}%" height="16" rx="2"/>'
        f'<rect class="dropped" x="{kept:.2f}%" y="0" width="{lost:.2f}%" height="16" rx="2"/>'
    )
    return svg(f"funnel-{step.key}", title, f"{count(step.rows_out)} rows go on", 16, body)


def _entry(run: Run, step: Step, widest: int) -> str:
    title = step_title(run, step)
    lost = step.rows_in - step.rows_out
    change = ""
    if lost:
        sign, share = (MINUS, lost / step.rows_in) if lost > 0 else ("+", -lost / max(step.rows_in, 1))
        kind = "change" if lost > 0 else "change gained"
        change = f'<span class="{kind}">{sign}{count(abs(lost))} ({percent(share)})</span>'
    listed = reasons(step)
    chips = "".join(
        f"<li><b>{count(n)}</b> {esc(action + ': ' if action != 'dropped' else '')}{esc(reason)}</li>"
        for action, reason, n in listed[:REASONS_SHOWN]
    )
    if len(listed) > REASONS_SHOWN:
        chips += f"<li>and {plural(len(listed) - REASONS_SHOWN, 'more reason')}</li>"
    return (
        f'<li><div class="head"><span class="name">{esc(title)}</span><span class="rows">{count(step.rows_out)} rows '
        f'{change}</span></div>{_bar(step, title, widest)}<ul class="reasons">{chips}</ul>'
        f"{_weights(step)}{leak_settings(step)}</li>"
    )


def _weights(step: Step) -> str:
    """How much the rows that a selection keeps count, where they do not count alike."""
    told = (step.details.get("notes") or {}).get("weights")
    if not told:
        return ""
    least, greatest, rows = (float(told[name]) for name in ("least", "greatest", "effective_rows"))
    return note(
        f"Rows count by weights from {least:.3g} to {greatest:.3g}, and say as much as {plural(round(rows), 'row')} of "
        "equal weight."
    )


def funnel(run: Run) -> str:
    """Rows by step."""
    steps = run.row_steps
    if not steps:
        return section("funnel", "Rows by step", note("No step has finished, so there are no rows to count."))
    widest = max(max(step.rows_in, step.rows_out) for step in steps) or 1
    entries = "".join(_entry(run, step, widest) for step in steps)
    lead = (
        '<span class="key kept"></span> go on to the next step '
        '<span class="key dropped"></span> dropped here, with the reason'
    )
    return section("funnel", "Rows by step", f'<ol class="funnel">{entries}</ol>', lead)
