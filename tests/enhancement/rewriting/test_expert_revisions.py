"""Expert revisions: files as they come, and edit distance as the data set's authors measured it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.contracts import UsageError
from dataflywheel.enhancement.rewriting.expert_revisions import ExpertRevision, most_changed, read_revisions
from dataflywheel.signals.words.edit_kernels import edit_distance
from tests.signals.rows import json_lines


@given(st.text("abc", max_size=8), st.text("abc", max_size=8))
def test_edit_distance_is_that_of_the_definition(a: str, b: str) -> None:
    def fewest(a: str, b: str) -> int:
        if not a or not b:
            return len(a) + len(b)
        if a[0] == b[0]:
            return fewest(a[1:], b[1:])
        return 1 + min(fewest(a[1:], b), fewest(a, b[1:]), fewest(a[1:], b[1:]))

    points = [np.array([ord(c) for c in text], dtype=np.uint32) for text in (a[:5], b[:5])]
    assert edit_distance(*points) == fewest(a[:5], b[:5])


def test_distances_of_the_real_revisions(data: Path) -> None:
    path = data / "coachlm_revisions" / "expert_revisions.jsonl.gz"
    found, records = read_revisions(path), json_lines(path)
    assert len(found) == 1530
    same = [a.distance == b["Distance"] for a, b in zip(found, records, strict=True)]
    # The others differ by a few characters: some of the published texts were edited after they were measured.
    assert np.mean(same) > 0.9
    top = most_changed(found, 0.3)
    left = sorted(one.distance for one in found if one.answer)
    assert [one.distance for one in reversed(top)] == left[-len(top) :]
    assert len(top) == -(-3 * len(left) // 10)


def test_most_changed_rounds_up_and_keeps_the_order_of_ties() -> None:
    pairs = [ExpertRevision("i", "x", "i", "x" * n) for n in (1, 4, 3, 4, 2)]
    assert [len(one.answer) for one in most_changed(pairs, 0.5)] == [4, 4, 3]
    assert most_changed(pairs, 0.4) == [pairs[1], pairs[3]]
    assert len(most_changed(pairs, 1.0)) == 5


def test_fields_in_any_spelling_and_inputs_below_instructions(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    record = {"raw_instruction": "Add.", "Raw Input": "1 2", "RAW RESPONSE": "", "revised_instruction": "Add them.",
              "revised_input": None, "revised_response": "3", "by": "A"}  # fmt: skip
    path.write_text(json.dumps(record) + "\n")
    assert read_revisions(path) == [ExpertRevision("Add.\n1 2", "", "Add them.", "3")]


@pytest.mark.parametrize("line", ['{"raw_instruction": "a"}', "[1]", "{broken"])
def test_a_bad_record_is_named_by_its_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "pairs.jsonl"
    good = {f"{side}_{part}": "x" for side in ("raw", "revised") for part in ("instruction", "response")}
    path.write_text(json.dumps(good) + "\n" + line + "\n")
    with pytest.raises(UsageError, match=r"pairs\.jsonl:2: "):
        read_revisions(path)
    with pytest.raises(UsageError, match="no file"):
        read_revisions(tmp_path / "absent.jsonl")
