"""Self-Instruct with a scripted teacher: groups, the paper's filters one by one, copies, bills."""

from __future__ import annotations

from typing import Any

import pytest

from dataflywheel.models.endpoint.request import Outcome, Reply, Request
from dataflywheel.proposing.fulfil import Terms, fulfil
from dataflywheel.proposing.kinds import Demand, Proposal, Surroundings
from dataflywheel.recipe.steps.generate import Generate
from dataflywheel.synthesis.instruction.self_instruct import SelfInstruct, unfit
from tests.models.endpoint.fake import FakeClient
from tests.signals.rating.support import MODEL
from tests.synthesis.support import demand, failures, pairs_of, seeds, teacher

SEEDS = seeds(
    *((f"Seed task number {i} about {name}.", "Done.") for i, name in enumerate(("tea", "war", "sun", "law")))
)


def scripted(tasks: list[str], instance: Any = None) -> FakeClient:
    """Writes `tasks` to a question about tasks, and for a task an output that names it."""

    def write(parts: dict[str, str], request: Request) -> Any:
        if "task 1" in parts:
            return {"instructions": tasks}
        return {"input": "", "output": f"Answer to: {parts['task']}"} if instance is None else instance

    return teacher(write)


def test_a_group_gives_as_many_tasks_as_it_has_seeds() -> None:
    tasks = [
        "Name three rivers in Europe.",
        "Translate the word house into French.",
        "Explain what a loan is to a child.",
    ]
    client = scripted([*tasks, "One task too many to be used here."])
    made = SelfInstruct(model=MODEL, group=3).propose_with(client, demand(SEEDS[:3]))
    assert pairs_of(made) == [(task, f"Answer to: {task}") for task in tasks]
    assert [p.parents[0] for p in made] == [s["id"] for s in SEEDS[:3]]
    assert all(set(p.parents) == {s["id"] for s in SEEDS[:3]} for p in made)
    assert [len(p.replies) for p in made] == [2, 1, 1]
    assert len(client.requests) == 4


def test_accepted_rows_are_further_seeds_and_fill_a_group_that_lacks_some() -> None:
    accepted = seeds(("An accepted task about bees.", "Yes."), ("An accepted task about ants.", "Yes."))
    client = scripted(["Name three rivers in Europe."])
    made = SelfInstruct(model=MODEL, group=3, own=1).propose_with(client, demand(SEEDS, accepted=accepted))
    shown = [str(r.messages[1]["content"]) for r in client.requests[:2]]
    assert [text.count("Seed task") for text in shown] == [2, 1]
    assert [text.count("accepted task") for text in shown] == [1, 2]
    named = [set(p.parents) for p in made if p.row]
    assert named[0] == {s["id"] for s in SEEDS[:2]}, "a seed that was not shown is no parent"


def test_a_handful_of_seeds_gives_many_times_as_many_rows() -> None:
    """Without `visits`: each accepted row is one more that the next question may show."""
    given: list[int] = []

    def write(parts: dict[str, str], request: Request) -> Any:
        if "task 1" in parts:
            return {"instructions": [f"Tell {len(given)} {i}: {' '.join(parts.values())[-9:]}" for i in range(8)]}
        given.append(1)
        return {"input": "", "output": f"Answer {len(given)} to {parts['task']}."}

    class InProcess(SelfInstruct):
        def propose(self, demand: Demand) -> list[Proposal]:
            return self.propose_with(teacher(write), demand)

    visits = Generate.model_validate({"by": "self_instruct", "rows": 1}).most_visits()
    proposer = InProcess(model=MODEL, most_alike=1.0)
    done = fulfil(proposer, [], SEEDS, Terms(rows=100, visits=visits), Surroundings(), 0)
    assert (len(done.accepted), done.shortfall) == (100, "")


@pytest.mark.parametrize(
    ("task", "why"),
    [
        ("Draw a picture of the sea.", "needs other means than text"),
        ("Write a program that sorts numbers.", "asks for a program"),
        ("Sit down.", "too short"),
        ("word " * 151, "too long"),
        ("\u00bfQu\u00e9 hora es en Madrid ahora?", "begins with no letter"),
        ("- name three rivers", "begins with no letter"),
        ("Seed task number 0 about cups.", "copy of a task"),
        ("An accepted task about bees!", "copy of a task"),
        ("Describe the profile of a drawer.", ""),
        ("Name three rivers in Europe.", ""),
    ],
)
def test_tasks_are_filtered_as_in_the_paper(task: str, why: str) -> None:
    accepted = seeds(("An accepted task about bees.", "Yes."))
    made = SelfInstruct(model=MODEL).propose_with(scripted([task]), demand(SEEDS[:1], accepted=accepted))
    assert failures(made) == ([why] if why else [])
    assert unfit(task) == ("" if why == "copy of a task" else why)


def test_a_task_written_twice_is_a_copy_of_itself() -> None:
    made = SelfInstruct(model=MODEL).propose_with(scripted(["Name three rivers in Europe."] * 2), demand(SEEDS[:3]))
    assert failures(made) == ["copy of a task", "too few tasks written"]
    assert len(pairs_of(made)) == 1


@pytest.mark.parametrize(
    ("instance", "why"),
    [
        ({"input": "x", "output": " "}, "empty output"),
        ({"input": "same", "output": "same"}, "input and output are equal"),
        ({"input": "", "output": "As follows:"}, "output ends in a colon"),
        (Reply(Outcome.TRUNCATED), "truncated"),
    ],
)
def test_answers_are_filtered_as_in_the_paper(instance: Any, why: str) -> None:
    client = scripted(["Name three rivers in Europe."], instance)
    assert failures(SelfInstruct(model=MODEL).propose_with(client, demand(SEEDS[:1]))) == [why]


def test_an_input_goes_under_the_task() -> None:
    client = scripted(["Name the language of the text."], {"input": "Bonjour", "output": "French"})
    assert pairs_of(SelfInstruct(model=MODEL).propose_with(client, demand(SEEDS[:1]))) == [
        ("Name the language of the text.\n\nBonjour", "French")
    ]


def test_two_runs_are_alike_and_the_next_wave_shows_others() -> None:
    accepted = seeds(*((f"Accepted task {i}.", "Yes.") for i in range(30)))

    def asked(wave: int) -> list[Request]:
        client = scripted(["Name three rivers in Europe."])
        SelfInstruct(model=MODEL).propose_with(client, demand(SEEDS, accepted=accepted, wave=wave))
        return client.requests

    assert asked(0) == asked(0)
    assert asked(0)[0] != asked(1)[0]


def test_a_teacher_that_collapses_brings_the_engine_to_a_stop() -> None:
    client = scripted(["Name three rivers in Europe.", "Name three rivers in Europe, please."] * 3)

    class InProcess(SelfInstruct):
        def propose(self, demand: Demand) -> list[Proposal]:
            return self.propose_with(client, demand)

    terms = Terms(rows=60, visits=40, wave=8, least_yield=0.2)
    done = fulfil(
        InProcess(model=MODEL), [], seeds(*((f"Seed {i} of a kind.", "a") for i in range(60))), terms, Surroundings(), 0
    )
    assert "the yield is too low" in done.shortfall
    assert "copy of a task" in done.shortfall
    assert len(done.accepted) == 1
