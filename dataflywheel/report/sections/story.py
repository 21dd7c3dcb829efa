"""The story of a run in four lines: what was made, what it took, what did it, what comes next."""

from __future__ import annotations

from collections.abc import Iterable

from dataflywheel.report.drawing.markup import clip, esc
from dataflywheel.report.drawing.numbers import (
    aligned,
    count,
    finite,
    interval,
    money,
    plural,
    seconds,
    short,
)
from dataflywheel.report.rundir import Run, Step
from dataflywheel.report.sections.answers import last_evaluation
from dataflywheel.report.verdict import metric_name, rounds_said
from dataflywheel.rows.parts import iter_batches
from dataflywheel.store.scoreboard import ArmScore, Scoreboard

SOURCES_NAMED = 3


def story(run: Run) -> str:
    """A list of what there is to say; nothing for a run that read no rows."""
    told = [("Made", made(run)), ("Cost", cost(run)), ("Because of", because(run)), ("Next", coming(run))]
    lines = "".join(f"<dt>{esc(name)}</dt><dd>{esc(text)}</dd>" for name, text in told if text)
    return f'<dl class="facts">{lines}</dl>' if run.pool is not None else ""


def made(run: Run) -> str:
    """The rows and the model, and what they were made from."""
    pool, last = run.pool, run.final
    if pool is None or last is None:
        return ""
    read = count(max(pool.rows_in, pool.rows_out))
    text = f"{plural(last.rows_out, 'row')} out of {read}{_from(pool)}"
    if written := written_rows(run):
        text += f", {count(written)} of them written or rewritten"
    if training := _training(run):
        text += f"; a model that learned them in {plural(int(training.details.get('steps') or 0), 'step')}"
    return f"{text}. {_trained(run)}".strip()


def _from(pool: Step) -> str:
    names = list(dict.fromkeys(str(file.get("source") or "") for file in pool.details.get("files") or []))
    names = [clip(name, 40) for name in names if name]
    more = len(names) - SOURCES_NAMED
    listed = ", ".join(names[:SOURCES_NAMED]) + (f" and {more} more" if more > 0 else "")
    return f" ({listed})" if listed else ""


def written_rows(run: Run) -> int:
    """Rows of the data set that a method changed or added."""
    if run.final is None:
        return 0
    batches = iter_batches(run.final.directory / "rows", ["made_by"])
    return sum(sum(map(bool, batch.column("made_by").to_pylist())) for batch in batches)


def _training(run: Run) -> Step | None:
    found = [step for step in run.steps if step.details.get("model") and step.details.get("steps")]
    return found[-1] if found else None


def _trained(run: Run) -> str:
    """The score before any training and after it."""
    step = last_evaluation(run)
    if step is None or not step.details.get("untrained"):
        return ""
    metric, better = metric_name(step.details.get("metric")), str(step.details.get("better", "lower"))
    before, after = step.details["untrained"].get("overall") or {}, step.details.get("overall") or {}
    values = aligned([before.get("value"), after.get("value")])
    where = ", on the rows that choose between rounds" if step.details.get("tiers") else ""
    return f"Training took it from {values[0]} to {values[1]} {metric} ({better} is better{where})."


def cost(run: Run) -> str:
    """Time, money and training tokens; of the comparison apart, which is only there to measure."""
    bills: dict[str, dict[str, float]] = run.ledger.get("steps") or {}
    if not bills:
        return ""
    compared = {name for name in bills if name.split("/")[0] in ("compare", "without")}
    own = [bill for name, bill in bills.items() if name not in compared]
    measured = [bills[name] for name in compared]
    text = f"{seconds(_sum(own, 'seconds'))}, {money(_sum(own, 'usd'))}"
    if calls := _sum(own, "calls"):
        text += f" for {plural(int(calls), 'model call')}"
    training = _training(run)
    if training is not None and training.details.get("tokens"):
        text += f"; {short(training.details['tokens'])} tokens read in training"
    if measured:
        text += f". To measure what it is worth took {seconds(_sum(measured, 'seconds'))} more"
        text += f" and {money(paid)}" if (paid := _sum(measured, "usd")) else ""
    return f"{text}."


def _sum(bills: Iterable[dict[str, float]], name: str) -> float:
    return sum(finite(bill.get(name)) or 0.0 for bill in bills)


def because(run: Run) -> str:
    """Which part of the recipe did it, as far as the comparison can tell."""
    board = run.compare
    if board is None or board.own is None or board.random is None:
        return ""
    writes = any(step.details.get("funnel") for step in run.steps)
    parts = [text for text in (_one_round(board) or _choice(board.own, writes), _steps(board)) if text]
    if not board.steps:
        parts.append("What each step did by itself was not measured; compare with leave_one_out: true measures it.")
    return " ".join(parts)


def _steps(board: Scoreboard) -> str:
    """The steps that helped and those that harmed, the largest first."""
    said = []
    for word in ("it helped", "it harmed"):
        lines = [line for line in board.steps or [] if line.verdict == word and line.worth and line.worth.known]
        lines.sort(key=lambda line: -abs(line.worth.mean if line.worth else 0.0))
        for line in lines:
            assert line.worth is not None
            shown = interval(line.worth.mean, line.worth.low, line.worth.high, signed=True)
            said.append(f"{line.step} {word.removeprefix('it ')}: {shown} {metric_name(board.metric)}.")
    if board.steps and not said:
        return "No single step was shown to help or to harm."
    return " ".join(said)


def _one_round(board: Scoreboard) -> str:
    """That the selection alone did it, where one round of it, without rewriting and writing, is as good as all."""
    one = next((arm for arm in board.arms if arm.name == "one_round"), None)
    said = rounds_said(board)
    if one is None or one.verdict != "better than random" or not said or "the rounds paid" in said:
        return ""
    how = "better still" if "one round is better" in said else "as good"
    return (
        f"The choice of rows did it: one round of the same selection, without rewriting and writing, is {how}, and "
        "random rows of the same cleaned pool do worse."
    )


def _choice(own: ArmScore, writes: bool) -> str:
    """Choosing, or writing, against cleaning alone: random rows are of the same cleaned pool."""
    if own.verdict == "better than random":
        who = "The choice of rows and what was written, together," if writes else "The choice of rows"
        return f"{who} did it: random rows of the same cleaned pool do worse."
    if own.raw is not None and own.raw.verdict == "better than random":
        return "Cleaning did it, not the choice."
    return ""


def coming(run: Run) -> str:
    """What to do next, by what was found."""
    if run.stopped or run.missing:
        return "Run the same command again: it goes on where it stopped."
    board = run.compare
    if board is None or board.own is None or board.random is None:
        measured = bool(run.named("evaluate"))
        how = "flywheel compare trains random rows beside them" if measured else "add train, evaluate and a target"
        return f"Find out what these rows are worth: {how}."
    word = board.own.verdict
    if word == "better than random":
        text = "Train your own model on this data set, and measure it on rows of your own."
    elif word == "worse than random":
        text = "Do not use this choice: take random rows of the cleaned pool, or another method."
    elif word == "no better than random":
        text = (
            "Random rows of the cleaned pool do as well for less: take them, or try another method or another target."
        )
    else:
        text = "Give the comparison more seeds: the interval does not decide yet."
    ahead = board.curve.said if board.curve is not None and board.curve.said else ""
    said = rounds_said(board)
    once = "One round does as well: leave rounds out." if "one round is enough" in said else ""
    once = "One round does better: leave rounds out." if "one round is better" in said else once
    return " ".join(part for part in (text, once, f"{ahead}." if ahead else "", _weakest(run)) if part)


def _weakest(run: Run) -> str:
    """The slice on which the model is weakest."""
    step = last_evaluation(run)
    slices = {} if step is None else dict(step.details.get("slices") or {})
    values = {name: value for name, one in slices.items() if (value := finite((one or {}).get("value"))) is not None}
    values.pop("other", None)
    if step is None or len(values) < 2:
        return ""
    worst = max(values, key=lambda name: values[name] * (1 if step.details.get("better", "lower") == "lower" else -1))
    return f"The weakest slice is {clip(worst, 40)}."
