"""Open tags and their merging: planted tags come back, every merge has its reason."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.contracts import Status
from dataflywheel.signals.rating.instag import InsTag, clean_tags
from dataflywheel.signals.rating.tag_merging import merge_tags
from tests.models.endpoint.fake import FakeClient
from tests.signals.rating.support import MODEL, asking, plain, rows
from tests.support.endpoint import Endpoint

TRUE = [["algebra", "word problem"], ["sql"], ["creative writing", "poem", "rhyme"], ["sql", "left join"]]


def test_planted_tags_come_back_whatever_their_spelling(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.configure(rules=[{"rule": "tagger", "variants": 0.6}])
    batch = rows(*((f"Ask {i} [[tags:{','.join(TRUE[i % 4])}]]", "answer") for i in range(60)))
    with asking(endpoint, tmp_path, capabilities={"json_schema": True}) as spec:
        found = plain(InsTag(model=spec).measure(batch))
    assert set(found["status"]) == {Status.OK}
    table = merge_tags(found["tags"])
    assert [table.apply(tags) for tags in found["tags"]] == [TRUE[i % 4] for i in range(60)]
    assert len(table.tags) > len(set(table.merged_into)) == 7
    assert found["count"] == [len(TRUE[i % 4]) for i in range(60)]


def test_tags_without_a_word_are_no_tags() -> None:
    said = '{"tags": [{"tag": "??", "explanation": "x"}, {"tag": "%s", "explanation": "x"}]}'
    client = FakeClient(lambda request: said % ("word " * 30))
    found = plain(InsTag(model=MODEL).measure_with(client, rows(("a", "b"), ("", "c"))))
    assert found["tags"] == [None, None]
    assert found["status"] == [Status.FAILED, Status.EMPTY]


@given(st.lists(st.text(max_size=20), max_size=6))
def test_clean_tags_are_clean(tags: list[str]) -> None:
    found = clean_tags(tags)
    assert clean_tags(found) == found
    assert len(set(found)) == len(found)
    assert all(tag == " ".join(tag.split()) for tag in found)


def test_each_merge_has_its_reason() -> None:
    tags = [["poem", "poetry"]] * 5 + [["poems", "verse"]] * 2 + [["Poem "]] + [["sql", "database"]] * 30
    tags += [["database"]] * 10 + [["typo"]]
    vectors = {"poem": [1, 0, 0], "verse": [0.96, 0.28, 0], "poetry": [0.6, 0.8, 0], "sql": [0, 0, 1]}
    table = merge_tags(tags, min_rows=2, vectors={k: np.array(v) for k, v in vectors.items()}, support=20)
    entries = {line["tag"]: (line["rows"], line["merged_into"], line["reason"]) for line in table.table().to_pylist()}
    assert entries == {
        "database": (40, "database", "kept"),
        "sql": (30, "database", "100% of its 30 rows have 'database' as well"),
        "poem": (5, "poem", "kept"),
        "poetry": (5, "poetry", "kept"),
        "poems": (2, "poem", "another spelling of 'poem'"),
        "Poem ": (1, "poem", "another spelling of 'poem'"),
        "verse": (2, "poem", "near 'poem' (cosine 0.96)"),
        "typo": (1, None, "dropped: in 1 of at least 2 rows"),
    }
    assert table.apply(["verse", "poem", "typo", "sql"]) == ["poem", "database"]


def test_reasons_follow_a_tag_through_several_steps() -> None:
    table = merge_tags([["cats", "animal"]] * 3 + [["cat", "animal"]] * 20 + [["animal"]] * 5, support=20)
    assert dict(zip(table.tags, table.reason, strict=True))["cats"] == (
        "another spelling of 'cat'; then 100% of its 23 rows have 'animal' as well"
    )
    assert set(table.merged_into) == {"animal"}


TAG = st.sampled_from(["a", "b", "as", "cats", "cat", "dogs", "dog", "x y", "x-y"])


@given(st.lists(st.lists(TAG, max_size=4), max_size=30), st.integers(1, 3))
def test_merging_is_complete_and_ends(tags: list[list[str]], min_rows: int) -> None:
    table = merge_tags(tags, min_rows=min_rows, confidence=0.8, support=2)
    known = {tag for row in tags for tag in row}
    assert set(table.tags) == known
    left = {new for new in table.merged_into if new is not None}
    assert left <= known
    assert all(table.apply([tag]) == [tag] for tag in left)  # what stands for others stands for itself
    merged = [set(table.apply(row)) for row in tags]
    assert all(sum(tag in row for row in merged) >= min_rows for tag in left)
