"""How the models of a run were trained: losses by step, settings, and how to load what came of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from dataflywheel.report.drawing.line_chart import Line, line_chart
from dataflywheel.report.drawing.markup import details, esc, section, table
from dataflywheel.report.drawing.numbers import aligned, count, finite, seconds
from dataflywheel.report.rundir import Run, Step
from dataflywheel.report.sections.funnel import step_title


def training(run: Run) -> str:
    """The section, or nothing where no model was trained."""
    found = [step for step in run.steps if losses(step)]
    if not found:
        return ""
    lead = "Loss in nats a token on the rows that were learned: how the trainings went, not how good the models are."
    return section("training", "Training", _chart(run, found) + _table(run, found) + _load(run), esc(lead))


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
            esc(_settings(step.params)),
        ]
        for step in found
    ]
    head = ["training", "steps", "tokens", "time", "settings"]
    return table("Trainings", head, rows, numeric=(1, 2, 3), css="stack")


def _settings(params: dict[str, Any]) -> str:
    """What the recipe says of a training."""
    given = {name: value for name, value in params.items() if value not in (None, {}, [])}
    return ", ".join(f"{name} {value}" for name, value in given.items()) or "none"


def _load(run: Run) -> str:
    """Lines of Python that open the data set and the last model."""
    files = sorted((run.directory / "dataset").glob("*.jsonl"))
    models = [step.details["model"] for step in run.steps if step.details.get("model")]
    lines = []
    if files:
        named = ", ".join(f'"{file.stem}": "{file}"' for file in files)
        lines += ["from datasets import load_dataset", f'rows = load_dataset("json", data_files={{{named}}})', ""]
    if models:
        place = run.directory / models[-1]
        lines += [
            "from transformers import AutoModelForCausalLM, AutoTokenizer",
            f'model = AutoModelForCausalLM.from_pretrained("{place}")',
            f'tokenizer = AutoTokenizer.from_pretrained("{place}")',
            "",
            f"# lm_eval --model hf --model_args pretrained={place} --tasks ...",
        ]
    code = "\n".join(lines).strip()
    return details("Load what came of it in Python", f"<pre><code>{esc(code)}</code></pre>") if code else ""
