"""Which model is meant: one built in, one in a folder or on the model hub, or one behind an endpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

Size = Literal["0.5m", "1m", "2m", "5m", "20m"]
Capability = Literal["chat", "completion", "logprobs", "samples", "seed", "json_schema", "batch"]
KEY_LETTERS = 12
"""A key has so many or more; shorter ones (`none`, `ollama`) are no secrets but words, for servers that ask for one."""


class Price(BaseModel):
    """What an endpoint charges, in dollars per million tokens."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    input: float = Field(default=0.0, ge=0, alias="in")
    output: float = Field(default=0.0, ge=0, alias="out")


class ModelSpec(BaseModel):
    """A language model: exactly one of `builtin`, `hf` and `endpoint`. A bare string is a folder or hub name.

    The key, the price, the pace and the interface of an endpoint do not change what it answers: they are left out of
    serialisation, and so of digests, fingerprints and everything that is written to disk.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    builtin: Literal["tiny"] | None = None
    """A small Llama-architecture model that is trained on the user's own pool."""
    size: Size = "1m"
    """Parameters of the built-in model."""
    hf: str | None = None
    """A folder that transformers can load, or a name on the model hub. Weights must be safetensors."""
    system: Literal["refuse", "merge"] = "refuse"
    """Where the model's chat template takes no system turn: rows with one are left out with that reason, or (`merge`)
    their system text stands before the first question. What is trained keeps a template that does the same."""
    dtype: Literal["float32", "bfloat16"] = "float32"
    """Arithmetic of the matrix products; float32 keeps scores independent of the batch to 1e-4."""
    endpoint: str | None = None
    """Base URL of a chat endpoint, most often one that ends in /v1."""
    model: str | None = None
    """The model's name at the endpoint."""
    capabilities: dict[Capability, bool] = {}
    """What the endpoint can do beyond chat, several samples and seeds, or not: `{logprobs: true, seed: false}`."""
    extra: dict[str, Any] = {}
    """Fields added to every request to the endpoint: `{chat_template_kwargs: {enable_thinking: false}}`."""
    usd_per_mtok: Price | None = Field(default=None, exclude=True)
    api_key: SecretStr | None = Field(default=None, exclude=True, repr=False)
    """Written as `${NAME}` in a recipe, to be taken from the environment. A local server needs none."""
    concurrency: int = Field(default=64, ge=1, le=1000, exclude=True)
    """Requests under way at a time, at most."""
    timeout: float = Field(default=120.0, gt=0, exclude=True)
    """Seconds for one whole answer."""
    batch: bool = Field(default=False, exclude=True)
    """A run hands its questions to the provider's batch interface, stops, and collects the answers when it is started
    again. The endpoint must declare `capabilities: {batch: true}`; give its price for batches."""

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"builtin": value} if value == "tiny" else {"hf": value}
        if isinstance(value, dict):
            # In place and first of all, so that no complaint about any field shows a secret.
            if value.get("api_key") is not None and not isinstance(value["api_key"], SecretStr):
                value["api_key"] = SecretStr(str(value["api_key"]))
            parts = urlsplit(str(value.get("endpoint") or ""))
            if parts.username or parts.password or parts.query:
                value["endpoint"] = f"{parts.scheme}://***@{parts.hostname}{parts.path}"
        return value

    @field_validator("endpoint")
    @classmethod
    def _plain_address(cls, value: str | None) -> str | None:
        if value is not None:
            parts = urlsplit(value)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError("an endpoint is an address such as http://localhost:8000/v1")
            if parts.username:
                raise ValueError("an address is written to disk: no password or key in it; use `api_key: ${NAME}`")
        return value

    @model_validator(mode="after")
    def _exactly_one(self) -> ModelSpec:
        given = [name for name in ("builtin", "hf", "endpoint") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"write exactly one of builtin, hf and endpoint, not {given or 'none of them'}")
        if (self.endpoint is None) != (self.model is None):
            raise ValueError("an endpoint needs `model`, the model's name there, and nothing else takes it")
        return self

    @field_validator("extra")
    @classmethod
    def _only_added(cls, value: dict[str, Any]) -> dict[str, Any]:
        taken = sorted({"model", "messages", "prompt", "n", "stream", "temperature", "max_tokens"} & set(value))
        if taken:
            raise ValueError(f"{', '.join(taken)} is set by the method that asks; extra fields only add to it")
        return value

    def __hash__(self) -> int:
        return hash(self.model_dump_json())

    def placeless(self) -> ModelSpec:
        """Without the folder, whose contents count."""
        return self if self.hf is None else self.model_copy(update={"hf": ""})

    def of(self, folder: Path) -> ModelSpec:
        """What became of this model by training, in a folder of its own."""
        return self.model_copy(update={"builtin": None, "hf": str(folder)})


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
