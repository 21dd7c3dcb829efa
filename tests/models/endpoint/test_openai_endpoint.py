"""The adapter against the scripted endpoint: each misbehaviour is one outcome, and the ledger agrees with the bill."""

from __future__ import annotations

import asyncio
import base64
import html
import json
import socket
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from pydantic import SecretStr

from dataflywheel.contracts import FlywheelError
from dataflywheel.models.endpoint.chat_model import AwayError, RejectedError
from dataflywheel.models.endpoint.client import Client
from dataflywheel.models.endpoint.flow import Flow
from dataflywheel.models.endpoint.openai_endpoint import OpenAIEndpoint
from dataflywheel.models.endpoint.openai_reply import read_reply
from dataflywheel.models.endpoint.pace import Pace
from dataflywheel.models.endpoint.request import Outcome, Reply, Request, Sampling
from dataflywheel.models.spec import ModelSpec, Price
from dataflywheel.store.answers import AnswerStore
from tests.support.endpoint import Endpoint

SECRET = "sk-the-key-that-nobody-may-see"
QUICK = Pace(backoff=0.01, probe=0.05, attempts=2, patience=1.0)


def client(endpoint: Endpoint, folder: Path, pace: Pace = QUICK, **fields: object) -> Client:
    given: dict[str, object] = {"timeout": 0.5, "usd_per_mtok": Price(input=1.0, output=2.0), **fields}
    spec = ModelSpec.model_validate({"endpoint": endpoint.url, "model": "m", **given})
    return Client(OpenAIEndpoint(spec), AnswerStore(folder / "answers.db"), scope="run", flow=Flow(pace))


def outcome_of(endpoint: Endpoint, folder: Path, fault: str, **fields: object) -> Reply:
    endpoint.configure(script=[{"fault": fault, "attempts": [], "match": "How are you?"}])
    return client(endpoint, folder, **fields).ask([Request.chat("How are you?")])[0]


@pytest.mark.parametrize(
    ("fault", "outcome", "sent"),
    [
        ("http_400", Outcome.REJECTED, 1),
        ("http_500", Outcome.SERVER_ERROR, 2),
        ("http_502", Outcome.SERVER_ERROR, 2),
        ("http_503", Outcome.SERVER_ERROR, 2),
        ("html", Outcome.SERVER_ERROR, 2),
        ("reset_before", Outcome.SERVER_ERROR, 2),
        ("reset_after", Outcome.SERVER_ERROR, 2),
        ("truncated_body", Outcome.SERVER_ERROR, 2),
        ("html_ok", Outcome.MALFORMED, 2),
        ("hang", Outcome.TIMED_OUT, 2),
        ("drip", Outcome.ANSWERED, 1),
        ("slow", Outcome.TIMED_OUT, 2),
        ("length", Outcome.TRUNCATED, 2),
        ("content_filter", Outcome.FILTERED, 1),
        ("refusal_field", Outcome.REFUSED, 1),
        ("empty", Outcome.MALFORMED, 1),
        ("tool_call", Outcome.MALFORMED, 1),
        ("no_usage", Outcome.ANSWERED, 1),
        ("fenced", Outcome.ANSWERED, 1),
        ("unicode", Outcome.ANSWERED, 1),
        ("ok_502", Outcome.SERVER_ERROR, 2),
        ("choice_error", Outcome.SERVER_ERROR, 2),
        ("finish_error", Outcome.SERVER_ERROR, 2),
        ("thoughts", Outcome.ANSWERED, 1),
        ("unopened", Outcome.ANSWERED, 1),
        ("reasoning_field", Outcome.ANSWERED, 1),
        ("only_thoughts", Outcome.TRUNCATED, 2),
    ],
)
def test_each_misbehaviour_is_one_outcome_and_costs_what_was_booked(
    endpoint: Endpoint, tmp_path: Path, fault: str, outcome: Outcome, sent: int
) -> None:
    reply = outcome_of(endpoint, tmp_path, fault)
    assert reply.outcome is outcome
    assert bool(reply.detail) != reply.answered
    bill = endpoint.bill()
    failed = sum(bool(line.fault) for line in bill.lines)  # the others are harmless: it is there
    assert failed == sent or (reply.outcome is Outcome.TIMED_OUT and 1 <= failed <= 3)  # that is as time has it
    spent = AnswerStore(tmp_path / "answers.db").spent("run")
    assert spent.reserved_calls == 0
    assert spent.usd + spent.maybe_paid_usd >= bill.usd(1.0, 2.0) - 1e-12
    if "thoughts" in fault or fault in ("unopened", "reasoning_field"):
        assert (reply.text, reply.reasoning)[fault == "only_thoughts"] == "How are you?"
        assert ("First I draft" in reply.reasoning) == (fault != "only_thoughts")
    if fault in ("length", "content_filter", "refusal_field", "empty", "fenced", "unicode", "finish_error"):
        assert (spent.calls, spent.tokens_in, spent.tokens_out) == (len(bill.charged), bill.tokens_in, bill.tokens_out)
    if not any(line.billed for line in bill.lines if line.fault) and fault != "reset_before":
        assert spent.maybe_paid_usd == 0
        assert spent.calls == len(bill.charged)


def test_tool_calls_are_an_answer_where_tools_were_offered(endpoint: Endpoint, tmp_path: Path) -> None:
    tools = '[{"type": "function", "function": {"name": "look_up", "parameters": {}}}]'
    endpoint.configure(script=[{"fault": "tool_call", "attempts": []}])
    request = Request(({"role": "user", "content": "x"},), tools=tools)
    reply = client(endpoint, tmp_path).ask([request])[0]
    assert reply.answered
    assert "look_up" in reply.calls


def test_log_probabilities_of_chat_and_of_raw_text(endpoint: Endpoint, tmp_path: Path) -> None:
    asking = client(endpoint, tmp_path, capabilities={"logprobs": True, "completion": True})
    sampling = Sampling(max_tokens=50, top_logprobs=2)
    chat, raw = asking.ask([Request.chat("one two", sampling=sampling), Request(prompt="one two", sampling=sampling)])
    for reply in (chat, raw):
        assert "".join(token.token for token in reply.logprobs) == reply.text
        assert all(token.top[token.token] == token.logprob < 0 for token in reply.logprobs)
        assert len(reply.logprobs) == reply.tokens_out
    again = client(endpoint, tmp_path, capabilities={"logprobs": True, "completion": True})
    assert again.ask([Request.chat("one two", sampling=sampling)])[0].logprobs == chat.logprobs


def test_a_dead_port_ends_the_run_and_fails_no_question(tmp_path: Path) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        spec = ModelSpec(endpoint=f"http://127.0.0.1:{held.getsockname()[1]}/v1", model="m")
        store = AnswerStore(tmp_path / "answers.db")
        asking = Client(OpenAIEndpoint(spec), store, scope="run", flow=Flow(Pace(probe=0.01, absent=0.1)))
        with pytest.raises(FlywheelError, match=r"is not there .*the same command goes on"):
            asking.ask(Request.chat(str(i)) for i in range(200))
        asking.close()
    spent = store.spent("run")
    assert spent.calls == spent.maybe_paid_calls == spent.reserved_calls == 0
    assert store.explain(bytes.fromhex(Request.chat("0").key(asking.model.identity))) is None


def test_an_endpoint_that_comes_back_is_waited_for(endpoint: Endpoint, tmp_path: Path) -> None:
    asking = client(endpoint, tmp_path, Pace(backoff=0.001, probe=0.02, attempts=1))
    real = asking.model.exchange  # type: ignore[attr-defined]
    refused = iter(range(7))

    async def exchange(*given: Any, **more: Any) -> bytes:
        if next(refused, None) is not None:
            raise AwayError("ConnectError: refused")
        found: bytes = await real(*given, **more)
        return found

    asking.model.exchange = exchange  # type: ignore[attr-defined]
    replies = asking.ask([Request.chat(str(i)) for i in range(5)])
    assert all(reply.answered for reply in replies)
    assert len(endpoint.bill(wait=0).lines) == 5


def test_an_error_in_a_good_status_is_what_its_code_says(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.configure(script=[{"fault": "ok_429", "attempts": [1, 2]}])
    asking = client(endpoint, tmp_path)
    (reply,) = asking.ask([Request.chat("How are you?")])
    assert reply.answered
    assert (asking.progress().rate_limited, asking.progress().refusal) == (2, "429: Provider returned error: Too busy")
    spent = AnswerStore(tmp_path / "answers.db").spent("run")
    assert (spent.calls, spent.maybe_paid_calls, spent.usd) == (1, 0, reply.usd)


def test_wrong_keys_and_names_end_the_run_with_the_way_out(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.configure(api_key="right", models=["m"])
    with pytest.raises(FlywheelError, match="does not accept the key; set `api_key") as error:
        client(endpoint, tmp_path, api_key=SECRET).ask([Request.chat("x")])
    assert SECRET not in str(error.value)
    with pytest.raises(FlywheelError, match="check `endpoint`"):
        client(endpoint, tmp_path, api_key="right", model="other").ask([Request.chat("x")])
    assert client(endpoint, tmp_path, api_key="right").ask([Request.chat("x")])[0].answered


def test_another_providers_key_in_the_environment_is_not_sent(
    endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-another")
    endpoint.configure(api_key="sk-of-another")
    with pytest.raises(FlywheelError, match="does not accept the key"):
        client(endpoint, tmp_path).ask([Request.chat("x")])


def test_no_secret_and_no_pickle_on_disk(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.configure(api_key=SECRET, faults={"http_500": 0.2, "truncated_body": 0.2, "http_400": 0.1})
    asking = client(endpoint, tmp_path, api_key=SECRET)
    replies = asking.ask([Request.chat(f"question {i}") for i in range(30)])
    assert len({reply.outcome for reply in replies}) > 1
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert len(content) > 10_000
    assert SECRET.encode() not in content
    assert b"\x80\x04\x95" not in content
    assert b"\x80\x05\x95" not in content
    assert SECRET not in repr([asking.model, replies, asking.progress()])


def test_requests_that_went_out_together_all_follow_a_renamed_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    model = OpenAIEndpoint(ModelSpec(endpoint="http://localhost:1/v1", model="m"))
    sent: list[bytes] = []

    async def exchange(path: str, body: bytes, headers: dict[str, str], most: int) -> bytes:
        sent.append(body)
        await asyncio.sleep(0)  # all are on their way before the first is refused
        if b'"max_tokens"' in body:
            raise RejectedError("400: use 'max_completion_tokens' instead")
        return b'{"choices": [{"message": {"content": "yes"}, "finish_reason": "stop"}]}'

    monkeypatch.setattr(model, "exchange", exchange)

    async def ask() -> list[Reply]:
        return await asyncio.gather(*(model.send(Request.chat(str(i))) for i in range(8)))

    assert [reply.text for reply in asyncio.run(ask())] == ["yes"] * 8
    assert len(sent) == 16


def test_an_echoed_key_is_blotted_out(endpoint: Endpoint, tmp_path: Path) -> None:
    asking = client(endpoint, tmp_path, api_key="echoed-key-42")
    reply = asking.ask([Request.chat("[[say:your key is echoed-key-42]]")])[0]
    assert reply.text == "your key is ***"


def test_a_key_is_blotted_out_in_every_form() -> None:
    key = 'echoed-"key"+42'
    model = OpenAIEndpoint(ModelSpec(endpoint="http://x/v1", model="m", api_key=SecretStr(key)))
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in key)
    forms = [json.dumps(key)[1:-1], escaped]
    bodies = [f'{{"choices": [{{"message": {{"content": "it is {one}"}}, "finish_reason": "stop"}}]}}' for one in forms]
    replies = [model.masked(read_reply(body.encode(), Request.chat("x"))) for body in bodies]
    forms = [key, forms[0], quote(key, safe=""), quote(key, safe="").lower(), quote(quote(key, safe=""), safe="")]
    forms += [base64.b64encode(key.encode()).decode(), base64.urlsafe_b64encode(key.encode()).decode()]
    forms += [key.encode().hex(), key.encode().hex().upper(), html.escape(key), escaped, json.dumps(forms[1])[1:-1]]
    replies += [model.masked(Reply(Outcome.ANSWERED, f"it is {one}", reasoning=one, detail=one)) for one in forms]
    for reply in replies:
        assert "42" not in reply.text + reply.reasoning + reply.detail
        assert reply.text.startswith("it is ***")
    for before in ("Bearer ", "u:", ":"):
        hidden = model.masked(Reply(Outcome.ANSWERED, base64.b64encode((before + key).encode()).decode())).text
        assert "***" in hidden
        assert len(hidden) < 17  # what stood before the key, and a letter or two of the ends


@pytest.mark.parametrize("key", ["none", "EMPTY", "ollama", "lm-studio"])
def test_a_word_that_stands_in_for_a_key_stays_in_answers(endpoint: Endpoint, tmp_path: Path, key: str) -> None:
    reply = client(endpoint, tmp_path, api_key=key).ask([Request.chat(f"[[say:of {key} they said none]]")])[0]
    assert reply.text == f"of {key} they said none"


def test_the_estimate_is_never_below_what_the_endpoint_counts(endpoint: Endpoint, tmp_path: Path) -> None:
    asking = client(endpoint, tmp_path)
    requests = [Request.chat(text, "system") for text in ("", "x", "é" * 50, "\n" * 80, "word " * 300, "🧪")]
    for request, reply in zip(requests, asking.ask(requests), strict=True):
        assert asking.model.tokens(request) >= reply.tokens_in > 0


def test_extra_fields_are_sent_and_decide_the_answer() -> None:
    plain = ModelSpec(endpoint="http://x/v1", model="m")
    quiet = ModelSpec(endpoint="http://x/v1", model="m", extra={"chat_template_kwargs": {"enable_thinking": False}})
    request = Request.chat("How are you?")
    assert OpenAIEndpoint(quiet).body(request) == {**OpenAIEndpoint(plain).body(request), **quiet.extra}
    assert request.key(OpenAIEndpoint(quiet).identity) != request.key(OpenAIEndpoint(plain).identity)
    with pytest.raises(ValueError, match="max_tokens is set by the method that asks"):
        ModelSpec(endpoint="http://x/v1", model="m", extra={"max_tokens": 5})


def test_each_question_and_each_sample_has_a_seed_of_its_own_and_top_p_is_always_sent() -> None:
    model = OpenAIEndpoint(ModelSpec(endpoint="http://localhost:1/v1", model="m"))
    asked = [Request.chat(f"question {i}", sample=k) for i in range(20) for k in range(20)]
    bodies = [model.body(request) for request in asked]
    assert len({body["seed"] for body in bodies}) == len(asked)
    assert all(0 <= body["seed"] < 2**31 for body in bodies)
    assert bodies == [model.body(request) for request in asked]  # in every run, so that a draw can be repeated
    assert {body["top_p"] for body in bodies} == {1.0}
    assert model.body(asked[0].with_limit(1024))["seed"] == bodies[0]["seed"]  # a longer answer begins as the cut one
    assert model.body(Request.chat("x", sampling=Sampling(seed=5), sample=2))["seed"] == 7
    without = OpenAIEndpoint(ModelSpec(endpoint="http://localhost:1/v1", model="m", capabilities={"seed": False}))
    assert "seed" not in without.body(asked[0])


def test_what_is_sent_on_top_leaves_the_keys_of_answers_as_they_were() -> None:
    key = Request.chat("hi", "Be brief.", Sampling(temperature=1.0), sample=3).key("m@http://localhost:1/v1")
    assert key == "bc90ddb6b656bc838bf2ac00d31a9bae7a77eaf75ec0235d1492948650943668"


@pytest.mark.parametrize(
    ("refusal", "field"),
    [
        ("400: Unsupported parameter: 'top_p' is not supported with this model.", "top_p"),
        ("400: `temperature` and `top_p` cannot both be specified for this model.", "top_p"),
        ("422: body.seed: Extra inputs are not permitted", "seed"),
    ],
)
def test_an_endpoint_that_refuses_a_field_is_asked_without_it(
    monkeypatch: pytest.MonkeyPatch, refusal: str, field: str
) -> None:
    model = OpenAIEndpoint(ModelSpec(endpoint="http://localhost:1/v1", model="m"))
    sent: list[bytes] = []

    async def exchange(path: str, body: bytes, headers: dict[str, str], most: int) -> bytes:
        sent.append(body)
        await asyncio.sleep(0)
        if f'"{field}"'.encode() in body:
            raise RejectedError(refusal)
        return b'{"choices": [{"message": {"content": "yes"}, "finish_reason": "stop"}]}'

    async def both() -> list[Reply]:
        return list(await asyncio.gather(*(model.send(Request.chat(text)) for text in ("a", "b"))))

    monkeypatch.setattr(model, "exchange", exchange)
    assert [reply.text for reply in asyncio.run(both())] == ["yes", "yes"]
    assert len(sent) == 4
    assert field not in model.body(Request.chat("c"))
    assert len({"top_p", "seed"} & set(model.body(Request.chat("c")))) == 1


def test_a_top_p_that_matters_is_not_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    model = OpenAIEndpoint(ModelSpec(endpoint="http://localhost:1/v1", model="m"))

    async def exchange(path: str, body: bytes, headers: dict[str, str], most: int) -> bytes:
        raise RejectedError("400: 'top_p' is not supported")

    monkeypatch.setattr(model, "exchange", exchange)
    with pytest.raises(RejectedError, match="top_p"):
        asyncio.run(model.send(Request.chat("x", sampling=Sampling(top_p=0.5))))
