from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from dataflywheel.contracts import UsageError
from dataflywheel.enhancement.preparation.decontaminate import Decontaminate
from dataflywheel.models.spec import EmbedderSpec
from dataflywheel.proposing.gates.contamination import Contamination
from dataflywheel.proposing.kinds import Surroundings
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.parts import PartWriter
from dataflywheel.rows.schema import table
from dataflywheel.signals.text.text_statistics import TextStatistics
from tests.enhancement.columns import lookup, measured, target
from tests.enhancement.test_decontaminate import evaluation_sets
from tests.proposing.gates.proposals import check, new, pool_of
from tests.signals.rows import Pair, alpaca

WORDS = Contamination(semantic=None)


def target_of(folder: Path, pairs: list[Pair]) -> Path:
    folder.mkdir()
    with PartWriter(folder) as writer:
        writer.write(table([prompt_answer_row(*pair) for pair in pairs]))
    return folder


@pytest.mark.parametrize("change", [str, str.upper, lambda text: re.sub(r"\s+", " \n\t ", text)])
def test_every_planted_row_is_found(data: Path, tmp_path: Path, change: Callable[[str], str]) -> None:
    evaluation = evaluation_sets(data)
    around = Surroundings(target=target_of(tmp_path / "target", evaluation))
    planted = WORDS.check([new(change(prompt), change(answer)) for prompt, answer in evaluation], around)
    assert not any(found.passed for found in planted)
    assert {found.reason for found in planted} == {"holds an evaluation row"}
    clean = WORDS.check([new(*pair) for pair in alpaca(data)[:2000]], around)
    assert sum(not found.passed for found in clean) <= 4


def test_decisions_are_those_of_the_cleaner(data: Path, tmp_path: Path) -> None:
    evaluation, pool = evaluation_sets(data)[:300], alpaca(data)[:300]
    pool += [
        (f"{prompt} {' '.join(q.split()[: 3 + k % 9])}", a)
        for k, ((prompt, a), (q, _)) in enumerate(zip(pool, evaluation, strict=True))
    ]
    cleaned = Decontaminate(semantic=None).decide(measured(pool, TextStatistics()), lookup(pool), target(evaluation))
    found = WORDS.check([new(*pair) for pair in pool], Surroundings(target=target_of(tmp_path / "target", evaluation)))
    assert [c.passed for c in found] == [action == "kept" for action in cleaned.action]
    assert cleaned.action.count("dropped") > 5


def test_what_is_common_is_counted_in_the_pool(tmp_path: Path) -> None:
    phrase = "it was the best of times it was the worst of times it was the age of wisdom"
    pairs = [(f"{phrase} and so on, and who wrote this line in which year of the century?", "")]
    pool = pool_of(tmp_path / "pool", [prompt_answer_row(f"{phrase} {k} {'x' * k}", "") for k in range(1, 13)])
    target = target_of(tmp_path / "target", pairs)
    proposal = new(f"Go on: {phrase}, what then?", "")
    assert not WORDS.check([proposal], Surroundings(target=target))[0].passed
    assert WORDS.check([proposal], Surroundings(target=target, pool=pool))[0].passed
    assert not WORDS.check([new(*pairs[0])], Surroundings(target=target, pool=pool))[0].passed


def test_the_same_in_other_words_is_found_by_its_meaning(tmp_path: Path) -> None:
    pairs = [("How do I cook plain rice in a pot?", ""), ("Who painted the ceiling of the chapel?", "")]
    around = Surroundings(target=target_of(tmp_path / "target", pairs))
    gate = Contamination(semantic=0.8, embedder=EmbedderSpec(builtin="static"))
    near, far = gate.check([new("How do I cook some plain rice inside a pot?", ""), new("Name a river.", "")], around)
    assert near.reason == "means an evaluation row"
    assert near.facts["target_cosine"] >= 0.8 > far.facts["target_cosine"]
    assert far.passed
    assert WORDS.check([new("How do I cook some plain rice inside a pot?", "")], around)[0].passed


def test_without_a_target_there_is_nothing_to_compare_with() -> None:
    with pytest.raises(UsageError, match="add a target"):
        check(WORDS, new("Name a river.", "The Po."))


def test_an_empty_target_is_no_match(tmp_path: Path) -> None:
    around = Surroundings(target=target_of(tmp_path / "target", []))
    gate = Contamination(embedder=EmbedderSpec(builtin="static"))
    assert gate.check([new("Name a river.", "The Po.")], around)[0].passed
