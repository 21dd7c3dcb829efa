"""Tiers never mix, keep every slice in proportion, and the sealed one counts who looks."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.contracts import FlywheelError, UsageError
from dataflywheel.evolution.feedback.tiers import SHARES, TIERS, SealedLooks, split

ROWS = st.lists(st.tuples(st.integers(0, 30), st.sampled_from("abc")), min_size=1, max_size=120)


@given(ROWS)
def test_equal_prompts_land_in_one_tier_whatever_their_case_and_spacing(rows: list[tuple[int, str]]) -> None:
    prompts = [f"Explain  the topic {n}!" if i % 2 else f"explain the TOPIC {n}" for i, (n, _) in enumerate(rows)]
    ids = [f"id{i}" for i in range(len(rows))]
    found = split(ids, prompts, [s for _, s in rows])
    assert sorted(np.concatenate(list(found.values())).tolist()) == list(range(len(rows)))
    tier = {i: name for name, at in found.items() for i in at.tolist()}
    by_topic: dict[int, set[str]] = {}
    for i, (n, _) in enumerate(rows):
        by_topic.setdefault(n, set()).add(tier[i])
    assert all(len(tiers) == 1 for tiers in by_topic.values())


@given(st.lists(st.integers(1, 60), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_every_slice_is_split_in_proportion_and_order_does_not_matter(sizes: list[int], shuffle: object) -> None:
    slices = [f"s{k}" for k, size in enumerate(sizes) for _ in range(size)]
    ids = [f"row {i}" for i in range(len(slices))]
    found = split(ids, ids, slices)
    names = np.array(slices)
    for name, size in zip(dict.fromkeys(slices), sizes, strict=True):
        for tier in TIERS:
            assert abs((names[found[tier]] == name).sum() - SHARES[tier] * size) < 2
    order = np.random.default_rng(1).permutation(len(ids))
    again = split([ids[i] for i in order], [ids[i] for i in order], [slices[i] for i in order])
    for tier in TIERS:
        assert sorted(order[again[tier]].tolist()) == found[tier].tolist()


def test_many_slices_of_one_row_are_spread_over_the_tiers() -> None:
    names = [f"s{i}" for i in range(100)]
    found = split(names, names, names)
    assert [len(found[tier]) for tier in TIERS] == [40, 30, 30]


def test_rows_without_a_prompt_stand_for_themselves_and_equal_ids_stay_together() -> None:
    found = split(["a"] * 5 + [f"b{i}" for i in range(95)], [""] * 100, ["s"] * 100)
    tier = {i: name for name, at in found.items() for i in at.tolist()}
    assert len({tier[i] for i in range(5)}) == 1
    assert len(found["sealed"]) in range(26, 35)


def test_a_tier_without_a_share_stays_empty() -> None:
    ids = [f"r{i}" for i in range(40)]
    assert len(split(ids, ids, ["s"] * 40, {"steer": 0.5, "sealed": 0.5})["select"]) == 0
    with pytest.raises(UsageError, match="add up to 1"):
        split(ids, ids, ["s"] * 40, {"steer": 0.5, "select": 0.1})


def test_a_second_model_is_refused_and_the_refusal_is_kept(tmp_path: Path) -> None:
    looks = SealedLooks(tmp_path / "sealed.json")
    assert looks.count() == 0
    looks.look("v1", "model-a", "report")
    held = (tmp_path / "sealed.json").read_bytes()
    for damaged in (held[:-20], b"", b"[]", b'{"looks": [{}]}'):
        (tmp_path / "sealed.json").write_bytes(damaged)
        with pytest.raises(FlywheelError, match=r"sealed\.json: damaged .* move it away"):
            looks.count()
    (tmp_path / "sealed.json").write_bytes(held)
    looks.look("v1", "model-a", "the same run, started again")
    with pytest.raises(FlywheelError, match=r"'v1' with model model-a \(report\)"):
        looks.look("v1", "model-b", "perhaps this one is better")
    looks.look("v2", "model-b", "report")
    assert looks.count() == 3
    assert [look["granted"] for look in SealedLooks(looks.path).entries()] == [True, True, False, True]
    assert looks.entries()[2]["purpose"] == "perhaps this one is better"


def test_looks_from_several_threads_are_all_counted(tmp_path: Path) -> None:
    looks = SealedLooks(tmp_path / "sealed.json")
    threads = [threading.Thread(target=looks.look, args=("v1", "m", str(i))) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert looks.count() == 8
