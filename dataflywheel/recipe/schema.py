"""The recipe: one YAML file that describes a job. Unknown keys are errors everywhere."""

from __future__ import annotations

from typing import Any, Literal, Self

import orjson
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from dataflywheel.contracts import UsageError, method_spec
from dataflywheel.evolution.feedback.learning_curve import FEWEST_SEEDS
from dataflywheel.evolution.metrics.named import metric_of
from dataflywheel.models.spec import EmbedderSpec, ModelSpec
from dataflywheel.recipe.asked_signals import in_one_form
from dataflywheel.recipe.plugin_files import PluginFiles
from dataflywheel.rows.mapping import ColumnMapping, column_mapping
from dataflywheel.signals.engine import Engine


class Part(BaseModel):
    """Base of all recipe sections."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(Part):
    """Where rows come from: a file, folder, glob or data set name, or a built-in documentation pool."""

    path: str | None = None
    builtin: Literal["python_docs", "installed_docs"] | None = None
    split: Literal["pool", "held_out"] = "pool"
    source: str = ""
    """Name of the source in rows, quotas and the card; the file's name where not given."""
    format: str | None = None
    license: str | None = None
    columns: dict[str, str | list[str]] = {}
    """Which columns hold what, where their names are not known: `{prompt: q, answer: a}`. Also system, rejected,
    messages, role, content, label, reasoning, tools, images, weight, text, source, tags. A column may be a path
    (`data.question`, `choices[0].text`); with `?` behind it, a record may lack it; several make up a prompt:
    `prompt: [context, question]`."""
    roles: dict[str, str] = {}
    """What other names of roles mean: `{customer: user, agent: assistant}`."""

    def mapping(self) -> ColumnMapping | None:
        """Columns and roles for the reader of the file."""
        return column_mapping(self.columns, self.roles)

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.path is None) == (self.builtin is None):
            raise ValueError("give exactly one of `path` and `builtin`")
        try:
            mapped = self.mapping()
        except UsageError as error:
            raise ValueError(str(error)) from None
        if mapped is not None and self.builtin is not None:
            raise ValueError("`columns` and `roles` belong to a `path`; what is built in has none")
        return self


class Target(Source):
    """Evaluation rows: never trained on, always decontaminated against."""

    metric: str = "bits_per_byte"
    """What answers are scored by: `bits_per_byte`, `answer_loss`, `exact_match`, `multiple_choice`, `final_answer`,
    `unit_tests`, `tool_call`, or a function of your own, `{python: ./metrics.py:score}`. One with parameters stands as
    `{unit_tests: {limits: {seconds: 10}}}`."""
    slice: str | None = None
    """What divides the rows into skills: `tag`, `source`, or the name of a field of the input."""

    @field_validator("metric", mode="before")
    @classmethod
    def _one_metric(cls, value: Any) -> Any:
        if isinstance(value, dict) and len(value) == 1:
            name, given = method_spec(value)
            given = given.get("function", "") if name == "python" and isinstance(given, dict) else given
            rest = given if isinstance(given, str) else orjson.dumps(given).decode() if given else ""
            value = f"{name}:{rest}" if rest else name
        if isinstance(value, str):
            try:
                metric_of(value).contents()
            except UsageError as error:
                raise ValueError(str(error)) from None
        return value


class Models(Part):
    """The student is trained and evaluated; the scorer measures likelihoods; the embedder gives vectors."""

    student: ModelSpec = ModelSpec(builtin="tiny")
    scorer: ModelSpec | None = None
    """The student's family where not given: for a built-in student a tiny model trained on the pool."""
    embedder: EmbedderSpec = EmbedderSpec(builtin="minilm")
    teacher: ModelSpec | None = None
    """The model that is asked: to rate, tag and judge."""


class Limits(Part):
    """The budget. A run that reaches a limit stops with a valid partial result."""

    rows: int | None = Field(default=None, gt=0)
    tokens: int | None = Field(default=None, gt=0)
    """Tokens of the rows that are selected."""
    usd: float | None = Field(default=None, ge=0)
    calls: int | None = Field(default=None, ge=0)
    """Requests to models that answer questions."""
    call_tokens: int | None = Field(default=None, ge=0)
    """Tokens that these models read and write."""
    hours: float | None = Field(default=None, gt=0)


class Compare(Part):
    """Which baselines stand beside the recipe's own selection, over how many seeds, and what else is measured."""

    arms: list[str | dict[str, Any]] = ["random", "random_raw", "longest", "full"]
    seeds: int = Field(default=5, ge=2)
    leave_one_out: bool | list[str] = False
    """Run the recipe again without each of its steps, or without those named (`enhance`, `05-enhance`), and train on
    what comes out: what was the step worth? `decontaminate` is never left out."""
    curve: bool = False
    """Train on a quarter and on half of the final rows as well, and say what as many rows again would be worth and
    cost. Needs 3 seeds."""

    @model_validator(mode="after")
    def _seeds_of_a_curve(self) -> Self:
        if self.curve and self.seeds < FEWEST_SEEDS:
            raise ValueError(f"a learning curve needs {FEWEST_SEEDS} seeds for its interval; write `seeds: 5`")
        return self

    @field_validator("arms")
    @classmethod
    def _against_random(cls, arms: list[Any]) -> list[Any]:
        if "random" not in arms:
            raise ValueError("a gain counts only against random choice; add `random` to the arms")
        return arms


class Tiers(Part):
    """How a wheel divides the target: what steers it, what chooses its model, what is reported. Shares of the rows."""

    steer: float = Field(default=0.4, gt=0, lt=1)
    select: float = Field(default=0.3, gt=0, lt=1)
    sealed: float = Field(default=0.3, gt=0, lt=1)

    def shares(self) -> dict[Literal["steer", "select", "sealed"], float]:
        return {"steer": self.steer, "select": self.select, "sealed": self.sealed}

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if abs(self.steer + self.select + self.sealed - 1) > 1e-6:
            raise ValueError("the shares of steer, select and sealed must add up to 1")
        return self


class Guards(Part):
    """What keeps a wheel from running away from real data, from its weak sides, or on for nothing."""

    real_share: float = Field(default=0.5, gt=0, le=1)
    """The least part of the training rows that was written by no model or rule of ours; never 0."""
    depth: int = Field(default=2, ge=1)
    """How many times over a row may be made from made rows."""
    protected: list[str] = []
    """Slices that may not get worse: a round that harms one is taken back."""
    margin: float = Field(default=0.02, ge=0)
    """How much worse, in the metric, still counts as not worse."""
    diversity_drop: float = Field(default=0.15, gt=0, lt=1)
    """Alarm when a measure of the rows' diversity has fallen by this part since the first round; stop when two have."""
    patience: int = Field(default=2, ge=1)
    """Stop after so many rounds in a row that made the model no better."""
    minimum_gain: float = Field(default=0.0, ge=0)
    """How much better, in the metric, counts as better."""


class Recipe(Part):
    """A job: pool, target, models, budget, steps and comparison."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    seed: int = 0
    plugins: PluginFiles = Field(default=[], exclude_if=lambda files: not files)
    """Python files with methods of your own, `[./my_methods.py]`, which are run as soon as the recipe is read."""
    pool: list[Source] = []
    """May be empty only where all rows are written from nothing (`generate: {by: magpie}`)."""
    target: list[Target] = []
    models: Models = Models()
    budget: Limits = Limits()
    steps: list[dict[str, dict[str, Any]]] = Field(min_length=1)
    rounds: int = Field(default=1, ge=1, le=100)
    """Turns of the wheel: `keep` and `rows` of its steps are for all of them together."""
    feedback: dict[str, dict[str, Any]] = {}
    """Policies that share out each round's budget: over slices (`weakest_slices`) or ways to get rows (`thompson`)."""
    tiers: Tiers = Tiers()
    guards: Guards = Guards()
    compare: Compare | None = None
    signals: dict[str, dict[str, Any]] = {}
    """Parameters of signals, by signal name, where the defaults do not fit: `{embedding: {part: prompt}}`. A signal may
    also stand under names of your own: `{prompts: {embedding: {part: prompt}}}` gives the column `prompts.vector`.
    `of: trained` among the parameters measures with the model that was trained last, anew in every round:
    `{lately: {likelihood: {of: trained}}}`."""
    format: Literal["messages", "trl", "llamafactory", "axolotl"] = "messages"
    """What the final data set is written as."""
    engine: Engine = Engine()

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

    @field_validator("steps", mode="before")
    @classmethod
    def _single_keys(cls, value: Any) -> Any:
        if not isinstance(value, list):
            raise ValueError("expected a list of steps, such as `- deduplicate: {near: 0.8}`")
        steps = [{step: {}} if isinstance(step, str) else step for step in value]
        for number, step in enumerate(steps, 1):
            if not isinstance(step, dict) or len(step) != 1:
                raise ValueError(f"step {number}: expected one name with its parameters, such as `select: {{by: ifd}}`")
        return [{name: parameters or {} for name, parameters in step.items()} for step in steps]

    def named_steps(self) -> list[tuple[str, dict[str, Any]]]:
        """(name, parameters) in order."""
        return [method_spec(step) for step in self.steps]
