"""The JSON Schema of a recipe, for editors: what pydantic gives, plus docstrings, short forms, and steps by method."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from dataflywheel import catalog
from dataflywheel.contracts import Cleaner, Composite, Metric, Policy, Sampler, Selector, Signal
from dataflywheel.distillation.model.taught import TaughtObjective
from dataflywheel.evolution.feedback.evaluate import Evaluate
from dataflywheel.models.spec import EmbedderSpec, ModelSpec, Price
from dataflywheel.models.training.train_settings import Lora, TrainSettings
from dataflywheel.proposing.kinds import Gate, Proposer
from dataflywheel.recipe.needs import model_kind
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.sections import Compare, Guards, Limits, Models, Source, Target, Tiers
from dataflywheel.recipe.steps.build import KINDS, OWN
from dataflywheel.signals.engine import Engine
from docs.fields import field_docs, one_line

Json = dict[str, Any]
PARTS = (
    Source, Target, Models, Limits, Compare, Tiers, Guards, Engine, ModelSpec, EmbedderSpec, Price, TrainSettings, Lora,
    Evaluate,
)  # fmt: skip
ARMS = ("random_raw", "full", "one_round")
WRITING = {"enhance": True, "generate": False}
"""Steps that write rows, and whether they name a method that rewrites."""


def recipe_schema() -> Json:
    """Draft 2020-12; accepts what `load_recipe` accepts, checks across fields aside."""
    schema = Recipe.model_json_schema(by_alias=True)
    definitions: Json = schema["$defs"]
    for part in PARTS:
        if part.__name__ in definitions:
            _describe(definitions[part.__name__], part)
    _describe(schema, Recipe)
    for name, words in (
        ("ModelSpec", "tiny, or a folder or hub name"),
        ("EmbedderSpec", "minilm, static, or a folder"),
    ):
        definitions[f"{name}Fields"] = definitions[name]
        definitions[name] = {"anyOf": [{"type": "string", "description": words}, {"$ref": f"#/$defs/{name}Fields"}]}
    definitions["Selector"] = _by_name(catalog.names(Selector), definitions)
    definitions["Step"] = _steps(definitions)
    properties: Json = schema["properties"]
    for name, entry in (("pool", "Source"), ("target", "Target")):
        one = {"$ref": f"#/$defs/{entry}"}
        many = {"type": "array", "items": one, **({"minItems": 1} if name == "pool" else {})}
        properties[name] = {"description": properties[name].get("description", ""), "anyOf": [many, one]}
    metrics = _by_name(catalog.names(Metric), definitions)
    metrics["anyOf"][0] = {"enum": [name for name in metrics["anyOf"][0]["enum"] if name != "python"]}
    metrics["anyOf"].append({"type": "string", "pattern": "^[a-z_]+:"})
    python = metrics["anyOf"][1]["properties"]["python"]
    metrics["anyOf"][1]["properties"]["python"] = {"anyOf": [{"type": "string", "pattern": r"\.py:"}, python]}
    _named(definitions["Target"]["properties"], "metric", metrics)
    arm = {"anyOf": [{"enum": [*ARMS, *catalog.names(Selector)]}, {"$ref": "#/$defs/Selector"}]}
    arms = {"type": "array", "items": arm, "contains": {"const": "random"}}
    definitions["Compare"]["properties"]["arms"] |= arms
    properties["compare"] = {"anyOf": [arms, {"$ref": "#/$defs/Compare"}, {"type": "null"}]}
    properties["steps"] = {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/Step"}}
    properties["signals"] |= _signals(definitions)
    policies = _by_name(catalog.names(Policy), definitions, partial=True)
    several = policies["anyOf"][1] | {"maxProperties": 10}
    properties["feedback"] |= {"anyOf": [policies["anyOf"][0], several]}
    properties["feedback"] = {
        k: v for k, v in properties["feedback"].items() if k in ("anyOf", "description", "default")
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "dataflywheel recipe", **schema}


def _signals(definitions: Json) -> Json:
    """Parameters by signal; under any other name one signal with its parameters."""
    of = {"const": "trained", "description": "Measured with the model that was trained last, anew in every round."}
    signals = {name: _or_null(_model(catalog.get(name), definitions, partial=True)) for name in catalog.names(Signal)}
    for name, entry in signals.items():
        if model_kind(catalog.get(name)) == "model":
            entry["anyOf"][0]["properties"]["of"] = of
    known = {name: {"$ref": f"#/properties/signals/properties/{name}"} for name in signals}
    one = {"type": "object", "properties": {**known, "of": of}, "additionalProperties": False, "minProperties": 1}
    own = {"anyOf": [{"enum": list(signals)}, {**one, "maxProperties": 2}]}
    return {"properties": signals, "additionalProperties": own}


def _describe(schema: Json, model: type[BaseModel]) -> None:
    """Put the docstrings of a model and its fields where editors look for them."""
    schema["description"] = one_line(model.__doc__)
    for name, text in field_docs(model).items():
        field = schema["properties"].get(model.model_fields[name].alias or name)
        if field is not None:
            field["description"] = text


def _model(model: type[BaseModel], definitions: Json, partial: bool = False) -> Json:
    """The schema of one model with its own definitions moved to the shared ones."""
    schema = model.model_json_schema(by_alias=True)
    for name, inner in schema.pop("$defs", {}).items():
        definitions.setdefault(name, inner)
    _describe(schema, model)
    if partial:
        schema.pop("required", None)
    return schema


def _by_name(names: list[str], definitions: Json, partial: bool = False) -> Json:
    """A method by name, or its name with parameters; `partial`: the run gives those that are required."""
    entries = {name: _or_null(_model(catalog.get(name), definitions, partial)) for name in names}
    return {"anyOf": [{"enum": names}, _single(entries)]}


def _steps(definitions: Json) -> Json:
    named = [*catalog.names(Cleaner), *catalog.names(Composite)]
    cleaners = {name: _model(catalog.get(name), definitions) for name in named}
    own = {name: _model(kind.Work, definitions) for name, kind in KINDS.items() if kind in OWN}
    selector = {"$ref": "#/$defs/Selector"}
    select: Json = own["select"]["properties"]
    select["by"] |= {"anyOf": [selector, {"type": "array", "items": selector}]}
    select["by"].pop("type", None)
    select["by"].pop("items", None)
    select["then"] |= {"anyOf": [selector, {"type": "null"}]}
    _named(own["warm_up"]["properties"], "by", selector)
    own["select"]["required"] = ["by"]  # `keep` may stand in the recipe's budget
    definitions["Gate"] = _by_name(catalog.names(Gate), definitions, partial=True)
    for name, rewrites in WRITING.items():
        writers = [n for n in catalog.names(Proposer) if getattr(catalog.get(n), "rewrites", False) == rewrites]
        _named(own[name]["properties"], "by", _by_name(writers, definitions, partial=True))
        gates = {"type": "array", "items": {"$ref": "#/$defs/Gate"}}
        _named(own[name]["properties"], "gates", {"anyOf": [gates, {"type": "null"}]})
    samplers = _by_name(catalog.names(Sampler), definitions)
    for name in ("train", "distill"):
        _named(own[name]["properties"], "sampler", {"anyOf": [*samplers["anyOf"], {"type": "null"}]})
    taught = [n for n in catalog.names() if issubclass(catalog.get(n), TaughtObjective)]
    _named(own["distill"]["properties"], "by", _by_name(taught, definitions))
    steps = {**own, **cleaners}
    bare = sorted(
        name for name, schema in steps.items() if not schema.get("required") and name not in ("filter", "quarantine")
    )
    return {"anyOf": [{"enum": bare}, _single({name: _or_null(steps[name]) for name in sorted(steps)})]}


def _named(properties: Json, field: str, kind: Json) -> None:
    """Let a field take methods by name, and keep what is said of it."""
    properties[field] = {key: properties[field][key] for key in ("description", "default") if key in properties[field]}
    properties[field] |= kind


def _single(properties: Json) -> Json:
    return {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }


def _or_null(schema: Json) -> Json:
    """A method whose parameters all have defaults may stand without any: `- evaluate:`."""
    return schema if schema.get("required") else {"anyOf": [schema, {"type": "null"}]}
