"""How the models of a run were trained: losses by step, and the settings of each training."""

from __future__ import annotations

import numpy as np

from dataflywheel.report.drawing.line_chart import Line, line_chart
from dataflywheel.report.drawing.markup import esc, section, table
from dataflywheel.report.drawing.numbers import aligned, count, finite, seconds
from dataflywheel.report.rundir import Run, Step
from dataflywheel.report.sections.funnel import step_title


def training(run: Run) -> str:
    """The section, or nothing where no model was trained."""
    found = [step for step in run.steps if losses(step)]
    if not found:
        return ""
    lead = "Loss in nats a token on the rows that were learned: how the trainings went, not how good the models are."
    return section("training", "Training", _chart(run, found) + _table(run, found), esc(lead))


def losses(step: Step) -> list[tuple[float, float]]:
    """Of a training, steps and the loss at each; none of any other step."""
    held = step.details.get("losses")
    pairs = [(one[0], finite(one[1])) for one in held if len(one) == 2] if isinstance(held, list) else []
    return [(float(at), loss) for at, loss in pairs if loss is not None]


def _chart(run: Run, found: list[Step]) -> str:
    last = found[-1]
    lines = [Line(step_title(run, step), *np.array(losses(step)).T) for step in [last, *found[:-1]]]
    ends = aligned([value for line in lines for value in (line.values[0], line.values[-1])])
    said = [f"{line.label}: {ends[2 * i]} to {ends[2 * i + 1]}" for i, line in enumerate(lines)]
    chart = line_chart("losses", "loss by step", "; ".join(said), lines, "training step")
    caption = f"<b>Loss by step</b> {esc('; '.join(said[:4]))}"
    return f'<figure class="story"><figcaption>{caption}</figcaption>{chart}</figure>'


def _table(run: Run, found: list[Step]) -> str:
    rows = [
        [
            esc(step_title(run, step)),
            esc(count(step.details.get("steps"))),
            esc(count(step.details.get("tokens"))),
            esc(seconds(step.details.get("seconds"))),
            *(esc(cell) for cell in settings(step)),
        ]
        for step in found
    ]
    head = ["training", "steps", "tokens", "time", "learning rate", "rows a step", "passes", "adapters", "the rest"]
    return table("Trainings", head, rows, numeric=(1, 2, 3, 4, 5, 6), css="stack")


APART = ("learning_rate", "batch_size", "epochs", "max_steps", "lora")
SILENT = ("force", "seed", "save_steps")


def settings(step: Step) -> tuple[str, str, str, str, str]:
    """Of a training in words: learning rate, rows a step, passes over the rows, adapters, and what else was set."""
    params = step.params
    rate = finite(step.details.get("learning_rate")) or finite(params.get("learning_rate"))
    lora = params.get("lora")
    adapters = f"LoRA, rank {lora.get('rank', 16)}" if isinstance(lora, dict) else "none: all weights"
    epochs = finite(params.get("epochs"))
    passes = "as the steps give" if params.get("max_steps") else "not known" if epochs is None else f"{epochs:g}"
    rest = {n: v for n, v in params.items() if n not in (*APART, *SILENT) and v not in (None, {}, [])}
    told = ", ".join(f"{name.replace('_', ' ')} {in_words(value)}" for name, value in rest.items())
    return (f"{rate:g}" if rate else "the usual one", count(params.get("batch_size")), passes, adapters, told)


def in_words(value: object) -> str:
    """A setting without the marks of Python.

    >>> in_words({"top_k": {"k": 128}}), in_words(True), in_words(["a", 0.05])
    ('top_k (k 128)', 'yes', 'a, 0.05')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        named = [
            f"{name} ({in_words(v)})" if isinstance(v, dict) and v else f"{name} {in_words(v)}"
            for name, v in value.items()
        ]
        return ", ".join(text.strip() for text in named)
    return ", ".join(map(in_words, value)) if isinstance(value, list) else str(value)
