"""Which model is meant: one built in, one in a folder or on the model hub, or one behind an endpoint."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Size = Literal["0.5m", "1m", "2m", "5m", "20m"]


class Price(BaseModel):
    """What an endpoint charges, in dollars per million tokens."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    input: float = Field(default=0.0, ge=0, alias="in")
    output: float = Field(default=0.0, ge=0, alias="out")


class ModelSpec(BaseModel):
    """A language model: exactly one of `builtin`, `hf` and `endpoint`. A bare string is a folder or hub name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    builtin: Literal["tiny"] | None = None
    """A small Llama-architecture model that is trained on the user's own pool."""
    size: Size = "1m"
    """Parameters of the built-in model."""
    hf: str | None = None
    """A folder that transformers can load, or a name on the model hub. Weights must be safetensors."""
    dtype: Literal["float32", "bfloat16"] = "float32"
    """Arithmetic of the matrix products; float32 keeps scores independent of the batch to 1e-4."""
    endpoint: str | None = None
    """Base URL of a chat endpoint."""
    model: str | None = None
    """The model's name at the endpoint."""
    usd_per_mtok: Price | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"builtin": value} if value == "tiny" else {"hf": value}
        return value

    @model_validator(mode="after")
    def _exactly_one(self) -> ModelSpec:
        given = [name for name in ("builtin", "hf", "endpoint") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"write exactly one of builtin, hf and endpoint, not {given or 'none of them'}")
        if (self.endpoint is None) != (self.model is None):
            raise ValueError("an endpoint needs `model`, the model's name there, and nothing else takes it")
        return self

    def placeless(self) -> ModelSpec:
        """What decides the answers: not the folder, whose contents count, nor prices and limits of an endpoint."""
        if self.endpoint is not None:
            return ModelSpec(endpoint=self.endpoint, model=self.model)
        return self if self.hf is None else self.model_copy(update={"hf": ""})


class EmbedderSpec(BaseModel):
    """A text encoder: exactly one of `builtin` and `hf`. A bare string is a built-in name, a folder or a hub name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    builtin: Literal["minilm", "static"] | None = None
    """`minilm`: exact, slow; `static`: the mean of one vector a token, over 100 times faster, less exact."""
    hf: str | None = None
    """A sentence-transformers folder or hub name."""

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"builtin": value} if value in ("minilm", "static") else {"hf": value}
        return value

    @model_validator(mode="after")
    def _exactly_one(self) -> EmbedderSpec:
        if (self.builtin is None) == (self.hf is None):
            raise ValueError("write exactly one of builtin (minilm, static) and hf")
        return self

    def placeless(self) -> EmbedderSpec:
        """Without the folder, whose contents count."""
        return self if self.hf is None else self.model_copy(update={"hf": ""})
