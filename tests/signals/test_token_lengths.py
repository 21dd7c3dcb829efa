"""Exact lengths, against plain transformers."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

import dataflywheel as fw
from dataflywheel.contracts import FlywheelError
from dataflywheel.models.language.pool_tokenizer import load_tokenizer, pool_tokenizer
from dataflywheel.rows.identity import make_row, prompt_answer_row
from dataflywheel.rows.schema import message, table
from dataflywheel.signals.model.token_lengths import TokenLengths
from tests.support.small_rows import ROWS


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pool_tokenizer([answer for _, answer, _ in ROWS] * 20, cache_dir=tmp_path_factory.mktemp("tokenizers"))


def test_lengths_are_those_of_the_tokenizer(folder: Path) -> None:
    rows = [prompt_answer_row(prompt, answer) for prompt, answer, _ in ROWS]
    rows += [make_row([message("user", "Only a question?")]), make_row([message("user", " ")])]
    found = TokenLengths(tokenizer=str(folder)).measure(
        pa.RecordBatch.from_struct_array(table(rows).to_struct_array().combine_chunks())
    )
    plain = load_tokenizer(folder)
    for place, (prompt, answer, _) in enumerate(ROWS):
        turns = [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]
        whole = plain.apply_chat_template(turns, tokenize=True, return_dict=True)["input_ids"]
        expected = [len(plain(text, add_special_tokens=False)["input_ids"]) for text in (prompt, answer)]
        assert [found["prompt"][place].as_py(), found["answer"][place].as_py()] == expected
        assert abs(found["whole"][place].as_py() - len(whole)) <= 1  # a line end behind the answer's end is not learned
    assert (found["whole"][-2].as_py(), found["answer"][-2].as_py()) == (None, 0)
    assert [column[-1].as_py() for column in (found["prompt"], found["answer"], found["whole"])] == [None] * 3


def test_rows_are_bounded_by_it(folder: Path) -> None:
    rows = [{"prompt": prompt, "completion": answer} for prompt, answer, _ in ROWS]
    found = fw.measure(rows, {"token_lengths": {"tokenizer": str(folder)}}).to_pandas()
    assert (found["whole"] > found["answer"]).all()


def test_what_is_no_tokenizer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"does not exist; give one that holds a tokenizer"):
        TokenLengths(tokenizer="./nowhere")
    with pytest.raises(FlywheelError, match=r"holds no tokenizer\.json"):
        fw.measure([{"prompt": "a", "completion": "b"}], {"token_lengths": {"tokenizer": str(tmp_path)}})
