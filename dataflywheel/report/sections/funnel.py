"""The funnel: how many rows each step took and left, and what it dropped them for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence

from dataflywheel.report.drawing.charts import svg
from dataflywheel.report.drawing.markup import details, esc, note, section
from dataflywheel.report.drawing.numbers import MINUS, count, number, percent, plural
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


def of_action(step: Step, action: str) -> int:
    """How many rows a step added, changed or dropped."""
    return sum(int(n) for name, n in step.counts.items() if name.partition(": ")[0] == action)


def came(step: Step) -> int:
    """Rows that came into the step; a record counts among them what the step added."""
    return step.rows_in - of_action(step, "added") if step.rows_in >= step.rows_out else step.rows_in


def parts(step: Step) -> dict[str, int]:
    """Rows by what became of them: those that go on as they were, changed and added ones, and the dropped."""
    added, changed = of_action(step, "added"), of_action(step, "changed")
    added = max(added, step.rows_out - step.rows_in)
    dropped = max(of_action(step, "dropped"), came(step) + added - step.rows_out, 0)
    return {"kept": max(step.rows_out - added - changed, 0), "changed": changed, "added": added, "dropped": dropped}


SMALL = 0.05
"""Share of the widest bar below which bars would be lines; they are drawn on a larger scale, which is said."""


def scales(steps: Sequence[Step]) -> dict[str, int]:
    """The rows that the whole width stands for, by step: those of the widest, or of the widest of the small ones."""
    sizes = {step.key: sum(parts(step).values()) for step in steps}
    widest = max(sizes.values(), default=0) or 1
    small = max((size for size in sizes.values() if size <= SMALL * widest), default=0) or 1
    return {key: small if size <= SMALL * widest else widest for key, size in sizes.items()}


def _bar(step: Step, title: str, widest: int) -> str:
    body, x = "", 0.0
    for css, rows in parts(step).items():
        width = 100 * rows / widest
        if rows:
            body += f'<rect class="{css}" x="{x:.2f}%" y="0" width="{width:.2f}%" height="16" rx="2"/>'
        x += width
    return svg(f"funnel-{step.key}", title, f"{count(step.rows_out)} rows go on", 16, body)


def _change(step: Step) -> str:
    """What the step took away and what it added, each with its share of the rows that came."""
    found = parts(step)
    whole = max(1, came(step))
    said = ""
    for css, sign, word in (("dropped", MINUS, ""), ("added", "+", ""), ("changed", "", " changed")):
        if rows := found[css]:
            said += f'<span class="change {css}">{sign}{count(rows)}{word} ({percent(rows / whole)})</span>'
    return said


def _entry(run: Run, step: Step, whole: int, widest: int) -> str:
    title = step_title(run, step)
    scale = f'<span class="where">bar drawn {number(whole / widest)} times as wide</span>' if widest < whole else ""
    change = _change(step)
    listed = reasons(step)
    chips = "".join(
        f"<li><b>{count(n)}</b> {esc(action + ': ' if action != 'dropped' else '')}{esc(reason)}</li>"
        for action, reason, n in listed[:REASONS_SHOWN]
    )
    if len(listed) > REASONS_SHOWN:
        chips += f"<li>and {plural(len(listed) - REASONS_SHOWN, 'more reason')}</li>"
    return (
        f'<li><div class="head"><span class="name">{esc(title)} {scale}</span>'
        f'<span class="rows">{count(step.rows_out)} rows {change}</span></div>'
        f'{_bar(step, title, widest)}<ul class="reasons">{chips}</ul>'
        f"{_weights(step)}{_margins(step)}{leak_settings(step)}</li>"
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


def _margins(step: Step) -> str:
    """What shares a selection was to give its rows, and what it gave them."""
    notes = step.details.get("notes") or {}
    found = [told["margins"] for told in notes.values() if isinstance(told, dict) and "margins" in told]
    said = [
        f"{column}: "
        + ", ".join(
            f"{value} {percent(float(share['asked']))} asked, {percent(float(share['reached']))} reached"
            for value, share in told["values"].items()
        )
        for margins in found
        for column, told in margins.items()
    ]
    return note(f"Shares by weight. {'; '.join(said)}.") if said else ""


def funnel(run: Run) -> str:
    """Rows by step."""
    steps = run.row_steps
    if not steps:
        return section("funnel", "Rows by step", note("No step has finished, so there are no rows to count."))
    drawn = scales(steps)
    body = ""
    for round in sorted({step.round for step in steps}):
        own = [step for step in steps if step.round == round]
        entries = "".join(_entry(run, step, max(drawn.values()), drawn[step.key]) for step in own)
        listed = f'<ol class="funnel">{entries}</ol>'
        went = f"round {round}: from {count(own[0].rows_in)} rows to {count(own[-1].rows_out)}"
        body += listed if round == min(step.round for step in steps) else details(went, listed)
    words = {"kept": "go on to the next step", "changed": "go on, changed here", "added": "added here"}
    words |= {"dropped": "dropped here, with the reason"}
    there = {css for step in steps for css, rows in parts(step).items() if rows} | {"kept", "dropped"}
    lead = " ".join(f'<span class="key {css}"></span> {said}' for css, said in words.items() if css in there)
    return section("funnel", "Rows by step", body, lead)
