"""The deferred interface of OpenAI's dialect: a file of requests goes up, files of answers and errors come back."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from dataflywheel.models.endpoint.background import background_loop
from dataflywheel.models.endpoint.chat_model import UnavailableError
from dataflywheel.models.endpoint.openai_endpoint import OpenAIEndpoint, path_of
from dataflywheel.models.endpoint.request import Request

NAME = "flywheel_batch"
"""The field of a batch's metadata by which we know it again."""
ENDED = frozenset({"completed", "expired", "cancelled", "failed"})


@dataclass(frozen=True, slots=True)
class State:
    """How far a batch is. `problem`: why the provider refused all of it."""

    status: str
    output: str | None
    errors: str | None
    problem: str = ""

    @property
    def ended(self) -> bool:
        return self.status in ENDED


class OpenAIBatches:
    """Batches at one endpoint. Every call is one attempt and raises what `ChatModel.send` raises."""

    def __init__(self, endpoint: OpenAIEndpoint) -> None:
        self._endpoint = endpoint

    def create(self, name: str, requests: Mapping[str, Request]) -> str:
        """Hand in requests by their names (`custom_id`), all of one kind; gives the provider's name for the batch."""
        path = f"/v1{path_of(next(iter(requests.values())))}"
        lines = [
            {"custom_id": id, "method": "POST", "url": path, "body": self._endpoint.body(request)}
            for id, request in requests.items()
        ]
        content = b"\n".join(orjson.dumps(line) for line in lines)
        file = _text(self._call("/files", file=(f"{name}.jsonl", content)), "id")
        wanted = {
            "input_file_id": file,
            "endpoint": path,
            "completion_window": "24h",
            "metadata": {NAME: name},
        }
        return _text(self._call("/batches", orjson.dumps(wanted)), "id")

    def find(self, name: str) -> str | None:
        """The provider's name for a batch that was handed in under this one; None if there is none."""
        after = ""
        while True:
            page = self._call(f"/batches?limit=100{after}")
            listed = [batch for batch in page.get("data") or () if isinstance(batch, dict)]
            for batch in listed:
                if (batch.get("metadata") or {}).get(NAME) == name:
                    return _text(batch, "id")
            if not page.get("has_more") or not listed:
                return None
            after = f"&after={_text(listed[-1], 'id')}"

    def state(self, provider: str) -> State:
        found = self._call(f"/batches/{provider}")
        problems = [str(error.get("message", error)) for error in (found.get("errors") or {}).get("data") or ()]
        return State(
            _text(found, "status"),
            found.get("output_file_id"),
            found.get("error_file_id"),
            "; ".join(problems[:3]),
        )

    def lines(self, file: str) -> list[dict[str, Any]]:
        """The objects in a file of results; a line that cannot be read is left out, as if it had not come."""
        found = []
        for line in self._bytes(f"/files/{file}/content").splitlines():
            try:
                value = orjson.loads(line)
            except orjson.JSONDecodeError:
                continue
            if isinstance(value, dict):
                found.append(value)
        return found

    def _call(self, path: str, body: bytes | None = None, file: tuple[str, bytes] | None = None) -> dict[str, Any]:
        content = self._bytes(path, body, file)
        try:
            found = orjson.loads(content)
        except orjson.JSONDecodeError:
            found = None
        if not isinstance(found, dict):
            raise UnavailableError(f"{path}: not a reply of this interface; it begins {content[:60]!r}")
        return found

    def _bytes(self, path: str, body: bytes | None = None, file: tuple[str, bytes] | None = None) -> bytes:
        exchange = self._endpoint.exchange(path, body, file=file)
        return asyncio.run_coroutine_threadsafe(exchange, background_loop()).result()


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    if not isinstance(value, str):
        raise UnavailableError(f"the reply of the batch interface lacks {name!r}: it has {sorted(found)}")
    return value
