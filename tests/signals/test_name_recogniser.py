"""spaCy pipelines and Presidio: what counts as a name, what is refused, and what a recogniser is known by.

Tests of a pipeline at work build a tiny one, and are skipped where spaCy is not installed.
"""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pytest

from dataflywheel.contracts import UsageError
from dataflywheel.signals.safety.name_recogniser import check_names, names_identity, recogniser
from dataflywheel.signals.safety.names_found import names_in
from dataflywheel.signals.safety.spacy_names import cut
from tests.signals.planted_names import found, module


@pytest.fixture
def spacy() -> Any:
    return pytest.importorskip("spacy", reason="spaCy is not installed: pip install 'dataflywheel[names]'")


@pytest.fixture
def as_if_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    if "spacy" not in sys.modules:
        monkeypatch.setitem(sys.modules, "spacy", module("spacy"))


def described(folder: Path, labels: dict[str, list[str]]) -> str:
    """A folder that says of itself what a pipeline says, and holds no model."""
    folder.mkdir()
    (folder / "meta.json").write_bytes(
        orjson.dumps({"lang": "xx", "name": "tiny", "version": "0.0.0", "labels": labels})
    )
    return str(folder)


def built(spacy: Any, folder: Path, patterns: dict[str, list[str]]) -> str:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": label, "pattern": name} for label, names in patterns.items() for name in names])
    nlp.to_disk(folder)
    return str(folder)


@pytest.mark.usefixtures("as_if_installed")
def test_what_finds_no_names_is_refused_by_name(tmp_path: Path) -> None:
    check_names(described(tmp_path / "onto", {"ner": ["PERSON", "DATE"], "tagger": ["NN"]}))
    check_names(described(tmp_path / "conll", {"my_ner": ["MISC", "LOC"]}))
    with pytest.raises(UsageError, match=r"xx_tiny-0\.0\.0 finds no names: it has the components \['tagger'\]"):
        check_names(described(tmp_path / "tags", {"tagger": ["NN", "PER"]}))
    with pytest.raises(UsageError, match=r"labels \{'ner': \['GENE'\]\}, and needs .* PERSON, PER"):
        check_names(described(tmp_path / "genes", {"ner": ["GENE"]}))


@pytest.mark.usefixtures("as_if_installed")
def test_what_is_not_there_is_refused_with_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no pipeline xx_no_such_sm; python -m spacy download xx_no_such_sm"):
        check_names("xx_no_such_sm")
    with pytest.raises(UsageError, match=r"json is no spaCy pipeline .*download en_core_web_sm"):
        check_names("json")
    with pytest.raises(UsageError, match="is no spaCy pipeline"):
        check_names(str(tmp_path / "nowhere"))


def test_a_missing_package_is_refused_with_a_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install 'dataflywheel\[names\]'"):
        check_names("en_core_web_sm")
    with pytest.raises(UsageError, match="pip install presidio-analyzer"):
        check_names("presidio")


def test_a_folder_is_known_by_its_content(tmp_path: Path) -> None:
    first, second = (described(tmp_path / name, {"ner": ["PER"]}) for name in "ab")
    assert names_identity(first) == names_identity(second)
    assert names_identity(first).startswith("xx_tiny-0.0.0:")
    (tmp_path / "b" / "model").write_bytes(b"weights")
    assert names_identity(first) != names_identity(second)


def test_long_texts_are_cut_between_words() -> None:
    text = "\n".join("word " * (i % 7) for i in range(200)) + "x" * 100
    pieces = list(cut(text, 40))
    assert "".join(piece for _, piece in pieces) == text
    assert all(text[start : start + len(piece)] == piece and len(piece) <= 40 for start, piece in pieces)
    assert all(piece.endswith((" ", "\n")) for _, piece in pieces if "x" not in piece)


@pytest.mark.parametrize("labels", [("PERSON", "GPE", "ORG"), ("PER", "LOC", "ORG")])
def test_a_pipeline_finds_names_of_both_schemes(spacy: Any, tmp_path: Path, labels: tuple[str, str, str]) -> None:
    person, place, organisation = labels
    patterns = {person: ["Jane Doe"], place: ["Lima"], organisation: ["Acme"], "DATE": ["Monday"]}
    names = built(spacy, tmp_path / "tiny", patterns)
    texts = [
        "Jane Doe of Acme flew to Lima on Monday.",
        "",
        "`Acme` says:\n```\nLima\n```\nJane Doe's mail: Acme@acme.org",
    ]
    assert list(found(texts, names_in(texts, names))) == [
        [("person", "Jane Doe"), ("organisation", "Acme"), ("place", "Lima")],
        [],
        [("person", "Jane Doe")],
    ]
    assert list(found(texts, names_in(texts, names, ("place",)))) == [[("place", "Lima")], [], []]
    assert recogniser(names)._nlp.pipe_names == ["entity_ruler"]  # type: ignore[attr-defined]


def test_places_are_those_of_the_whole_text_where_it_is_long(spacy: Any, tmp_path: Path) -> None:
    names = built(spacy, tmp_path / "tiny", {"PER": ["Jane Doe"]})
    text = "and so on " * 11_000 + "Jane Doe " + "went on " * 14_000 + "to Jane Doe."
    assert list(found([text], names_in([text], names))) == [[("person", "Jane Doe")] * 2]


class Result(NamedTuple):
    entity_type: str
    start: int
    end: int
    score: float


class FakeAnalyzer:
    """Answers as Presidio does: overlapping results, in no order."""

    def __init__(self, **given: Any) -> None:
        self.given = given

    def analyze_iterator(self, texts: list[str], language: str, batch_size: int, entities: list[str]) -> list[Any]:
        assert (language, set(entities)) == ("xx", {"PERSON", "LOCATION", "ORGANIZATION"})
        return [
            [Result("LOCATION", 12, 16, 0.8), Result("PERSON", 0, 4, 0.85), Result("ORGANIZATION", 0, 8, 0.85)]
            for _ in texts
        ]

    def create_engine(self) -> Any:
        return self.given


@pytest.mark.usefixtures("as_if_installed")
def test_presidio_answers_with_its_analyzer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    engines = module("presidio_analyzer.nlp_engine", NlpEngineProvider=FakeAnalyzer)
    held = {"AnalyzerEngine": FakeAnalyzer, "BatchAnalyzerEngine": FakeAnalyzer, "nlp_engine": engines}
    monkeypatch.setitem(sys.modules, "presidio_analyzer", module("presidio_analyzer", **held))
    monkeypatch.setitem(sys.modules, "presidio_analyzer.nlp_engine", engines)
    real = importlib.metadata.version
    monkeypatch.setattr(
        "importlib.metadata.version", lambda name: "2.2.0" if name == "presidio-analyzer" else real(name)
    )
    with pytest.raises(UsageError, match="no pipeline en_core_web_lg"):
        check_names("presidio")  # it would download its pipeline itself
    names = f"presidio:{described(tmp_path / 'tiny', {'ner': ['PER']})}"
    assert names_identity(names).startswith("presidio-2.2.0:xx_tiny-0.0.0:")
    text = "Jane Doe in Lima."
    assert list(found([text], names_in([text], names))) == [[("organisation", "Jane Doe"), ("place", "Lima")]]
