"""The catalogue: everything that can be run, and nothing else."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from dataflywheel import catalog
from dataflywheel.cli.main import app
from dataflywheel.contracts import Cleaner, Selector, UsageError
from dataflywheel.distillation.model.dpo import DPO
from dataflywheel.models.training.trainer import Trainer

HEAVY = ("torch", "transformers", "trl", "daft", "ray", "numba", "sklearn", "scipy", "matplotlib", "lingua", "datasets")


def test_get_names_the_nearest() -> None:
    assert catalog.get("k_center").name == "k_center"
    with pytest.raises(UsageError, match="no method 'kcenter'; did you mean 'k_center'"):
        catalog.get("kcenter")
    with pytest.raises(
        UsageError, match=r"deduplicate is a cleaner, a step of its own in a recipe .*, and not a selector"
    ):
        catalog.get("deduplicate", Selector)


def test_what_is_named_is_made_with_its_parameters_over_the_usual_ones() -> None:
    usual = {"beta": 0.3}
    assert catalog.made({"dpo": {}}, Trainer, usual) == DPO(beta=0.3)
    assert catalog.made({"dpo": {"beta": 0.2}}, Trainer, usual) == DPO(beta=0.2)
    with pytest.raises(UsageError, match="no trainer 'dop'; did you mean 'dpo'"):
        catalog.made({"dop": {}}, Trainer)
    with pytest.raises(UsageError, match="dpo is a trainer, and not a selector"):
        catalog.made({"dpo": {}}, Selector)
    with pytest.raises(UsageError, match="dpo: unknown parameter 'bet'; did you mean 'beta'"):
        catalog.made({"dpo": {"bet": 1}}, Trainer)


def test_kinds_and_rooms() -> None:
    assert {"deduplicate", "decontaminate", "filter"} <= set(catalog.names(Cleaner))
    assert set(catalog.names(Selector)) <= set(catalog.names(rooms=("selection",)))
    assert "deduplicate" not in catalog.names(rooms=("selection",))


def test_filters() -> None:
    cards = catalog.methods()
    assert [card["name"] for card in cards] != []
    assert {card["name"] for card in catalog.methods(category="selection")} == {
        card["name"] for card in cards if card["category"] == "selection"
    }
    assert {card["name"] for card in catalog.methods("static", needs="nothing")} >= {"random", "longest"}
    assert {card["name"] for card in catalog.methods("static", needs="embedder")} == {
        "k_center", "facility_location", "density", "diverse_by_score", "diversify_and_conquer", "tsds",
        "necessary", "mods",
    }  # fmt: skip
    cheap = {card["name"] for card in catalog.methods(cost="¢")}
    assert "ifd" not in cheap
    assert cheap < {card["name"] for card in catalog.methods(cost="$")}
    for wrong in ({"category": "selektion"}, {"needs": "modl"}, {"cost": "$5"}):
        with pytest.raises(UsageError, match="methods: --"):
            catalog.methods(**wrong)


def test_cards_are_complete() -> None:
    for card in catalog.methods():
        assert card["summary"].endswith("."), card["name"]
        assert card["title"], card["name"]
        assert card["checked"], card["name"]
        assert not card["paper"] or (card["authors"] and card["year"] > 1900), card["name"]


def test_bibtex() -> None:
    text = catalog.bibtex(["ifd", "longest", "length_matched_random", "random"])
    assert re.findall(r"@misc\{(\w+),", text) == ["li2023quantity", "zhao2024alignment"]
    assert "eprint = {2308.12032}" in text
    assert "author = {Li and others}" in text
    assert text.count("{") == text.count("}")
    whole = catalog.bibtex()
    keys = re.findall(r"@misc\{(\w+),", whole)
    assert len(keys) == len(set(keys))
    papers = {card["paper"] for card in catalog.methods() if card["paper"]}
    assert all(paper in whole for paper in papers)


def test_imports_nothing_heavy() -> None:
    code = "import sys; from dataflywheel import catalog; catalog.methods(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert set(loaded) & set(HEAVY) == set()
    assert "dataflywheel.selection.static.ifd" in loaded


def test_command() -> None:
    runner = CliRunner()
    table = runner.invoke(app, ["methods", "--category", "static"])
    assert table.exit_code == 0
    assert "facility_location" in table.output
    assert "deduplicate" not in table.output
    listed = json.loads(runner.invoke(app, ["methods", "--json", "--needs", "embedder"]).output)
    assert "k_center" in {card["name"] for card in listed}
    assert {"embedder"} <= set.intersection(*(set(card["needs"]) for card in listed))
    assert runner.invoke(app, ["methods", "ifd", "--bibtex"]).output.startswith("@misc{li2023quantity,")
    assert isinstance(runner.invoke(app, ["methods", "idf"]).exception, UsageError)
