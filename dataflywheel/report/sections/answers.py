"""What the trained model makes of single target rows, beside the untrained one: the best and the worst of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dataflywheel.contracts import AnyArray, FloatArray
from dataflywheel.evolution.feedback.evaluate import RowScores
from dataflywheel.evolution.feedback.score_files import read_scores
from dataflywheel.report.drawing.markup import esc, note, passage, section
from dataflywheel.report.drawing.numbers import aligned, count
from dataflywheel.report.rundir import Run, Step
from dataflywheel.report.verdict import metric_name
from dataflywheel.rows.text import part_of

SHOWN = 4
"""Rows at each end."""


@dataclass(frozen=True)
class Pair:
    """Scores of the same n rows by the trained and by the untrained model; `base` is None where that was not scored."""

    trained: RowScores
    base: RowScores | None
    better: str

    @property
    def after(self) -> FloatArray:
        """(n,) scores of single rows; NaN where a row was not scored."""
        return _each(self.trained)

    @property
    def before(self) -> FloatArray:
        return np.full(len(self.trained.ids), np.nan) if self.base is None else _each(self.base)

    @property
    def gains(self) -> FloatArray:
        """(n,) by how much the trained model is better, whatever direction is good."""
        return (self.before - self.after) * (1.0 if self.better == "lower" else -1.0)

    def order(self) -> AnyArray:
        """Positions from best to worst: by the score where answers were written, else by the gain where it is known.
        Equal ones by the gain, then by id; rows without a score are left out."""
        score = self.after * (1.0 if self.better == "lower" else -1.0)
        gains = self.gains
        known = np.isfinite(score)
        compared = self.base is not None and bool(np.isfinite(gains[known]).any())
        first, then = (-gains, score) if compared and not len(self.trained.answer) else (score, -gains)
        usable = np.flatnonzero(known & np.isfinite(first))
        keys = (np.asarray(self.trained.ids, dtype=str)[usable], np.nan_to_num(then[usable]), first[usable])
        return usable[np.lexsort(keys)]


def _each(scores: RowScores) -> FloatArray:
    weight = np.where(scores.weight > 0, scores.weight, np.nan)
    return np.asarray(scores.value / weight, dtype=np.float64)


def last_evaluation(run: Run) -> Step | None:
    """The evaluation of the model that the run gave: in a wheel that of the last round that was kept."""
    kept = [one.round for one in run.rounds if one.kept]
    steps = run.named("evaluate")
    of_kept = [step for step in steps if kept and step.round == kept[-1]]
    found = of_kept or steps
    return found[-1] if found else None


def pair_of(step: Step) -> Pair | None:
    """The scores of an evaluation row by row; None where it left none. Of a divided target those of the select tier."""
    places = [step.directory / name for name in ("scores-select.parquet", "scores.parquet")]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        return None
    trained, before = read_scores(found), step.directory / "untrained.parquet"
    base = read_scores(before) if before.is_file() else None
    same = base is not None and list(base.ids) == list(trained.ids)
    return Pair(trained, base if same else None, str(step.details.get("better", "lower")))


def answers(run: Run) -> str:
    """The section, or nothing where no evaluation left scores of single rows."""
    step = last_evaluation(run)
    pair = pair_of(step) if step else None
    if step is None or pair is None:
        return ""
    order = pair.order()
    if not len(order):
        return ""
    half = min(SHOWN, (len(order) + 1) // 2)
    ends = [order[:half], order[half:][-half:][::-1]]
    rows = run.rows({str(pair.trained.ids[at]) for part in ends for at in part})
    metric = metric_name(step.details.get("metric", "score"))
    by_gain = pair.base is not None and not len(pair.trained.answer)
    titles = ("Improved most", "Improved least, or got worse") if by_gain else ("Best", "Worst")
    body = _counted(pair)
    for title, part in zip(titles, ends, strict=True):
        cards = "".join(_card(pair, int(at), rows.get(str(pair.trained.ids[at])), metric) for at in part)
        body += f"<h3>{esc(title)}</h3>{cards}" if cards else ""
    lead = (
        f"{_what(pair)} {metric}, {pair.better} is better. "
        f"{count(len(order))} rows were scored; the ends are shown, long texts are cut."
    )
    return section("answers", "Target rows, before and after", body, esc(lead))


def _what(pair: Pair) -> str:
    who = "the untrained model and the trained one" if pair.base is not None else "the trained model"
    if len(pair.trained.answer):
        return f"What {who} wrote to rows that were never trained on, with the score of each answer in"
    finds = "find" if pair.base is not None else "finds"
    return f"How likely {who} {finds} the reference answers of rows that were never trained on, in"


def _counted(pair: Pair) -> str:
    """How many rows got better and worse."""
    if pair.base is None:
        return note("The untrained model was not scored in this run, so there is nothing to hold these rows against.")
    gains = pair.gains[np.isfinite(pair.gains)]
    up, down = int((gains > 0).sum()), int((gains < 0).sum())
    said = f"The trained model is better than the untrained one on {count(up)} of {count(len(gains))} rows, worse on "
    return f"<p>{esc(f'{said}{count(down)}, and the same on {count(len(gains) - up - down)}.')}</p>"


def _card(pair: Pair, at: int, row: dict[str, Any] | None, metric: str) -> str:
    before, after = aligned([pair.before[at], pair.after[at]])
    shown = f"{before} \u2192 {after}" if pair.base is not None else after
    slice_, note_ = str(pair.trained.slices[at]), str(pair.trained.note[at]) if len(pair.trained.note) else ""
    where = " \u00b7 ".join(part for part in (slice_, str(pair.trained.ids[at])[:12], note_) if part)
    title = f'<span class="badge">{esc(shown)}</span> {esc(metric)} <span class="where">{esc(where)}</span>'
    if row is None:
        return f'<article class="example"><h4>{title}</h4><p class="where">its text is not in this run</p></article>'
    asked = [_text("prompt", part_of(row["messages"], "prompt"))]
    asked.append(_text("reference answer", part_of(row["messages"], "answer")))
    boxes = [f'<div class="row">{text}</div>' for text in asked]
    if len(pair.trained.answer):
        boxes = [f'<div class="row">{"".join(asked)}</div>']
        told = [("untrained", pair.base.answer if pair.base else ()), ("trained", pair.trained.answer)]
        written = "".join(_text(f"{who} model wrote", texts[at]) for who, texts in told if len(texts))
        boxes.append(f'<div class="row">{written}</div>')
    return f'<article class="example"><h4>{title}</h4><div class="pair">{"".join(boxes)}</div></article>'


def _text(name: str, text: str | None) -> str:
    blank = "(nothing)" if text is None else "(white space)" if text and not text.strip() else ""
    shown = f'<div class="text empty">{blank}</div>' if blank else passage(text or "")
    return f'<span class="part">{esc(name)}</span>{shown}'
