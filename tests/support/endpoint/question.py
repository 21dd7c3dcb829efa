"""A request as the rules see it: its text, its marks, its ids, its schema."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Any

import orjson

from tests.support.endpoint.form import described

VOLATILE = frozenset({"user", "metadata", "stream", "stream_options", "store", "service_tier"})
MARK = re.compile(r"\[\[(\w+)(?::([^\[\]]*))?\]\]")


def body_key(path: str, body: Mapping[str, Any]) -> str:
    """Equal for equal questions: a hash of what is asked, without what does not change the answer."""
    kept = {name: value for name, value in body.items() if name not in VOLATILE}
    return blake2b(path.encode() + orjson.dumps(kept, option=orjson.OPT_SORT_KEYS), digest_size=12).hexdigest()


def text_of(content: object) -> str:
    """The text of a message, which may be given in parts."""
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


@dataclass(frozen=True)
class Mark:
    name: str
    value: str
    end: int
    """Where the text after the mark begins."""


@dataclass
class Question:
    """`body` as it was sent; `salt` names the draw: the same salt gives the same answer."""

    path: str
    body: Mapping[str, Any]
    key: str
    seed: int
    attempt: int = 1
    id_pattern: str = ""

    @cached_property
    def text(self) -> str:
        """Everything that is not system text."""
        if "messages" in self.body:
            turns = self.body["messages"]
            return "\n".join(text_of(turn.get("content")) for turn in turns if turn.get("role") != "system")
        prompt = self.body.get("prompt", "")
        return prompt if isinstance(prompt, str) else "\n".join(map(str, prompt))

    @cached_property
    def size(self) -> int:
        """Bytes of all text that is sent."""
        if "messages" not in self.body:
            return len(self.text.encode())
        return sum(len(text_of(turn.get("content")).encode()) for turn in self.body["messages"])

    @property
    def tokens(self) -> int:
        """Prompt tokens as this server counts them: four bytes each, and four a message."""
        return -(-self.size // 4) + 4 * len(self.body.get("messages", ())) + 3

    @property
    def model(self) -> str:
        return str(self.body.get("model", ""))

    @property
    def max_tokens(self) -> int:
        limit = self.body.get("max_completion_tokens") or self.body.get("max_tokens")
        return int(limit) if limit is not None else (4096 if "messages" in self.body else 16)

    @property
    def top_logprobs(self) -> int | None:
        """Alternatives asked for; None where no log-probabilities are."""
        wanted = self.body.get("logprobs")
        if "messages" in self.body:
            return int(self.body.get("top_logprobs") or 0) if wanted else None
        return int(wanted) if wanted is not None else None

    def salt(self, choice: int) -> tuple[object, ...]:
        """At temperature 0 every attempt gives the same answer; above, each its own."""
        return (self.seed, self.key, choice, self.attempt if self.body.get("temperature", 1) else 0)

    @cached_property
    def marks(self) -> list[Mark]:
        if "[[" not in self.text:
            return []
        return [Mark(found[1], found[2] or "", found.end()) for found in MARK.finditer(self.text)]

    def marked(self, name: str) -> list[str]:
        return [mark.value for mark in self.marks if mark.name == name]

    @cached_property
    def ids(self) -> list[str]:
        """The ids that stand in the text, each once."""
        return list(dict.fromkeys(re.findall(self.id_pattern, self.text))) if self.id_pattern else []

    @property
    def lengths(self) -> list[int]:
        """Characters of each marked answer: up to [[end]], the next [[truth:..]] or the end of the prompt."""
        borders = [mark for mark in self.marks if mark.name in ("truth", "end")]
        ends = [*(mark.end for mark in borders[1:]), len(self.text)]
        return [end - mark.end for mark, end in zip(borders, ends, strict=False) if mark.name == "truth"]

    @cached_property
    def schema(self) -> dict[str, Any] | None:
        """The JSON schema that the answer is to follow."""
        form = self.body.get("response_format") or {}
        found = (form.get("json_schema") or {}).get("schema") or self.body.get("guided_json")
        return dict(found) if isinstance(found, dict) else self._described()

    def _described(self) -> dict[str, Any] | None:
        """The schema of the form that the last line shows."""
        return described(self.text.rpartition("\n")[2])
