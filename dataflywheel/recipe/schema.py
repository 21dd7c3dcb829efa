"""The recipe: one YAML file that describes a job. Unknown keys are errors everywhere."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from dataflywheel.models.spec import EmbedderSpec, ModelSpec
from dataflywheel.signals.engine import Engine

Metric = Literal["bits_per_byte", "answer_loss", "exact_match", "multiple_choice"]


class Part(BaseModel):
    """Base of all recipe sections."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(Part):
    """Where rows come from: a file, folder, glob or data set name, or the built-in documentation pool."""

    path: str | None = None
    builtin: Literal["python_docs"] | None = None
    split: Literal["pool", "held_out"] = "pool"
    source: str = ""
    """Name of the source in rows, quotas and the card; the file's name where not given."""
    format: str | None = None
    license: str | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.path is None) == (self.builtin is None):
            raise ValueError("give exactly one of `path` and `builtin`")
        return self


class Target(Source):
    """Evaluation rows: never trained on, always decontaminated against."""

    metric: Metric = "bits_per_byte"
    slice: str | None = None
    """What divides the rows into skills: `tag`, `source`, or the name of a field of the input."""


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
    """Which baselines stand beside the recipe's own selection, and over how many seeds."""

    arms: list[str | dict[str, Any]] = ["random", "random_raw", "longest", "full"]
    seeds: int = Field(default=5, ge=2)

    @field_validator("arms")
    @classmethod
    def _against_random(cls, arms: list[Any]) -> list[Any]:
        if "random" not in arms:
            raise ValueError("a gain counts only against random choice; add `random` to the arms")
        return arms


class Recipe(Part):
    """A job: pool, target, models, budget, steps and comparison."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    seed: int = 0
    pool: list[Source] = Field(min_length=1)
    target: list[Target] = []
    models: Models = Models()
    budget: Limits = Limits()
    steps: list[dict[str, dict[str, Any]]] = Field(min_length=1)
    rounds: Literal[1] = 1
    compare: Compare | None = None
    signals: dict[str, dict[str, Any]] = {}
    """Parameters of signals, by signal name, where the defaults do not fit."""
    format: Literal["messages", "trl", "llamafactory", "axolotl"] = "messages"
    """What the final data set is written as."""
    engine: Engine = Engine()

    @field_validator("pool", "target", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return [value] if isinstance(value, dict) else value

    @field_validator("compare", mode="before")
    @classmethod
    def _names_only(cls, value: Any) -> Any:
        return {"arms": value} if isinstance(value, list) else value

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
        return [next(iter(step.items())) for step in self.steps]
