from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

import dataflywheel as fw
from dataflywheel import catalog
from dataflywheel.report.card.card import md, write_card
from dataflywheel.report.card.card_facts import CardFacts
from dataflywheel.report.rundir import load_run
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.schema import table
from tests.report.comparison import comparison
from tests.report.fixture import HOSTILE, build_run


def read(run: Path) -> tuple[dict[str, Any], str]:
    path = write_card(run)
    assert path == run / "dataset" / "README.md"
    _, front, body = path.read_text(encoding="utf-8").split("---\n", 2)
    return yaml.safe_load(front), body


def test_the_front_matter_states_licence_size_and_methods(tmp_path: Path) -> None:
    run = build_run(tmp_path / "run", compare=comparison())
    (run / "dataset").mkdir()
    (run / "dataset" / "train.jsonl").write_text("{}\n")
    front, body = read(run)
    assert front["license"] == "cc-by-nc-4.0"
    assert front["size_categories"] == ["n<1K"]
    assert front["task_categories"] == ["text-generation"]
    assert front["configs"] == [{"config_name": "default", "data_files": ["train.jsonl"]}]
    assert {"deduplicate", "filter", "ifd", "facility_location"} <= set(front["tags"])
    assert 'load_dataset("json", data_files=["train.jsonl"], split="train")' in body


def test_every_method_is_cited(tmp_path: Path) -> None:
    _, body = read(build_run(tmp_path / "run"))
    for name in ("deduplicate", "filter", "ifd", "facility_location", "near_duplicate", "text", "likelihood"):
        if name not in catalog.names():
            continue
        card = catalog.get(name).card
        assert f"- `{name}`:" in body
        assert card.title in body
        assert str(card.year) in body
        assert card.paper in body
    assert body.count("@misc{") >= 4


def test_composition_and_history_add_up(tmp_path: Path) -> None:
    _, body = read(build_run(tmp_path / "run"))
    assert "| alpaca | 100 | 100% | cc-by-nc-4.0 |" in body
    assert '| round-1/01-deduplicate | `{"near": 0.8}` | 400 | 356 | 44 dropped: near copy |' in body
    assert "No decontamination was run" in body


def test_rows_in_added_and_out_of_a_step_that_writes(tmp_path: Path) -> None:
    """Thirty documents were read, and ten rows written from them: a record counts both as what came."""
    texts = [
        f"The river Alba{i} rises in the hills of Norland{i}. It flows for {13 * i + 20} kilometres through Besk{i} to "
        f"the sea. In 19{i + 20}, a bridge of stone was built by Karl Olan{i}, and it is made of granite."
        for i in range(30)
    ]
    path = tmp_path / "docs.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
    made = fw.generate(str(path), "grounded_rules", rows=10, runs=tmp_path / "runs", home=tmp_path / "home")
    assert made.rows_out == 40
    card = (made.path / "dataset" / "README.md").read_text(encoding="utf-8")
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in card.splitlines() if line.startswith("| ")]
    head = next(line for line in lines if line[0] == "step")
    (step,) = ([*line] for line in lines if line[0] == "round-1/01-generate")
    counted = dict(zip(head, step, strict=True))
    assert (counted["rows in"], counted["added"], counted["rows out"]) == ("30", "10", "40")
    report = (made.path / "report.html").read_text(encoding="utf-8")
    assert "<dt>Rows</dt><dd><b>40</b><span>30 read, 10 added</span>" in report
    assert "measured a signal" not in report
    assert 'id="signals"' not in report


def test_a_licence_that_all_rows_of_a_source_state_is_named(tmp_path: Path) -> None:
    facts = CardFacts(load_run(build_run(tmp_path / "run")))
    facts.recipe["pool"] = [{"builtin": "installed_docs"}, {"path": "b.jsonl", "license": "mit"}]
    said = [("one", "BSD"), ("one", "BSD"), ("two", "BSD"), ("two", ""), ("three", "BSD"), ("three", "MIT"), ("b", "x")]
    rows = [
        prompt_answer_row(str(n), "a", source=source, extra={"license": license} if license else {})
        for n, (source, license) in enumerate(said)
    ]
    rows.append(prompt_answer_row("written", "a", source="one", made_by="grounded_rules"))
    facts._read_licenses(table(rows).to_batches()[0])
    found = {source: facts.license(source) for source in ("one", "two", "three", "b", "four")}
    assert found == {"one": "BSD", "two": None, "three": None, "b": "mit", "four": None}


def test_the_gain_is_stated_or_said_to_be_unknown(tmp_path: Path) -> None:
    _, known = read(build_run(tmp_path / "known", compare=comparison("no better than random")))
    assert "train a model no better than random rows for as many training tokens" in known
    assert "| longest | 100 | 12,455 | 2.369 (2.355 to 2.383) | better than random | 0.01 s |" in known
    unlike = comparison()
    unlike["arms"][3]["train_tokens"] = 14566
    _, told = read(build_run(tmp_path / "unlike", compare=unlike))
    assert "| longest | 100 | 14,566 | 2.369 (2.355 to 2.383) | better than random (same rows, +17 % tokens) |" in told
    _, unknown = read(build_run(tmp_path / "unknown"))
    assert "The gain over random rows for as many training tokens was not measured." in unknown
    assert "Nothing shows that this selection is better than random rows" in unknown


def test_an_unstated_licence_is_other_and_a_limit(tmp_path: Path) -> None:
    run = build_run(tmp_path / "run")
    recipe = run / "recipe.yaml"
    recipe.write_text(recipe.read_text().replace(", license: cc-by-nc-4.0", ""))
    front, body = read(run)
    assert front["license"] == "other"
    assert "The licence of at least one source is not stated" in body


def test_languages_are_counted(tmp_path: Path) -> None:
    pytest.importorskip("lingua")
    german = "Erkläre mir bitte ausführlich, warum der Himmel über dem Meer am Abend so rot ist"
    english = "Please explain to me in detail why the sky above the sea is so red in the evening"
    pairs = [(f"{german if i % 4 == 0 else english} ({i})", "x y z " * 12 + str(i)) for i in range(80)]
    front, _ = read(build_run(tmp_path / "run", pairs=pairs, budget=60))
    assert front["language"][:2] == ["en", "de"]


def test_text_of_strangers_is_no_markup(tmp_path: Path) -> None:
    assert md("a|b<c>\n# d") == r"a\|b\<c\> \# d"
    _, body = read(build_run(tmp_path / "run", hostile=True))
    assert "<script" not in body
    assert HOSTILE not in body


def test_what_was_measured_of_toxicity_and_personal_data_is_told(tmp_path: Path) -> None:
    pairs = [(f"Question {i}?", f"Write to jane.doe{i}@example.org about it. " * 3) for i in range(20)]
    run = build_run(tmp_path / "run", pairs=pairs, budget=10)
    _, body = read(run)
    assert "Toxicity was not measured" in body
    assert "Personal data was looked for by form in the text of the final rows: 10 rows with email." in body
    filtered = next(run.glob("round-1/*-filter")) / "metrics.json"
    metrics = json.loads(filtered.read_text(encoding="utf-8"))
    metrics["params"] = {"bounds": {"toxicity.toxic": [None, 0]}}
    metrics["counts"] = {"kept": 17, "dropped": 3}
    filtered.write_text(json.dumps(metrics), encoding="utf-8")
    _, body = read(run)
    assert "Toxicity was not measured" not in body
    assert "`toxicity` took part in round-1/02-filter: 3 dropped." in body
    assert "`toxicity`: " in body, "and it is cited"
