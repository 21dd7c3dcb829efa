"""Which group a row is of, and how groups are filled up, beside a simulation that adds one row at a time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.contracts import UsageError
from dataflywheel.proposing.groups import deficits, filled_up, group_of
from dataflywheel.rows.identity import make_row, prompt_answer_row
from dataflywheel.rows.schema import message


@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 30), min_size=1), st.integers(0, 200))
def test_each_new_row_goes_to_the_smallest_group(counts: dict[str, int], wanted: int) -> None:
    level, now = max(counts.values()), dict(counts)
    for _ in range(wanted):
        smallest = min(now, key=lambda name: (now[name], name))
        if now[smallest] == level:
            break
        now[smallest] += 1
    found = filled_up(counts, wanted)
    assert {name: counts[name] + found.get(name, 0) for name in counts} == now


def test_groups_are_labels_tags_sources_fields_and_cells() -> None:
    row = make_row(
        [message("user", "q")], label="good", tags=["t", "u"], source="s", extra={"n": 3, "k": "v"}, cells='{"c": "d"}'
    )
    assert [group_of(row, by) for by in ("label", "tag", "source", "n", "k", "c", "z")] == [
        "good", "t", "s", "3", "v", "d", ""
    ]  # fmt: skip
    assert group_of(prompt_answer_row("q", "World"), "label") == "World"
    assert group_of(prompt_answer_row("q", "This is a long answer that is no label at all."), "label") == ""
    told, quotas = deficits([prompt_answer_row(f"q{i}", "ab"[i % 5 == 0]) for i in range(20)], "label", 100)
    assert told == {"filled": {"by": "label", "had": {"a": 16, "b": 4}, "wanted": {"b": 12}}}
    assert quotas == {"b": 12}
    with pytest.raises(UsageError, match="20 values in 20 rows"):
        deficits([prompt_answer_row(f"q{i}", f"a{i}") for i in range(20)], "label", 5)
    with pytest.raises(UsageError, match="topic has 0 values"):
        deficits([prompt_answer_row("q", "a")], "topic", 5)
