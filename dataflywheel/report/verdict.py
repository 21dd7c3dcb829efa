"""The run in one sentence: what the selection was worth against random, or that nobody measured it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dataflywheel.recipe.comparing.scoreboard import mean_interval
from dataflywheel.report.drawing.numbers import aligned, count, finite, percent, plural, signed, signed_percent
from dataflywheel.report.rundir import Run
from dataflywheel.store.run import DATASET, PARTIAL
from dataflywheel.store.scoreboard import ArmScore, MeanInterval, Scoreboard, costs_more

Tone = Literal["good", "neutral", "bad", "unknown"]
METRIC_NAMES = {
    "bits_per_byte": "bits per byte",
    "exact_match": "exact match",
    "multiple_choice": "multiple choice accuracy",
    "final_answer": "right final answers",
    "unit_tests": "programs that pass their tests",
    "tool_call": "right tool calls",
}


@dataclass(frozen=True)
class Verdict:
    """`headline` says it in plain words, `detail` gives the numbers behind it."""

    tone: Tone
    headline: str
    detail: str


def metric_name(metric: object) -> str:
    """`bits_per_byte` -> `bits per byte`."""
    return METRIC_NAMES.get(str(metric), str(metric).replace("_", " "))


def gain(board: Scoreboard, arm: ArmScore) -> MeanInterval | None:
    """The paired difference to random as a share of random's score, turned so that positive is better."""
    scale, difference = finite(board.random.mean) if board.random else None, arm.difference
    if not scale or difference is None or not difference.known:
        return None
    sign = -1.0 if board.better == "lower" else 1.0
    mean, *ends = (sign * bound / abs(scale) for bound in (difference.mean, difference.low, difference.high))
    return MeanInterval(mean=mean, low=min(ends), high=max(ends))


def gain_text(value: float, better: object) -> str:
    """`3.8% lower` for a gain on a metric where lower is better."""
    word = {("lower", True): "lower", ("lower", False): "higher"}.get((str(better), value >= 0))
    word = word or ("higher" if value >= 0 else "lower")
    return f"{percent(abs(value))} {word}"


def rows_said(rows: int, came: int, word: str) -> str:
    """`3 rows of 34 remain`; where more were written than left out, `34 rows became 38`."""
    return (
        f"{plural(came, 'row')} became {count(rows)}"
        if rows > came
        else f"{plural(rows, 'row')} of {count(came)} {word}"
    )


NEXT = "Run flywheel compare on the recipe to find out."
NEEDED = "To find out takes a recipe with the steps select, train and evaluate, and rows to score by."


def _not_measured(run: Run) -> Verdict:
    pool, last = run.pool, run.final
    if pool is None or last is None:
        return Verdict("unknown", "This run stopped before any rows were read.", "There is nothing to report yet.")
    remaining = rows_said(last.rows_out, max(pool.rows_in, pool.rows_out), "remain")
    headline = f"{remaining}; whether they are worth more was not measured."
    detail = (
        "No model was trained on random rows for as many training tokens, so nobody knows yet what the selection "
        f"gained. {NEXT if run.named('evaluate') else NEEDED}"
    )
    return Verdict("unknown", headline, detail)


def _raw_detail(board: Scoreboard, arm: ArmScore) -> str:
    """The difference to random rows of the pool as it came, where that was trained too."""
    found = arm.raw.difference if arm.raw else None
    if found is None or not found.known:
        return ""
    mean, low, high = map(signed, (found.mean, found.low, found.high))
    raw = next((one for one in board.arms if one.name == "random_raw"), None)
    more = f"; {told}" if (told := costs_more(arm, raw)) else ""
    return f"Against random rows of the raw pool: {mean} {metric_name(board.metric)}, {low} to {high}{more}."


def rounds_said(board: Scoreboard | None) -> str:
    """What all rounds were worth beside one with the same selection and budget, paired by seed; "" where no such round
    was trained."""
    arms = {arm.name: arm for arm in board.arms} if board else {}
    own, other = arms.get("selection", ArmScore()), arms.get("one_round", ArmScore())
    ours, one = own.scores, other.scores
    if board is None or len(ours) != len(one) or len(ours) < 2:
        return ""
    sign = -1.0 if board.better == "lower" else 1.0
    found = mean_interval([sign * (a - b) for a, b in zip(ours, one, strict=True)])
    low, high = signed(found.low), signed(found.high)
    way = f"better by {signed(found.mean)}" if found.mean >= 0 else f"worse by {signed(-found.mean).lstrip('+')}"
    said = "the rounds paid" if found.low > 0 else "one round is better" if found.high < 0 else "one round is enough"
    cost = costs_more(own, other) or "as many training tokens"
    return (
        f"Against one round of the same selection ({cost}): {way} {metric_name(board.metric)} (gain {low} to {high}); "
        f"{said}."
    )


def verdict(run: Run) -> Verdict:
    """What to say first: that a run is not finished, where it is not; then what its selection was worth."""
    if not run.stopped:
        return _worth(run)
    why, _, more = run.stopped.partition("; ")
    if run.compare is not None:
        measured = _worth(run)
        there = f"As far as it goes: {measured.headline} {measured.detail}"
    elif (run.directory / DATASET).is_dir():
        there = "The data set is whole; nothing says yet what it is worth."
    elif (run.directory / PARTIAL).is_dir():
        there = f"The rows that there are lie in {PARTIAL}; they are not the result."
    else:
        there = "No step that changes rows is finished, so no rows were written."
    detail = f"{f'{more[:1].upper()}{more[1:]}. ' if more else ''}{there} The same command goes on from here."
    return Verdict("bad", f"Not finished: {why}.", detail)


def _worth(run: Run) -> Verdict:
    """A gain is claimed only where the comparison's own verdict says so."""
    board = run.compare
    arm, base = (board.own, board.random) if board else (None, None)
    if board is None or arm is None or base is None or finite(arm.mean) is None or finite(base.mean) is None:
        return _not_measured(run)
    ours, theirs = aligned([arm.mean, base.mean])
    metric, better = metric_name(board.metric), board.better
    rows, unlike = plural(arm.rows, "selected row"), costs_more(arm, base)
    random = f"random rows ({unlike})" if unlike else "random rows for as many training tokens"
    detail = f"{ours} against {theirs} {metric} ({better} is better), {plural(len(board.seeds), 'seed')}"
    measured = gain(board, arm)
    if measured:
        mean, low, high = (signed_percent(v) for v in (measured.mean, measured.low, measured.high))
        detail += f". Gain over random: {mean}, 95% interval {low} to {high}"
    detail = f"{detail}. {rounds_said(board)}".rstrip()
    said = arm.verdict
    if said == "better than random":
        detail = f"{detail} {_raw_detail(board, arm)}".rstrip()
        by = f": {metric} is {gain_text(measured.mean, better)}" if measured else ""
        return Verdict("good", f"{rows} train a better model than {random}{by}.", detail)
    if said == "worse than random":
        by = f": {metric} is {gain_text(measured.mean, better)}" if measured else ""
        return Verdict("bad", f"{rows} train a worse model than {random}{by}.", detail)
    if said == "no better than random" and arm.raw and arm.raw.verdict == "better than random":
        raw = next((one for one in board.arms if one.name == "random_raw"), None)
        more = f" ({told})" if (told := costs_more(arm, raw)) else ""
        headline = (
            f"{rows} train a better model than random rows of the raw pool{more}; cleaning did it, not the choice."
        )
        return Verdict("good", headline, f"{detail} {_raw_detail(board, arm)}")
    if said == "no better than random":
        return Verdict("neutral", f"{rows} train a model no better than {random}.", detail)
    return Verdict("unknown", f"What {rows} are worth against random rows was not decided: {said}.", detail)
