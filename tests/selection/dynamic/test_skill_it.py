from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dataflywheel.contracts import FloatArray, TrainingRows, UsageError
from dataflywheel.selection.dynamic.skill_it import SkillIt, mixture
from dataflywheel.selection.dynamic.skills_graph import edges, first_of_each, trials
from dataflywheel.selection.order import SLICE

SKILLS = ["a", "b", "c"]
CHAIN = {"a": {"b": 0.5}, "b": {"c": 0.5}}


def rows(skills: list[str], steps: int = 12, rehearsed: list[FloatArray] | None = None) -> TrainingRows:
    ids = [f"r{i:03d}" for i in range(len(skills))]
    columns = {SLICE: np.array(skills, dtype=object)}
    return TrainingRows(
        ids, np.full(len(ids), 8), ["s"] * len(ids), None, columns, steps, SKILLS, rehearsed or []
    )  # fmt: skip


def test_the_weights_are_those_of_the_formula_by_hand() -> None:
    told = [np.array(one) for one in ([4.0, 5.0, 6.0], [3.0, 5.0, 5.5], [1.0, 4.5, 5.0], [0.5, 3.0, 4.5])]
    draw = SkillIt(graph=CHAIN, step_size=0.3, window=2, updates=4).start(rows(SKILLS * 10), 6, 0)
    heard = iter(told)
    asked = []
    for step in range(12):
        if draw.due():
            asked.append(step)
            draw.validate(next(heard))
        draw.candidates(6)
    assert asked == [0, 3, 6, 9]
    found = draw.summary()
    assert found["steps"] == asked
    assert found["losses"]["b"] == [5.0, 5.0, 4.5, 3.0]
    for t in range(4):
        summed = [1.0, 1.0, 1.0] if t == 0 else [told[t][j] + told[t - 1][j] for j in range(3)]
        # a helps itself and half of b, b helps itself and half of c, c helps itself
        power = [2.718281828459045 ** (0.3 * x) for x in (
            summed[0] + 0.5 * summed[1], summed[1] + 0.5 * summed[2], summed[2]
        )]  # fmt: skip
        for name, one in zip(SKILLS, power, strict=True):
            assert found["weights"][name][t] == pytest.approx(one / sum(power), rel=1e-12)
    assert sum(found["drawn"].values()) == 72


def test_a_skill_that_others_need_is_raised_before_them_and_falls_when_it_is_learned() -> None:
    draw = SkillIt(graph={"a": {"b": 1.0}}, step_size=0.5, window=1, updates=3).start(rows(SKILLS * 10), 6, 0)
    for losses in ([3.0, 3.0, 3.0], [3.0, 3.0, 3.0], [0.1, 0.5, 3.0]):
        draw.validate(np.array(losses))
    first, second, third = (np.array(draw.summary()["weights"][name]) for name in SKILLS)
    assert first[1] > 2 * second[1]
    assert first[1] > first[0]
    assert third[2] > first[2]


def test_without_edges_it_is_multiplicative_weights_and_losses_may_count_by_the_first() -> None:
    draw = SkillIt(graph={}, step_size=0.7, window=1, updates=9).start(rows(SKILLS * 3), 4, 0)
    draw.validate(np.ones(3))
    plain = np.full(3, 1 / 3)
    for losses in np.random.default_rng(0).uniform(0, 3, (5, 3)):
        draw.validate(losses)
        plain = np.exp(0.7 * losses) / np.exp(0.7 * losses).sum()  # p_0 exp(eta L), normalised
        assert [one[-1] for one in draw.summary()["weights"].values()] == pytest.approx(plain.tolist())
    even = SkillIt(graph={}, normalise=True, window=2, updates=3).start(rows(SKILLS * 3), 4, 0)
    for part in (1.0, 0.5):
        even.validate(part * np.array([1.0, 10.0, 100.0]))  # all have lost the same share
    assert next(iter(even.summary()["weights"].values()))[-1] == pytest.approx(1 / 3)


@given(
    st.integers(1, 5).flatmap(
        lambda s: st.tuples(
            st.lists(st.lists(st.floats(0, 1e6), min_size=3, max_size=3), min_size=s, max_size=s),
            st.lists(st.lists(st.floats(0, 1e4), min_size=3, max_size=3), min_size=1, max_size=4),
        )
    ),
    st.floats(1e-6, 100),
)
def test_the_weights_are_a_distribution(made: tuple[list[list[float]], list[list[float]]], step_size: float) -> None:
    graph, losses = np.array(made[0]), np.array(made[1])
    found = mixture(graph, losses, step_size)
    assert found.min() >= 0
    assert found.sum() == pytest.approx(1)
    helps = graph @ losses.sum(axis=0)
    assert found[helps.argmax()] == found.max()


def test_edges_are_the_shares_of_loss_that_a_skill_takes_away() -> None:
    first = np.array([4.0, 2.0, 1.0])
    alone = [np.array([2.0, 1.0, 1.0]), np.array([5.0, 1.5, 1.0]), np.array([4.0, 2.0, 0.5])]
    found = edges("approximate", SKILLS, SKILLS, [first, *alone])
    assert found.tolist() == [[0.5, 0.5, 0.0], [0.0, 0.25, 0.0], [0.0, 0.0, 0.5]]
    joint = {"ab": [2.5, 0.5, 1.0], "ac": [2.0, 1.9, 0.9], "bc": [4.0, 1.6, 0.5]}
    found = edges("brute_force", SKILLS, SKILLS, [first, *alone, *map(np.array, joint.values())])
    # a with b brings b from 1.5 to 0.5; a, alone at 2, is not helped by b (2.5), nor c by anything
    assert found.tolist() == [[0.5, 0.5, 0.0], [0.0, 0.25, 0.0], [0.0, 0.0, 0.5]]
    other = edges("brute_force", ["x", "y"], SKILLS, [first, *alone[:2]])  # no slice has rows of its own
    assert other.tolist() == [[0.5, 0.5, 0.0], [0.0, 0.25, 0.0]]


def test_pairs_learn_half_of_either_and_small_skills_repeat() -> None:
    of = np.array([0] * 20 + [1] * 3 + [-1] * 4 + [2] * 20)
    found = trials("brute_force", SKILLS, of, SKILLS, 10, 0)
    assert [len(one) for one in found] == [0, *[10] * 6]
    assert [sorted({*of[one].tolist()}) for one in found[1:]] == [[0], [1], [2], [0, 1], [0, 2], [1, 2]]
    assert np.bincount(of[found[4]]).tolist() == [5, 5]
    assert np.bincount(found[2])[20:].max() == 4  # three rows, ten places
    again = trials("brute_force", SKILLS, of, SKILLS, 10, 0)
    assert all(np.array_equal(a, b) for a, b in zip(found, again, strict=True))
    assert [SkillIt(graph="brute_force").asks(3, 60).steps, SkillIt().asks(3, 60).steps] == [60, 30]
    assert SkillIt().asks(3, 60).validations == 3 + 6
    assert SkillIt(graph={}, updates=4).asks(3, 60).validations == 4


def test_rows_without_a_skill_are_never_drawn_and_validation_rows_are_the_same_in_any_order() -> None:
    draw = SkillIt(graph={}, updates=1).start(rows(["a", "", "b", ""] * 5), 4, 3)
    draw.validate(np.ones(3))
    seen = {int(at) for _ in range(40) for at in draw.candidates(4)}
    assert seen == {at for at in range(20) if at % 2 == 0}
    assert draw.left_out() == {at: "no skill was found for it" for at in range(20) if at % 2}
    early = SkillIt(graph={}, updates=1).start(rows(["a", "", "b", ""] * 5), 4, 3)
    early.validate(np.ones(3))
    drawn = set(early.candidates(4).tolist())
    never = {at for at, why in early.left_out().items() if why == "skill_it never drew it"}
    assert never == {at for at in range(0, 20, 2)} - drawn
    ids, groups = [f"{i:02d}" for i in range(12)], ["x", "x", "y"] * 4
    assert [ids[at] for at in first_of_each(ids, groups, 2)] == ["00", "01", "02", "05"]
    backwards = first_of_each(ids[::-1], groups[::-1], 2)
    assert sorted(ids[::-1][at] for at in backwards) == ["00", "01", "02", "05"]


def test_what_cannot_be_is_refused() -> None:
    for graph, slices, told in [
        ("approximate", ["only"], "the target has one slice, 'only'"),
        ("approximate", [], "the target has no slice"),
        ({"sums": {"b": 1.0}}, ["a", "sum"], "no slice 'sums'.*sum"),
    ]:
        with pytest.raises(UsageError, match=told):
            SkillIt(graph=graph).check(slices)  # type: ignore[arg-type]
    SkillIt(graph={"some_source": {"a": 1.0}}, skills="source").check(["a", "b"])
    for weight in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ValidationError, match="must be a number from 0 up"):
            SkillIt(graph={"a": {"b": weight}})
    with pytest.raises(UsageError, match="none of 3 rows has a skill"):
        SkillIt(graph={}).start(rows(["", "", ""]), 2, 0)
    with pytest.raises(UsageError, match="no edge joins the rows' skills"):
        SkillIt(graph={}, skills="source").start(rows(SKILLS), 2, 0)


def test_a_state_of_json_goes_on_alike() -> None:
    def steps(draw, count: int) -> list[list[int]]:  # type: ignore[no-untyped-def]
        found = []
        for _ in range(count):
            if draw.due():
                draw.validate(np.array([1.0 + draw.step, 2.0, 3.0]))
            found.append(draw.candidates(5).tolist())
        return found

    sampler, known = SkillIt(graph=CHAIN), rows(SKILLS * 10)
    whole, cut, went_on = (sampler.start(known, 5, 1) for _ in range(3))
    expected = steps(whole, 12)
    assert steps(cut, 5) == expected[:5]
    went_on.load_state_dict(json.loads(json.dumps(cut.state_dict())))
    assert steps(went_on, 7) == expected[5:]
    assert went_on.summary() == whole.summary()
