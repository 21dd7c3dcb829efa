"""A job that tests kill: ask numbered questions, then write all answers in order.

python -m tests.models.endpoint.kill_job URL FOLDER COUNT
"""

from __future__ import annotations

import sys
from pathlib import Path

import orjson

from dataflywheel.models.endpoint.client import Client
from dataflywheel.models.endpoint.openai_endpoint import OpenAIEndpoint
from dataflywheel.models.endpoint.request import Request
from dataflywheel.models.spec import ModelSpec
from dataflywheel.store.answers import AnswerStore
from dataflywheel.store.atomic import atomic_path


def requests(count: int) -> list[Request]:
    return [Request.chat(f"What is {i} times {i}?", "Be brief.") for i in range(count)]


def main(url: str, folder: Path, count: int) -> None:
    model = OpenAIEndpoint(ModelSpec(endpoint=url, model="m"))
    client = Client(model, AnswerStore(folder / "answers.db"), scope="job")
    found = {}
    for index, reply in client.stream(requests(count)):
        if not found:
            print("started", flush=True)
        found[index] = reply
    with atomic_path(folder / "rows.jsonl") as aside:
        rows = [{"row": i, "outcome": r.outcome, "text": r.text, "key": r.key} for i, r in sorted(found.items())]
        aside.write_bytes(b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
