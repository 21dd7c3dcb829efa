"""Files and batches of the scripted endpoint, through the official client."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from tests.support.asking import chat
from tests.support.endpoint import Endpoint

LINES = 10


@pytest.fixture
def client(endpoint: Endpoint) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=endpoint.url, api_key="key", max_retries=0) as found:
        yield found


def create(client: openai.OpenAI, texts: list[str]) -> Any:
    lines = [
        {"custom_id": f"r{i}", "method": "POST", "url": "/v1/chat/completions", "body": chat(text)}
        for i, text in enumerate(texts)
    ]
    content = "\n".join(map(json.dumps, lines)).encode()
    file = client.files.create(file=("rows.jsonl", content), purpose="batch")
    assert client.files.retrieve(file.id).bytes == len(content)
    return client.batches.create(
        input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h", metadata={"name": "x"}
    )


def results(client: openai.OpenAI, file: str | None) -> dict[str, dict[str, Any]]:
    if file is None:
        return {}
    lines = map(json.loads, client.files.content(file).read().splitlines())
    return {line["custom_id"]: line for line in lines}


def test_a_batch_is_done_after_its_polls_and_answers_by_id(endpoint: Endpoint, client: openai.OpenAI) -> None:
    endpoint.configure(batches={"polls": 3})
    texts = [f"row {i}" for i in range(LINES)]
    texts[4] += " [[fault:http_400]]"
    batch = create(client, texts)
    states = [client.batches.retrieve(batch.id) for _ in range(3)]
    assert [state.status for state in states] == ["in_progress", "in_progress", "completed"]
    good, bad = results(client, states[-1].output_file_id), results(client, states[-1].error_file_id)
    assert set(bad) == {"r4"}
    assert bad["r4"]["response"]["status_code"] == 400
    for name, line in good.items():
        content = line["response"]["body"]["choices"][0]["message"]["content"]
        assert content == texts[int(name[1:])]
    assert [found.metadata for found in client.batches.list()] == [{"name": "x"}]
    bill = endpoint.bill()
    assert len(bill.charged) == LINES - 1
    assert {line.sample for line in bill.charged} == set(good)


def test_an_expired_batch_gives_what_was_done_and_names_the_rest(endpoint: Endpoint, client: openai.OpenAI) -> None:
    endpoint.configure(batches={"expire": 1, "expired_share": 0.3})
    batch = client.batches.retrieve(create(client, [f"row {i}" for i in range(LINES)]).id)
    assert batch.status == "expired"
    late = results(client, batch.error_file_id)
    assert set(late) == {"r7", "r8", "r9"}
    assert {line["error"]["code"] for line in late.values()} == {"batch_expired"}
    assert set(results(client, batch.output_file_id)) == {f"r{i}" for i in range(7)}
    assert len(endpoint.bill().charged) == 7
    assert client.batches.retrieve(create(client, ["again"]).id).status == "completed"


def test_a_batch_can_fail_and_its_making_can_go_unheard(endpoint: Endpoint, client: openai.OpenAI) -> None:
    endpoint.configure(batches={"fail": 1})
    failed = client.batches.retrieve(create(client, ["row"]).id)
    assert failed.status == "failed"
    assert failed.errors is not None
    assert endpoint.bill().charged == []
    endpoint.reset()
    endpoint.configure(batches={"lose_reply": 1})
    with pytest.raises(openai.APIConnectionError):
        create(client, ["row"])
    assert len(list(client.batches.list())) == 1
    assert len(endpoint.bill().charged) == 1
