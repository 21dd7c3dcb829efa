"""The report of a run: one HTML file that can be mailed."""

from __future__ import annotations

from pathlib import Path

from dataflywheel import __version__
from dataflywheel.report.drawing.markup import esc
from dataflywheel.report.drawing.page import page
from dataflywheel.report.rundir import load_run
from dataflywheel.report.sections.answers import answers
from dataflywheel.report.sections.appendix import quarantine, recipe, sources
from dataflywheel.report.sections.composition import composition
from dataflywheel.report.sections.costs import costs
from dataflywheel.report.sections.embedding_map import embedding_map
from dataflywheel.report.sections.evaluation import evaluation
from dataflywheel.report.sections.examples import examples
from dataflywheel.report.sections.funnel import funnel
from dataflywheel.report.sections.next_rows import next_rows
from dataflywheel.report.sections.overview import overview
from dataflywheel.report.sections.proposals import proposals
from dataflywheel.report.sections.scoreboard import scoreboard
from dataflywheel.report.sections.signals import signals
from dataflywheel.report.sections.training import training
from dataflywheel.report.sections.use import use
from dataflywheel.report.sections.wheel import wheel
from dataflywheel.report.sections.worth import worth
from dataflywheel.report.terms import with_terms
from dataflywheel.report.verdict import verdict
from dataflywheel.store.atomic import write_text
from dataflywheel.store.run import names_damage

SECTIONS = {
    "wheel": ("The wheel", wheel),
    "content": ("The data set", composition),
    "answers": ("Before and after", answers),
    "use": ("Use it", use),
    "funnel": ("Rows by step", funnel),
    "scoreboard": ("Scoreboard", scoreboard),
    "worth": ("Worth of each step", worth),
    "next": ("Next rows", next_rows),
    "proposals": ("Changed and new rows", proposals),
    "evaluation": ("Evaluation", evaluation),
    "training": ("Training", training),
    "signals": ("Signals", signals),
    "map": ("Map", embedding_map),
    "examples": ("Examples", examples),
    "costs": ("Costs", costs),
    "sources": ("Sources", sources),
    "quarantine": ("Quarantine", quarantine),
    "recipe": ("Recipe", recipe),
}


@names_damage
def write_report(run: Path) -> Path:
    """Write `report.html` into the run directory and return its path.

    The page is self-contained: no script, no request to anywhere, drawings inline. Parts that the run does not have
    (comparison, evaluation, map, steps after a stop) are named as missing.

    Raises:
        UsageError: the directory holds no run.
        FlywheelError: a file of the run is damaged.
    """
    read = load_run(run)
    written = {key: with_terms(key, write(read)) for key, (_, write) in SECTIONS.items()}
    parts = [with_terms("overview", overview(read)), "<!--contents-->", *written.values()]
    contents = [(key, title) for key, (title, _) in SECTIONS.items() if written[key]]
    footer = esc(
        f"Written by dataflywheel {__version__} from {read.directory.name}. "
        f"flywheel why {read.directory} ROW tells the life of one row."
    )
    path = Path(run) / "report.html"
    write_text(path, page(f"{read.name}: {verdict(read).headline}", "\n".join(parts), contents, footer))
    return path
