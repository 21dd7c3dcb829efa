"""What a sampler drew while a model learned: the weights of skills over time, and the graph that they followed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dataflywheel.report.drawing.markup import esc, note, table
from dataflywheel.report.drawing.numbers import aligned, count, number, percent
from dataflywheel.report.rundir import Step

TIMES = 8
"""Moments of the training that are shown."""
SKILLS = 20
"""Skills that are shown: those whose weights are largest at the end."""
EDGES = 12
NEARLY = 0.9
"""Share of the possible edges from which on, or below one less which, a graph gives no order."""


@dataclass(frozen=True)
class Mixture:
    """Weights of skills at the steps before which they were set; `weights` and `losses` hold one list a name."""

    by: str
    steps: list[int]
    weights: dict[str, list[float]]
    losses: dict[str, list[float]]
    graph: dict[str, dict[str, float]]
    drawn: dict[str, int]
    without: int

    def moved(self) -> str:
        """In a sentence, how the weights went."""
        ordered = sorted(self.weights, key=lambda name: self.weights[name][-1], reverse=True)
        ends = [ordered[0], ordered[-1]] if len(ordered) > 1 else ordered
        shown = [(name, number(self.weights[name][0]), number(self.weights[name][-1])) for name in ends]
        went = ", ".join(f"that of {name} from {first} to {last}" for name, first, last in shown)
        return f"{self.by} drew {count(len(ordered))} skills by weights that it set anew: {went}"


def mixture(step: Step) -> Mixture | None:
    """What the step's sampler found, where it weighed skills over time."""
    found: dict[str, Any] = step.details.get("sampler") or {}
    named = step.params.get("sampler") or {}
    if not named or "graph" not in found or not found.get("weights"):
        return None
    facts = (found[name] for name in ("steps", "weights", "losses", "graph", "drawn", "without_skill"))
    return Mixture(next(iter(named)), *facts)


def mixture_of(step: Step) -> str:
    """The skills of a training by step, and the edges of their graph; nothing for any other step."""
    found = mixture(step)
    if found is None:
        return ""
    places = sorted({at * (len(found.steps) - 1) // max(1, TIMES - 1) for at in range(TIMES)})
    names = sorted(found.weights, key=lambda name: (-found.weights[name][-1], name))
    rows = []
    for name in names[:SKILLS]:
        lost = found.losses.get(name, [])
        went = " to ".join(aligned([lost[0], lost[-1]])) if lost else "no slice of its own"
        weights = [esc(text) for text in aligned([found.weights[name][at] for at in places])]
        rows.append([esc(name), *weights, esc(count(found.drawn.get(name, 0))), esc(went)])
    head = ["skill", *(f"step {found.steps[at]}" for at in places), "rows drawn", "loss on it"]
    more = [f"{len(names) - SKILLS} more skills are in metrics.json."] if len(names) > SKILLS else []
    if found.without:
        more.append(f"{count(found.without)} rows have no skill and were never drawn.")
    parts = f"<p>{esc(found.moved())}.</p>" + "".join(note(line) for line in more)
    caption = "Weights of skills by step; losses in nats a token, on target rows that may guide"
    return parts + table(caption, head, rows, numeric=tuple(range(1, len(head))), css="stack") + _edges(found)


def _edges(found: Mixture) -> str:
    between = [(w, a, b) for a, helped in found.graph.items() for b, w in helped.items() if a != b]
    possible = sum(a != b for a in found.weights for b in found.losses)
    share = len(between) / max(1, possible)
    said = f"{count(len(between))} of {count(possible)} possible edges between skills are there ({percent(share)})."
    if share >= NEARLY or share <= 1 - NEARLY:
        said += " Such a graph gives hardly any order: expect no more than even shares give."
    rows = [[esc(a), esc(b), esc(number(w))] for w, a, b in sorted(between, key=lambda e: (-e[0], e[1], e[2]))[:EDGES]]
    listed = table("Edges with the most weight", ["learning", "helps on", "weight"], rows, numeric=(2,)) if rows else ""
    return note(said) + listed
