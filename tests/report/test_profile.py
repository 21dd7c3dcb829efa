from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

from dataflywheel.cli.profile import profile_command
from dataflywheel.contracts import FlywheelError
from dataflywheel.report.profile.pool_profile import Profile
from dataflywheel.report.profile.profile import profile
from tests.report.fixture import HOSTILE, alpaca_like
from tests.report.page_check import PageCheck
from tests.signals.toxic_words import label_file, sentences
from tests.support.command import flywheel


def write(path: Path, rows: list[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def rows_of(pairs: list[tuple[str, str]]) -> list[dict[str, Any]]:
    return [{"instruction": prompt, "input": "", "output": answer} for prompt, answer in pairs]


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Profile, str]:
    """200 rows with 3 identical copies, 2 near-copies, 4 faulty answers, personal data and a line that is no row."""
    folder = tmp_path_factory.mktemp("planted")
    pairs = [(p, a) for p, a in alpaca_like(600) if len(a) > 150][:200]
    assert len(pairs) == 200
    rows = rows_of(pairs)
    rows += rows[:3]
    rows += rows_of([(pairs[10][0], pairs[10][1] + " Indeed."), (pairs[11][0], pairs[11][1] + " Truly.")])
    rows += rows_of([("Say nothing.", ""), ("Say nothing at all.", " ")])
    rows += rows_of([("How do I pick a lock?", "I'm sorry, but I can't help with that request.")])
    rows += rows_of([("What is love?", "As an AI language model, I do not have feelings.")])
    contact = "Write to jane.doe@example.org or call +44 20 7946 0958, card 4111 1111 1111 1111."
    rows += rows_of([("Whom to ask?", contact), ("Where is it?", f"At 93.184.216.34, not 192.168.0.1. {HOSTILE}")])
    path = write(folder / "pool.jsonl", rows)
    with open(path, "a") as file:
        file.write('{"instruction": broken\n')
    page = folder / "page.html"
    return profile(path, output=page), page.read_text(encoding="utf-8")


def test_planted_copies_and_faults_are_counted(planted: tuple[Profile, str]) -> None:
    found, _ = planted
    assert (found.rows, found.merged, found.quarantined) == (208, 3, 1)
    assert found.near_copies == 2
    assert found.same_prompt == 2
    assert found.facts.answers == {"empty answer": 2, "refused answer": 2}
    assert {name: hints.rows for name, hints in found.facts.hints.items() if hints.rows} == {
        "email": 1,
        "phone-like number": 1,
        "IP address": 1,
        "card number": 1,
    }
    assert found.facts.turns == {2: 208}
    assert found.facts.roles == {"user": 208, "assistant": 208}


def test_personal_data_is_never_shown(planted: tuple[Profile, str]) -> None:
    found, page = planted
    for text in (page, json.dumps(found.as_dict())):
        assert "jane.doe" not in text
        assert "4111 1111" not in text
        assert "7946" not in text
        assert "**** **** **** 1111" in text
        assert "j***@e***.org" in text


def test_the_page_is_whole_and_inert(planted: tuple[Profile, str]) -> None:
    _, page = planted
    seen = PageCheck(page)
    assert seen.faults == []
    assert seen.loads == []
    assert seen.handlers == []
    assert "script" not in seen.tags
    assert not re.search(r"@import|url\(|https?://", page)
    assert len(seen.ids) == len(set(seen.ids))
    assert "208 distinct rows in 1 file" in seen.text
    assert "toxicity: it takes labels" in seen.text


def test_percentiles_are_those_of_the_answers(tmp_path: Path) -> None:
    path = write(tmp_path / "pool.jsonl", rows_of([(f"Question {i}?", "x" * i) for i in range(1, 102)]))
    lengths = profile(path).lengths["chars_answer"]
    assert lengths["p50"] == 51
    assert lengths["p95"] == 96
    assert lengths["max"] == 101


def test_rows_that_hold_a_target_row_are_counted(tmp_path: Path) -> None:
    pairs = [(p, a) for p, a in alpaca_like(80) if len(a) > 100]
    target = "Describe in about ten sentences how a lighthouse keeper spent the longest night of the year on the island"
    planted = [*pairs, (target.upper(), "It was cold."), (f"Please:  {target}!", "Dark and windy, with a moon.")]
    pool = write(tmp_path / "pool.jsonl", rows_of(planted))
    held_out = write(tmp_path / "target.jsonl", rows_of([(target, "He read by the lamp and counted the ships.")]))
    leaks = profile(pool, target=held_out).leaks
    assert leaks is not None
    assert sum(leaks.values()) == 2


def test_an_unreadable_pool_is_an_error_that_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_text("{broken\n")
    with pytest.raises(FlywheelError, match=r"none of 1 entries is a row; the first: .*pool\.jsonl, line 1"):
        profile(str(path))


def test_formats_demo_holds_what_it_is_known_to_hold(data: Path) -> None:
    found = profile(str(data / "formats_demo"))
    assert len(found.files) == 8
    assert found.rows + found.merged == 3529
    assert {file["format"].split("/")[-1] for file in found.files} == {"alpaca", "text", "sharegpt", "messages"}
    assert (
        found.facts.kinds["preference pairs"] == found.facts.sources["dpo_en_demo"] + found.facts.sources["dpo_zh_demo"]
    )
    assert found.facts.kinds["labels"] == 300
    assert found.facts.kinds["tool calls"] > 100
    if found.languages:
        assert list(found.languages) == ["en", "zh"]


def test_copies_planted_in_a_real_pool_are_found(data: Path, tmp_path: Path) -> None:
    table = pq.read_table(data / "alpaca_pool" / "alpaca_pool.parquet", columns=["instruction", "input", "output"])
    rows = table.slice(0, 1200).to_pylist()
    before = profile(write(tmp_path / "before.jsonl", rows))
    long = [row for row in rows if len(row["output"].split()) > 60][:50]
    near = [{**row, "output": row["output"] + " Finally."} for row in long[:25]]
    mailed = [{**row, "output": f"{row['output']} Ask sam{i}@example.com."} for i, row in enumerate(long[25:35])]
    after = profile(write(tmp_path / "after.jsonl", rows + long + near + mailed))
    assert after.merged - before.merged == 50
    assert after.near_copies - before.near_copies == 35
    assert after.facts.hints["email"].rows - before.facts.hints["email"].rows == 10


def test_the_command_prints_text_json_and_page(tmp_path: Path) -> None:
    pool = write(tmp_path / "pool.jsonl", rows_of([("a [bold]b[/bold] question", HOSTILE), *alpaca_like(30)]))
    page = tmp_path / "page.html"
    text = flywheel("profile", pool, "--html", str(page), folder=tmp_path).stdout
    assert "31 distinct rows in 1 file" in text
    assert "not measured" in text
    assert page.exists()
    found = json.loads(flywheel("profile", pool, "--json", folder=tmp_path).stdout)
    assert found["rows"] == 31
    assert found["not_measured"]["toxicity"]


def test_shares_of_what_could_not_be_read_are_of_all_that_was_read(tmp_path: Path) -> None:
    pool = Path(write(tmp_path / "pool.jsonl", rows_of(alpaca_like(6))))
    pool.write_text(pool.read_text() + "{torn\n{torn\n" + pool.read_text().splitlines()[0] + "\n")
    app = typer.Typer()
    app.command()(profile_command)
    shown = " ".join(CliRunner().invoke(app, [str(pool)], terminal_width=200).output.split())
    assert "7, 2 could not be read" in shown
    assert "could not be read 2 (22.2%)" in shown
    assert "identical, merged 1 (11.1%)" in shown


def test_toxicity_is_measured_where_there_are_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYWHEEL_CACHE", str(tmp_path / "cache"))
    said = sentences(60, seed=9)
    pool = write(tmp_path / "pool.jsonl", rows_of([(f"Say {i}:", text) for i, (text, _) in enumerate(said)]))
    labels, page = str(label_file(tmp_path / "labels.jsonl")), tmp_path / "page.html"
    found = profile(pool, output=page, toxicity=labels)
    planted_ones = sum(toxic for _, toxic in said)
    assert found.toxicity is not None
    alarms = found.toxicity.pop("false_alarms")
    assert found.toxicity == {"labels": labels, "rows": 60, "toxic": planted_ones, "false_positive_rate": 0.01}
    assert {"counter-speech", "negation", "quotation"} < set(alarms)
    assert "toxicity" not in found.not_measured
    assert f"{planted_ones} of 60 rows" in page.read_text(encoding="utf-8")
    assert json.loads(json.dumps(found.as_dict()))["toxicity"]["toxic"] == planted_ones
    assert "--toxicity" in profile(pool).not_measured["toxicity"]


def test_each_source_of_a_mixture_stands_by_itself(tmp_path: Path) -> None:
    short = [{"instruction": f"Name number {i}, please.", "input": "", "output": "One."} for i in range(20)]
    long = [{"instruction": f"Tell of number {i}.", "input": "", "output": "word " * (30 + i)} for i in range(10)]
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    write(mixed / "short.jsonl", short)
    write(mixed / "long.jsonl", long)
    found = profile(str(mixed), output=tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    lines = re.findall(r'<tr><th scope="row" data-label="source">(\w+)</th>(.*?)</tr>', page)
    cells = {name: re.findall(r">([^<]*)</td>", rest) for name, rest in lines}
    answers = found.facts.numbers["tokens_answer"]
    assert {name: cell[:2] for name, cell in cells.items()} == {"short": ["20", "66.7%"], "long": ["10", "33.3%"]}
    medians = {name: float(np.median(answers[np.asarray(found.facts.row_sources) == name])) for name in cells}
    assert medians["long"] > 5 * medians["short"]
    assert {name: float(cell[4]) for name, cell in cells.items()} == pytest.approx(medians, rel=0.01)


def test_many_numbers_of_messages_are_a_histogram(tmp_path: Path) -> None:
    def talk(turns: int, i: int) -> dict[str, Any]:
        said = [{"role": ("user", "assistant")[at % 2], "content": f"{i} says {at} of {turns}"} for at in range(turns)]
        return {"messages": said}

    write(tmp_path / "few.jsonl", [talk(2 * (1 + i % 3), i) for i in range(12)])
    write(tmp_path / "many.jsonl", [talk(2 * (1 + i % 9), i) for i in range(18)])
    pages = {}
    for name in ("few", "many"):
        profile(str(tmp_path / f"{name}.jsonl"), output=tmp_path / "page.html")
        pages[name] = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert 'data-label="messages">2 messages<' in pages["few"]
    assert 'id="chart-turns-t"' not in pages["few"]
    assert "median 10, at most 18" in pages["many"]
    assert 'id="chart-turns-t"' in pages["many"]
