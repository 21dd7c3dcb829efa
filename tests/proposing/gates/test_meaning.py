from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.pairs import abroad, abroad_kept, forms, tuned
from benchmarks.pairs.lines import every_second
from dataflywheel.models.spec import EmbedderSpec
from dataflywheel.proposing.gates.meaning import Meaning
from dataflywheel.proposing.kinds import Surroundings
from dataflywheel.signals.model.model_based import embed_texts
from tests.proposing.gates.proposals import check, new, rewrite
from tests.signals.rows import json_lines

WORDS = Meaning(least=None)
STATIC = EmbedderSpec(builtin="static")
TOM = "Tom has 3 apples and Ann has 5 kg of pears. They cannot sell them in Rome."


@pytest.mark.parametrize(
    ("after", "reason"),
    [
        (TOM.replace("cannot", "can"), "negation changed"),
        (TOM.replace("cannot", "can") + " It is not so.", "negation changed"),
        (TOM.replace("3", "4"), "numbers changed"),
        (TOM.replace("3", "#").replace("5", "3").replace("#", "5"), "numbers swapped"),
        (TOM.replace("5 kg", "5"), "units changed"),
        (TOM.replace("Rome", "Paris"), "names changed"),
        (TOM.replace("Ann", "#").replace("Rome", "Ann").replace("#", "Rome"), "names swapped"),
        (TOM + " They paid 9 for it.", "numbers changed"),
        (TOM + " They met Zoe there.", "names changed"),
    ],
)
def test_what_changes_the_meaning_is_named(after: str, reason: str) -> None:
    found = check(WORDS, rewrite(("Sum up.", TOM), ("Sum up.", after)))
    assert (found.passed, found.reason) == (False, reason)
    assert found.detail


@pytest.mark.parametrize(
    "after",
    [
        TOM.replace("cannot", "can't"),
        TOM.replace("3", "three"),
        TOM.replace("5 kg", "5.0 kilograms"),
        TOM.lower(),
        "They cannot sell them in Rome. Ann has 5 kg of pears and Tom has 3 apples.",
        "  Tom has 3  apples and Ann has\t5 kg of pears.  They cannot sell them in Rome. ",
        TOM.replace("apples", "red apples"),
    ],
)
def test_other_words_for_the_same_pass(after: str) -> None:
    assert check(WORDS, rewrite(("Sum up.", TOM), ("Sum up.", after))).passed


@pytest.mark.parametrize("additions", [False, True])
@pytest.mark.parametrize("passes", [False, True])
def test_sentences_of_every_kind_are_judged_alone_and_among_others(passes: bool, additions: bool) -> None:
    gate = Meaning(least=None, additions=additions)
    desk = "On the desk lay a grey folder with papers that the clerk had read."
    given = (tuned.KEPT | every_second(forms.KEPT, 0)) if passes else (tuned.BROKEN | every_second(forms.BROKEN, 0))
    for kind, sentences in given.items():
        for one, other in sentences:
            for lead in ("", f"{desk}\n"):
                before, after = lead + one, lead + other
                found = check(gate, rewrite(("Rewrite.", before), ("Rewrite.", after)))
                assert found.passed is passes, (kind, one, other, found)


@pytest.mark.parametrize("passes", [False, True])
def test_scope_and_denial_are_read_in_nine_other_languages(passes: bool) -> None:
    given = every_second(abroad_kept.KEPT if passes else abroad.BROKEN, 0)
    found = {pair: check(WORDS, rewrite(("", pair[0]), ("", pair[1]))) for some in given.values() for pair in some}
    assert [pair for pair, verdict in found.items() if verdict.passed is not passes] == []


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ("Ann is taller than Ben.", "Ben is shorter than Ann.", ""),
        ("Yes. In May, gold was dearer than tin. Bye.", "Yes. In May, tin was cheaper than gold. Bye.", ""),
        ("The bank is west of the old mill.", "The old mill is east of the bank.", ""),
        ("The nurse is as old as the doctor.", "The doctor is as old as the nurse.", ""),
        ("The cat sat near the dog.", "The dog sat near the cat.", ""),
        ("The man saw the other man.", "the man saw the other man.", ""),
        ("My brother and a friend left.", "A friend and my brother left.", ""),
        ("The nurse is not as old as the doctor.", "The doctor is not as old as the nurse.", "sides exchanged"),
        ("The box is wider than the door.", "The door is wider than the box.", "sides exchanged"),
        ("The bank is west of the old mill.", "The old mill is west of the bank.", "sides exchanged"),
        ("The dog chased the cat.", "The cat chased the dog.", "sides exchanged"),
        ("Your teacher lent my sister a pen.", "My sister lent your teacher a pen.", ""),
        ("Ann is taller than Ben.", "Ann is shorter than Ben.", "opposites changed"),
        ("Ann is taller than Ben.", "Ben is taller than Ann.", "sides exchanged"),
        ("Ann lent Ben a pen.", "Ben lent Ann a pen.", "names swapped"),
    ],
)
def test_comparisons_may_be_turned_round_and_sides_may_not_be_exchanged(before: str, after: str, reason: str) -> None:
    assert check(WORDS, rewrite(("", before), ("", after))).reason == reason


def test_expert_revisions_pass_and_the_same_with_planted_damage_do_not(data: Path) -> None:
    revising = Meaning(least=None, additions=True)
    rows = json_lines(data / "coachlm_revisions" / "expert_revisions.jsonl.gz")[::12]
    pairs = [
        (
            (f"{r['Raw Instruction']}\n{r['Raw Input']}", r["Raw Response"]),
            (f"{r['Revised Instruction']}\n{r['Revised Input']}", r["Revised Response"]),
        )
        for r in rows
    ]
    rejected = [not found.passed for found in revising.check([rewrite(*pair) for pair in pairs], Surroundings())]
    assert np.mean(rejected) < 0.12
    damaged = [
        rewrite(raw, (raw[0], raw[1].replace(old, new, 1)))
        for raw, _ in pairs
        for old, new in ((" is ", " is not "), (" are ", " aren't "), (" can ", " cannot "), (" not ", " "))
        if old in raw[1]
    ]
    assert len(damaged) > 80
    assert np.mean([not found.passed for found in revising.check(damaged, Surroundings())]) >= 0.97


def test_a_unit_is_lost_where_the_same_quantity_stands_elsewhere() -> None:
    text = "Tom bought 5 kg of pears on Monday morning. Ann sold 5 kg of apples in the afternoon."
    for additions in (False, True):
        gate = Meaning(least=None, additions=additions)
        assert not check(gate, rewrite(("Say it.", text), ("Say it.", text.replace("5 kg", "5", 1)))).passed


def test_a_text_too_long_to_compare_is_said_to_be() -> None:
    found = check(WORDS, rewrite(("Say it.", "word " * 50_000), ("Say it.", "words " * 50_000)))
    assert (found.passed, found.reason) == (False, "too long to compare")


def test_a_revision_may_add_but_not_lose() -> None:
    revising = Meaning(least=None, additions=True)
    longer = TOM + " They sold 7 plums to Zoe at https://a.example, with `print(1)`."
    assert check(revising, rewrite(("Sum up.", TOM), ("Sum up.", longer))).passed
    lost = check(revising, rewrite(("Sum up.", longer), ("Sum up.", TOM)))
    assert (lost.passed, lost.reason) == (False, "code changed")
    other = check(revising, rewrite(("Sum up.", TOM), ("Sum up.", TOM.replace("Ann has", "Zoe has") + " Ann left.")))
    assert other.reason == "names swapped"


@pytest.mark.parametrize("additions", [False, True])
@pytest.mark.parametrize(
    ("before", "after", "passes"),
    [
        # Few words of a language that English writes too say nothing of the language.
        ("Every student passed.", "No student passed.", False),
        ("A isn't equal to B.", "A is equal to B.", False),
        ("Keine Katze mag Wasser.", "Jede Katze mag Wasser.", False),
        ("A man with no money.", "A man without money.", True),
        ("Take one and a half tablets daily.", "Take one and a quarter tablets daily.", False),
        ("It doubled in size.", "It tripled in size.", False),
        ("x < 5", "x > 5", False),
        ("x \u2264 5", "x \u2265 5", False),
        ("It holds for a == b.", "It holds for a != b.", False),
        ("Set it in <b>bold</b> and 3 > 2.", "Set it in <i>bold</i> and 3 > 2.", True),
        ("The vaccine prevents infection.", "The vaccine causes infection.", False),
        ("He refused to sign.", "He agreed to sign.", False),
        ("The light is on.", "The light is off.", False),
        ("The reaction is exothermic.", "The reaction is endothermic.", False),
        ("Don't forget to save the file.", "Forget to save the file.", False),
        ("Make sure to save the file.", "Don't forget to save the file.", True),
        ("Don't hesitate to ask.", "Feel free to ask.", True),
        ("Founded in nineteen ninety-nine.", "Founded in 1999.", True),
        ("In the 1990s music was great.", "In the 1990's music was great.", True),
    ],
)
def test_short_sentences_are_read_as_english_and_what_they_claim_is_compared(
    before: str, after: str, passes: bool, additions: bool
) -> None:
    gate = Meaning(least=None, additions=additions)
    assert check(gate, rewrite(("Sum up.", before), ("Sum up.", after))).passed == passes


def test_code_links_and_options_stay_letter_for_letter() -> None:
    question = "Which?\nA) red\nB) green\nSee https://a.example/x and `f(x)`.\n```py\nx = 1\n```"
    for old, fresh, reason in (
        ("x = 1", "x = 2", "code changed"),
        ("f(x)", "f(y)", "code changed"),
        ("a.example/x", "a.example/y", "links changed"),
        ("A) red\nB) green", "A) green\nB) red", "options changed"),
    ):
        after = (question.replace(old, fresh), "The answer is (B).")
        assert check(WORDS, rewrite((question, "The answer is (B)."), after)).reason == reason
    letter = check(WORDS, rewrite((question, "The answer is (B)."), (question, "The answer is (A).")))
    assert letter.reason == "options changed"
    assert check(WORDS, rewrite((question, "The answer is (B)."), (question, "Answer: b"))).passed


def test_the_compared_part_and_the_kept_invariants_are_chosen() -> None:
    changed = rewrite(("Add 1 and 2.", "It is 3."), ("Add 1 and 2.", "It is 4."))
    assert not check(WORDS, changed).passed
    assert check(Meaning(least=None, part="prompt"), changed).passed
    assert check(Meaning(least=None, keep=("names", "negation")), changed).passed


def test_a_new_row_has_nothing_to_keep() -> None:
    assert check(Meaning(), new("Add 1 and 2.", "It is 3.")).passed


def test_the_band_of_similarity_is_the_cosine_of_the_embedder() -> None:
    pair = ("The weather is nice today.", "It is sunny and pleasant outside.")
    vectors = embed_texts(STATIC, pair)[0]
    cosine = float(vectors[0] @ vectors[1])
    proposal = rewrite(("Say it.", pair[0]), ("Say it.", pair[1]))
    assert check(Meaning(part="answer", embedder=STATIC, least=cosine - 0.01), proposal).facts[
        "cosine"
    ] == pytest.approx(cosine)
    assert check(Meaning(part="answer", embedder=STATIC, least=cosine + 0.01), proposal).reason == "too far in meaning"
    assert (
        check(Meaning(part="answer", embedder=STATIC, least=None, most=cosine - 0.01), proposal).reason
        == "nothing changed"
    )


def test_what_cannot_be_embedded_is_no_similarity() -> None:
    found = check(Meaning(part="answer", embedder=STATIC), rewrite(("Say it.", "Hello there."), ("Say it.", "")))
    assert (found.passed, found.reason) == (False, "similarity unknown")


@given(st.text(max_size=300))
def test_a_text_keeps_its_own_meaning(text: str) -> None:
    assert check(WORDS, rewrite(("Say it.", text), ("Say it.", text))).passed


def test_planted_changes_in_real_rows_are_found_and_spacing_is_none(data: Path) -> None:
    rows = [(r["question"], r["answer"]) for r in json_lines(data / "gsm8k" / "train.jsonl.gz")[:150]]
    rng = random.Random(0)
    broken, kept = [], []
    for prompt, answer in rows:
        kept.append(rewrite((prompt, answer), (f" {prompt} ".replace(" ", "  "), answer + " \n")))
        places = [i for i, c in enumerate(prompt) if c.isdigit() and c != "9"]
        if places:
            at = rng.choice(places)
            digit = str(int(prompt[at]) + 1)
            broken.append(rewrite((prompt, answer), (prompt[:at] + digit + prompt[at + 1 :], answer)))
        if " is " in prompt:
            broken.append(rewrite((prompt, answer), (prompt.replace(" is ", " is not ", 1), answer)))
    assert len(broken) > 150
    assert all(found.passed for found in WORDS.check(kept, Surroundings()))
    assert np.mean([not found.passed for found in WORDS.check(broken, Surroundings())]) >= 0.98


def test_an_answer_about_something_else_is_not_hidden_by_a_long_prompt() -> None:
    asked = "What does the class of abstract base classes say of registering a virtual subclass of it? " * 2
    before = (asked, "It registers a virtual subclass of the abstract base class.")
    assert not check(
        Meaning(additions=True), rewrite(before, (asked, "It happened in the rainy summer of the year."))
    ).passed
    assert check(
        Meaning(additions=True), rewrite(before, (asked, f"{before[1]} Registered ones are known to it."))
    ).passed
