"""Keys of prompts: equal exactly where the messages before the answer are."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.contracts import Status
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import message, table
from dataflywheel.signals.text.prompt_group import PromptGroup
from tests.models.copy_skill import conversation
from tests.signals.rows import batch_of

TURNS = st.lists(st.tuples(st.sampled_from(["system", "user"]), st.sampled_from(["a", "A", "a?", "a b"])), max_size=3)


@given(st.lists(TURNS, min_size=2, max_size=6))
def test_keys_are_equal_where_prompts_are(prompts: list[list[tuple[str, str]]]) -> None:
    rows = [[*(message(r, c) for r, c in turns), message("assistant", str(i))] for i, turns in enumerate(prompts)]
    found = PromptGroup().measure(batch_of(rows))
    for (a, one), (b, other) in combinations(zip(prompts, found["key"].to_pylist(), strict=True), 2):
        assert (one == other and one is not None) == (a == b and a != [])


def test_without_a_prompt_there_is_no_key() -> None:
    found = PromptGroup().measure(batch_of([conversation("a", "b"), conversation("a", "b")[1:]]))
    assert found["key"].is_null().to_pylist() == [False, True]
    assert found["status"].tolist() == [Status.OK, Status.EMPTY]


def test_a_sign_and_the_tools_count_and_the_spelling_of_an_accent_does_not() -> None:
    prompts = ["2 + 2", "2 - 2", "caf\u00e9", "cafe\u0301"]
    keys = PromptGroup().measure(batch_of([conversation(p, "b") for p in prompts]))["key"].to_pylist()
    assert keys[0] != keys[1]
    assert keys[2] == keys[3]
    rows = table([make_row(conversation("a", "b")), make_row(conversation("a", "b"), tools='[{"name": "f"}]')])
    assert len(set(PromptGroup().measure(rows.combine_chunks().to_batches()[0])["key"].to_pylist())) == 2
