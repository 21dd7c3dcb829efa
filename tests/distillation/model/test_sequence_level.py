"""Sequence-level distillation: what a teacher cut, declined, left empty or said twice never enters the set."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import orjson

from dataflywheel.contracts import UsageError
from dataflywheel.distillation.model.sequence_level import SequenceLevel
from dataflywheel.models.endpoint.account import account
from dataflywheel.models.endpoint.request import Outcome, Reply, Request
from dataflywheel.models.spec import ModelSpec
from dataflywheel.proposing.fulfil import Terms, fulfil
from dataflywheel.proposing.gates.format_and_length import FormatAndLength
from dataflywheel.proposing.gates.refusal import Refusal
from dataflywheel.proposing.kinds import Demand, Proposal, Surroundings
from dataflywheel.proposing.ledger import Fate
from dataflywheel.rows.identity import make_row, prompt_answer_row
from dataflywheel.rows.schema import Row, message
from dataflywheel.store.answers import AnswerStore
from tests.distillation.model.support import spec
from tests.models.copy_skill import copy_model, copy_rows
from tests.models.endpoint.fake import FakeClient, user_text
from tests.signals.rating.support import MODEL, asking
from tests.support.endpoint import Endpoint


def demand(rows: list[Row], turn: int = 0) -> Demand:
    return Demand(tuple(rows), (turn,) * len(rows), (), np.random.default_rng(0))


def answers(proposals: list[Proposal]) -> list[str | None]:
    return [None if p.row is None else p.row["messages"][-1]["content"] for p in proposals]


def test_good_answers_replace_with_their_lineage_and_bad_ones_say_why() -> None:
    said: dict[str, str | Reply] = {
        "a": "new a",
        "b": Reply(Outcome.TRUNCATED, "half of", detail="cut"),
        "c": Reply(Outcome.REFUSED),
        "d": "   ",
        "e": "<think>hm</think>new e",
    }
    rows = [prompt_answer_row(name, f"old {name}", source="s", tags=["t"]) for name in said]
    client = FakeClient(lambda request: said[user_text(request)])
    found = SequenceLevel(model=MODEL).propose_with(client, demand(rows))
    assert answers(found) == ["new a", None, None, None, "new e"]
    assert [p.failure.split(":")[0] for p in found] == ["", "truncated", "refused", "malformed", ""]
    assert all(p.before == row and p.parents == (row["id"],) for p, row in zip(found, rows, strict=True))
    made = found[0].row
    assert made is not None
    assert (made["parents"], made["made_by"], made["source"], made["tags"]) == (
        [rows[0]["id"]], "sequence_level", "s", ["t"],
    )  # fmt: skip
    assert all(len(p.replies) == 1 for p in found)


def test_calls_of_tools_stay_calls() -> None:
    tools = orjson.dumps([{"type": "function", "function": {"name": "look", "parameters": {}}}]).decode()
    given = orjson.dumps([{"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"at": 3}'}}])
    said: dict[str, str | Reply] = {
        "a": Reply(Outcome.ANSWERED, "", "tool_calls", calls=given.decode()),
        "b": Reply(Outcome.ANSWERED, "Let me look.", "tool_calls", calls=given.decode()),
        "c": '<tool_call>\n{"name": "look", "arguments": {"at": 3}}\n</tool_call>',
        "d": Reply(Outcome.ANSWERED, "", calls='[{"function": {}}]'),
    }
    rows = [make_row([message("user", name), message("assistant", "old")], tools=tools) for name in said]
    found = SequenceLevel(model=MODEL).propose_with(FakeClient(lambda request: said[user_text(request)]), demand(rows))
    assert answers(found) == ["", "Let me look.", None, None]
    assert [p.failure[:20] for p in found] == ["", "", "malformed: the answe", "malformed: the answe"]
    for proposal in found[:2]:
        assert proposal.row is not None
        (call,) = orjson.loads(proposal.row["messages"][-1]["tool_calls"] or "[]")
        assert (call["id"], call["function"]) == ("c1", {"name": "look", "arguments": {"at": 3}})
    checks = FormatAndLength(ratio=None).check([p for p in found if p.row], Surroundings())
    assert all(check.passed for check in checks)


def test_thoughts_are_kept_where_they_are_wanted() -> None:
    said = {"a": "<think>hm</think>new a", "b": Reply(Outcome.ANSWERED, "new b", reasoning="so"), "c": "<think>cut"}
    old = message("assistant", "old", reasoning="mine")
    rows = [prompt_answer_row("a", "old"), make_row([message("user", "b"), old]), prompt_answer_row("c", "old")]
    client = FakeClient(lambda request: said[user_text(request)])
    found = SequenceLevel(model=MODEL, thoughts=True).propose_with(client, demand(rows))
    turns = [proposal.row["messages"][-1] for proposal in found if proposal.row]
    assert [(turn["content"], turn["reasoning"]) for turn in turns] == [("new a", "hm"), ("new b", "so")]
    assert found[2].failure.startswith("truncated: the reply ends within its thoughts")
    without = SequenceLevel(model=MODEL).propose_with(client, demand(rows))
    assert [proposal.row and proposal.row["messages"][-1]["reasoning"] for proposal in without] == [None] * 3
    within = make_row([message("user", "b"), message("assistant", "<think>\nmine\n</think>\n\nold")])
    told = [*without[1:2], *SequenceLevel(model=MODEL).propose_with(client, demand([within]))]
    assert {p.failure for p in told} == {"not rewritten, the thoughts before the answer would not fit another one"}


def test_the_teacher_sees_the_prompt_and_never_the_answer() -> None:
    row = make_row([message("system", "Be short."), message("user", "Why?"), message("assistant", "secret")])
    seen: list[Request] = []
    client = FakeClient(lambda request: seen.append(request) or "because")
    proposer = SequenceLevel(model=MODEL, max_tokens=77)
    unanswered = make_row([message("user", "And?")])
    plain = make_row([message("assistant", "text alone")])
    found = proposer.propose_with(client, demand([row, unanswered, plain], turn=2))
    assert answers(found) == ["because", "because", None]
    assert found[2].failure == "not rewritten, no instruction"
    assert [turn["role"] for turn in seen[0].messages] == ["system", "user"]
    assert "secret" not in str(seen[0])
    assert (seen[0].sampling.max_tokens, seen[0].sample, len(seen)) == (77, 2, 2)


def test_through_the_engine_only_clean_answers_enter(endpoint: Endpoint, tmp_path: Path) -> None:
    good = [f"[[say:Answer number {i}, in full.]]" for i in range(6)]
    bad = ["[[say:I'm sorry, but I can't help with that.]]", "[[fault:refusal_field]] x", "[[fault:content_filter]] y"]
    rows = [prompt_answer_row(text, "old") for text in [*good, *bad]]
    with asking(endpoint, tmp_path) as model:
        made = fulfil(SequenceLevel(model=model), [Refusal()], rows, Terms(), Surroundings(), seed=0)
        again = fulfil(SequenceLevel(model=model), [Refusal()], rows, Terms(), Surroundings(), seed=0)
    said = sorted(str(answer) for answer in answers(made.accepted))
    assert said == [f"Answer number {i}, in full." for i in range(6)]
    assert {p.before["id"] for p in made.accepted if p.before} == {row["id"] for row in rows[:6]}
    assert answers(again.accepted) == answers(made.accepted)
    assert len(made.entries) == 9
    assert sum(entry.fate is Fate.ACCEPTED for entry in made.entries) == 6


def test_an_answer_like_the_row_itself_adds_nothing(endpoint: Endpoint, tmp_path: Path) -> None:
    rows = [prompt_answer_row("[[say:the same]]", "the same"), prompt_answer_row("[[say:other]]", "old")]
    known = frozenset(row["id"] for row in rows)
    with asking(endpoint, tmp_path) as model:
        made = fulfil(SequenceLevel(model=model), [], rows, Terms(), Surroundings(), seed=0, known=known)
    assert answers(made.accepted) == ["other"]


def test_a_local_folder_answers_as_it_would_itself(tmp_path: Path) -> None:
    rows = [make_row([turns[0], message("assistant", "wrong")]) for turns in copy_rows(12, seed=21)]
    with closing(AnswerStore(tmp_path / "answers.db")) as store, account(store):
        found = SequenceLevel(model=spec(copy_model()), max_tokens=16).propose(demand(rows))
    right = [turns[1]["content"] for turns in copy_rows(12, seed=21)]
    assert sum(a == b for a, b in zip(answers(found), right, strict=True)) >= 10


def test_a_model_without_chat_is_refused() -> None:
    import pytest

    with pytest.raises(UsageError, match="chat"):
        SequenceLevel(model=ModelSpec(hf="x")).propose_with(FakeClient(lambda r: "", chat=False), demand([]))
