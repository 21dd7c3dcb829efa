"""How tests ask the scripted endpoint without any client of ours."""

from __future__ import annotations

import http.client
import json
from typing import Any

from tests.support.endpoint import Endpoint

GOOD = '{"id": "r1", "score": 4}'


def post(endpoint: Endpoint, body: dict[str, Any], path: str = "/v1/chat/completions", timeout: float = 10) -> Any:
    """Status, headers and body of one request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=timeout)
    try:
        connection.request("POST", path, json.dumps(body), {"Authorization": "Bearer key"})
        reply = connection.getresponse()
        return reply.status, dict(reply.getheaders()), reply.read()
    finally:
        connection.close()


def chat(text: str, **more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": text}], "temperature": 0, **more}


def said(endpoint: Endpoint, text: str, **more: Any) -> dict[str, Any]:
    status, _, body = post(endpoint, chat(text, **more))
    assert status == 200, body
    choice: dict[str, Any] = json.loads(body)["choices"][0]
    return choice


def outcome(endpoint: Endpoint, fault: str) -> str:
    """What a plain client sees of a fault."""
    try:
        status, headers, body = post(endpoint, chat(f"[[fault:{fault}]] [[say:{GOOD}]]"), timeout=0.4)
    except TimeoutError:
        return "timeout"
    except http.client.IncompleteRead:
        return "incomplete"
    except (ConnectionError, http.client.RemoteDisconnected):
        return "reset"
    if headers["content-type"] == "text/html":
        return f"html {status}"
    if status != 200:
        return str(status)
    reply = json.loads(body)
    if not reply["choices"]:
        return f"{status} error"
    choice = reply["choices"][0]
    message = choice["message"]
    if message.get("tool_calls") or message["refusal"]:
        return f"{choice['finish_reason']} {message['content']} {bool(message['refusal'])}"
    if "usage" not in reply:
        return "no usage"
    return f"{choice['finish_reason']} {message['content']}"
