"""The scoreboard: every choice of rows at one budget, its difference to random, and what choosing cost."""

from __future__ import annotations

from dataflywheel.report.drawing.charts import around_zero
from dataflywheel.report.drawing.markup import details, esc, note, section, table
from dataflywheel.report.drawing.numbers import (
    count,
    finite,
    interval,
    money,
    number,
    percent,
    plural,
    seconds,
    short,
    signed_percent,
)
from dataflywheel.report.rundir import Run
from dataflywheel.report.sections.overview import arm_kind, arm_label
from dataflywheel.report.verdict import NEEDED, metric_name
from dataflywheel.store.scoreboard import ArmScore, Scoreboard, costs_more, more_tokens


def difference_drawing(arm: ArmScore, widest: float, better: str) -> str:
    """The difference to random as a small interval around zero."""
    found = arm.difference
    if found is None or not found.known or widest <= 0:
        return ""
    css = {"better than random": "ours", "worse than random": "worse"}.get(arm.verdict, "baseline")
    described = f"{interval(found.mean, found.low, found.high, signed=True)}; {better} is better"
    key, title = f"difference-{arm.name}", f"{arm_label(arm)} minus random"
    return around_zero(key, title, described, (found.mean, found.low, found.high), widest, css)


def _main_table(board: Scoreboard, arms: list[ArmScore]) -> str:
    gaps = [arm.difference for arm in arms if arm.difference]
    reach = [abs(bound) for gap in gaps for bound in (gap.low, gap.high) if finite(bound) is not None]
    rows = []
    for arm in arms:
        kind, found, unlike = arm_kind(board, arm), arm.difference, costs_more(arm, board.random)
        if found is None:
            shown = "the mark to beat" if kind == "random" else "not paired"
        else:
            drawn = difference_drawing(arm, 1.1 * max(reach, default=0.0), board.better)
            shown = f"{drawn}{esc(interval(found.mean, found.low, found.high, signed=True))}"
        rows.append(
            [
                f'<span class="dot-key {kind}"></span>{esc(arm_label(arm))}',
                esc(interval(arm.mean, arm.low, arm.high)),
                shown,
                f"<b>{esc(arm.verdict)}</b>{esc(f' ({unlike})' if unlike else '')}",
                esc(count(arm.train_tokens) if arm.train_tokens else "not known"),
            ]
        )
    head = ["choice of rows", metric_name(board.metric), "minus random, paired by seed", "in words", "training tokens"]
    caption = (
        f"Mean and 95% interval over {plural(len(board.seeds), 'seed')}, budget {board.budget} "
        f"of {count(board.rows_offered)} rows; {board.better} is better"
    )
    return table(caption, head, rows, numeric=(1, 4), css="stack")


def beside(board: Scoreboard, arm: ArmScore) -> str:
    """By how much an arm's training tokens differ from random's: `+17%`; "" of random itself."""
    more = None if board.random is None or arm is board.random else more_tokens(arm, board.random)
    return "" if more is None else signed_percent(more)


def _cost_table(board: Scoreboard, arms: list[ArmScore]) -> str:
    rows = []
    for arm in arms:
        cost = arm.select_cost
        rows.append(
            [
                f'<span class="dot-key {arm_kind(board, arm)}"></span>{esc(arm_label(arm))}',
                esc(count(arm.rows)),
                esc(count(arm.train_tokens)),
                esc(beside(board, arm)),
                esc(short(arm.answer_tokens)),
                esc(seconds(cost.seconds)),
                esc(short(cost.forward)),
                esc(money(cost.usd)),
                esc(seconds(arm.train_seconds)),
                esc(f"{number(arm.length_shift)}\u00d7"),
            ]
        )
    head = ["choice of rows", "rows", "training tokens", "beside random", "answer tokens", "choosing took"]
    head += ["forward passes", "paid", "training took", "answer length"]
    caption = (
        "What choosing and training cost, in the mean over seeds; training tokens are those read; answer length is the "
        "mean of the chosen rows over that of the pool"
    )
    return table(caption, head, rows, numeric=range(1, 10), css="stack")


def _overlap_table(arms: list[ArmScore]) -> str:
    if not any(arm.overlap for arm in arms):
        return note("The overlap of the choices was not recorded.")
    names = [arm.name for arm in arms]
    rows = [[esc(arm_label(arm)), *(_overlap(arm.overlap.get(name)) for name in names)] for arm in arms]
    caption = "Overlap of the choices: rows in both over rows in either"
    head = ["choice of rows", *map(arm_label, arms)]
    return details("Overlap of the choices", table(caption, head, rows, numeric=range(1, len(names) + 1)))


def _overlap(share: float | None) -> str:
    if share is None or finite(share) is None:
        return ""
    return f'<span class="heat" style="--heat:{round(60 * share)}%">{esc(percent(share))}</span>'


def scoreboard(run: Run) -> str:
    """All of the comparison, or the statement that there was none."""
    board = run.compare
    if not board or not board.arms:
        missing = (
            "Nothing was compared in this run: the gain over a random choice of rows was not measured. "
            f"{'Add a compare list to the recipe, or run flywheel compare.' if run.named('evaluate') else NEEDED}"
        )
        return section("scoreboard", "Scoreboard", note(missing))
    sign = 1.0 if board.better == "lower" else -1.0
    known = [arm for arm in board.arms if finite(arm.mean) is not None]
    failed = [arm for arm in board.arms if finite(arm.mean) is None]
    arms = sorted(known, key=lambda arm: (sign * arm.mean, arm.name)) + failed
    body = _main_table(board, arms) + _cost_table(board, arms) + _overlap_table(arms)
    lead = "Every choice was trained and evaluated alike. A difference whose interval includes zero is no gain."
    return section("scoreboard", "Scoreboard", body, lead)
