"""Scores of a model that has learnt a planted skill, against the arithmetic by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from dataflywheel.contracts import FlywheelError
from dataflywheel.evolution.feedback import answering
from dataflywheel.evolution.feedback.answering import NO_TOOLS, REFUSED, TOO_LONG, UNSEEN, answers
from dataflywheel.evolution.feedback.evaluate import Evaluate, score_rows, summarise
from dataflywheel.models.language.decoding import Draw
from dataflywheel.models.templates.chat import Chat, ChatFormat
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import message, table
from tests.evolution.metrics.planted import copier, rows
from tests.models.copy_skill import copy_rows
from tests.models.template_rows import TOOLS, with_template
from tests.models.test_chat import FOREIGN, tokenizer


def test_metrics_are_never_mixed() -> None:
    with pytest.raises(FlywheelError, match="one metric at a time"):
        score_rows(copier(), rows(), ["bits_per_byte"] * 23 + ["exact_match"], ["s"] * 24, Evaluate())


def test_answers_of_the_model_are_scored() -> None:
    """A model that copies: what it is asked to say is its final answer."""
    model, pool = copier(), table([make_row(turns) for turns in copy_rows(12, seed=5)])
    exact = score_rows(model, pool, ["exact_match"] * 12, ["s"] * 12, Evaluate(max_new_tokens=16))
    final = score_rows(model, pool, ["final_answer"] * 12, ["s"] * 12, Evaluate(max_new_tokens=16))
    assert final.metric() >= exact.metric() > 0.6
    drawn = Evaluate(max_new_tokens=16, samples=3, k=3, temperature=0.7)
    several = score_rows(model, pool, ["final_answer"] * 12, ["s"] * 12, drawn)
    assert several.metric() >= 0.6
    assert several.value.tolist() == score_rows(model, pool, ["final_answer"] * 12, ["s"] * 12, drawn).value.tolist()


def test_samples_do_not_depend_on_their_neighbours() -> None:
    questions = [Chat(turns[:1]) for turns in copy_rows(4, seed=1)]
    together = answers(copier(), questions, 8, samples=3, temperature=1.5)
    assert together[2] == answers(copier(), questions[2:3], 8, samples=3, temperature=1.5)[0]
    assert len({text for one in together for text in one.texts}) > 4


def test_a_question_is_asked_whole_or_not_at_all() -> None:
    long = message("user", "repeat " + "amber " * 3000)
    pool = table(
        [
            make_row(copy_rows(1, seed=5)[0]),
            make_row([long, message("assistant", "amber")]),
            make_row(
                [message("user", "What is it?"), message("assistant", "amber")],
                media=[{"type": "image", "ref": "a.png"}],
            ),
        ]
    )
    found = score_rows(copier(), pool, ["exact_match"] * 3, ["s"] * 3, Evaluate(max_new_tokens=16))
    assert found.note.tolist() == ["", TOO_LONG, UNSEEN]
    assert np.isnan(found.value).tolist() == [False, True, True]
    assert summarise(found, "exact_match", Evaluate())["not_scored_because"] == {TOO_LONG: 1, UNSEEN: 1}


STRICT = "{% for m in messages %}{{ raise_exception(1) if m.role == 'system' else m.content }}{% endfor %}"


def told(tokens: Any) -> Any:
    """A model that is asked, and whose answer a test makes up."""
    network = SimpleNamespace(generation_config=None)
    return SimpleNamespace(
        chat=ChatFormat(tokens), tokenizer=tokens, context=4096, pad_id=0, dtype="float32", model=network
    )


def test_tools_are_shown_and_special_tokens_of_thoughts_and_calls_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    mark = with_template("qwen3")
    mark.add_special_tokens({"additional_special_tokens": ["[THINK]", "[/THINK]", "[TOOL_CALLS]"]})
    said = '[THINK]Hm: [] is it.[/THINK][TOOL_CALLS][{"name": "weather", "arguments": {}}]'
    read: list[str] = []

    def act(network: Any, draws: list[Draw], pad: int, ends: frozenset[int], dtype: str) -> None:
        assert {mark.eos_token_id, mark.convert_tokens_to_ids("<|im_end|>")} <= ends
        for draw in draws:
            read.append(mark.decode(draw.prompt))
            draw.ids = mark.encode(said, add_special_tokens=False)

    monkeypatch.setattr(answering, "decode", act)
    called = message("assistant", "", '[{"function":{"arguments":{},"name":"weather"},"type":"function"}]')
    pool = table([make_row([message("user", "How is it?"), called], tools=TOOLS)])
    found = score_rows(told(mark), pool, ["tool_call"], ["s"], Evaluate())
    assert "weather" in read[0]
    assert found.value.tolist() == [1.0]
    (plain,) = answers(told(tokenizer(FOREIGN)), [Chat([message("user", "Q")], TOOLS)], 8)
    assert (plain.texts, plain.why) == ([], NO_TOOLS)
    (refused,) = answers(told(tokenizer(STRICT)), [Chat([message("system", "S"), message("user", "Q")])], 8)
    assert refused.why == REFUSED
