"""A run as it happens: a table of steps on a terminal, plain lines elsewhere; always on stderr."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from dataflywheel.cli.foretold import foretold
from dataflywheel.cli.results_alone import results_alone

if TYPE_CHECKING:
    from dataflywheel.models.endpoint.progress import Progress
    from dataflywheel.store.plan import Plan

QUIET = "FLYWHEEL_QUIET"
"""In the environment: whether progress is not told."""
FIRST_LINE, BETWEEN, SHARE = 5.0, 10.0, 0.1
"""Off a terminal: seconds of a step before its first line of progress, between two lines, and the share of the time so
far that two lines are apart at least, so that a day of work does not fill a log."""
REFUSAL_SHOWN = 80
"""Letters of an endpoint's own words in the line about requests."""


class LiveTable:
    """Watches a run (see `dataflywheel.recipe.progress.Watcher`) and draws it; nobody else writes to stdout then."""

    def __init__(self) -> None:
        self.console, self.quiet = Console(stderr=True), bool(os.environ.get(QUIET))
        self.rows: dict[str, dict[str, Any]] = {}
        self.live: Live | None = None
        self.within = ExitStack()
        self.asked = self.refusal = ""
        self.trouble = Trouble(self.console)

    def __enter__(self) -> LiveTable:
        self.within.enter_context(results_alone())
        if self.console.is_terminal and not self.quiet:
            self.live = Live(get_renderable=self._table, console=self.console, refresh_per_second=4)
            self.live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.live:
            self.live.stop()
        self.within.close()

    def foretold(self, plan: Plan) -> None:
        for line in [] if self.quiet else foretold(plan):
            self.console.print(line, highlight=False, markup=False, soft_wrap=True)

    def planned(self, steps: list[str]) -> None:
        for step in steps:
            self.rows.setdefault(step, {"state": "waiting", "note": ""})

    def started(self, step: str) -> None:
        self.rows[step] = {"state": "running", "note": "", "began": time.monotonic()}
        self._line(f"{step} ...")

    def advanced(self, step: str, what: str, done: int, total: int) -> None:
        row = self.rows.setdefault(step, {"state": "running", "note": "", "began": time.monotonic()})
        share = f"{done:,} of {total:,}" if total else f"{done:,}"
        row["note"] = f"{what}: {share}{_left(row, what, done, total)}"
        self._progress(step, row["note"])

    def asking(self, progress: Progress) -> None:
        self.asked = asking_line(progress)
        self.trouble.tell(progress)
        if progress.refusal != self.refusal:
            self.refusal = progress.refusal
            self._line(f"the endpoint tells to wait: {self.refusal[:REFUSAL_SHOWN]}")
        for step, row in list(self.rows.items()):
            if row["state"] == "running":
                self._progress(step, self.asked)

    def finished(self, step: str, note: str, reused: bool) -> None:
        self.asked = ""
        row = self.rows.setdefault(step, {"began": time.monotonic()})
        row |= {"state": "there already" if reused else "done", "note": note}
        row["seconds"] = time.monotonic() - row.get("began", time.monotonic())
        self._line(f"{step}: {note}" + (" (there already)" if reused else f" ({row['seconds']:.1f} s)"))

    def _progress(self, step: str, note: str) -> None:
        """A line about a running step, off a terminal, where its last one is long ago."""
        row, now = self.rows[step], time.monotonic()
        spent = now - row.get("began", now)
        due = max(BETWEEN, SHARE * spent) if "told" in row else FIRST_LINE
        if self.live is None and now - row.get("told", row.get("began", now)) >= due:
            row["told"] = now
            self._line(f"{step} ... {note}")

    def _line(self, text: str) -> None:
        if self.live is None and not self.quiet:
            self.console.print(text, highlight=False, markup=False)

    def _table(self) -> Table:
        table = Table("step", "state", "what", "time", box=None, pad_edge=False, header_style="bold")
        for name, row in list(self.rows.items()):  # drawn by another thread than the one that adds
            running = row["state"] == "running"
            seconds = time.monotonic() - row["began"] if running else row.get("seconds")
            style = "bold" if running else "dim" if row["state"] == "waiting" else ""
            table.add_row(name, row["state"], row["note"], "" if seconds is None else f"{seconds:.0f} s", style=style)
        table.caption, table.caption_justify = self.asked or None, "left"
        return table


class Trouble:
    """Says in a line that stays, on a terminal and off it, that an endpoint is away, and that it is there again."""

    def __init__(self, console: Console) -> None:
        self.console, self.said = console, ""

    def tell(self, progress: Progress) -> None:
        if bool(progress.trouble) != bool(self.said):
            where = self.said.partition(" is away ")[0]
            self.console.print(progress.trouble or f"{where} is there again", highlight=False, markup=False)
            self.said = progress.trouble


@contextmanager
def asking_shown(console: Console | None = None) -> Iterator[Callable[[Progress], None]]:
    """A watch that shows on stderr how requests to a model are going, until the block ends; off a terminal, only that
    an endpoint is away."""
    console = console or Console(stderr=True)
    trouble = Trouble(console)
    if not console.is_terminal or os.environ.get(QUIET):
        yield trouble.tell
        return

    def shown(progress: Progress) -> None:
        live.update(Text(asking_line(progress)))
        trouble.tell(progress)

    with Live(console=console, transient=True, refresh_per_second=4) as live:
        yield shown


SLOW = 10.0
"""Answers a second below which tenths are told."""


def asking_line(progress: Progress) -> str:
    """How requests to a model are going, in one line."""
    from dataflywheel.report.drawing.numbers import seconds

    cap = progress.cap
    money = f"${progress.usd:,.4f}" + (f" of ${cap.usd:,.2f}" if cap.usd is not None else "")
    of = f" of {progress.wanted:,}" if progress.wanted > progress.done else ""
    calls = f"{progress.done:,}{of} answers" + (f" ({progress.cached:,} from the store)" if progress.cached else "")
    pace = f"{progress.per_second:,.1f}/s" if progress.per_second < SLOW else f"{progress.per_second:,.0f}/s"
    parts = [f"{progress.in_flight} in flight", pace, calls]
    parts += [f"about {seconds(round(left))} left"] if (left := progress.seconds_left) is not None else []
    parts += [f"at most {cap.calls:,} calls"] if cap.calls is not None else []
    parts += [f"{progress.tokens:,} tokens" + (f" of {cap.tokens:,}" if cap.tokens is not None else ""), money]
    failed = progress.done - sum(n for outcome, n in progress.by_outcome.items() if outcome.value == "answered")
    parts += [f"{failed:,} without one"] if failed else []
    said = f" ({progress.refusal[:REFUSAL_SHOWN]})" if progress.refusal else ""
    parts += [f"{progress.rate_limited:,} times told to wait{said}"] if progress.rate_limited else []
    return " · ".join(parts)


def _left(row: dict[str, Any], what: str, done: int, total: int) -> str:
    """Time left, from the pace since this piece of work began."""
    if row.get("what") != what.split(",")[0]:
        row |= {"what": what.split(",")[0], "since": time.monotonic(), "before": done}
    spent, since = time.monotonic() - row["since"], done - row["before"]
    return f", {spent / since * (total - done):.0f} s left" if since > 0 and done < total and spent > 1 else ""
