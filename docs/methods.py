"""Every method with its card, parameters, columns and needs, as the reference shows them."""

from __future__ import annotations

import inspect
import json
from itertools import groupby
from typing import Any

from dataflywheel import catalog
from dataflywheel.contracts import (
    Cleaner,
    Composite,
    Judge,
    Method,
    Metric,
    Objective,
    Policy,
    Sampler,
    Selector,
    Signal,
    Status,
)
from dataflywheel.enhancement.preparation.filter import Filter
from dataflywheel.models.training.trainer import Trainer
from dataflywheel.proposing.kinds import Gate, Proposer
from docs.fields import field_table, one_line, table

STATUSES = {
    Status.OK: "Measured.",
    Status.TRUNCATED: "Measured on a part of the text: the model or the signal reads no more. The value counts.",
    Status.EMPTY: "Nothing to measure, such as a row without text. No value.",
    Status.FAILED: "The measurement failed; the error is kept beside it. No value. Tried again when next asked for.",
    Status.SKIPPED: "Not measured on purpose. No value.",
}
KINDS: dict[type[Method], str] = {
    Signal: "A signal measures a fact about each row, once; it is kept in the store.",
    Selector: "A selector ranks rows over columns that were measured before; it is named in `select`.",
    Cleaner: "A cleaner is a step of its own; it drops rows for a reason.",
    Judge: "A judge scores answers and changes none; it is named in `flywheel judge --by`.",
    Proposer: "A proposer writes candidate rows: a rewriter is named in `enhance`, one of tables in `mend`, a "
    "generator in `generate`.",
    Gate: "A gate accepts or rejects each candidate with a reason; it is named in `gates` of these two steps.",
    Metric: "A metric scores the answers of the model in training; it is named in `target: {metric: ...}`.",
    Sampler: "A sampler chooses the rows of each batch during training; it is named in `train: {sampler: ...}`.",
    Trainer: "A trainer takes rows and a model and gives a model; it is named in `prefer: {by: ...}`, or in `distill`.",
    Objective: "An objective says what is learned from an answer token; it is named in `distill: {by: ...}`.",
    Composite: "A procedure is a sequence of steps; it stands in a recipe by its own name, in their place.",
    Policy: "A policy shares out the next round's budget; it is named in `feedback`.",
}


def methods() -> list[str]:
    """All methods by category, each with what it needs and takes."""
    lines = [f"- {text}" for text in KINDS.values()]
    lines += ["", "Cost classes: ¢ minutes of CPU; $ one model pass a row; $$$$ dozens of fine-tunes.", ""]
    cards = catalog.methods()
    overview = [
        [
            f"[`{c['name']}`](#{c['name']})",
            f"{c['category']}, {c['subcategory']}",
            c["cost"],
            ", ".join(c["needs"]),
            c["summary"],
        ]
        for c in cards
    ]
    lines += table(["method", "kind", "cost", "you bring", "what it does"], overview)
    for category, group in groupby(cards, key=lambda card: card["category"]):
        lines += [f"### {category.capitalize()}", ""]
        for card in group:
            lines += _method(catalog.get(card["name"]), card)
    return lines


def _method(method: type[Method], card: dict[str, Any]) -> list[str]:
    paper = f"{card['authors']} {card['year']}, {card['title']}. {link(card['paper'])}" if card["paper"] else "none"
    lines = [f"#### `{card['name']}`", "", *_paragraphs(method), ""]
    lines += [f"- Source: {paper}", f"- Checked against: {card['checked']}.", f"- Cost: {card['cost']}"]
    told = (("Pays", "pays"), ("Fails", "fails"), ("Evidence", "evidence"))
    lines += [f"- {word}: {card[name]}" for word, name in told if card[name]]
    if card["needs"]:
        lines.append(f"- You bring: {', '.join(card['needs'])}")
    reads = _reads(method)
    if reads:
        lines.append(f"- Reads: {', '.join(f'`{name}`' for name in reads)} (with default parameters)")
    if issubclass(method, Signal):
        columns = ", ".join(f"`{card['name']}.{name}` ({kind})" for name, kind in method.columns.items())
        lines.append(f"- Columns: {columns}, `{card['name']}.status`")
    if issubclass(method, Proposer):
        gates = ", ".join(map(_gate, method.own_gates())) or "none"
        step = "mend" if method.mends else "enhance" if method.rewrites else "generate"
        lines.append(f"- Named in: `{step}`; its own gates: {gates}")
    return [*lines, "", *field_table(method)]


def _gate(named: tuple[str, dict[str, Any]]) -> str:
    """A gate as recipes name it.

    >>> _gate(("refusal", {})), _gate(("meaning", {"additions": True}))
    ('`refusal`', '`{meaning: {additions: true}}`')
    """
    name, parameters = named
    given = ", ".join(f"{key}: {json.dumps(value)}" for key, value in parameters.items())
    return f"`{{{name}: {{{given}}}}}`" if given else f"`{name}`"


def _paragraphs(method: type[Method]) -> list[str]:
    """The docstring with its lists kept."""
    blocks = (inspect.getdoc(method) or "").split("\n\n")
    shown = [block if block.lstrip().startswith("- ") else one_line(block) for block in blocks]
    return "\n\n".join(shown).splitlines()


def _reads(method: type[Method]) -> tuple[str, ...]:
    """Columns that a selector or cleaner reads with its defaults; others read what their parameters name."""
    told = any(info.is_required() for info in method.model_fields.values())
    if issubclass(method, Selector | Cleaner) and not issubclass(method, Filter) and not told:
        return tuple(method().needs())
    return ()


def link(paper: str) -> str:
    if paper.startswith("http"):
        return f"<{paper}>"
    if paper.startswith("10."):
        return f"[doi:{paper}](https://doi.org/{paper})"
    return f"[arXiv:{paper}](https://arxiv.org/abs/{paper})"


def statuses() -> list[str]:
    """What may become of one measurement."""
    lines = ["Every signal has a column `status`. A value exists only for `ok` and `truncated`.", ""]
    return lines + table(["code", "status", "meaning"], [[str(int(s)), s.name.lower(), STATUSES[s]] for s in Status])
