"""The recipe: one YAML file that describes a job. Unknown keys are errors everywhere."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from dataflywheel.contracts import Around, method_spec
from dataflywheel.recipe.asked_signals import in_one_form
from dataflywheel.recipe.composed import HasProcedures, Steps
from dataflywheel.recipe.plugin_files import PluginFiles
from dataflywheel.recipe.sections import Compare, Guards, Limits, Models, Part, Source, Target, Tiers
from dataflywheel.signals.engine import Engine


class Recipe(Part, HasProcedures):
    """A job: pool, target, models, budget, steps and comparison."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """Name of the run: the folder under `runs/`."""
    seed: int = 0
    """Seed of everything random; a comparison counts its seeds up from here."""
    plugins: PluginFiles = Field(default=[], exclude_if=lambda files: not files)
    """Python files with methods of your own, `[./my_methods.py]`, which are run as soon as the recipe is read."""
    pool: list[Source] = []
    """The rows that may be used; empty only where all rows are written from nothing (`generate: {by: magpie}`)."""
    target: list[Target] = []
    """Evaluation rows."""
    models: Models = Models()
    """Student, scorer and embedder."""
    budget: Limits = Limits()
    """Limits of the whole run."""
    steps: Steps
    """What is done, in this order."""
    rounds: int = Field(default=1, ge=1, le=100)
    """Turns of the wheel: `keep` and `rows` of its steps are for all of them together."""
    feedback: dict[str, dict[str, Any]] = {}
    """Policies that share out each round's budget: over slices (`weakest_slices`) or ways to get rows (`thompson`)."""
    tiers: Tiers = Tiers()
    """How a recipe with rounds divides its target."""
    guards: Guards = Guards()
    """What a recipe with rounds may not do, and when it stops."""
    compare: Compare | None = None
    """Baselines to train beside the selection."""
    signals: dict[str, dict[str, Any]] = {}
    """Parameters of signals, by signal name, where the defaults do not fit: `{embedding: {part: prompt}}`. A signal may
    also stand under names of your own: `{prompts: {embedding: {part: prompt}}}` gives the column `prompts.vector`.
    `of: trained` among the parameters measures with the model that was trained last, anew in every round:
    `{lately: {likelihood: {of: trained}}}`."""
    format: Literal["messages", "trl", "llamafactory", "axolotl", "table"] = "messages"
    """What the final data set is written as; `table` as it was read: its columns."""
    origins: bool = Field(default=True, exclude_if=lambda told: told)
    """Whether each record of the data set tells under `flywheel` where its row comes from and who made it of what: id,
    source, method, model, parents, round, copies. Trainers pass over that column."""
    engine: Engine = Engine()
    """Where signals are measured."""

    def around(self) -> Around:
        """What its procedures are told of it."""
        models = self.models.model_dump(mode="json", exclude_unset=True)
        return Around(models, len(self.target), self.rounds, self.budget.rows)

    @field_validator("pool", "target", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return [value] if isinstance(value, dict) else value

    @field_validator("signals", mode="before")
    @classmethod
    def _signals_in_one_form(cls, value: Any) -> Any:
        return in_one_form(value) if value else value

    @field_validator("compare", mode="before")
    @classmethod
    def _names_only(cls, value: Any) -> Any:
        return {"arms": value} if isinstance(value, list) else value

    @model_validator(mode="after")
    def _something_to_read(self) -> Self:
        if not self.pool and (next(iter(self.steps[0])) != "generate" or self.rounds > 1):
            raise ValueError("there is no `pool`: name the rows to work on, such as `pool: [{path: rows.jsonl}]`")
        return self

    @model_validator(mode="after")
    def _feedback_needs_rounds(self) -> Self:
        if self.feedback and self.rounds == 1:
            raise ValueError("feedback moves the budget between rounds; write `rounds: 3`, or leave it out")
        return self

    @field_validator("feedback", mode="before")
    @classmethod
    def _policies(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {value: {}}
        return {name: given or {} for name, given in value.items()} if isinstance(value, dict) else value

    def named_steps(self) -> list[tuple[str, dict[str, Any]]]:
        """(name, parameters) in order."""
        return [method_spec(step) for step in self.steps]
