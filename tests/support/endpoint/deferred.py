"""The deferred interface: files go up, a batch is made of one, its answers and errors come back as files."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import orjson

from tests.support.endpoint.http import Incoming
from tests.support.endpoint.plan import Batches
from tests.support.endpoint.reply import failure

Work = Callable[[str, dict[str, Any], str], Awaitable[tuple[int, bytes]]]
"""Answers one line: from path, body and custom_id to status and body, with a line on the bill."""
SECONDS = 24 * 3600


@dataclass
class Batch:
    """`results` are known from the start and shown after enough polls."""

    name: str
    input_file: str
    endpoint: str
    metadata: dict[str, str]
    final: str
    output: str | None = None
    errors: str | None = None
    lines: int = 0
    answered: int = 0
    polls: int = 0
    done: bool = False
    cancelled: bool = False

    def shown(self, now: int = 0) -> dict[str, Any]:
        status = "cancelled" if self.cancelled else self.final if self.done else "in_progress"
        ended = self.done and not self.cancelled
        problem = {"code": "invalid_json_line", "line": 1, "message": "scripted failure", "param": None}
        return {
            "id": self.name,
            "object": "batch",
            "endpoint": self.endpoint,
            "input_file_id": self.input_file,
            "completion_window": "24h",
            "created_at": now,
            "expires_at": now + SECONDS,
            "status": status,
            "metadata": self.metadata,
            "errors": {"object": "list", "data": [problem]} if status == "failed" else None,
            "output_file_id": self.output if ended else None,
            "error_file_id": self.errors if ended else None,
            "request_counts": {
                "total": self.lines,
                "completed": self.answered if ended else 0,
                "failed": self.lines - self.answered if ended else 0,
            },
        }


@dataclass
class Deferred:
    """Files and batches by name, in the order in which they were made."""

    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    batches: dict[str, Batch] = field(default_factory=dict)

    async def handle(self, path: str, request: Incoming, plan: Batches, work: Work) -> None:
        """Answer one request to /v1/files or /v1/batches."""
        parts = path.removeprefix("/v1/").split("/")
        found: bytes | None = None
        if parts == ["files"] and request.method == "POST":
            found = self._upload(request)
        elif parts[0] == "files" and len(parts) > 1 and parts[1] in self.files:
            found = self._file(parts, request.method)
        elif parts == ["batches"] and request.method == "POST":
            wanted = orjson.loads(request.body)
            if wanted.get("input_file_id") in self.files:
                batch = await self._create(wanted, plan, work)
                if len(self.batches) <= plan.lose_reply:
                    return request.connection.reset()
                found = orjson.dumps(batch.shown())
        elif parts == ["batches"]:
            listed = [batch.shown() for batch in reversed(self.batches.values())]
            found = orjson.dumps({"object": "list", "data": listed, "has_more": False})
        elif parts[0] == "batches" and parts[1] in self.batches:
            batch = self.batches[parts[1]]
            batch.polls += 1
            batch.cancelled |= parts[-1] == "cancel" and not batch.done
            batch.done |= batch.polls >= plan.polls
            found = orjson.dumps(batch.shown())
        if found is None:
            return request.connection.reply(404, failure(f"nothing at {path}", "invalid_request_error", "not_found"))
        return request.connection.reply(200, found)

    def _upload(self, request: Incoming) -> bytes | None:
        """A file out of a multipart form."""
        boundary = re.search(r'boundary="?([^";]+)', request.header("content-type"))
        if boundary is None:
            return None
        for part in request.body.split(b"--" + boundary[1].encode()):
            head, _, content = part.partition(b"\r\n\r\n")
            named = re.search(rb'filename="([^"]*)"', head)
            if named:
                return self._stored(content.removesuffix(b"\r\n"), named[1].decode())
        return None

    def _stored(self, content: bytes, filename: str) -> bytes:
        name = f"file-{len(self.files) + 1}"
        self.files[name] = (filename, content)
        return orjson.dumps(self._about(name))

    def _about(self, name: str) -> dict[str, Any]:
        filename, content = self.files[name]
        about = {"id": name, "object": "file", "filename": filename, "bytes": len(content), "created_at": 0}
        return {**about, "purpose": "batch", "status": "processed"}

    def _file(self, parts: list[str], method: str) -> bytes:
        if parts[-1] == "content":
            return self.files[parts[1]][1]
        if method == "DELETE":
            del self.files[parts[1]]
            return orjson.dumps({"id": parts[1], "object": "file", "deleted": True})
        return orjson.dumps(self._about(parts[1]))

    async def _create(self, wanted: dict[str, Any], plan: Batches, work: Work) -> Batch:
        """All work of a batch is done, and charged, here: a vendor does it whether or not anybody asks again."""
        number = len(self.batches)
        lines = [orjson.loads(line) for line in self.files[wanted["input_file_id"]][1].splitlines() if line.strip()]
        final = "failed" if number < plan.fail else "expired" if number < plan.fail + plan.expire else "completed"
        todo = {"failed": 0, "expired": len(lines) - round(len(lines) * plan.expired_share)}.get(final, len(lines))
        batch = Batch(f"batch-{number + 1}", wanted["input_file_id"], wanted["endpoint"], {}, final, lines=len(lines))
        batch.metadata = wanted.get("metadata") or {}
        self.batches[batch.name] = batch
        good: list[dict[str, Any]] = []
        bad: list[dict[str, Any]] = []
        for line in lines[:todo]:
            status, body = await work(line["url"], line["body"], line["custom_id"])
            response = {"status_code": status, "request_id": "", "body": orjson.loads(body)}
            told = {"id": line["custom_id"], "custom_id": line["custom_id"], "response": response, "error": None}
            (good if status == 200 else bad).append(told)
        late = {"code": "batch_expired", "message": "this request was not answered before the batch expired"}
        bad += [{"custom_id": line["custom_id"], "response": None, "error": late} for line in lines[todo:] if todo]
        batch.answered = len(good)
        # In another order than they were asked: only the custom_id says which answer is whose.
        batch.output = self._results(batch.name, "output", good[::-1])
        batch.errors = self._results(batch.name, "errors", bad)
        return batch

    def _results(self, batch: str, kind: str, lines: list[dict[str, Any]]) -> str | None:
        if not lines:
            return None
        name = f"{batch}-{kind}"
        self.files[name] = (f"{name}.jsonl", b"\n".join(orjson.dumps(line) for line in lines))
        return name
