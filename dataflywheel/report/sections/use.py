"""What came of the run and how to go on with it: the lines that load data set and model, and the next command."""

from __future__ import annotations

import shlex

from dataflywheel.report.drawing.markup import esc, note, section
from dataflywheel.report.drawing.numbers import finite
from dataflywheel.report.rundir import Run
from dataflywheel.store.run import DATASET


def use(run: Run) -> str:
    """The section, or nothing for a run that has not come so far as to have rows or a model."""
    code, commands = loading(run), following(run)
    if not code and run.final is None:
        return ""
    body = f"<h3>In Python</h3><pre><code>{esc(code)}</code></pre>" if code else note("There is no data set yet.")
    shown = "\n".join(f"{command}  # {why}" for command, why in commands)
    body += f"<h3>Next</h3><pre><code>{esc(shown)}</code></pre>"
    return section("use", "Load it and go on", body, esc("Paths are those of the machine that ran it."))


def loading(run: Run) -> str:
    """Lines of Python that open the data set and the last model; "" where there is neither."""
    files = sorted((run.directory / DATASET).glob("*.jsonl"))
    lines = []
    if files:
        named = ", ".join(f'"{file.stem}": "{file}"' for file in files)
        lines += ["from datasets import load_dataset", f'rows = load_dataset("json", data_files={{{named}}})', ""]
    if place := model_of(run):
        lines += [
            "from transformers import AutoModelForCausalLM, AutoTokenizer",
            f'model = AutoModelForCausalLM.from_pretrained("{place}")',
            f'tokenizer = AutoTokenizer.from_pretrained("{place}")',
        ]
    return "\n".join(lines).strip()


def model_of(run: Run) -> str:
    """The folder of the model that the run gave; of a wheel that of the last round that was kept."""
    return str(run.model) if run.model else ""


def following(run: Run) -> list[tuple[str, str]]:
    """Commands that come next, each with what it is good for."""
    recipe = shlex.quote(str(run.directory / "recipe.yaml"))
    here = shlex.quote(str(run.directory))
    if run.stopped or run.missing:
        return [(f"flywheel run {recipe}", "goes on where it stopped; nothing is paid twice")]
    found = []
    board, trains = run.compare, bool(model_of(run))
    if board is None and trains and run.named("evaluate"):
        found.append((f"flywheel compare {recipe}", "what the choice of rows is worth against random ones"))
    if board is not None and board.own is not None and finite(board.own.mean) is not None and not board.steps:
        found.append(
            (f"flywheel compare {recipe}", "with `compare: {leave_one_out: true}` in it: what each step is worth")
        )
    if place := model_of(run):
        found.append((f"flywheel answer {shlex.quote(place)} prompts.jsonl --out answers.jsonl", "ask the model"))
        found.append(
            (f"lm_eval --model hf --model_args pretrained={shlex.quote(place)} --tasks ...", "public benchmarks")
        )
    found.append((f"flywheel why {here} TEXT", "why a row is in it, or is not"))
    return found
