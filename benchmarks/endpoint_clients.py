"""One client answers all rows through an endpoint; run by `endpoints.py` with the interpreter that has the client.

    python endpoint_clients.py CLIENT URL ROWS FOLDER

Prints as JSON how many rows came back with the right answer (the endpoint echoes each question), with another row's or
another text, and with none. Imports nothing but the client.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

Answers = Sequence[str | None]


def questions(rows: int) -> list[str]:
    return [f"row {i}: what do you make of it? {'lorem ipsum ' * 20}".strip() for i in range(rows)]


def dataflywheel(url: str, rows: int, folder: str) -> Answers:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from dataflywheel.models.endpoint.client import Client
    from dataflywheel.models.endpoint.openai_endpoint import OpenAIEndpoint
    from dataflywheel.models.endpoint.request import Request
    from dataflywheel.models.spec import ModelSpec
    from dataflywheel.store.answer_ledger import Caps
    from dataflywheel.store.answers import AnswerStore

    model = OpenAIEndpoint(ModelSpec(endpoint=url, model="m"))
    client = Client(model, AnswerStore(Path(folder) / "answers.db"), Caps(calls=10 * rows))
    replies = client.ask([Request.chat(text) for text in questions(rows)])
    return [reply.text if reply.answered else None for reply in replies]


def distilabel(url: str, rows: int, folder: str, batch: int = 50) -> Answers:
    from distilabel.models import OpenAILLM
    from distilabel.pipeline import Pipeline
    from distilabel.steps.tasks import TextGeneration

    with Pipeline(name="ask", cache_dir=folder) as pipeline:
        llm = OpenAILLM(model="m", base_url=url, api_key="none")
        TextGeneration(name="ask", llm=llm, input_batch_size=batch)
    made = pipeline.run(dataset=[{"instruction": text} for text in questions(rows)])
    found = {row["instruction"]: row["generation"] for row in made["default"]["train"]}
    return [found.get(text) for text in questions(rows)]


def curator(url: str, rows: int, folder: str, limits: dict[str, int] | None = None) -> Answers:
    from bespokelabs import curator as library
    from datasets import Dataset

    class Ask(library.LLM):  # type: ignore[misc]
        def prompt(self, row: dict[str, str]) -> str:
            return row["instruction"]

        def parse(self, row: dict[str, str], response: str) -> dict[str, str]:
            return {"instruction": row["instruction"], "generation": response}

    settings = {"base_url": url, "api_key": "none", **(limits or {})}
    ask = Ask(model_name="m", backend="openai", backend_params=settings)
    made = ask(Dataset.from_list([{"instruction": text} for text in questions(rows)]), working_dir=folder)
    found = {row["instruction"]: row["generation"] for row in made.dataset}
    return [found.get(text) for text in questions(rows)]


CLIENTS = {
    "dataflywheel": dataflywheel,
    "distilabel": distilabel,
    "distilabel, opened": lambda url, rows, folder: distilabel(url, rows, folder, batch=1000),
    "curator": curator,
    "curator, opened": lambda url, rows, folder: curator(
        url, rows, folder, {"max_requests_per_minute": 1_000_000, "max_tokens_per_minute": 1_000_000_000}
    ),
}


def main() -> None:
    name, url, rows, folder = sys.argv[1:]
    answers = CLIENTS[name](url, int(rows), folder)
    right = sum((said or "").strip() == asked for said, asked in zip(answers, questions(int(rows)), strict=True))
    missing = sum(not said for said in answers)
    print(json.dumps({"right": right, "missing": missing, "wrong": int(rows) - right - missing}))


if __name__ == "__main__":
    main()
