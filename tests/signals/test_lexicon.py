"""Words of a list against planted texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dataflywheel.contracts import Status, UsageError
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import message
from dataflywheel.signals.safety.lexicon import Lexicon
from tests.signals.rows import batch_of


def looked(folder: Path, words: str, *texts: str) -> dict[str, list[Any]]:
    (folder / "words.txt").write_text(words, encoding="utf-8")
    rows = [[message("user", text)] for text in texts]
    found = Lexicon(words=folder / "words.txt").measure(batch_of(rows))
    return {name: list(np.asarray(values).tolist()) for name, values in found.items() if name != "spans"} | {
        "spans": found["spans"].to_pylist()  # type: ignore[union-attr]
    }


def test_planted_words_are_found_with_their_places(tmp_path: Path) -> None:
    words = "# ours\ngrobble\ngrobble head\n\nsnorf*\nÄrger\n"
    texts = ("You GROBBLE\n head, grobble!", "grobbled and ungrobble", "snorf* it", "snorfling", "Viel ärger.", " ...")
    found = looked(tmp_path, words, *texts)
    assert found["hits"][:5] == [2, 0, 1, 0, 1]
    spans = [[tuple(map(int, one.split(":"))) for one in of or []] for of in found["spans"]]
    assert [[text[a:b] for a, b in of] for text, of in zip(texts, spans, strict=True)] == [
        ["GROBBLE\n head", "grobble"], [], ["snorf*"], [], ["ärger"], [],
    ]  # fmt: skip
    np.testing.assert_allclose(found["score"], [3 / 4, 0, 1 / 2, 0, 1 / 2, np.nan])
    assert found["status"] == [Status.OK] * 5 + [Status.EMPTY]
    assert found["spans"][5] is None


@pytest.mark.parametrize("content", ["", "# nothing\n\n", "...\n"])
def test_a_list_without_words_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "words.txt").write_text(content)
    with pytest.raises(UsageError, match="one word or phrase a line"):
        Lexicon(words=tmp_path / "words.txt").ready()
    with pytest.raises(UsageError, match="cannot be read"):
        Lexicon(words=tmp_path / "none.txt").ready()


def test_another_list_is_another_signal(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("one\ntwo\n")
    first = Lexicon(words=path).key()
    path.write_text("two\n# the same\nONE\n")
    assert Lexicon(words=path).key() == first
    path.write_text("two\n")
    assert Lexicon(words=path).key() != first


def test_the_text_of_one_part_alone_is_read(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("grobble")
    row = make_row([message("user", "a grobble"), message("assistant", "no")])
    for part, hits in (("all", 1), ("prompt", 1), ("answer", 0)):
        found = Lexicon(words=tmp_path / "words.txt", part=part).measure(batch_of([row["messages"]]))
        assert np.asarray(found["hits"]).tolist() == [hits]
