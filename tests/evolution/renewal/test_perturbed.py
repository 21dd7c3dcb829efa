"""Evaluation rows perturbed by rules: dialects beside linguists' forms, labels that flip only where it is sure."""

from __future__ import annotations

import gzip
import json
import re
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from dataflywheel.contracts import Around, UsageError
from dataflywheel.evolution.renewal.denied import denied
from dataflywheel.evolution.renewal.dialect_rules import RULES, dialect, spoken_so
from dataflywheel.evolution.renewal.perturbation_suite import PerturbationSuite
from dataflywheel.evolution.renewal.perturbed import ALIKE, FOREIGN, KINDS, NO_LABEL, NOTHING, Perturbed
from dataflywheel.recipe.execute import run
from dataflywheel.recipe.load import recipe_from
from dataflywheel.rows.identity import make_row, prompt_answer_row
from dataflywheel.rows.parts import read_rows
from dataflywheel.rows.schema import Row, message
from dataflywheel.store.record import StepRecord
from tests.enhancement.rewriting.support import demand

KEPT = [
    "Answer in `python code` please, if those books were here",
    "See https://example.org/Some/Path/there and say those things",
    'He said "Exactly These words" twice to those kids',
    "A) First option\nB) Second option\nWhich of those options fits?",
    "What is 12 kg of $x + Y$ for those engines?",
]


def text_of(row: Row | None) -> str:
    assert row is not None
    return row["messages"][0]["content"]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "negation"])
@pytest.mark.parametrize("text", KEPT)
def test_what_must_stay_stays_to_the_letter(kind: Any, text: str) -> None:
    must = [
        "`python code`",
        "https://example.org/Some/Path/there",
        '"Exactly These words"',
        "A) First option",
        "$x + Y$",
    ]
    for i in range(10):
        row = prompt_answer_row(text, f"#### {i}", tags=["t"], extra={"k": 1})
        (one,) = Perturbed(kind=kind, share=0.5).propose(demand([row]))
        after = text_of(one.row)
        assert after != text
        assert [piece for piece in must if piece in text and piece not in after] == []
        assert re.findall(r"\d+", after) == re.findall(r"\d+", text)
        assert one.row is not None
        assert (one.row["messages"][1:], one.row["tags"]) == (row["messages"][1:], ["t"])
        assert (one.row["extra"], one.row["parents"], one.before) == (row["extra"], [row["id"]], row)


def test_each_kind_changes_what_it_says(data: Path) -> None:
    with gzip.open(data / "gsm8k" / "test.jsonl.gz", "rt", encoding="utf-8") as lines:
        asked = [json.loads(line)["question"] for line, _ in zip(lines, range(150), strict=False)]
    rows = [prompt_answer_row(text, f"#### {i}") for i, text in enumerate(asked)]
    for kind in ("case", "spacing", "homoglyphs"):
        made = Perturbed.model_validate({"kind": kind}).propose(demand(rows))
        assert [p.row["id"] for p in made if p.row] == [
            p.row["id"] for p in Perturbed.model_validate({"kind": kind}).propose(demand(rows[::-1]))[::-1] if p.row
        ]
        for before, one in zip(asked, made, strict=True):
            after = text_of(one.row)
            if kind == "case":
                assert after.lower() == before.lower()
                assert after != before
            elif kind == "spacing":
                assert after.replace(" ", "") == before.replace(" ", "")
            else:
                back = {other: letter for letter, other in ALIKE.items()}
                assert "".join(back.get(letter, letter) for letter in after) == before
                changed = sum(a != b for a, b in zip(before.split(), after.split(), strict=True))
                assert 1 <= changed <= 0.2 * len(before.split()) + 1
    assert all(unicodedata.name(letter).startswith("CYRILLIC") for letter in ALIKE.values())


def test_features_of_dialects_are_forms_that_linguists_list(data: Path) -> None:
    """Of most rules there is a sentence that they turn into one of the forms listed for it; a sentence is listed for
    one feature, and other rules may find others in it."""
    lines = [
        json.loads(line) for line in (data / "dialect_pairs" / "multivalue_unittests.jsonl").read_text().splitlines()
    ]
    hits, stated = Counter[str](), Counter[str]()
    for line in lines:
        listed = {re.sub(r"\W+$", "", form).lower() for form in line["dialect"]}
        for feature in RULES:
            new = spoken_so(line["gloss"], feature)
            if new != line["gloss"]:
                stated[feature] += 1
                hits[feature] += re.sub(r"\W+$", "", new).lower() in listed
    covered = [feature for feature in RULES if hits[feature]]
    print(f"{len(covered)} of {len(RULES)} rules give a listed form; others than listed: {stated - hits}")
    assert len(covered) >= 13
    assert dialect("He doesn't know those men who came by themselves.")[0] == (
        "He don't know those men who came by theyselves."
    )
    assert dialect("It is 5 o'clock.") == ("It is 5 o'clock.", [])


SURE = [
    ("Whales are fish.", "False", "Whales are not fish.", "True"),
    ("Decide: true or false?\nThe sky is blue.", "true", "Decide: true or false?\nThe sky is not blue.", "false"),
    ("The film is charming and it was made by friends.", "positive", None, None),
    ("the film is very charming", "positive", "the film is not very charming", "negative"),
    ("The food was great.", "Positive", "The food was not great.", "Negative"),
    ("The food was bad.", "negative", None, None),
    ("The food was not great.", "positive", None, None),
    ("All birds are animals.", "true", None, None),
    ("Is the sky blue?", "true", None, None),
    ("The film, which is long, is good.", "positive", None, None),
    ("He runs.", "true", None, None),
    ("The sky is blue.", "maybe", None, None),
    ("The sky is blue. The sky is blue.", "true", None, None),
]


@pytest.mark.parametrize(("text", "label", "after", "other"), SURE)
def test_a_label_flips_only_where_the_rule_is_sure(text: str, label: str, after: str | None, other: str | None) -> None:
    assert denied(text, label) == (None if after is None else (after, other))
    row = make_row([message("user", text), message("assistant", label)], extra={"gold": label}, tags=["t"])
    (one,) = Perturbed(kind="negation").propose(demand([row]))
    if after is None:
        assert (one.row, one.failure) == (None, NO_LABEL)
        return
    assert one.row is not None
    assert [turn["content"] for turn in one.row["messages"]] == [after, other]
    assert json.loads(one.row["extra"] or "") == {"gold": other}
    assert one.facts == {"kind": "negation", "from": label, "to": other}


def test_on_opinions_of_people_what_is_denied_no_longer_praises(data: Path) -> None:
    with gzip.open(data / "sst2" / "dev.jsonl.gz", "rt", encoding="utf-8") as packed:
        lines = [json.loads(line) for line in packed]
    text, label = ("sentence" if "sentence" in lines[0] else "text"), "label"
    good = [line for line in lines if str(line[label]).lower() in ("1", "positive")]
    bad = [line for line in lines if str(line[label]).lower() in ("0", "negative")]
    found = [pair for line in good if (pair := denied(line[text], "positive"))]
    print(f"{len(found)} of {len(good)} that praise are denied: {[new for new, _ in found][:5]}")
    assert all(other == "negative" and " not " in new for new, other in found)
    assert not any(denied(line[text], "negative") for line in bad)


def test_odd_rows_have_no_variant_with_the_reason() -> None:
    german = prompt_answer_row("Das Buch ist nicht gut, und wir sind nicht froh.", "true")
    silent = prompt_answer_row("1 + 2 = ?", "3")
    tools = prompt_answer_row("", "a")
    for kind, row, why in (
        ("dialect", german, FOREIGN), ("negation", german, FOREIGN), ("case", silent, NOTHING),
        ("spacing", silent, NOTHING),
        ("dialect", prompt_answer_row("Name a tree.", "oak"), NOTHING),
        ("typos", tools, "not renewed, its last turn before the answer is no question"),
    ):  # fmt: skip
        (one,) = Perturbed.model_validate({"kind": kind}).propose(demand([row]))
        assert (one.row, one.failure, one.before) == (None, why, row)
    said = (("system", "Be kind."), ("user", "Hi THERE"), ("assistant", "Hello."), ("user", "Name Those books"))
    chat = make_row([message(role, text) for role, text in said])
    (one,) = Perturbed(kind="case").propose(demand([{**chat, "copies": 2}]))
    assert one.row is not None
    assert [turn["content"] for turn in one.row["messages"]] == ["Be kind.", "Hi THERE", "Hello.", "name those books"]
    assert one.row["copies"] == 2
    with pytest.raises(ValidationError):
        Perturbed.model_validate({"kind": "rhyme"})


def test_a_suite_is_a_step_for_each_kind() -> None:
    suite = PerturbationSuite(kinds=("typos", "case"), paraphrase=True)
    steps = suite.steps(Around(models={"teacher": {}}, targets=1))
    assert [step["renew"]["by"] for step in steps] == [
        {"perturbed": {"kind": "typos", "share": 0.2}}, {"perturbed": {"kind": "case", "share": 0.2}}, "reworded"
    ]  # fmt: skip
    with pytest.raises(UsageError, match="target"):
        suite.steps(Around(models={"teacher": {}}))
    with pytest.raises(UsageError, match="teacher"):
        suite.steps(Around(targets=1))


@pytest.mark.slow
def test_an_evaluation_tells_the_loss_of_each_kind(tmp_path: Path) -> None:
    pool = [{"prompt": f"How high is hill number {i}?", "completion": f"It is {i} metres high."} for i in range(30)]
    asked = [f"Tell me about those rivers in valley {i}, please" for i in range(6)]
    target = [{"prompt": text, "completion": f"They are {i} miles long."} for i, text in enumerate(asked)]
    for name, lines in (("pool", pool), ("target", target)):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    kinds = ["case", "homoglyphs", "dialect", "negation"]
    steps: list[Any] = [{"perturbation_suite": {"kinds": kinds}}, {"decontaminate": {}}]
    steps += [{"train": {"max_steps": 2, "max_length": 64, "batch_size": 4}}, "evaluate"]
    made = recipe_from({
        "name": "suite", "pool": [{"path": str(tmp_path / "pool.jsonl")}], "steps": steps,
        "target": [{"path": str(tmp_path / "target.jsonl")}],
        "models": {"student": {"builtin": "tiny", "size": "0.5m"}},
    })  # fmt: skip
    result = run(made, runs=tmp_path / "runs", home=tmp_path / "store")
    renewed = sorted((result.path / "round-1").glob("*-renew"))
    assert [len(read_rows(step / "variants")) for step in renewed] == [6, 6, 6, 0]
    record = StepRecord.model_validate_json(
        next((result.path / "round-1").glob("*-evaluate/metrics.json")).read_bytes()
    )
    told = record.details["renewed"]
    assert {kind: told[f"perturbed_{kind}"]["rows"] for kind in kinds} == {
        "case": 6, "homoglyphs": 6, "dialect": 6, "negation": 0
    }  # fmt: skip
    assert all("change" in told[f"perturbed_{kind}"] for kind in kinds[:3])
    first = StepRecord.model_validate_json((renewed[0] / "metrics.json").read_bytes())
    assert first.counts["kept: with a variant"] == 6
