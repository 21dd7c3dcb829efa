"""Methods of installed packages, under an entry point; a broken package stops nobody who does not need it."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from dataflywheel import catalog
from dataflywheel.cli.main import app
from dataflywheel.contracts import REGISTRY, UsageError
from dataflywheel.evolution.metrics.named import metric_of
from dataflywheel.proposing.gates.scored import Scored
from tests.plugins.files import CARD, SIGNAL
from tests.support.plugins import forget_packages

METRIC = (
    CARD
    + """
from dataflywheel.contracts import Mark, Metric
class Loudness(Metric):
    card: ClassVar[Card] = card("evolution", "metrics", "Capitals.")
    def mark(self, answer, row):
        return Mark(float(answer.isupper()))
"""
)


def install(folder: Path, name: str, entry: str, files: dict[str, str]) -> None:
    for file, body in files.items():
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_text(body)
    about = folder / f"{name}-1.2.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
    (about / "entry_points.txt").write_text(f"[dataflywheel.methods]\nall = {entry}\n")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "site").mkdir()
    monkeypatch.syspath_prepend(tmp_path / "site")
    forget_packages()
    return tmp_path / "site"


def test_modules_and_classes_are_found(site: Path) -> None:
    body = SIGNAL.replace("FACTOR", "")
    install(
        site, "dialects", "dialects", {"dialects/__init__.py": "from dialects import own\n", "dialects/own.py": body}
    )
    install(site, "loud", "loudness:Loudness", {"loudness.py": METRIC})
    assert {"vowels", "few_vowels", "loudness"} <= set(catalog.names())
    assert metric_of("loudness").score("YES", {}) == 1.0
    (card,) = [card for card in catalog.methods() if card["name"] == "vowels"]
    assert card["plugin"] == "package dialects 1.2 (dialects)"
    before = REGISTRY["vowels"].edition()
    assert before.startswith("vowels@1+1.2-")
    for name in ("vowels", "few_vowels"):
        REGISTRY[name].source = ""
    (site / "dialects" / "own.py").write_text(body + "# edited, as a package that is installed to be edited\n")
    forget_packages()
    assert "vowels" in catalog.names()
    assert REGISTRY["vowels"].edition() != before


def test_one_metric_is_found_without_the_catalogue(site: Path) -> None:
    install(site, "loud", "loudness", {"loudness.py": METRIC})
    assert Scored(by={"loudness": {}}).by == {"loudness": {}}
    assert metric_of("loudness").score("yes", {}) == 0.0


@pytest.mark.parametrize(
    ("entry", "body", "said"),
    [
        ("broken", "x = 1\nimport not_installed_anywhere\n", "line 2: ModuleNotFoundError"),
        ("broken:Absent", "x = 1\n", "AttributeError"),
        ("broken", "x = 1\n", "defines no method"),
        ("broken.deeper", "x = 1\n", "ModuleNotFoundError"),
        ("broken", METRIC.replace("Loudness", "KCenter"), "two methods are named 'k_center': dataflywheel.selection"),
        ("broken", METRIC + "\n1 / 0\n", "ZeroDivisionError"),
    ],
)
def test_a_broken_package_is_told_of_and_stops_nobody(entry: str, body: str, said: str, site: Path) -> None:
    install(site, "shaky", entry, {"broken.py": body})
    assert catalog.get("k_center").card.year == 2018
    assert catalog.get("k_center").__module__ == "dataflywheel.selection.static.k_center"
    assert "loudness" not in catalog.names()
    with pytest.raises(UsageError) as error:
        catalog.get("vowels")
    assert f"\npackage shaky 1.2 ({entry}) is installed and broken: " in str(error.value)
    assert said in str(error.value)
    listed = CliRunner().invoke(app, ["methods", "k_center"])
    assert listed.exit_code == 0
    assert "k_center" in listed.stdout
    assert f"Broken: package shaky 1.2 ({entry})" in listed.stderr
    assert said in listed.stderr


def test_a_package_that_takes_the_name_of_another_is_refused_with_both(site: Path) -> None:
    install(site, "a-first", "first", {"first.py": METRIC})
    install(site, "b-second", "second", {"second.py": METRIC})
    said = catalog.broken_plugins()
    assert "package b-second 1.2 (second)" in said
    assert "first.py" in said
    assert "second.py" in said
    assert REGISTRY["loudness"].origin == "package a-first 1.2 (first)"


def test_a_broken_file_is_listed_as_broken(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("import not_installed_anywhere\n")
    listed = CliRunner().invoke(app, ["methods", "--plugin", "mine.py", "--why", "k_center"])
    assert listed.exit_code == 0
    assert "does: " in listed.stdout
    assert "Broken: plugin mine.py, line 1: ModuleNotFoundError" in listed.stderr
