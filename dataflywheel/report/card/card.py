"""The card of the final data set: what is in it, how each row got there, whom to cite, what it is not good for."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

from dataflywheel import catalog
from dataflywheel.models.training.row_weights import weight_facts
from dataflywheel.report.card.card_facts import CardFacts
from dataflywheel.report.card.card_origins import told_origins
from dataflywheel.report.card.card_safety import safety
from dataflywheel.report.card.used_methods import card_in, methods_of_run, paper_link
from dataflywheel.report.drawing.markup import visible
from dataflywheel.report.drawing.numbers import count, interval, percent, plural, seconds
from dataflywheel.report.guided import guided
from dataflywheel.report.rundir import Run, Step, load_run
from dataflywheel.report.sections.funnel import came, parts, reasons
from dataflywheel.report.sections.mixture import mixture
from dataflywheel.report.verdict import metric_name, verdict
from dataflywheel.store.atomic import write_text
from dataflywheel.store.run import DATASET, PARTIAL
from dataflywheel.store.scoreboard import costs_more

SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def write_card(run: Path) -> Path | None:
    """Write `README.md` beside the rows of a run, in `dataset/` or `dataset.partial/`, and return its path; None where
    a budget ended the run before there were any.

    Raises:
        UsageError: the directory holds no run.
        FlywheelError: a file of the run is damaged.
    """
    read = load_run(run)
    folder = _folder(read)
    if read.stopped and not folder.is_dir():
        return None
    facts = CardFacts(read)
    parts = [
        "---\n" + yaml.safe_dump(_front_matter(read, facts), sort_keys=False, allow_unicode=True) + "---",
        f"# {md(read.name)}",
        f"{md(verdict(read).headline)} {md(verdict(read).detail)}",
        _composition(facts),
        *told_origins(read),
        _history(read),
        _target(read, facts),
        _evaluation(read),
        _methods(read),
        _limits(read, facts),
        _loading(read),
    ]
    path = folder / "README.md"
    write_text(path, "\n\n".join(parts) + "\n")
    return path


def _folder(run: Run) -> Path:
    """Where the rows are: in `dataset/`, or else in `dataset.partial/`."""
    whole, partial = run.directory / DATASET, run.directory / PARTIAL
    return partial if partial.is_dir() and not whole.is_dir() else whole


def md(text: object) -> str:
    """One line of Markdown that shows the text as it is: no markup, no HTML, no end of a table cell."""
    line = " ".join(visible(text).split())
    return re.sub(r"([\\`*_{}\[\]<>#|])", r"\\\1", line)


def _front_matter(run: Run, facts: CardFacts) -> dict[str, Any]:
    licenses = {facts.license(source) for source in facts.sources}
    named = sorted(name for name in licenses if name)
    known = bool(named) and None not in licenses and all(re.fullmatch(r"[a-z0-9.-]+", name) for name in named)
    front: dict[str, Any] = {"license": "other" if not known else named[0] if len(named) == 1 else named}
    if facts.languages:
        front["language"] = list(facts.languages)
    front["size_categories"] = [next((name for limit, name in SIZES if facts.rows < limit), "n>1M")]
    front["task_categories"] = ["text-generation"]
    kinds = ["preference"] * bool(facts.preferences) + ["tool-calling"] * bool(facts.tools)
    front["tags"] = ["dataflywheel", "instruction-tuning", "data-selection", *kinds, *methods_of_run(run)]
    front["pretty_name"] = visible(run.name)
    files = _files(run)
    if files:
        front["configs"] = [{"config_name": name, "data_files": [file]} for name, file in _by_kind(files).items()]
    return front


def _files(run: Run) -> list[str]:
    """The data files of the data set, by name."""
    folder = _folder(run)
    names = sorted(path.name for path in folder.glob("*") if path.is_file()) if folder.is_dir() else []
    return [name for name in names if name.endswith((".jsonl", ".parquet", ".json")) and name != "dataset_info.json"]


def code(text: object) -> str:
    """Inline code that also stands in a table cell."""
    return "`" + " ".join(visible(text).replace("`", "'").split()).replace("|", "\\|") + "`"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _composition(facts: CardFacts) -> str:
    rows = [
        [md(source or "unnamed"), count(n), percent(n / max(facts.rows, 1)), md(facts.license(source) or "not stated")]
        for source, n in facts.sources.most_common()
    ]
    kinds = f"{count(facts.conversations)} with several turns, {count(facts.preferences)} preference pairs"
    spoken = ", ".join(f"{code} {percent(share)}" for code, share in facts.languages.items())
    sample = f"Languages of {plural(facts.language_rows, 'sampled row')}: {spoken}."
    language = sample if spoken else "The language of the rows was not measured."
    text = f"{plural(facts.rows, 'row')}: {kinds}, {count(facts.tools)} with tools. {language}{_weights(facts)}"
    return f"## Composition\n\n{text}\n\n" + _table(["source", "rows", "share", "licence"], rows)


def _weights(facts: CardFacts) -> str:
    """What a reader must know of rows that do not count alike."""
    if facts.weights is None:
        return ""
    told = weight_facts(facts.weights)
    return (
        f" Rows do not count alike: `weight` goes from {told['least']:.3g} to {told['greatest']:.3g}, and they say as "
        f"much as {plural(round(told['effective_rows']), 'row')} of equal weight. Multiply a row's loss with it; a "
        "trainer that does not read it learns from another distribution than was chosen."
    )


def _history(run: Run) -> str:
    written = any(parts(step)["added"] for step in run.row_steps)
    rows = [
        [
            md(step.key),
            code(json.dumps(step.params, ensure_ascii=False)) if step.params else "",
            count(came(step)),
            *([count(parts(step)["added"])] if written else []),
            count(step.rows_out),
            _why(step),
        ]
        for step in run.row_steps
    ]
    seed = f" Seed {run.plan.seed}." if run.plan.seed is not None else ""
    if back := run.taken_back:
        rounds = f"round{'s' if len(back) > 1 else ''} {', '.join(map(str, back))}"
        seed += f" Taken back, so that their rows are not in this set: {rounds}."
    mixtures = [found for step in run.steps if (found := mixture(step)) is not None]
    drawn = "".join(f" While a model learned these rows, {md(found.moved())}." for found in mixtures[-1:])
    lead = f"Every row that was read is kept or has a reason in the decisions of the step that dropped it.{seed}{drawn}"
    return f"## How each row got here\n\n{lead}\n\n" + _table(
        ["step", "parameters", "rows in", *(["added"] if written else []), "rows out", "why"], rows
    )


def _why(step: Step) -> str:
    return "; ".join(f"{count(n)} {action}: {md(reason)}" for action, reason, n in reasons(step)[:5])


def _target(run: Run, facts: CardFacts) -> str:
    entries = facts.entries("target")
    lines = [
        f"- {code(e.get('path') or e.get('builtin'))} ({md(metric_name(e.get('metric', 'bits_per_byte')))})"
        for e in entries
    ]
    lines += [f"\n{told}"] if (told := guided(run.directory)) else []
    said = "\n".join(lines) if lines else "The recipe names no target."
    checked = run.named("decontaminate")
    if checked:
        dropped = sum(len(step.dropped_ids) for step in checked)
        clean = f"Decontamination against the target dropped {plural(dropped, 'row')}, each recorded with its match."
    else:
        clean = "No decontamination was run: rows of this set may also stand in evaluation sets."
    renewed = sum(step.rows_out for step in run.named("renew"))
    more = f" {plural(renewed, 'verified variant')} of its rows were kept out as well." if renewed else ""
    return f"## Target and decontamination\n\n{said}\n\n{clean}{more}"


def _evaluation(run: Run) -> str:
    board = run.compare
    if board is None or board.own is None:
        return "## Evaluation\n\nThe gain over random rows for as many training tokens was not measured."
    rows = [
        [
            md(arm.label or arm.name),
            count(arm.rows),
            count(arm.train_tokens),
            interval(arm.mean, arm.low, arm.high),
            md(f"{arm.verdict} ({unlike})" if (unlike := costs_more(arm, board.random)) else arm.verdict),
            seconds(arm.select_cost.seconds),
        ]
        for arm in board.arms
    ]
    metric = f"{metric_name(board.metric)} ({board.better} is better)"
    seeds = plural(len(board.seeds), "seed")
    head = ["choice of rows", "rows", "training tokens", metric, "in words", "choosing took"]
    return f"## Evaluation\n\nMean and 95% interval over {seeds}.\n\n" + _table(head, rows)


def _methods(run: Run) -> str:
    names = methods_of_run(run)
    lines = []
    for name in names:
        card, own = card_in(run, name), run.plugged.get(name)
        link = paper_link(card)
        cited = f" {card.authors} ({card.year}). {card.title}. <{link}>" if link else ""
        if own:
            cited = f"{md(cited)} Of {md(own.plugin)}, whose code is {md(own.digest)}."
        lines.append(f"- `{name}`: {md(card.summary) if own else card.summary}{cited}")
    if not lines:
        return "## Methods\n\nNo published method was applied."
    listed = "\n".join(lines)
    bibtex = f"```bibtex\n{catalog.entries_of(card_in(run, name) for name in names)}\n```"
    return f"## Methods\n\nPlease cite them when you use this data set.\n\n{listed}\n\n{bibtex}"


def _limits(run: Run, facts: CardFacts) -> str:
    lines = []
    if run.compare is None:
        lines.append("Nothing shows that this selection is better than random rows for as many training tokens.")
    else:
        lines.append("The comparison holds for the model, the metric and the target named here; others may differ.")
    if any(facts.license(source) is None for source in facts.sources):
        lines.append("The licence of at least one source is not stated; find it out before you publish.")
    if run.missing:
        lines.append(f"The run is not finished: {', '.join(run.missing)} not done.")
    told = [*safety(run, facts), *map(md, lines)]
    return "## Limits\n\n" + "\n".join(f"- {line}" for line in told)


def _by_kind(files: list[str]) -> dict[str, str]:
    """Files by kind of row (`train.chat.jsonl`), each a data set of its own; `default` where there is one."""
    return {file.split(".")[1] if len(files) > 1 else "default": file for file in files}


def _loading(run: Run) -> str:
    lines = []
    files = _by_kind(_files(run) or ["train.jsonl"])
    for name, file in files.items():
        kind = "parquet" if file.endswith(".parquet") else "json"
        call = f'load_dataset("{kind}", data_files={json.dumps([file])}, split="train")'
        lines.append(f"{'rows' if len(files) == 1 else name} = {call}")
    shown = "\n".join(lines)
    return f"## How to load\n\n```python\nfrom datasets import load_dataset\n\n{shown}\n```"
