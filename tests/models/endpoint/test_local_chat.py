from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from dataflywheel.contracts import UsageError
from dataflywheel.models.endpoint.chat_model import RejectedError
from dataflywheel.models.endpoint.local_chat import LocalChat
from dataflywheel.models.endpoint.request import Outcome, Reply, Request, Sampling
from dataflywheel.models.language.pool_tokenizer import pool_tokenizer
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.training.tiny import init_tiny
from tests.models.copy_skill import copy_model, copy_rows

PROMPTS = [f"repeat {row[1]['content']}" for row in copy_rows(24, seed=9)]


@pytest.fixture(scope="module")
def skilled() -> LocalChat:
    return LocalChat(ModelSpec(hf=str(copy_model())))


@pytest.fixture(scope="module")
def untrained() -> LocalChat:
    cache = Path(os.environ["FLYWHEEL_CACHE"])
    folder = init_tiny(pool_tokenizer(copy_rows(60, seed=6), cache_dir=cache), "0.5m", cache_dir=cache)
    return LocalChat(ModelSpec(hf=str(folder)))


def ask(model: LocalChat, *requests: Request) -> list[Reply]:
    async def together() -> list[Reply]:
        return list(await asyncio.gather(*(model.send(request) for request in requests)))

    return asyncio.run(together())


def forward(model: LocalChat, text: str, answer: str) -> tuple[np.ndarray, np.ndarray]:
    """Log-probabilities of the answer's tokens, and of the whole vocabulary there, by one forward pass on its own."""
    import torch

    backend = model.model.chat.backend
    start = len(backend.encode(text, add_special_tokens=False).ids)
    ids = backend.encode(text + answer, add_special_tokens=False).ids
    with torch.inference_mode():
        logits = model.model.model(torch.tensor([ids])).logits[0, start - 1 : -1].float()
    table = torch.log_softmax(logits, dim=-1)
    return table.gather(1, torch.tensor(ids[start:])[:, None])[:, 0].numpy(), table.numpy()


def rendered(model: LocalChat, prompt: str) -> str:
    from dataflywheel.rows.schema import message

    return model.model.chat.render([[message("user", prompt)]], add_generation_prompt=True)[0]


def test_a_model_that_learnt_to_repeat_repeats(skilled: LocalChat) -> None:
    replies = ask(skilled, *[Request.chat(prompt, sampling=Sampling(max_tokens=16)) for prompt in PROMPTS])
    right = sum(f"repeat {reply.text}" == prompt for reply, prompt in zip(replies, PROMPTS, strict=True))
    assert right >= len(PROMPTS) * 0.8
    assert {(reply.outcome, reply.finish) for reply in replies} == {(Outcome.ANSWERED, "stop")}
    assert all(reply.tokens_in > 0 and reply.tokens_out > 1 and reply.usd == 0 for reply in replies)


def test_an_answer_ends_where_the_chat_template_ends_a_turn(tmp_path: Path) -> None:
    """As with models whose tokenizer names another end of sequence than the one that their template writes."""
    folder = shutil.copytree(copy_model(), tmp_path / "model")
    changes: list[tuple[str, str, str]] = [
        ("chat_template.jinja", "eos_token", "'<|end|>'"),
        ("tokenizer_config.json", '"eos_token": "<|end|>"', '"eos_token": "<|pad|>"'),
        ("config.json", '"eos_token_id": 2', '"eos_token_id": null'),
        ("generation_config.json", '"eos_token_id": 2', '"eos_token_id": null'),
    ]
    for name, old, new in changes:
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new), encoding="utf-8")
    model = LocalChat(ModelSpec(hf=str(folder)))
    [reply] = ask(model, Request.chat(PROMPTS[0], sampling=Sampling(max_tokens=30)))
    assert (reply.outcome, reply.text) == (Outcome.ANSWERED, PROMPTS[0].removeprefix("repeat "))
    asyncio.run(model.close())


def test_log_probabilities_are_those_of_one_forward_pass(skilled: LocalChat) -> None:
    wanted = Sampling(max_tokens=12, top_logprobs=5)
    prompts = [*PROMPTS[:6], "repeat " + "am " * 60, "x"]
    replies = ask(skilled, *[Request.chat(prompt, sampling=wanted) for prompt in prompts])
    for prompt, reply in zip(prompts, replies, strict=True):
        found, table = forward(skilled, rendered(skilled, prompt), reply.text)
        assert "".join(one.token for one in reply.logprobs) == reply.text
        np.testing.assert_allclose([one.logprob for one in reply.logprobs], found, atol=1e-4)
        for one, row in zip(reply.logprobs, table, strict=True):
            assert one.logprob == pytest.approx(row.max(), abs=1e-4)
            np.testing.assert_allclose(sorted(one.top.values()), np.sort(row)[-5:], atol=1e-4)


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_an_answer_does_not_depend_on_the_batch(untrained: LocalChat, temperature: float) -> None:
    wanted = Sampling(temperature=temperature, max_tokens=20, top_logprobs=2, top_p=0.9, seed=3)
    requests = [Request.chat("hi " * (1 + 7 * i), sampling=wanted, sample=i % 3) for i in range(12)]
    together = ask(untrained, *requests)
    alone = [ask(untrained, request)[0] for request in requests]
    backwards = ask(untrained, *requests[::-1])[::-1]
    for one, other, third in zip(together, alone, backwards, strict=True):
        assert one.text == other.text == third.text
        np.testing.assert_allclose([t.logprob for t in one.logprobs], [t.logprob for t in other.logprobs], atol=1e-4)


def test_samples_and_seeds_draw_differently(untrained: LocalChat) -> None:
    def texts(seed: int | None) -> list[str]:
        sampling = Sampling(temperature=1.0, max_tokens=8, seed=seed)
        return [r.text for r in ask(untrained, *[Request.chat("hi", sampling=sampling, sample=i) for i in range(5)])]

    assert len(set(texts(1))) == 5
    assert texts(1) == texts(1)
    assert not set(texts(1)) & set(texts(2))


def test_draws_follow_the_model_and_the_nucleus(untrained: LocalChat) -> None:
    import torch

    count, prompt = 800, rendered(untrained, "hi")
    ids = untrained.model.chat.backend.encode(prompt, add_special_tokens=False).ids
    with torch.inference_mode():
        logits = untrained.model.model(torch.tensor([ids])).logits[0, -1].double()
    shares = torch.softmax(logits / 0.2, dim=-1).numpy()
    order = np.argsort(-shares, kind="stable")
    inside = order[: int(np.searchsorted(np.cumsum(shares[order]), 0.5)) + 1]
    expected = {untrained._piece(int(i)): shares[i] / shares[inside].sum() for i in inside}
    sampling = Sampling(temperature=0.2, top_p=0.5, max_tokens=1, top_logprobs=1)
    replies = ask(untrained, *[Request(prompt=prompt, sampling=sampling, sample=i) for i in range(count)])
    drawn = [reply.logprobs[0].token for reply in replies]
    assert set(drawn) <= set(expected)
    for token, share in sorted(expected.items(), key=lambda item: -item[1])[:5]:
        assert drawn.count(token) / count == pytest.approx(share, abs=4 * (share / count) ** 0.5)


def test_the_limit_truncates_and_a_stop_text_ends(skilled: LocalChat) -> None:
    [whole] = ask(skilled, Request.chat(PROMPTS[0], sampling=Sampling(max_tokens=16)))
    first, second = whole.text.split(" ")
    [cut] = ask(skilled, Request.chat(PROMPTS[0], sampling=Sampling(max_tokens=1)))
    assert (cut.outcome, cut.finish, cut.tokens_out) == (Outcome.TRUNCATED, "length", 1)
    stop = Sampling(max_tokens=16, stop=(second[:2],), top_logprobs=1)
    [stopped] = ask(skilled, Request.chat(PROMPTS[0], sampling=stop))
    assert (stopped.outcome, stopped.text) == (Outcome.ANSWERED, f"{first} ")
    # The stop begins within the second word's token, which therefore stays.
    assert len(stopped.logprobs) == 2
    [nothing] = ask(skilled, Request.chat(PROMPTS[0], sampling=Sampling(stop=(first[:2],), top_logprobs=1)))
    assert (nothing.outcome, nothing.text, nothing.logprobs) == (Outcome.ANSWERED, "", ())


def test_raw_text_goes_on_without_a_template(skilled: LocalChat) -> None:
    prompt = rendered(skilled, PROMPTS[1])
    chat, raw = ask(skilled, Request.chat(PROMPTS[1]), Request(prompt=prompt))
    assert chat.text == raw.text
    assert skilled.tokens(Request(prompt=prompt)) == chat.tokens_in


def test_what_cannot_be_answered_is_rejected_and_nothing_else_fails(skilled: LocalChat) -> None:
    async def send() -> list[Reply | BaseException]:
        wrong = [Request.chat("am " * 3000), Request.chat("hi", sampling=Sampling()), Request(prompt="x", schema="{}")]
        return await asyncio.gather(*map(skilled.send, wrong), return_exceptions=True)

    long, good, shaped = asyncio.run(send())
    assert isinstance(long, RejectedError)
    assert "1 to 1023 fit" in str(long)
    assert isinstance(good, Reply)
    assert isinstance(shaped, RejectedError)


def test_identity_is_the_content_and_closing_is_no_end(skilled: LocalChat, untrained: LocalChat) -> None:
    assert skilled.identity == LocalChat(ModelSpec(hf=str(copy_model()))).identity != untrained.identity
    asyncio.run(skilled.close())
    assert ask(skilled, Request.chat("hi"))[0].tokens_out > 0
    with pytest.raises(UsageError, match="trained on a pool first"):
        _ = LocalChat(ModelSpec(builtin="tiny")).identity
