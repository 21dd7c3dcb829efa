"""A scripted judge without a network: it answers from what stands between the fences, and counts its calls."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dataflywheel.models.endpoint.chat_model import Capabilities
from dataflywheel.models.endpoint.request import Outcome, Reply, Request
from dataflywheel.models.spec import ModelSpec, Price

MODEL = ModelSpec(endpoint="http://localhost/v1", model="scripted")
_PART = re.compile(r"^<(\w+) ([0-9a-f]{4,})>\n(.*?)\n</\1 \2>$", re.DOTALL | re.MULTILINE)


@dataclass
class Scripted:
    """A model whose reply is `rule(parts, instructions)`: parts by name in the order shown, and the system text.

    It cannot repair what it said.
    """

    rule: Callable[[dict[str, str], str], Reply | str | dict[str, object]]
    capabilities: Capabilities = field(default_factory=Capabilities)
    price: Price = field(default_factory=Price)
    identity: str = "scripted"
    asked: list[Request] = field(default_factory=list)

    @property
    def model(self) -> Scripted:
        return self

    def ask(self, requests: Sequence[Request]) -> list[Reply]:
        self.asked += requests
        return [self._reply(request) for request in requests]

    def _reply(self, request: Request) -> Reply:
        user = request.messages[-1]["content"]
        parts = {name: text for name, _, text in _PART.findall(user)}
        said = "no" if "error" in parts else self.rule(parts, request.messages[0]["content"])
        if isinstance(said, Reply):
            return said
        if isinstance(said, str):
            return Reply(Outcome.ANSWERED, said)
        return Reply(Outcome.ANSWERED, json.dumps(said))


def by_length(parts: dict[str, str], instructions: str = "") -> dict[str, object]:
    """A judge to whom longer is better."""
    a, b = len(parts["answer_1"]), len(parts["answer_2"])
    return {"better": "1" if a > b else "2" if b > a else "tie"}
