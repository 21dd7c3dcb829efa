"""Lines of progress where there is no terminal: soon, seldom, and never none."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace

import pytest
from rich.console import Console

from dataflywheel.cli import live
from dataflywheel.cli.live import LiveTable, Trouble, asking_line
from dataflywheel.contracts import Cost
from dataflywheel.models.endpoint.progress import Progress
from dataflywheel.store.answer_ledger import Caps
from dataflywheel.store.plan import Plan, PlannedHelper


def watched(monkeypatch: pytest.MonkeyPatch, work: Callable[[LiveTable, list[float]], None]) -> list[str]:
    """What a table prints off a terminal, with a clock that the work sets."""
    clock = [0.0]
    monkeypatch.setattr(live.time, "monotonic", lambda: clock[0])
    table = LiveTable()
    table.console = Console(file=(out := io.StringIO()), width=200)
    work(table, clock)
    return out.getvalue().splitlines()


def test_a_long_step_tells_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def work(table: LiveTable, clock: list[float]) -> None:
        table.started("06-train")
        for step in range(1, 1001):  # a step a second
            clock[0] += 1
            table.advanced("06-train", "steps", step, 1000)
        table.finished("06-train", "1,000 steps", False)

    lines = watched(monkeypatch, work)
    assert lines[0] == "06-train ..."
    assert lines[1] == "06-train ... steps: 5 of 1,000, 995 s left"
    assert lines[2] == "06-train ... steps: 15 of 1,000, 985 s left"
    assert 25 < len(lines) < 45, "the longer it lasts, the further they are apart"
    assert lines[-1] == "06-train: 1,000 steps (1000.0 s)"


def test_what_is_to_come_is_told_before_it_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    helper = PlannedHelper(what="train teacher, 1m", before="01-enhance", cost=Cost(seconds=130.0))
    long = Plan(helpers=[helper], total=Cost(seconds=190.0, calls=40, usd=0.02))
    there = Plan(helpers=[helper.model_copy(update={"there": True, "cost": Cost()})], total=Cost(seconds=3.0))

    def work(table: LiveTable, clock: list[float]) -> None:
        table.foretold(long)
        table.foretold(there)
        table.started("01-enhance")

    lines = watched(monkeypatch, work)
    assert lines[0] == "First, once: train teacher, 1m, about 2 min 10 s."
    assert lines[1].startswith("Planned: about 3 min 10 s, 40 calls, $0.02;")
    assert lines[2:] == ["01-enhance ..."]
    monkeypatch.setenv(live.QUIET, "1")
    assert watched(monkeypatch, lambda table, clock: table.foretold(long)) == []


def test_a_short_step_tells_nothing_between(monkeypatch: pytest.MonkeyPatch) -> None:
    def work(table: LiveTable, clock: list[float]) -> None:
        table.started("04-select")
        for row in range(40):
            clock[0] += 0.1
            table.advanced("04-select", "rows", row, 40)
        table.finished("04-select", "10 of 40 rows", False)

    assert watched(monkeypatch, work) == ["04-select ...", "04-select: 10 of 40 rows (4.0 s)"]


def test_requests_to_a_model_are_told_of_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def work(table: LiveTable, clock: list[float]) -> None:
        table.started("05-enhance")
        for done in range(60):
            clock[0] += 0.5
            table.asking(Progress(4, done, 0, 2.0, 100 * done, 0.0, Caps(), {}, 0, 0, "", 4))

    lines = watched(monkeypatch, work)
    assert [line.split(" · ")[0] for line in lines] == ["05-enhance ..."] + ["05-enhance ... 4 in flight"] * 3
    assert [line.split(" · ")[2] for line in lines[1:]] == ["9 answers", "29 answers", "49 answers"]


def test_an_endpoint_that_is_away_and_is_there_again_is_told_in_a_line_each() -> None:
    out = io.StringIO()
    trouble, progress = Trouble(Console(file=out, width=200)), Progress(4, 1, 0, 2.0, 100, 0.0, Caps(), {}, 0, 0, "", 4)
    away = "http://x/v1 (model m) is away (ConnectError: refused): waiting for it, 10 minutes at most"
    for said in ("", away, away, "", "", away.replace("refused", "reset"), ""):
        trouble.tell(replace(progress, trouble=said))
    again = "http://x/v1 (model m) is there again"
    assert out.getvalue().splitlines() == [away, again, away.replace("refused", "reset"), again]


def test_quiet_tells_no_progress(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for quiet, told in (("", True), ("1", False)):
        monkeypatch.setenv("FLYWHEEL_QUIET", quiet)
        with LiveTable() as table:
            table.started("01-select")
            table.finished("01-select", "5 rows", False)
        assert ("5 rows" in capsys.readouterr().err) == told


def test_the_line_tells_how_many_are_wanted_and_what_time_is_left() -> None:
    def line(done: int, pace: float, wanted: int) -> str:
        return asking_line(Progress(4, done, 0, pace, 100, 0.0, Caps(), {}, 0, 0, "", 4, wanted=wanted))

    assert line(12, 0.5, 520).startswith("4 in flight · 0.5/s · 12 of 520 answers · about 16 min 56 s left · ")
    assert line(12, 0.0, 520).startswith("4 in flight · 0.0/s · 12 of 520 answers · 100 tokens")
    assert line(12, 40.0, 0).startswith("4 in flight · 40/s · 12 answers · 100 tokens")
    assert line(520, 40.0, 520).startswith("4 in flight · 40/s · 520 answers · 100 tokens")
