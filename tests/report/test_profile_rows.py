"""A profile shows rows of each source, and lengths in the tokens of a tokenizer that is named."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from dataflywheel.cli.main import app
from dataflywheel.contracts import UsageError
from dataflywheel.report.profile.pool_facts import SHOWN, SHOWN_CHARS
from dataflywheel.report.profile.profile import profile

WORDS = ["amber", "basil", "cedar", "delta"]


def pool(folder: Path) -> Path:
    """Two files, one of which has two rows alone; answers of 1 to 30 words."""
    folder.mkdir()
    lines = [
        {"prompt": f"Say {n} <i>words</i>", "response": " ".join(WORDS[i % 4] for i in range(n))} for n in range(1, 31)
    ]
    (folder / "words.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    long = [{"prompt": "long", "response": "x" * 5000}, {"prompt": "short", "response": "y"}]
    (folder / "few.jsonl").write_text("".join(json.dumps(line) + "\n" for line in long))
    return folder


def tokenizer(folder: Path) -> Path:
    """One token a word."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from transformers import PreTrainedTokenizerFast

    model = Tokenizer(WordLevel({"[UNK]": 0, **{word: i for i, word in enumerate(WORDS, 1)}}, unk_token="[UNK]"))
    model.pre_tokenizer = Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=model, unk_token="[UNK]").save_pretrained(folder)
    return folder


def test_rows_of_each_source_stand_on_the_page_with_their_beginnings(tmp_path: Path) -> None:
    found = profile(str(pool(tmp_path / "pool")), output=tmp_path / "page.html")
    assert {source: len(rows) for source, rows in found.facts.shown.items()} == {"words": SHOWN, "few": 2}
    page = (tmp_path / "page.html").read_text()
    for rows in found.facts.shown.values():
        for id, prompt, answer in rows:
            assert id[:12] in page
            assert len(answer) <= SHOWN_CHARS
            assert prompt.replace("<", "&lt;").replace(">", "&gt;") in page
    assert "<i>words" not in page
    assert "x" * (SHOWN_CHARS + 1) not in page


def test_lengths_by_a_tokenizer_are_exact(tmp_path: Path) -> None:
    given = str(tokenizer(tmp_path / "mine"))
    found = profile(str(pool(tmp_path / "pool")), output=tmp_path / "page.html", tokenizer=given)
    answers = [*range(1, 31), 1, 1]
    assert found.lengths["exact_answer"]["p50"] == np.percentile(answers, 50)
    assert found.lengths["exact_answer"]["max"] == 30
    assert found.lengths["exact_whole"] == {}  # it has no chat template
    assert "answer, tokens of mine" in (tmp_path / "page.html").read_text()
    assert "whole row" not in (tmp_path / "page.html").read_text()


def test_a_tokenizer_that_is_not_there_is_said_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        profile(str(tmp_path / "no pool either"), tokenizer="./nowhere")


def test_the_terminal_tells_them(tmp_path: Path) -> None:
    given = str(tokenizer(tmp_path / "mine"))
    told = CliRunner().invoke(app, ["profile", str(pool(tmp_path / "pool")), "--tokenizer", given])
    assert told.exit_code == 0
    assert "answer, tokens of mine" in told.output


def test_several_paths_are_one_pool(tmp_path: Path) -> None:
    folder = pool(tmp_path / "pool")
    both = profile([str(folder / "words.jsonl"), str(folder / "few.jsonl")])
    assert (both.rows, dict(both.facts.sources)) == (32, {"words": 30, "few": 2})
    told = CliRunner().invoke(app, ["profile", str(folder / "words.jsonl"), str(folder / "few.jsonl"), "--json"])
    assert json.loads(told.stdout)["rows"] == 32
