# ruff: noqa: RUF001
from __future__ import annotations

import importlib.util
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from dataflywheel import catalog
from dataflywheel.proposing.gates import language_kept
from dataflywheel.proposing.gates.language_kept import LanguageKept
from dataflywheel.proposing.kinds import Proposer, Surroundings
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.planning.plan import plan
from tests.proposing.gates.proposals import check, new, rewrite
from tests.signals.rows import json_lines

ENGLISH = "The keeper of the lighthouse turns the great wheel every morning before the first ships come in."
GERMAN = "Der W\u00e4rter des Leuchtturms dreht jeden Morgen das gro\u00dfe Rad, bevor die ersten Schiffe einlaufen."
RUSSIAN = "\u0421\u043c\u043e\u0442\u0440\u0438\u0442\u0435\u043b\u044c \u043c\u0430\u044f\u043a\u0430 " * 5


def says(before: str, after: str) -> str:
    language_kept.language.cache_clear()
    return check(LanguageKept(), rewrite(("Say it.", before), ("Say it.", after))).reason


def test_another_language_is_told_and_more_of_the_same_is_not() -> None:
    pytest.importorskip("lingua")
    assert says(GERMAN, ENGLISH) == "language changed"
    assert says(GERMAN, f"{GERMAN} Er tut das seit vielen Jahren gern und allein.") == ""
    code = (
        "```py\nfor ship in ships:\n    wheel.turn(ship)  # the keeper turns the wheel for every one of the ships\n```"
    )
    assert says(code, f"{GERMAN}\n{code}") == ""
    assert says("Ja, gern.", "Yes, please.") == ""
    assert check(LanguageKept(), new("Say it.", ENGLISH)).passed


def test_scripts_are_told_without_the_extra_package_and_the_plan_says_what_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(language_kept, "find_spec", lambda name: None if name == "lingua" else found(name))
    assert says(RUSSIAN, ENGLISH) == "language changed"
    assert says(GERMAN, ENGLISH) == ""
    language_kept.language.cache_clear()
    labels = tmp_path / "labels.jsonl"
    labels.write_text('{"text": "a", "label": "toxic"}\n')
    step: dict[str, Any] = {"enhance": {"by": {"redact_personal_data": {}}}}
    recipe = recipe_from({"name": "a", "pool": [{"builtin": "python_docs"}], "steps": [step]})
    (line,) = plan(recipe)["notes"]
    assert "language_kept" in line
    assert "pip install 'dataflywheel[language]'" in line


PERSON = "Person-Tonagufa"


def test_stand_ins_are_of_no_language() -> None:
    """Taken for words, they would turn redactions away, and the rows would keep what was to go."""
    pytest.importorskip("lingua")
    named = "Maria Schneider leads it. Call Schneider on +49 30 901820 or write to maria@firma.de. Her colleague is {}."
    named = named.format("John Miller of Siemens")
    after = f"{PERSON} leads it. Call {PERSON} on +999 459 115 123 or write to name-e408cc23@redacted.invalid. Her "
    after += "colleague is Person-Zenafate of Organisation-Nuradare."
    told = [language_kept.language(language_kept.prose(text), 60, 0.9) for text in (named, after)]
    assert told == [("LATIN", "de"), ("LATIN", "en")]
    assert says(named, after) == ""
    assert says(f"{ENGLISH} Ann", f"{RUSSIAN} Person-Kelodira") == "language changed"
    assert says(f"Ann {ENGLISH}", f"Person-Kelodira {RUSSIAN}") == "language changed"


OWN = "reasoned_labels"
"""Its answers are verdicts on a text, in the language of whoever gives them."""


@pytest.mark.parametrize("name", catalog.names(Proposer))
def test_every_rewriter_keeps_the_language(name: str) -> None:
    kind = catalog.get(name, Proposer)
    assert issubclass(kind, Proposer)
    assert ("language_kept" in dict(kind.own_gates())) is (kind.rewrites and not kind.mends and name != OWN)


def test_passages_in_other_languages_are_found_and_experts_are_not(data: Path) -> None:
    pytest.importorskip("lingua")
    english, german = (
        {r["id"]: r["context"] for r in json_lines(data / "xquad" / f"xquad.{x}.jsonl.gz")} for x in ("en", "de")
    )
    ids = sorted(english)[::40]
    turned = [rewrite(("Say it.", english[i]), ("Say it.", german[i])) for i in ids]
    assert not any(found.passed for found in LanguageKept().check(turned, Surroundings()))
    experts = json_lines(data / "coachlm_revisions" / "expert_revisions.jsonl.gz")[::25]
    revised = [rewrite(("Say it.", r["Raw Response"]), ("Say it.", r["Revised Response"])) for r in experts]
    assert sum(not found.passed for found in LanguageKept().check(revised, Surroundings())) <= 1


@pytest.mark.skipif(find_spec("lingua") is None, reason="needs lingua")
@pytest.mark.parametrize(
    ("before", "after", "passes"),
    [
        ("We go to the park with the children.", "Wir gehen mit den Kindern in den Park.", False),
        ("Wir gehen mit den Kindern in den Park.", "El clima está muy bien y vamos al parque con los niños.", False),
        ("यह शहर नदी के किनारे बसा है और यहाँ कई पुराने घर हैं।", "The city lies on a river and has many old houses.", False),
        ("Град се налази на реци и има много старих кућа.", "Grad se nalazi na reci i ima mnogo starih kuća.", False),
        ("Три, четыре, семь и одиннадцать.", "Четыре, семь, одиннадцать и три.", True),
        ("Three types of clouds are Cirrus, Stratus, and Cumulus.", "Cirrus, Stratus, and Cumulus are clouds.", True),
        ("No, Pluto is not considered a planet in the Solar System.", "Pluto is no planet in the Solar System.", True),
    ],
)
def test_short_texts_are_told_by_their_everyday_words(before: str, after: str, passes: bool) -> None:
    assert check(LanguageKept(), rewrite(("Say it.", before), ("Say it.", after))).passed == passes
