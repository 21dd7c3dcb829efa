"""A hub on this machine: as much of its interface as a push by the real client needs."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

OWNER, TOKEN = "jane", "hf_" + "x" * 34


@dataclass
class Hub:
    """Repositories by kind and name: whether each is private, and its files."""

    url: str = ""
    private: dict[str, bool] = field(default_factory=dict)
    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    forbidden: bool = False


@contextmanager
def running() -> Iterator[Hub]:
    hub = Hub()

    class Answers(BaseHTTPRequestHandler):
        def log_message(self, *args: Any) -> None:
            """Nothing is printed."""

        def do_GET(self) -> None:
            path = self.path.partition("?")[0].strip("/").split("/")
            if path == ["api", "whoami-v2"]:
                return self.say(200, {"name": OWNER, "type": "user", "auth": {"accessToken": {"role": "write"}}})
            name = "/".join(path[1:4])
            if name not in hub.private:
                return self.say(404, {"error": "Repository not found"}, {"X-Error-Code": "RepoNotFound"})
            if path[4:5] == ["tree"]:
                return self.say(200, [{"type": "file", "path": one, "size": 1, "oid": "0"} for one in hub.files[name]])
            said = {"_id": "1", "id": "/".join(path[2:4]), "private": hub.private[name], "siblings": [], "tags": []}
            return self.say(
                200, {**said, "sha": "0" * 40, "downloads": 0, "likes": 0, "lastModified": "2026-01-01T00:00:00.000Z"}
            )

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            path = self.path.partition("?")[0].strip("/").split("/")
            if hub.forbidden:
                return self.say(403, {"error": "You don't have the rights to create a repository"})
            if path[:3] == ["api", "repos", "create"]:
                given = json.loads(body)
                kind = f"{given.get('type', 'model')}s"
                name = f"{kind}/{given.get('organization') or OWNER}/{given['name']}"
                hub.private[name] = given.get("private", given.get("visibility") == "private")
                hub.files.setdefault(name, {})
                return self.say(200, {"url": f"{hub.url}/{name.removeprefix('models/')}", "id": "1"})
            if path == ["api", "validate-yaml"]:
                return self.say(200, {"errors": [], "warnings": []})
            name, verb = "/".join(path[1:4]), path[4]
            if verb == "preupload":
                wanted = [one["path"] for one in json.loads(body)["files"]]
                plain = [{"path": one, "uploadMode": "regular", "shouldIgnore": False} for one in wanted]
                return self.say(200, {"files": plain})
            for line in map(json.loads, body.splitlines()):
                value = line["value"]
                if line["key"] == "file":
                    hub.files[name][value["path"]] = base64.b64decode(value["content"])
                elif line["key"] == "deletedFile":
                    hub.files[name].pop(value["path"], None)
            return self.say(200, {"commitUrl": f"{hub.url}/{name}/commit/1", "commitOid": "1" * 40, "success": True})

        def say(self, status: int, value: Any, more: dict[str, str] | None = None) -> None:
            hub.asked.append(f"{self.command} {self.path}")
            if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                status, value, more = 401, {"error": "Invalid token"}, {}
            sent = json.dumps(value).encode()
            self.send_response(status)
            for name, text in {"Content-Type": "application/json", **(more or {})}.items():
                self.send_header(name, text)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
