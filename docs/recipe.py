"""The recipe's sections and the steps that are not methods, as the reference shows them."""

from __future__ import annotations

from pydantic import BaseModel

from dataflywheel.evolution.feedback.evaluate import Evaluate
from dataflywheel.models.spec import EmbedderSpec, ModelSpec
from dataflywheel.models.training.train_settings import Lora
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.sections import Compare, Guards, Limits, Models, Source, Target, Tiers
from dataflywheel.recipe.steps.distill import Distill
from dataflywheel.recipe.steps.enhance import Enhance
from dataflywheel.recipe.steps.generate import Generate
from dataflywheel.recipe.steps.prefer import Prefer
from dataflywheel.recipe.steps.train import Train
from dataflywheel.recipe.steps.warm_up import WarmUp
from dataflywheel.selection.combine import Select
from dataflywheel.signals.engine import Engine
from docs.fields import field_table, one_line

SECTIONS: dict[str, type[BaseModel]] = {
    "pool": Source,
    "target": Target,
    "models": Models,
    "models.student, models.scorer": ModelSpec,
    "models.embedder": EmbedderSpec,
    "budget": Limits,
    "tiers": Tiers,
    "guards": Guards,
    "compare": Compare,
    "engine": Engine,
}
OWN_STEPS: dict[str, type[BaseModel]] = {
    "select": Select,
    "enhance": Enhance,
    "generate": Generate,
    "warm_up": WarmUp,
    "train": Train,
    "train.lora": Lora,
    "distill": Distill,
    "prefer": Prefer,
    "evaluate": Evaluate,
}
SHORT = [
    "- `pool` and `target`: one entry may stand without its list.",
    "- A model may be a name alone: `student: tiny`, `student: ./my-model`, `embedder: static`.",
    "- A step without parameters may be its name alone: `- evaluate`.",
    "- A method may be its name alone: `by: ifd` for `by: {ifd: {}}`; gates, samplers and policies likewise.",
    "- `compare` may be the list of arms alone: `compare: [random, longest, full]`.",
]


def recipe() -> list[str]:
    """The schema, section by section; the steps that are no cleaners."""
    lines = [
        "A recipe is one YAML file. An unknown key is an error that names the line and the nearest right name.",
        "`${NAME}` and `${NAME:-default}` are taken from the environment; inside braces they need quotes.",
        "Editors check recipes against [recipe.schema.json](recipe.schema.json).",
        "",
        "Short forms:",
        "",
        *SHORT,
        "",
        *_section("The whole file", Recipe),
    ]
    for name, model in SECTIONS.items():
        lines += _section(f"`{name}`", model)
    lines += [
        "### Steps",
        "",
        "A step is one name with its parameters. The cleaners `deduplicate`, `decontaminate` and `filter`, and",
        "procedures, which stand for several steps (`mods`), are under [Methods](#methods). The others are these.",
        "",
    ]
    for name, model in OWN_STEPS.items():
        lines += _section(f"`{name}`", model, "####")
    return lines


def _section(title: str, model: type[BaseModel], level: str = "###") -> list[str]:
    return [f"{level} {title}", "", one_line(model.__doc__), "", *field_table(model)]
