"""The card of a model that a run trained: from what, on what, how, how good it is, and what is not known of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from dataflywheel.report.card.card import code, md
from dataflywheel.report.card.card_facts import CardFacts
from dataflywheel.report.card.used_methods import card_in, methods_of_run, paper_link
from dataflywheel.report.drawing.markup import visible
from dataflywheel.report.drawing.numbers import count, interval, plural
from dataflywheel.report.rundir import Run, Step, load_run
from dataflywheel.report.verdict import metric_name, verdict
from dataflywheel.store.atomic import write_text


def write_model_cards(run: Path, missing: bool = False) -> list[Path]:
    """Write `README.md` into every folder of a model that is there, or those that have none, and return their paths;
    none where nothing was trained.

    Raises:
        UsageError: the directory holds no run.
        FlywheelError: a file of the run is damaged.
    """
    folders = [folder for folder in sorted((run / "models").glob("*")) if (folder / "config.json").is_file()]
    folders = [folder for folder in folders if not (missing and (folder / "README.md").is_file())]
    if not folders:
        return []
    read = load_run(run)
    trained = [step for step in read.steps if step.details.get("model")]
    facts = CardFacts(read) if trained and read.final else None
    written = []
    for folder in folders if facts else []:
        own = [step for step in trained if step.details["model"] == f"models/{folder.name}"]
        last = own[-1] if own else trained[-1]
        assert facts is not None
        write_text(folder / "README.md", card_of(read, facts, folder, trained[: trained.index(last) + 1]))
        written.append(folder / "README.md")
    return written


def card_of(run: Run, facts: CardFacts, folder: Path, trainings: list[Step]) -> str:
    """The text of the card of a model that came of these trainings, of which the last made it."""
    base, known = _base(run)
    front: dict[str, Any] = {"library_name": "transformers", "pipeline_tag": "text-generation"}
    front |= {"base_model": base} if known else {}
    front |= {"language": list(facts.languages)} if facts.languages else {}
    front["tags"] = ["dataflywheel", *dict.fromkeys([*(step.name for step in trainings), *methods_of_run(run)])]
    head = "---\n" + yaml.safe_dump(front, sort_keys=False, allow_unicode=True) + "---"
    parts = [
        head,
        f"# {md(run.name)}: {md(folder.name)}",
        f"{md(verdict(run).headline)} {md(verdict(run).detail)}",
        _origin(facts, base, known),
        _trainings(trainings),
        _evaluation(run, folder, trainings[-1]),
        _methods(run),
        _limits(run, facts, known),
        _loading(),
    ]
    return "\n\n".join(parts) + "\n"


def _base(run: Run) -> tuple[str, bool]:
    """What training began from, and whether that is the name of a model on the hub."""
    given = (run.recipe_values.get("models") or {}).get("student") or "tiny"
    held = given if isinstance(given, dict) else {"hf": given} if "/" in str(given) else {"builtin": given}
    name = str(held.get("hf") or held.get("builtin") or "tiny")
    path = Path(name).expanduser()
    hub = bool(held.get("hf")) and name.count("/") == 1 and not path.exists() and not name.startswith((".", "/", "~"))
    return (name, True) if hub else (visible(path.name), False)


def _origin(facts: CardFacts, base: str, known: bool) -> str:
    made = f"Fine-tuned from {code(base)}" if known else f"Trained from {code(base)}"
    sources = ", ".join(f"{md(name or 'unnamed')} ({count(n)})" for name, n in facts.sources.most_common(8))
    return f"## From what\n\n{made} on {plural(facts.rows, 'row')}, by source: {sources}."


def _trainings(trainings: list[Step]) -> str:
    lines = []
    for step in trainings:
        given = {name: value for name, value in step.params.items() if value not in (None, {}, [])}
        done = f"{count(step.details.get('steps'))} steps, {count(step.details.get('tokens'))} tokens"
        lines.append(f"- {md(step.key)}: {done}; {code(json.dumps(given, ensure_ascii=False))}")
    return "## How it was trained\n\n" + "\n".join(lines)


def _evaluation(run: Run, folder: Path, last: Step) -> str:
    """The scores of the model that the evaluation saw: the one of the training before it."""
    order = [(step.round, step.index) for step in run.steps if step.details.get("model")]
    own = (last.round, last.index)
    after = [one for one in order if one > own]
    found = [
        step
        for step in run.named("evaluate")
        if (step.round, step.index) > own and not (after and (step.round, step.index) > after[0])
    ]
    if not found:
        return "## Evaluation\n\nThis model was not evaluated here."
    told = found[-1].details
    overall, better = told.get("overall") or {}, told.get("better", "lower")
    shown = interval(overall.get("value"), overall.get("low"), overall.get("high"))
    lines = [f"{md(metric_name(told.get('metric', 'score')))} ({md(better)} is better): {shown}, all rows."]
    slices = sorted((told.get("slices") or {}).items())
    lines += [
        f"- {md(name)}: {interval(one.get('value'), one.get('low'), one.get('high'))}" for name, one in slices[:24]
    ]
    return "## Evaluation\n\n" + "\n".join(lines)


def _methods(run: Run) -> str:
    names = methods_of_run(run)
    if not names:
        return "## Methods\n\nNo published method was applied."
    lines = []
    for name in names:
        card = card_in(run, name)
        link = paper_link(card)
        lines.append(f"- `{name}`: {md(card.summary)}" + (f" <{link}>" if link else ""))
    return "## Methods\n\n" + "\n".join(lines)


def _limits(run: Run, facts: CardFacts, known: bool) -> str:
    lines = ["What it says was not checked for truth, bias or harm beyond the scores named here."]
    if not known:
        lines.append("What training began from is no model on the hub: look at the recipe for where it comes from.")
    if any(facts.license(source) is None for source in facts.sources):
        lines.append("The licence of at least one source of its rows is not stated; find it out before you publish.")
    lines.append("The licence of the model that it began from holds for it as well, and is not stated here.")
    if run.compare is None:
        lines.append("It was not compared with a model trained on random rows for as many tokens.")
    if run.missing:
        lines.append(f"The run is not finished: {', '.join(run.missing)} not done.")
    return "## Limits\n\n" + "\n".join(f"- {md(line)}" for line in lines)


def _loading() -> str:
    return (
        "## How to load\n\n```python\nfrom transformers import AutoModelForCausalLM, AutoTokenizer\n\n"
        'place = "."  # this folder, or its name on the hub\n'
        "model = AutoModelForCausalLM.from_pretrained(place)\n"
        "tokenizer = AutoTokenizer.from_pretrained(place)\n```"
    )
