"""What was spent, by step."""

from __future__ import annotations

from dataflywheel.report.drawing.charts import svg
from dataflywheel.report.drawing.markup import details, esc, note, section, table
from dataflywheel.report.drawing.numbers import finite, money, plural, seconds, short
from dataflywheel.report.rundir import Run


def costs(run: Run) -> str:
    """The ledger as a table, with a bar for the share of the time."""
    bills: dict[str, dict[str, float]] = run.ledger.get("steps") or {}
    if not bills:
        return section("costs", "Costs", note("The ledger of this run is empty: no step has entered a cost."))
    bills = dict(sorted(_folded(bills).items(), key=lambda item: _when(item[0])))
    longest = max((finite(bill.get("seconds")) or 0.0 for bill in bills.values()), default=0.0) or 1.0
    rows = []
    for name, bill in bills.items():
        width = 100 * (finite(bill.get("seconds")) or 0.0) / longest
        bar = f'<rect class="kept" x="0" y="3" width="{width:.2f}%" height="10" rx="2"/>'
        drawing = svg(f"cost-{name}", f"time of {name}", seconds(bill.get("seconds")), 16, bar, "mini")
        rows.append([esc(name), drawing, *_cells(bill)])
    total = ["<b>total</b>", "", *(f"<b>{cell}</b>" for cell in _cells(run.total))]
    head = ["step", "share of time", "time", "forward passes", "backward passes", "tokens read", "model calls", "paid"]
    dear = _dearest(bills) if len(rows) > OPEN + 1 else set(bills)
    open_ = [row for row, name in zip(rows, bills, strict=True) if name in dear]
    rest = [row for row, name in zip(rows, bills, strict=True) if name not in dear]
    body = table("Bills by step, in the order of the run", head, [*open_, total], numeric=range(2, 8), css="stack")
    if rest:
        inner = table("Smaller bills", head, rest, numeric=range(2, 8), css="stack")
        body += details(f"{plural(len(rest), 'smaller bill')}, which are in the total", inner)
    return section("costs", "Costs", body)


OPEN = 8
"""Bills that are not folded away, where there are many."""


def _dearest(bills: dict[str, dict[str, float]]) -> set[str]:
    """Those with the most dollars, then the most seconds."""

    def size(name: str) -> tuple[float, float]:
        return finite(bills[name].get("usd")) or 0.0, finite(bills[name].get("seconds")) or 0.0

    return set(sorted(bills, key=size, reverse=True)[:OPEN])


def _when(name: str) -> tuple[int, int, str]:
    """Where a bill stands: models that are trained first, the rounds in turn, then what was only to be measured."""
    first, _, rest = name.partition("/")
    number = first.removeprefix("round-")
    return PLACES.get(first, 1), int(number) if number.isdigit() else 0, rest


PLACES = {"helpers": 0, "sealed": 2, "without": 3, "compare": 4}


def _folded(bills: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """The steps of a job that was run again without one of them under one name, `without/05-enhance`."""
    found: dict[str, dict[str, float]] = {}
    for name, bill in bills.items():
        held = found.setdefault("/".join(name.split("/")[:2]), {})
        held.update({field: held.get(field, 0) + value for field, value in bill.items()})
    return found


def _cells(bill: dict[str, float]) -> list[str]:
    passes = [short(bill.get(name, 0)) for name in ("forward", "backward", "tokens", "calls")]
    return [esc(cell) for cell in (seconds(bill.get("seconds", 0)), *passes, money(bill.get("usd", 0)))]
