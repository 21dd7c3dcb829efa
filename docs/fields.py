"""Fields of pydantic models in words: type, default, limits, and the docstring that stands below each."""

from __future__ import annotations

import ast
import inspect
import textwrap
import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

WORDS = {str: "text", int: "whole number", float: "number", bool: "true or false", type(None): "null", Any: "anything"}
MEANINGS = {
    "Recipe.name": "Name of the run: the folder under `runs/`.",
    "Recipe.seed": "Seed of everything random; a comparison counts its seeds up from here.",
    "Recipe.pool": "The rows that may be used.",
    "Recipe.target": "Evaluation rows.",
    "Recipe.models": "Student, scorer and embedder.",
    "Recipe.budget": "Limits of the whole run.",
    "Recipe.steps": "What is done, in this order.",
    "Recipe.tiers": "How a recipe with rounds divides its target.",
    "Recipe.guards": "What a recipe with rounds may not do, and when it stops.",
    "Recipe.compare": "Baselines to train beside the selection.",
    "Recipe.engine": "Where signals are measured.",
    "Source.path": "A file, folder, pattern or hub name, from the working directory.",
    "Source.builtin": "Documentation as questions and answers: of Python, or of all installed packages and it.",
    "Source.split": "Of what is built in: all but one in five modules of Python, or that fifth.",
    "Source.format": "Name of the record shape, where it should not be told from the content.",
    "Source.license": "Named in the data set card.",
    "Target.metric": "Bits a byte or nats a token of the answer (lower is better); exact match or choice (higher).",
    "Models.student": "The model that is trained.",
    "Models.embedder": "The text encoder.",
    "Tiers.steer": "Rows that move budgets, and that selection and generation may look at.",
    "Tiers.select": "Rows that decide whether a round is kept.",
    "Tiers.sealed": "Rows that are looked at once, for the reported score.",
    "ModelSpec.usd_per_mtok": "Price of an endpoint.",
    "Limits.rows": "`keep` of a `select` step that has none.",
    "Limits.tokens": "`keep` of a `select` step that has none, in tokens.",
    "Limits.usd": "Dollars paid to models that are asked; never exceeded.",
    "Limits.hours": "Hours of this call; checked before each step and between trials.",
    "Compare.arms": "Selectors by name or with parameters; `random_raw` (the uncleaned pool), `full`, `one_round`.",
    "Compare.seeds": "Trainings of each arm.",
    "Engine.local": "Threads, or `auto`.",
    "Engine.ray": "`auto`, or the address of a cluster.",
    "TrainSettings.epochs": "Passes over the rows.",
    "TrainSettings.max_steps": "Steps in all.",
    "TrainSettings.learning_rate": "Peak rate.",
    "TrainSettings.lora": "Train adapters; `{}` takes the defaults below.",
    "TrainSettings.scheduler": "How the rate falls after the warm-up.",
    "TrainSettings.weight_decay": "Of AdamW.",
    "TrainSettings.max_grad_norm": "Gradients are clipped to this norm.",
    "TrainSettings.seed": "Added to the recipe's seed.",
    "Lora.rank": "Rank of the adapters.",
    "Lora.alpha": "Scale of the adapters, over the rank.",
    "Lora.dropout": "Dropout in front of the adapters.",
    "CheckpointBased.seed": "Of the training whose checkpoints are read.",
    "GradientProjection.seed": "Of the training, its sample of rows, and the projection.",
    "GradientProjection.adapters": "Low-rank adapters whose gradients are taken: rank, alpha and dropout.",
    "DoReMi.step_size": "How fast weights follow the excess loss.",
    "CoachLM.train": "How the reviser is fine-tuned.",
    "SelfRewarding.top_p": "Share of the probability from which answers are drawn.",
    "MixedObjective.temperature": "Of both softmaxes.",
    "MixedObjective.divergence": "Measure of how far the student is from its teacher.",
    "AlignedVocabulary.temperature": "Of both softmaxes.",
    "AlignedVocabulary.divergence": "Measure of how far the student is from its teacher.",
    "AlignedVocabulary.beta": "Of `jensen_shannon`: 0 is forward KL, 1 reverse KL.",
    "AcrossObjective.weight": "Of the distance, beside cross-entropy.",
    "Uld.weight": "Of the distance, beside cross-entropy.",
    "OnPolicy.beta": "0 is forward KL, 1 reverse KL.",
    "OnPolicy.max_new_tokens": "Tokens that the student writes to a prompt, at most.",
}
"""Meanings of fields that have no docstring of their own, by class and field."""

LIMITS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<=", "min_length": "at least", "pattern": "like"}


def field_docs(model: type[BaseModel]) -> dict[str, str]:
    """What each field means, one line each: the docstring below it, or else `MEANINGS`; base classes too."""
    found: dict[str, str] = {}
    for cls in reversed(model.__mro__):
        if not (isinstance(cls, type) and issubclass(cls, BaseModel)) or cls is BaseModel:
            continue
        (body,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
        assert isinstance(body, ast.ClassDef)
        for field, below in zip(body.body, body.body[1:], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and _is_text(below):
                found[field.target.id] = one_line(ast.literal_eval(below.value))  # type: ignore[attr-defined]
    for cls in reversed(model.__mro__):
        found |= {name: MEANINGS[key] for name in model.model_fields if (key := f"{cls.__name__}.{name}") in MEANINGS}
    return {name: text for name, text in found.items() if name in model.model_fields}


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def one_line(text: str | None) -> str:
    return " ".join((text or "").split())


def type_text(annotation: Any) -> str:
    """`float | None` as `number or null`; choices as they are written."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return type_text(inner[0])
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in inner)
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(type_text(part) for part in inner))
    if origin is list or (origin is tuple and Ellipsis in inner):
        return f"list of {type_text(inner[0])}"
    if origin is tuple:
        return f"[{', '.join(type_text(part) for part in inner)}]"
    if origin is dict:
        return f"mapping to {type_text(inner[1])}"
    if annotation in WORDS:
        return WORDS[annotation]
    return f"`{annotation.__name__}`"


def default_text(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        value = value.model_dump(exclude_defaults=True)
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return str(value)


def limits_text(field: FieldInfo) -> str:
    found = []
    for mark in field.metadata:
        for name, sign in LIMITS.items():
            limit = getattr(mark, name, None)
            if limit is not None:
                found.append(f"{sign} {limit}")
    return ", ".join(found)


def cell(text: str) -> str:
    return text.replace("|", "\\|")


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    """A Markdown table, and a blank line."""
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    return [*lines, *(f"| {' | '.join(map(cell, row))} |" for row in rows), ""]


def field_table(model: type[BaseModel]) -> list[str]:
    """All fields of a model as a Markdown table; a sentence where there are none."""
    docs = field_docs(model)
    rows = []
    for name, field in model.model_fields.items():
        kind, limits = type_text(field.annotation), limits_text(field)
        default = default_text(field)
        shown = default if default in ("required", "") else f"`{default}`"
        rows.append([f"`{field.alias or name}`", f"{kind}; {limits}" if limits else kind, shown, docs.get(name, "")])
    return table(["field", "takes", "default", "meaning"], rows) if rows else ["No parameters.", ""]
