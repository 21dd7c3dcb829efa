from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dataflywheel.contracts import Columns, Decisions, UsageError
from dataflywheel.enhancement.preparation.decontaminate import Decontaminate
from dataflywheel.signals.text_statistics import TextStatistics
from tests.enhancement.columns import lookup, measured, target
from tests.signals.rows import Pair, alpaca, json_lines
from tests.signals.words import words

WORDS_ONLY = Decontaminate(semantic=None)


def evaluation_sets(data: Path) -> list[Pair]:
    rows = [
        ("\n\n".join(filter(None, (r["instruction"], i["input"]))), i["output"])
        for r in json_lines(data / "self_instruct" / "user_oriented_instructions.jsonl")
        for i in r["instances"]
    ]
    rows += [(r["question"], r["answer"]) for r in json_lines(data / "gsm8k" / "test.jsonl.gz")]
    rows += [(r["input"], r["target"]) for r in json_lines(data / "bbh" / "bbh.jsonl.gz")[::6]]
    rows += [(r["turns"][0], "") for r in json_lines(data / "mt_bench" / "question.jsonl")]
    rows += [(r["problem"], r["solution"]) for r in json_lines(data / "math500" / "math500.jsonl.gz")]
    rows += [
        (r["prompt"], r["canonical_solution"]) for r in json_lines(data / "human_eval_code" / "HumanEval.jsonl.gz")
    ]
    return rows


def decide(pool: list[Pair], evaluation: list[Pair], cleaner: Decontaminate = WORDS_ONLY) -> Decisions:
    return cleaner.decide(measured(pool, TextStatistics()), lookup(pool), target(evaluation))


def spaced(text: str) -> str:
    return re.sub(r"\s+", " \n\t ", text)


@pytest.mark.parametrize("change", [str, str.upper, spaced])
def test_planted_copies_are_all_found_and_clean_rows_stay(data: Path, change: Callable[[str], str]) -> None:
    evaluation, clean = evaluation_sets(data), alpaca(data)[:8000]
    pool = [*clean, *((change(prompt), change(answer)) for prompt, answer in evaluation)]
    found = decide(pool, evaluation)
    planted = np.arange(len(pool)) >= len(clean)
    gone = np.array([action == "dropped" for action in found.action])
    print(
        f"planted {planted.sum()}, recall {gone[planted].mean():.4f}, false alarms {gone[~planted].sum()}/{len(clean)}"
    )
    assert gone[planted].all()
    assert gone[~planted].mean() < 0.002
    named = [found.other[k] == f"t{k - len(clean):06d}" for k in np.flatnonzero(planted)]
    assert np.mean(named) > 0.95  # the rest are evaluation rows that repeat another one's wording


@pytest.mark.parametrize("change", [str, str.lower, spaced])
def test_prompts_inside_longer_rows_are_found(data: Path, change: Callable[[str], str]) -> None:
    evaluation = [pair for pair in evaluation_sets(data) if len(words(pair[0])) >= 5]
    carrier = alpaca(data)[: len(evaluation)]
    pool = [
        (f"{prompt} {change(leak)} Now go on.", answer)
        for (prompt, answer), (leak, _) in zip(carrier, evaluation, strict=True)
    ]
    assert set(decide(pool, evaluation).action) == {"dropped"}


def test_leaked_answer_is_found_under_another_prompt() -> None:
    answer = "She sells the remaining nine eggs at the market for two dollars each, which makes eighteen dollars a day."
    found = decide([("Tell me about eggs.", f"Well. {answer.upper()}")], [("How much does Janet make a day?", answer)])
    assert found.action == ["dropped"]
    assert found.reason == ["leak: holds 100% of the 13-grams of a target answer"]
    assert found.other == ["t000000"]
    assert found.score == [1.0]


def test_share_of_a_long_prompt_decides() -> None:
    prompt = " ".join(f"word{i}" for i in range(100))
    pool = [(" ".join(f"word{i}" for i in range(n)), "fine") for n in (40, 60, 80)]
    assert decide(pool, [(prompt, "")]).action == ["kept", "dropped", "dropped"]
    strict = Decontaminate(semantic=None, share_13=None, share_8=0.7)
    found = decide(pool, [(prompt, "")], strict)
    assert found.action == ["kept", "kept", "dropped"]
    assert found.score[2] == pytest.approx(73 / 93)


def test_trivial_short_texts_are_no_leak() -> None:
    evaluation = [("Is the sky blue?", "yes"), ("", "yes"), ("Continue.", "no")]
    pool = [("Are you a model?", "yes"), ("yes", "no"), ("Please continue.", "no"), ("is  the sky BLUE", "of course")]
    found = decide(pool, evaluation)
    assert found.action == ["kept", "kept", "kept", "dropped"]
    assert found.reason[3] == "leak: equal to a target prompt"


def test_short_row_without_a_prompt_is_compared_as_a_whole() -> None:
    found = decide([("", "Is the sky blue? Yes!")], [("Is the sky blue?", "yes")])
    assert found.reason == ["leak: equal to a target row"]


def test_embeddings_catch_what_words_do_not() -> None:
    pool, evaluation = [("a b", "c"), ("d e", "f"), ("g h", "i")], [("x y", "z"), ("u v", "w")]
    columns, view = measured(pool, TextStatistics()), target(evaluation)
    columns.values["embedding.vector"] = np.array([[1, 0.1], [-1, 0], [np.nan, 0]], dtype=np.float32)
    view.columns.values["embedding.vector"] = np.array([[0, 1], [1, 0]], dtype=np.float32)
    found = Decontaminate().decide(columns, lookup(pool), view)
    assert found.action == ["dropped", "kept", "kept"]
    assert found.other[0] == "t000001"
    assert found.score[0] == pytest.approx(1 / np.sqrt(1.01), abs=1e-6)
    assert Decontaminate().needs() == ("text.prompt_key", "embedding.vector")
    assert WORDS_ONLY.needs() == ("text.prompt_key",)


def test_unicode_forms_do_not_hide_a_leak() -> None:
    prompt = "黑豹队的防守丢了多少分?这是一个测试问题。"
    full_width = prompt.replace("?", "\uff1f")
    assert decide([(f"请回答:{full_width}", "308")], [(prompt, "308")]).action == ["dropped"]


def test_no_target_is_an_error_and_an_empty_one_is_not() -> None:
    columns = Columns(np.array(["r000000"], dtype=object), {"text.prompt_key": np.array([None], dtype=object)})
    with pytest.raises(UsageError, match="add a target"):
        WORDS_ONLY.decide(columns, lookup([("a", "b")]), None)
    assert WORDS_ONLY.decide(columns, lookup([("a", "b")]), target([])).action == ["kept"]


def test_empty_texts_on_both_sides() -> None:
    assert decide([("", ""), ("?", "")], [("", ""), ("!", "")]).action == ["kept", "kept"]
