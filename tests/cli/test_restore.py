"""A redaction with a key, from recipe to data set and back: the key alone gives the rows, and is written nowhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from typer.testing import CliRunner

import dataflywheel as fw
from dataflywheel.cli.main import app
from dataflywheel.contracts import FlywheelError, UsageError
from dataflywheel.rows.parts import read_rows
from tests.signals.planted_names import plant

SECRET = "0123456789abcdef" * 4
NAMES = {"Jane Doe": "person", "Lima": "place"}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ROW_KEY", SECRET)
    plant(monkeypatch, NAMES)
    rows = [
        {"prompt": f"Who is {i}?", "completion": "Jane Doe of Lima.", "n": i, "by": {"who": "Jane Doe"}}
        for i in range(5)
    ]
    rows.append({"prompt": "What is 2 + 2?", "completion": "4"})
    Path("pool.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


@pytest.fixture
def installed() -> None:
    pytest.importorskip("cryptography", reason="not installed: pip install 'dataflywheel[keyed]'")


def recipe(**given: Any) -> str:
    by = {"redact_personal_data": {"names": "any", "key": "env:ROW_KEY", **given}}
    made = {"name": "kept", "pool": [{"path": "pool.jsonl"}], "steps": [{"enhance": {"by": by}}]}
    Path("kept.yaml").write_text(yaml.safe_dump(made))
    return "kept.yaml"


def canonical(path: str) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in Path(path).read_bytes().splitlines()]


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("form", ["messages", "canonical", "sharegpt", "alpaca"])
def test_the_key_gives_the_rows_back_byte_for_byte(here: Path, form: str) -> None:
    run = fw.run(recipe())
    fw.convert(str(run.path / "dataset"), "given.jsonl", form)
    assert "Jane" not in Path("given.jsonl").read_text()
    result = CliRunner().invoke(app, ["restore", "given.jsonl", "back.jsonl", "--key", "env:ROW_KEY"])
    assert result.exit_code == 0, result.output
    assert "as they were before the redaction: 5" in result.output
    fw.convert("pool.jsonl", "before.jsonl", "canonical")
    back, before = (Path(name).read_bytes().splitlines() for name in ("back.jsonl", "before.jsonl"))
    assert len(back) == len(before) == 6
    assert [line for line in back if b"Jane" in line] == [line for line in before if b"Jane" in line]


@pytest.mark.usefixtures("installed")
def test_a_form_without_further_fields_cannot_be_restored_and_that_is_said(here: Path) -> None:
    noted = yaml.safe_load(Path(recipe()).read_text())
    assert fw.plan(recipe()).notes == []
    Path("noted.yaml").write_text(yaml.safe_dump({**noted, "format": "trl"}))
    assert "trl holds no field 'redacted' beside a row" in fw.plan("noted.yaml").notes[0]
    run = fw.run(recipe())
    assert "`any` looked for them" in (run.path / "dataset" / "README.md").read_text()
    rows = fw.restore(str(run.path / "round-1" / "01-enhance" / "rows"), "back.jsonl", "env:ROW_KEY")
    assert rows["restored"] == 5
    fw.convert(str(run.path / "dataset"), "given.jsonl", "trl")
    with pytest.raises(FlywheelError, match="opens none of 6 rows, of which none has a sealed field 'redacted'"):
        fw.restore("given.jsonl", "back.jsonl", "env:ROW_KEY")


@pytest.mark.usefixtures("installed")
def test_the_secret_is_written_nowhere_and_a_new_one_redoes_the_step(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = fw.run(recipe())
    dataset = [path.read_bytes() for path in sorted((first.path / "dataset").rglob("*.jsonl"))]
    ids = read_rows(first.path / "round-1" / "00-pool" / "rows", ["id", "messages"]).to_pylist()
    assert not any(
        row["id"].encode() in held for held in dataset for row in ids if len(row["messages"][1]["content"]) > 1
    )
    for path in [path for path in here.rglob("*") if path.is_file()]:
        held = path.read_bytes()
        assert SECRET.encode() not in held, path
    assert any(b"sealed1." in held for held in dataset)
    stamps = {p: p.stat().st_mtime_ns for p in first.path.rglob("metrics.json")}
    fw.run(recipe())
    assert stamps == {p: p.stat().st_mtime_ns for p in first.path.rglob("metrics.json")}
    monkeypatch.setenv("ROW_KEY", SECRET[::-1])
    again = fw.run(recipe())
    assert [path.read_bytes() for path in sorted((again.path / "dataset").rglob("*.jsonl"))] != dataset
    monkeypatch.setenv("ROW_KEY", SECRET)
    with pytest.raises(FlywheelError, match="opens none of 6 rows, of which 5 are sealed by another key"):
        fw.restore(str(again.path / "dataset"), "back.jsonl", "env:ROW_KEY")


@pytest.mark.usefixtures("installed")
def test_a_row_that_was_changed_since_is_counted_and_a_broken_seal_is_named(here: Path) -> None:
    run = fw.run(recipe())
    fw.convert(str(run.path / "dataset"), "given.jsonl", "messages")
    lines = Path("given.jsonl").read_text().splitlines()
    changed = next(i for i, line in enumerate(lines) if "sealed1." in line)
    lines[changed] = lines[changed].replace(" of ", " from ")
    Path("given.jsonl").write_text("\n".join(lines))
    told = fw.restore("given.jsonl", "back.jsonl", "env:ROW_KEY")
    assert (told["restored"], told["changed"], told["other_key"]) == (5, 1, 0)
    start = lines[changed].index("sealed1.") + 60
    lines[changed] = (
        lines[changed][:start] + ("A" if lines[changed][start] != "A" else "B") + lines[changed][start + 1 :]
    )
    Path("given.jsonl").write_text("\n".join(lines))
    with pytest.raises(
        FlywheelError, match=rf"given\.jsonl, line {changed + 1}, redacted: what was sealed has been changed"
    ):
        fw.restore("given.jsonl", "other.jsonl", "env:ROW_KEY")


@pytest.mark.usefixtures("installed")
def test_a_field_of_that_name_is_never_overwritten(here: Path) -> None:
    row = {"prompt": "Who?", "completion": "Jane Doe", "redacted": False}
    Path("pool.jsonl").write_text(json.dumps(row) + "\n")
    with pytest.raises(UsageError, match=r"has a field 'redacted' of its own; .*column: redacted_before"):
        fw.run(recipe())
    run = fw.run(recipe(column="redacted_before"))
    told = fw.restore(str(run.path / "dataset"), "back.jsonl", "env:ROW_KEY", column="redacted_before")
    assert told["restored"] == 1
    assert orjson.loads(canonical("back.jsonl")[0]["extra"])["redacted"] is False


@pytest.mark.usefixtures("installed")
def test_a_redaction_behind_another_goes_back_to_the_first(here: Path) -> None:
    by = {"names": "any", "key": "env:ROW_KEY"}
    steps = [{"enhance": {"by": {"redact_personal_data": {**by, "types": [kind]}}}} for kind in ("person", "place")]
    Path("two.yaml").write_text(yaml.safe_dump({"name": "two", "pool": [{"path": "pool.jsonl"}], "steps": steps}))
    run = fw.run("two.yaml")
    fw.restore(str(run.path / "dataset"), "back.jsonl", "env:ROW_KEY", to="messages")
    assert Path("back.jsonl").read_text().count("Jane Doe of Lima.") == 5


def test_plan_says_what_is_not_there(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.chdir(here)
    with pytest.raises(UsageError) as refused:
        fw.plan(recipe(names="xx_no_such_sm", key="env:NO_SUCH_KEY"))
    assert "xx_no_such_sm" in str(refused.value)
    with pytest.raises(UsageError) as refused:
        fw.plan(recipe(key=SECRET))
    assert "`env:NAME` or `file:PATH`" in str(refused.value)
    assert SECRET not in str(refused.value)
    measured = {"name": "m", "pool": [{"path": "pool.jsonl"}], "signals": {"personal_data": {"names": "xx_no_such_sm"}}}
    measured["steps"] = [{"filter": {"bounds": {"personal_data.person": [None, 0]}}}]
    Path("m.yaml").write_text(yaml.safe_dump(measured))
    with pytest.raises(UsageError, match="xx_no_such_sm"):
        fw.plan("m.yaml")


def test_plan_prices_what_reading_for_names_takes(here: Path) -> None:
    by = {"redact_personal_data": {"names": "any"}}
    gates = [{"no_personal_data": {"names": "any"}}]
    told = {"name": "p", "pool": [{"path": "pool.jsonl"}], "signals": {"personal_data": {"names": "any"}}}
    told["steps"] = [
        {"enhance": {"by": by, "gates": gates}},
        {"filter": {"bounds": {"personal_data.total": [None, 0]}}},
    ]
    Path("p.yaml").write_text(yaml.safe_dump(told))
    found = fw.plan("p.yaml")
    seconds = found.pool.chars / 15_000
    assert [step.cost.seconds for step in found.steps] == pytest.approx([3 * seconds, seconds], abs=0.02)


@pytest.mark.usefixtures("installed")
def test_plan_says_that_the_secret_is_not_set(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="the environment variable NO_SUCH_KEY is not set"):
        fw.plan(recipe(key="env:NO_SUCH_KEY"))


@pytest.mark.usefixtures("installed")
def test_a_run_is_its_data_set_and_what_is_no_seal_any_more_is_counted(here: Path) -> None:
    run = fw.run(recipe())
    told = fw.restore(str(run.path), "back.jsonl", "env:ROW_KEY")
    assert (told["rows"], told["restored"], told["not_sealed"]) == (6, 5, 0)
    lines = [orjson.loads(line) for line in (run.path / "dataset" / "train.jsonl").read_bytes().splitlines()]
    sealed = [line for line in lines if line.get("redacted")]
    sealed[0]["redacted"], sealed[1]["redacted"] = sealed[0]["redacted"].upper(), {"was": sealed[1]["redacted"]}
    Path("given.jsonl").write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    result = CliRunner().invoke(app, ["restore", "given.jsonl", "back.jsonl", "--key", "env:ROW_KEY"])
    assert "as they were before the redaction: 3" in result.output
    assert "with something in 'redacted' that is no sealed row, left as it is: 2" in result.output
