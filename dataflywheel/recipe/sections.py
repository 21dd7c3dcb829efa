"""The sections of a recipe: where rows come from, which models, what limits, what stands beside the selection."""

from __future__ import annotations

from typing import Any, Literal, Self

import orjson
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from dataflywheel.contracts import UsageError, method_spec
from dataflywheel.evolution.feedback.learning_curve import FEWEST_SEEDS
from dataflywheel.evolution.metrics.named import metric_of
from dataflywheel.models.spec import EmbedderSpec, ModelSpec
from dataflywheel.rows.mapping import ColumnMapping, column_mapping


class Part(BaseModel):
    """Base of all recipe sections."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(Part):
    """Where rows come from: a file, folder, glob or data set name, or a built-in documentation pool."""

    path: str | None = None
    """A file, folder, pattern or hub name, from the working directory."""
    builtin: Literal["python_docs", "installed_docs"] | None = None
    """Documentation as questions and answers: of Python, or of all installed packages and it."""
    split: Literal["pool", "held_out"] = "pool"
    """Of what is built in: all but one in five modules of Python, or that fifth."""
    source: str = ""
    """Name of the source in rows, quotas and the card; the file's name where not given."""
    format: str | None = None
    """Name of the record shape, where it should not be told from the content; `table` reads each line of a table as a
    row of cells. Before it may stand the container: `csv/table`."""
    license: str | None = None
    """Named in the data set card."""
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
    `{unit_tests: {limits: {seconds: 10}}}`. Of bits a byte and nats a token less is better, of all others more."""
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
    """The model that is trained."""
    scorer: ModelSpec | None = None
    """The student's family where not given: for a built-in student a tiny model trained on the pool."""
    embedder: EmbedderSpec = EmbedderSpec(builtin="minilm")
    """The text encoder."""
    teacher: ModelSpec | None = None
    """The model that is asked: to rate, tag and judge."""


class Limits(Part):
    """The budget. A run that reaches a limit stops with a valid partial result."""

    rows: int | None = Field(default=None, gt=0)
    """`keep` of a `select` step that has none."""
    tokens: int | None = Field(default=None, gt=0)
    """`keep` of a `select` step that has none, in tokens of the rows that are selected."""
    usd: float | None = Field(default=None, ge=0)
    """Dollars paid to models that are asked; never exceeded."""
    calls: int | None = Field(default=None, ge=0)
    """Requests to models that answer questions."""
    call_tokens: int | None = Field(default=None, ge=0)
    """Tokens that these models read and write."""
    hours: float | None = Field(default=None, gt=0)
    """Hours of this call; checked before each step and between trials."""


class Compare(Part):
    """Which baselines stand beside the recipe's own selection, over how many seeds, and what else is measured."""

    arms: list[str | dict[str, Any]] = ["random", "random_raw", "longest", "full"]
    """Selectors by name or with parameters; `random_raw` (the uncleaned pool), `full`, `one_round`."""
    equal: Literal["tokens", "rows"] = "tokens"
    """What every arm gets as much of as the recipe's own selection: `tokens` that the training reads, which is what a
    training costs; or `rows`, however long they are. `full` always has as many tokens."""
    seeds: int = Field(default=5, ge=2)
    """Trainings of each arm."""
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
    """Rows that move budgets, and that selection and generation may look at."""
    select: float = Field(default=0.3, gt=0, lt=1)
    """Rows that decide whether a round is kept."""
    sealed: float = Field(default=0.3, gt=0, lt=1)
    """Rows that are looked at once, for the reported score."""

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
