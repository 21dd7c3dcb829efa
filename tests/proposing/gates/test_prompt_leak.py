from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.models.endpoint.quoting import quote
from dataflywheel.proposing.gates.prompt_leak import PromptLeak, longest_run
from dataflywheel.proposing.kinds import Surroundings
from tests.proposing.gates.proposals import check, new, rewrite
from tests.signals.rows import json_lines

RULES = "Rewrite the given task so that it needs one more step of reasoning. Do not answer it."


def test_instructions_that_come_back_are_found() -> None:
    leaked = new("Rewrite the given task, so that it NEEDS one more step.", "Yes.", shown=(RULES,))
    found = check(PromptLeak(), leaked)
    assert (found.reason, found.facts["leaked_words"]) == ("prompt leaked", 11)
    assert check(PromptLeak(words=12), leaked).passed
    assert check(PromptLeak(), new("Bake a cake in two steps.", "Mix, then bake.", shown=(RULES,))).passed


def test_a_demonstration_that_comes_back_in_the_answer_is_found() -> None:
    shown = ("The quick brown fox jumps over the lazy dog at noon.",)
    answer = "Well, the quick brown fox jumps over the lazy dog."
    assert not check(PromptLeak(), new("Tell.", answer, shown=shown)).passed


def test_words_of_the_row_or_its_source_are_excused() -> None:
    task = "Say why the quick brown fox jumps over the lazy dog."
    kept = rewrite((task, "Fun."), (f"{task} Use two steps.", "Fun, and play."), shown=(task,))
    assert check(PromptLeak(), kept).passed
    assert check(PromptLeak(), new("What is said?", task, shown=(task,), source=f"They said: {task}")).passed


def test_marks_betray_a_prompt_unless_the_row_had_them() -> None:
    assert check(PromptLeak(), new("#Rewritten Prompt#: do it", "Done.")).reason == "prompt leaked"
    assert check(PromptLeak(), new("Do it.", "Done.<|im_end|>")).reason == "prompt leaked"
    assert check(PromptLeak(), rewrite(("What is [INST]?", "A mark."), ("What is [INST]?", "One mark."))).passed
    assert check(PromptLeak(marks=()), new("Do it.", "Done.<|im_end|>")).passed


def test_a_fence_of_quoted_material_betrays_a_question_and_markup_does_not() -> None:
    quoted = quote({"instruction": "Bake a cake."})
    assert quoted.splitlines()[0] in check(PromptLeak(), new(quoted, "Mix.")).detail
    assert not check(PromptLeak(), new("Bake.", f"Mix.\n  {quoted.splitlines()[-1].upper()}")).passed
    assert check(PromptLeak(), rewrite((quoted, "Mix."), (quoted, "Mix, then bake."))).passed
    for line in ("<td width=1200>", "<p>dead beef</p>", "see <instruction 4947> there", "<instruction>", "<b 12>"):
        assert check(PromptLeak(), new(f"Show\n{line}\nhere.", "Yes.")).passed


words = st.lists(st.sampled_from(["ab", "cd", "ef", "gh"]), max_size=14)


@given(words, words, words)
def test_the_longest_run_is_that_of_a_plain_search(text: list[str], shown: list[str], excused: list[str]) -> None:
    def grams(of: list[str]) -> set[tuple[str, ...]]:
        return {tuple(of[i : i + 3]) for i in range(len(of) - 2)}

    leaked = grams(shown) - grams(excused)
    longest = 0
    for start in range(len(text)):
        for end in range(start + 3, len(text) + 1):
            if grams(text[start:end]) <= leaked:
                longest = max(longest, end - start)
    assert longest_run(" ".join(text), [" ".join(shown)], [" ".join(excused)], 3) == longest


def test_rows_that_people_wrote_do_not_leak_the_seeds_of_others(data: Path) -> None:
    shown = tuple(r["instruction"] for r in json_lines(data / "self_instruct" / "seed_tasks.jsonl"))
    rows = json_lines(data / "dolly" / "dolly_pool.jsonl.gz")[:500]
    checks = PromptLeak().check([new(r["instruction"], r["output"], shown=shown) for r in rows], Surroundings())
    assert sum(not found.passed for found in checks) <= 1


def test_a_heading_that_only_begins_like_a_mark_is_none() -> None:
    assert check(PromptLeak(), new("How?", "### Instructions for the cake\nMix the eggs.")).passed
    assert not check(PromptLeak(), new("How?", "### Instruction:\nMix the eggs.")).passed


@pytest.mark.parametrize(
    ("answer", "leaks"),
    [
        ("You are an expert at [topic 7842]", True),
        ("As </text 49a7> says, bread rises.", True),
        ("prompt e343 | Mercury is liquid.", True),
        ("See <question 1234> again.", False),
        ("The answer 1234 is right, and question 2024 was easy.", False),
        ("In the text face to face is meant; the answer dead simple.", False),
        ("See [figure 12a4] and (section 4a5b).", False),
        ("The commit [4f2a] answers question 12.", False),
        ("Row 1200 and task 3000 are done.", False),
    ],
)
def test_what_a_question_calls_its_material_betrays_it_within_a_sentence_too(answer: str, leaks: bool) -> None:
    assert check(PromptLeak(), new("Why?", answer)).passed is not leaks
    assert check(PromptLeak(), rewrite((answer, "Yes."), ("Why?", answer))).passed
