from __future__ import annotations

import re
from pathlib import Path

import pytest

from dataflywheel.contracts import FlywheelError, UsageError
from dataflywheel.report.html import SECTIONS, write_report
from tests.report.comparison import comparison
from tests.report.fixture import HOSTILE, alpaca_like, build_run
from tests.report.page_check import PageCheck

RANDOM = "random rows for as many training tokens"


def check(run: Path) -> tuple[str, PageCheck]:
    path = write_report(run)
    assert path == run / "report.html"
    page = path.read_text(encoding="utf-8")
    return page, PageCheck(page)


@pytest.fixture
def full(tmp_path: Path) -> Path:
    return build_run(tmp_path / "full", compare=comparison())


@pytest.mark.parametrize("verdict", ["better than random", "no better than random", "worse than random", None])
def test_the_page_is_well_formed_and_loads_nothing(tmp_path: Path, verdict: str | None) -> None:
    page, seen = check(build_run(tmp_path / "run", compare=comparison(verdict) if verdict else None))
    assert seen.faults == []
    assert seen.loads == []
    assert seen.handlers == []
    assert "script" not in seen.tags
    assert not re.search(r"@import|url\(|https?://", page)
    assert len(seen.ids) == len(set(seen.ids))
    assert all(link.removeprefix("#") in seen.ids for link in seen.links)


def test_hostile_text_is_inert(tmp_path: Path) -> None:
    page, seen = check(build_run(tmp_path / "run", compare=comparison(), hostile=True))
    assert seen.faults == []
    assert "script" not in seen.tags
    assert "img" not in seen.tags
    assert seen.handlers == []
    assert "<script" not in page
    assert "\x00" not in page
    assert "\u202e" not in page
    # It is shown to the reader all the same: as a row's prompt, as a reason, as a slice and as a quarantined line.
    shown = HOSTILE.replace("\x00", "[U+0000]").replace("\u202e", "[U+202E]")
    assert seen.text.count(shown) >= 4
    assert f"near copy: Jaccard 0.98{shown}" in seen.text


def test_every_section_is_there(full: Path) -> None:
    _, seen = check(full)
    assert set(SECTIONS) - {"wheel", "proposals", "worth", "next"} <= set(seen.ids)  # it turned once and wrote nothing
    for heading in ("Rows by step", "Scoreboard", "Evaluation by slice", "Signals and thresholds", "Map of the rows"):
        assert heading in seen.text
    assert "deduplicate: {near: 0.8}" in seen.text


def test_the_funnel_counts_every_dropped_row(full: Path) -> None:
    _, seen = check(full)
    # 400 rows; every ninth is a copy; the selection keeps 100.
    assert "400 rows" in seen.text
    assert "356 rows \u221244 (11%)" in seen.text
    assert re.search(r"100 rows \u2212\d+ \(\d+\.\d%\)", seen.text)
    assert "44 near copy" in seen.text
    assert "2 cannot be read" in seen.text
    assert "ranked \u2026 of 316 by ifd" in seen.text


def test_a_dropped_copy_stands_beside_what_it_copied(full: Path) -> None:
    page, _ = check(full)
    cards = re.findall(r'<article class="example dropped">.*?</article>', page, re.S)
    pair = next(card for card in cards if "near copy" in card)
    assert "this row was dropped" in pair
    assert "it matched this row" in pair
    assert pair.count('<div class="text"') == 4


def test_long_texts_are_cut_and_their_length_stated(tmp_path: Path) -> None:
    pairs = [(f"question {i}", f"answer {i} " + "long " * 500) for i in range(40)]
    page, _ = check(build_run(tmp_path / "run", pairs=pairs, budget=10))
    texts = re.findall(r'<div class="text" dir="auto">(.*?)</div>', page, re.S)
    assert max(len(re.sub(r"<[^>]+>", "", text)) for text in texts) < 450
    assert "(2,509 characters in all)" in page


@pytest.mark.parametrize(
    ("verdict", "words", "tone"),
    [
        (
            "better than random",
            f"train a better model than {RANDOM}: bits per byte is 3.8% lower",
            "good",
        ),
        ("no better than random", f"train a model no better than {RANDOM}", "neutral"),
        (
            "worse than random",
            f"train a worse model than {RANDOM}: bits per byte is 2.9% higher",
            "bad",
        ),
        (None, "whether they are worth more was not measured", "unknown"),
    ],
)
def test_the_verdict_in_plain_words(tmp_path: Path, verdict: str | None, words: str, tone: str) -> None:
    page, seen = check(build_run(tmp_path / "run", compare=comparison(verdict) if verdict else None))
    heading = re.search(r"<h1>(.*?)</h1>", page)
    assert heading is not None
    assert words in heading[1]
    assert f'class="hero {tone}"' in page
    if verdict is None:
        assert "the gain over a random choice of rows was not measured" in seen.text
        assert "Gain over randomnot measured" in seen.text


def test_higher_can_be_better(tmp_path: Path) -> None:
    _, seen = check(build_run(tmp_path / "run", compare=comparison(better="higher")))
    assert "bits per byte is 3.8% higher" in seen.text
    assert "+3.8%, 95% interval +2.9% to +4.6%" in seen.text


def test_the_scoreboard_holds_all_of_the_comparison(full: Path) -> None:
    _, seen = check(full)
    assert "2.310 (2.296 to 2.324)" in seen.text
    assert "\u22120.090 (\u22120.110 to \u22120.070)" in seen.text
    assert "no better than random" in seen.text
    assert "12.4 s" in seen.text
    assert "800" in seen.text
    assert "1.31\u00d7" in seen.text
    assert "11.3%" in seen.text


@pytest.mark.parametrize("tokens", [12455, 12600, 14566, 0])
def test_every_verdict_says_by_how_much_training_tokens_differ(tmp_path: Path, tokens: int) -> None:
    board = comparison()
    board["arms"][0]["train_tokens"] = tokens
    run = build_run(tmp_path / "run", compare=board)
    page, seen = check(run)
    card = (run / "dataset" / "README.md").read_text() if (run / "dataset" / "README.md").exists() else ""
    heading = re.search(r"<h1>(.*?)</h1>", page)
    assert heading is not None
    told = {14566: "same rows, +17 % tokens", 0: "same rows, tokens unknown"}.get(tokens, "")
    assert ("random rows for as many training tokens" in heading[1]) == (told == "")
    assert f"{tokens:,}" in seen.text
    assert f"random rows ({told})" in heading[1] or not told
    assert f"better than random ({told})" in seen.text or not told
    assert f"({told})" in card or not told or not card


def test_a_stopped_run_says_what_is_missing(tmp_path: Path) -> None:
    _, seen = check(build_run(tmp_path / "run", finished=False, with_map=False))
    assert "not finished: the budget of 1 hour is spent" in seen.text
    assert "round-1/04-train, round-1/05-evaluate" in seen.text
    assert "This run did not evaluate a model" in seen.text
    assert "there is no map of the rows" in seen.text


def test_an_arm_without_scores_is_named_and_not_drawn(tmp_path: Path) -> None:
    compare = comparison()
    arm = compare["arms"][1]
    arm |= {"scores": [], "mean": float("nan"), "low": None, "high": None, "difference": None, "verdict": None}
    _, seen = check(build_run(tmp_path / "run", compare=compare))
    assert seen.faults == []
    assert "not known" in seen.text
    assert "nan" not in seen.text.lower().split()


def test_a_large_pool_makes_a_small_page(tmp_path: Path) -> None:
    run = build_run(tmp_path / "run", compare=comparison(), pairs=alpaca_like(20_000), budget=2000)
    page, seen = check(run)
    assert len(page) < 1_000_000
    assert "2,000 of 20,000 rows drawn at random" in seen.text
    drawn = page[page.index('<svg class="chart map"') :]
    assert drawn[: drawn.index("</svg>")].count("<circle") == 2000


def test_no_run_and_a_damaged_run_are_errors(tmp_path: Path, full: Path) -> None:
    with pytest.raises(UsageError, match=r"no run is here .*give a directory under runs"):
        write_report(tmp_path / "nothing")
    (full / "compare.json").write_text("{")
    with pytest.raises(FlywheelError, match=r"compare\.json: not valid JSON"):
        write_report(full)
