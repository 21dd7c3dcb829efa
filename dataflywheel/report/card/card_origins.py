"""What a data set card says of the column that tells where rows come from."""

from __future__ import annotations

from dataflywheel.report.rundir import Run
from dataflywheel.rows.formats.row_model import OURS

TOLD = (
    f"Every record has a column `{OURS}`, which trainers pass over: the `id` of its row, its `source`, and of rows "
    "that were written or changed the method (`made_by`), the `model`, the ids of the rows they were made of "
    "(`parents`), the `round`, and how many `copies` were read. `flywheel why RUN ID` tells more."
)
HIDDEN = (
    " An id is a digest of the whole text: who guesses what was taken out of a row by {names} can check the guess by "
    "`parents`. `origins: false` in the recipe leaves the column out."
)


def told_origins(run: Run) -> list[str]:
    """The section, where the records have the column."""
    if run.recipe_values.get("origins") is False:
        return []
    hiding = [s for s in run.steps if s.details.get("hides_before") and any(n.startswith("changed") for n in s.counts)]
    names = ", ".join(dict.fromkeys(f"`{step.details.get('by') or step.name}`" for step in hiding))
    return [f"## Where each row comes from\n\n{TOLD}{HIDDEN.format(names=names) if names else ''}"]
