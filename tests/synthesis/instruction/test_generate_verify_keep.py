"""Generate-verify-keep on recorded solutions to gsm8k, right and wrong ones mixed: no wrong one becomes a row."""

from __future__ import annotations

import gzip
import re
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Any

import orjson
import pytest

from dataflywheel.models.endpoint.account import account
from dataflywheel.models.endpoint.request import Outcome, Reply, Request
from dataflywheel.models.spec import ModelSpec
from dataflywheel.proposing.fulfil import Terms, fulfil
from dataflywheel.proposing.kinds import Demand, Proposal, Surroundings
from dataflywheel.proposing.ledger import funnel
from dataflywheel.rows.identity import make_row, prompt_answer_row
from dataflywheel.rows.schema import Row, message
from dataflywheel.store.answers import AnswerStore
from dataflywheel.synthesis.instruction.generate_verify_keep import ENOUGH, GenerateVerifyKeep, checked_by
from tests.models.copy_skill import copy_model, copy_rows
from tests.models.endpoint.fake import FakeClient, system_text, user_text
from tests.signals.rating.support import MODEL
from tests.synthesis.support import demand, failures, pairs_of

WRITERS = ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")


def in_process(client: FakeClient, **parameters: Any) -> GenerateVerifyKeep:
    class InProcess(GenerateVerifyKeep):
        def propose(self, demand: Demand) -> list[Proposal]:
            return self.propose_with(client, demand)

    return InProcess(model=MODEL, **parameters)


def samples(*texts: str | Reply) -> FakeClient:
    return FakeClient(lambda request: texts[request.sample % len(texts)])


def sums(gold: str = "12", **facts: Any) -> Row:
    return prompt_answer_row("What is 5 + 7?", f"5 + 7 = {gold}\n#### {gold}", tags=["sums"], **facts)


@pytest.fixture(scope="module")
def replay(data: Path) -> tuple[list[Row], Callable[[Request], str], dict[str, Fraction]]:
    """The questions as seeds, four recorded solutions to each as samples, and the right answers by our own reading."""
    lines = gzip.decompress((data / "gsm8k" / "example_model_solutions.jsonl.gz").read_bytes()).splitlines()
    rows = [orjson.loads(line) for line in lines]
    seeds, said, gold = [], {}, {}
    for row in rows:
        worked, mark, answer = row["ground_truth"].rpartition("\nA: ")
        assert mark
        seeds.append(prompt_answer_row(row["question"], f"{worked}\n#### {answer}", tags=["sums"]))
        said[row["question"]] = [row[w]["solution"].replace("\nA: ", "\n#### ") for w in WRITERS]
        gold[row["question"]] = Fraction(answer.replace(",", ""))
    return seeds, lambda request: said[user_text(request)][request.sample % len(WRITERS)], gold


def test_no_wrong_solution_passes_and_no_right_question_is_lost(
    replay: tuple[list[Row], Callable[[Request], str], dict[str, Fraction]],
) -> None:
    seeds, say, gold = replay
    method = in_process(FakeClient(say), per_question=4)
    done = fulfil(method, [], seeds, Terms(rows=4 * len(seeds)), Surroundings(), 0)
    pairs = pairs_of(done.accepted)

    def value(solution: str) -> Fraction | None:
        """The last line's number, read without the package's help."""
        found = re.search(r"#### *\$?(-?[\d,]*\.?\d+)\.?\s*$", solution)
        return Fraction(found[1].replace(",", "")) if found else None

    wrong = [pair for pair in pairs if value(pair[1]) != gold[pair[0]]]
    drawn = {(s["messages"][0]["content"], say(method._request(s, i))) for s in seeds for i in range(4)}
    right = {pair for pair in drawn if value(pair[1].strip()) == gold[pair[0]]}
    reasons = Counter(entry.reason for entry in done.entries if entry.reason)
    print(f"{len(seeds)} questions, {len(drawn)} solutions, {len(right)} right: kept {len(pairs)}, {len(wrong)} wrong")
    print(reasons)
    assert wrong == []
    assert {p[0] for p in pairs} >= {p[0] for p in right}
    assert len(done.entries) == 4 * len(seeds)


@pytest.mark.parametrize(
    ("keep", "expected"), [("shortest", ["It is\n#### 12"]), ("first", ["Long as it is,\n#### 12.0"])]
)
def test_the_shortest_or_the_first_right_answer_is_kept(keep: Any, expected: list[str]) -> None:
    client = samples(
        "#### 13", "Long as it is,\n#### 12.0", "It is\n#### 12", "It is\n#### 12", "no idea at all,\nreally"
    )
    made = in_process(client, samples=5, keep=keep).propose(demand([sums()]))
    assert [answer for _, answer in pairs_of(made)] == expected
    reasons = Counter(failures(made))
    assert reasons["wrong answer"] == 1
    assert reasons["no final answer"] == 1
    assert reasons[ENOUGH] + reasons["right, but drawn twice"] == 2
    assert all(p.facts == {"gold": "12"} for p in made if p.row)
    assert sum(len(p.replies) for p in made) == 5


def test_visits_draw_anew_and_count_together() -> None:
    client = samples("one\n#### 12", "two\n#### 12")
    method, seed = in_process(client, samples=2, per_question=2, keep="first"), sums()
    first = method.propose(demand([seed]))
    assert [answer for _, answer in pairs_of(first)] == ["one\n#### 12", "two\n#### 12"]
    accepted = [p.row for p in first if p.row][:1]
    again = method.propose(demand([seed], turn=1, accepted=accepted))
    assert len(pairs_of(again)) == 1
    assert [r.sample for r in client.requests] == [0, 1, 2, 3]


def test_a_row_that_nothing_can_verify_costs_nothing() -> None:
    client = samples("#### 12")
    unknown = prompt_answer_row("Write a poem.", "A long poem,\nwithout a number at its end.")
    assert failures(in_process(client).propose(demand([unknown]))) == ["nothing to verify by"]
    assert client.requests == []


def test_what_verifies_comes_with_the_seed() -> None:
    assert checked_by(sums()) == {"gold": "12"}
    assert checked_by(sums(extra={"gold": 13, "program": "5 + 7"})) == {"gold": "13", "program": "5 + 7"}
    assert checked_by(sums(label="7")) == {"gold": "7"}


def test_a_program_verifies_too() -> None:
    seed = prompt_answer_row("What is 5 + 7?", "", extra={"program": "5 + 7"})
    made = in_process(samples("#### 13", "#### 12"), samples=2).propose(demand([seed]))
    assert [answer for _, answer in pairs_of(made)] == ["#### 12"]


def test_the_whole_conversation_is_asked_and_kept() -> None:
    turns = [
        message("system", "Be brief."),
        message("user", "Hi"),
        message("assistant", "Hi."),
        message("user", "1+1?"),
    ]
    seed = make_row([*turns, message("assistant", "#### 2")], tools='[{"name": "add"}]')
    client = samples("2")
    (made,) = in_process(client, samples=1, instructions="").propose(demand([seed]))
    assert [dict(m)["content"] for m in client.requests[0].messages] == ["Be brief.", "Hi", "Hi.", "1+1?"]
    assert made.row is not None
    assert made.row["messages"] == [*turns, message("assistant", "2")]
    assert made.row["tools"] == seed["tools"]
    in_process(client, samples=1).propose(demand([seed]))
    assert "####" in system_text(client.requests[1])


def test_thoughts_are_kept_where_they_are_wanted() -> None:
    client = samples("<think>\n5 and 7\n#### 13\n</think>\nSo\n#### 12")
    for thoughts in (True, False):
        (made,) = in_process(client, samples=1, thoughts=thoughts).propose(demand([sums()]))
        assert made.row is not None
        turn = made.row["messages"][-1]
        assert (turn["content"], turn["reasoning"]) == ("So\n#### 12", "5 and 7\n#### 13" if thoughts else None)


def test_failed_calls_are_failures_of_their_draw() -> None:
    made = in_process(samples(Reply(Outcome.TRUNCATED), "#### 12"), samples=2).propose(demand([sums()]))
    assert failures(made) == ["truncated"]
    assert len(pairs_of(made)) == 1


@pytest.mark.slow
def test_expert_iteration_is_the_same_with_the_students_folder(tmp_path: Path) -> None:
    """A student that learnt to repeat words answers questions about them; its right answers alone are kept."""
    rows = copy_rows(12, seed=9)
    seeds = [make_row(turns, label=turns[-1]["content"]) for turns in rows]
    with closing(AnswerStore(tmp_path / "answers.db")) as store, account(store):
        student = ModelSpec(hf=str(copy_model()))
        method = GenerateVerifyKeep(model=student, samples=3, instructions="", temperature=1.0, max_tokens=16)
        made = method.propose(demand(seeds))
    gold = {row[0]["content"]: row[1]["content"] for row in rows}
    pairs = pairs_of(made)
    print(f"{len(pairs)} of {len(seeds)} questions with a right answer; {Counter(failures(made))}")
    assert len(pairs) > 6
    assert all(answer == gold[prompt] for prompt, answer in pairs)
    assert len(pairs) + len(failures(made)) == 3 * len(seeds)


def test_right_answers_beyond_those_wanted_are_no_low_yield() -> None:
    seeds = [prompt_answer_row(f"{i} + 2", f"#### {i + 2}") for i in range(12)]
    client = FakeClient(lambda r: f"{r.sample}\n#### {int(user_text(r).split()[0]) + 2}")
    done = fulfil(in_process(client, samples=64), [], seeds, Terms(rows=12, wave=3), Surroundings(), 0)
    assert (len(done.accepted), done.shortfall) == (12, "")
    told = funnel(done.entries)
    assert (told["surplus"], told["failed"]) == (12 * 63, 0)
