"""csv and tsv as the field writes them: whole records, or whole records set aside; no row of another's tail."""

from __future__ import annotations

import csv
import io
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflywheel.rows.containers.block import Bad
from dataflywheel.rows.containers.delimited import delimited_blocks
from dataflywheel.rows.reading import read_file

HEADER = "prompt,completion\n"
GOOD = ["a", "b"]


def of(text: str | bytes, container: str = "csv") -> tuple[list[list[Any]], list[tuple[int, str]]]:
    data = text if isinstance(text, bytes) else text.encode()
    values = [pair for block in delimited_blocks(io.BytesIO(data), container) for pair in block.payload]
    rows = [list(value.values()) for _, value in values if isinstance(value, dict)]
    return rows, [(line, value.reason) for line, value in values if isinstance(value, Bad)]


def test_columns_without_a_name_lose_nothing() -> None:
    rows, bad = of(",,b\n1,2,3\n,2,3\n,,3\n1,,3\n")
    assert rows == [["2", "3"], ["", "3"]]
    assert [line for line, _ in bad] == [2, 5]
    assert {reason.partition(";")[2] for _, reason in bad} == {" name them in the header"}


def test_a_column_of_the_users_by_the_name_of_ours_keeps_its_zeros() -> None:
    rows, _ = of("round,copies\n01,007\n2,3\n")
    assert rows == [["01", "007"], [2, 3]]


def test_quotes_behind_backslashes_and_line_ends_in_cells(tmp_path: Path) -> None:
    (tmp_path / "export.csv").write_text(
        HEADER + '"He said \\"stop\\"\nand left, then?",He left.\n"Print \\"a\nb\\" in C",printf\nNext?,Ok.\n'
    )
    rows, quarantined = read_file(str(tmp_path / "export.csv"))
    assert quarantined == []
    assert [[turn["content"] for turn in turns] for turns in rows["messages"].to_pylist()] == [
        ['He said "stop"\nand left, then?', "He left."],
        ['Print "a\nb" in C', "printf"],
        ["Next?", "Ok."],
    ]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        (r'"\frac{1}{2} is \"half\""', r'\frac{1}{2} is "half"'),
        (r'"C:\new\table \"x\""', r'C:\new\table "x"'),
        (r'"ends \"so\\"', 'ends "so\\'),
        (r'"\\frac \"q\" \\n"', r'\frac "q" \n'),
        (r'"C:\dir\"', "C:\\dir\\"),
        ('"doubled ""so"""', 'doubled "so"'),
    ],
)
def test_backslashes_are_what_they_were(cell: str, value: str) -> None:
    assert of(f"{HEADER}{cell},b\na,b\n") == ([[value, "b"], GOOD], [])


@pytest.mark.parametrize(
    "broken",
    [
        '"He said "stop"\nand left, then?",He left.\n',
        '"He said "stop", then\nleft",x\n',
        '"He said "stop", then\nleft\nand, more\ndone",x\n',
        '"a "b" c\n1,2\n3,4\n5,6",g\n',
        '"He said "stop\n", then left",x\n',
        '"Say ", ok\nb",c\n',
        '"one "two" three",x\n',
        '"x" y,z\n',
        '"print("a, b")\nprint("c, d")",run\n',
        'q,"it is "so"\nand, so"\n',
        '"it is "\n"so",x\n',
    ],
)
def test_a_record_that_loses_its_place_is_set_aside_whole(broken: str) -> None:
    rows, bad = of(f'{HEADER}a,b\n{broken}"a",b\na,b\n')
    assert [row for row in rows if row != GOOD] == []
    assert len(bad) in (1, 2)
    assert len(rows) >= 2


@pytest.mark.parametrize("broken", ['"one "two three",x\n', '"a "b c\n1,2\n3,4\n",g\n', '"never closed,d\n'])
def test_a_quote_without_partner_costs_rows_and_makes_none(broken: str) -> None:
    rows, bad = of(f'{HEADER}a,b\n{broken}1,2\n"a",b\na,b\n')
    assert [row for row in rows if row not in (GOOD, ["1", "2"])] == []
    assert bad


WORDS = st.lists(st.sampled_from(["tail", ", ", "\n", '"', "x", ";", "\\", " "]), max_size=6).map("".join)


@settings(max_examples=60, deadline=None)
@given(cells=st.lists(WORDS, min_size=1, max_size=8))
def test_what_is_written_by_the_book_comes_back(cells: list[str]) -> None:
    for quoting in (csv.QUOTE_ALL, csv.QUOTE_MINIMAL):
        out = io.StringIO()
        csv.writer(out, quoting=quoting).writerows([["q", "a"], *([cell, "b"] for cell in cells)])
        assert of(out.getvalue()) == ([[cell, "b"] for cell in cells], [])


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("sep=;\nprompt;completion\na;b\n", [GOOD]),
        ('"sep=|"\r\nprompt|completion\r\na|b\r\n', [GOOD]),
        ("\ufeffprompt;completion\na;b\n", [GOOD]),
        ("prompt, completion\na, b\n", [GOOD]),
        ('prompt, completion\na, "b, c"\n', [["a", "b, c"]]),
        ("prompt\tcompletion\na\tb\n", [GOOD]),
        ("prompt|completion\na|b\n", [GOOD]),
        ("prompt,completion,,\na,b,,\n", [GOOD]),
        ("prompt,completion\ra,b\r", [GOOD]),
        ("prompt,completion,note\na,b,\\N\n,,\n", [GOOD]),
        ("\n\nprompt,completion\n\na,b\n\n", [GOOD]),
        ('prompt,completion\n="007","=""0,5"""\n007,0\n', [["007", "0,5"], ["007", "0"]]),
        ('prompt,completion\nHe said "hi",6""\n', [['He said "hi"', '6""']]),
    ],
)
def test_the_habits_of_other_programs(tmp_path: Path, text: str, rows: list[list[str]]) -> None:
    (tmp_path / "a.csv").write_bytes(text.encode())
    found, quarantined = read_file(str(tmp_path / "a.csv"))
    assert quarantined == []
    assert [[turn["content"] for turn in turns] for turns in found["messages"].to_pylist()] == rows
    (tmp_path / "b.csv").write_bytes(text.removeprefix("\ufeff").encode("utf-16"))
    assert read_file(str(tmp_path / "b.csv"))[0]["messages"] == found["messages"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("prompt,prompt\na,b\n", "names a column twice: prompt"),
        ("prompt, prompt\na,b\n", "names a column twice: prompt"),
        (HEADER + "a\n", "expected 2 cells"),
        (HEADER + "a,b,c\n", "expected 2 cells"),
        (HEADER + "a\0,b\n", "NUL"),
        (HEADER.encode() + b"caf\xe9,b\n", "not UTF-8"),
    ],
)
def test_what_a_table_cannot_say_is_told(text: str | bytes, reason: str) -> None:
    rows, [(_, told)] = of(text)
    assert (rows, reason in told) == ([], True)


def test_bad_text_in_a_ragged_line_is_shown(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(HEADER.encode() + b"caf\xe9,b,c\na,b\n")
    rows, [entry] = read_file(str(tmp_path / "a.csv"))
    assert (len(rows), entry.line, "expected 2 cells" in entry.reason) == (1, 2, True)


def test_tables_without_quoting_keep_their_quotes() -> None:
    assert of('prompt\tcompletion\n"x" y\tz\n"Hello\tw\n', "tsv")[0] == [['"x" y', "z"], ['"Hello', "w"]]
    assert of('prompt\tcompletion\n"a\nb"\tz\n', "tsv")[0] == [["a\nb", "z"]]


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        ('"' * 10**6, ["expected 2 cells"]),
        ('"a "b\n' * 10**4, ["not a line of a table"]),
        ('"\n' * 10**5, ["expected 2 cells"]),
        (",\n" * 10**4, []),  # rows of empty cells, as spreadsheets leave them
        ('\\"' * 10**5, ["expected 2 cells"]),
        ('"a",b "\n' * 10**4, ["a cell ends with a quote"]),
    ],
    ids=["quotes", "open", "lines of a quote", "empty", "backslashes", "late quotes"],
)
def test_odd_tables_of_a_megabyte_take_no_time_and_give_no_row(text: str, reasons: list[str]) -> None:
    began = time.process_time()
    rows, told = of(HEADER + text)
    assert rows == []
    assert [why.startswith(reason) for (_, why), reason in zip(told, reasons, strict=True)] == [True] * len(reasons)
    assert time.process_time() - began < 3
