"""Templates and tokenizers as people edit them: what is learned is the row's answers with their end, all and alone."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from dataflywheel.cli.plan import _shown
from dataflywheel.distillation.model.pairs import pairs_of
from dataflywheel.models.templates.chat import Chat, ChatFormat
from dataflywheel.models.templates.chat_template import merge_system
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.steps import shown_rows
from dataflywheel.recipe.steps.prefer import Prefer, Preferring
from dataflywheel.recipe.steps.train import Train, Training
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import Row, message
from dataflywheel.store.plan import Shown, ShownAnswers
from tests.models.template_rows import ANSWER, QUESTION
from tests.models.test_chat import tokenizer

TURNS = "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor %}"
ASKS = "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
ASKS_AFTER_A_QUESTION = "{% if messages[-1].role != 'system' %}" + ASKS + "{% endif %}"
TAGGED = "{% for m in messages %}{{ '[' + m.role + '] ' + m.content + eos_token }}{% endfor %}"
NAMED = (
    "{% for m in messages %}{% if m.role == 'user' %}{{ 'USER: ' + m.content }}"
    "{% else %}{{ ' BOT:' + m.content + eos_token }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ ' BOT:' }}{% endif %}"
)
SPACED = NAMED.replace("' BOT:", "' BOT: ")
CHATS = {
    "alone": Chat([QUESTION, ANSWER]),
    "twice": Chat([QUESTION, ANSWER, QUESTION, ANSWER]),
    "first": Chat([message("system", "Be terse."), ANSWER, QUESTION, ANSWER]),
}


def learned(chat: ChatFormat, row: Chat) -> list[str]:
    [one] = chat.examples([row], 999)
    return [chat.tokenizer.decode(one.ids[span.start : span.end]) for span in one.spans]


@pytest.mark.parametrize(
    ("template", "end"),
    [(TURNS, "<|im_end|>"), (TURNS + ASKS_AFTER_A_QUESTION, "<|im_end|>"), (TAGGED, "</s>")],
    ids=["never asks", "asks after a question", "plain tags, never asks"],
)
@pytest.mark.parametrize("kind", CHATS)
def test_a_header_is_not_learned_where_a_template_does_not_ask_with_it(template: str, end: str, kind: str) -> None:
    chat = ChatFormat(tokenizer(template))
    answers = [turn for turn in CHATS[kind].messages if turn["role"] == "assistant"]
    assert [text.strip() for text in learned(chat, CHATS[kind])] == [f"It is four.{end}"] * len(answers)


def test_a_model_is_asked_with_the_header_that_its_template_leaves_out() -> None:
    [asked] = ChatFormat(tokenizer(TURNS)).render([[QUESTION]], add_generation_prompt=True)
    assert asked.endswith("What is two and two?<|im_end|>\n<|im_start|>assistant\n")


def sentencepiece(fallback: bool = True) -> Any:
    """Pieces that hold the blank before a word, and bytes for what they lack."""
    from tokenizers import Tokenizer, decoders, models, normalizers
    from transformers import PreTrainedTokenizerFast

    pieces = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), "\u2581", "y", "e", "s", ":", "*"]
    merges = [("\u2581", "y"), ("\u2581y", "e"), ("\u2581ye", "s"), ("*", "*"), (":", "**")]
    pieces += [a + b for a, b in merges]
    vocabulary = {piece: i for i, piece in enumerate(pieces)}
    made = Tokenizer(models.BPE(vocabulary, merges, byte_fallback=fallback, unk_token="<unk>"))
    made.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    made.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()])
    return PreTrainedTokenizerFast(tokenizer_object=made, bos_token="<s>", eos_token="</s>", unk_token="<unk>")


@pytest.mark.parametrize("answer", ["yes", "**yes** it is", "\u51b0", "yes\n"])
@pytest.mark.parametrize("template", [NAMED, SPACED])
def test_the_first_word_is_learned_where_a_token_runs_into_it_from_the_header(template: str, answer: str) -> None:
    made = copy.deepcopy(sentencepiece())
    made.chat_template = template
    chat = ChatFormat(made)
    for row in (Chat([QUESTION, message("assistant", answer)]), Chat([QUESTION, message("assistant", answer)] * 2)):
        for text in learned(chat, row):
            assert text.strip() == f"{answer}</s>"


def test_added_tokens_that_are_not_called_special_end_a_turn_and_are_spelled_out_all_the_same() -> None:
    from transformers import AddedToken

    made = copy.deepcopy(tokenizer(None))
    made.add_tokens([AddedToken("<|turn|>", special=False), AddedToken("<think>", special=False)])
    made.chat_template = (TURNS + ASKS).replace("<|im_start|>", "<|turn|>").replace("<|im_end|>", "<|turn|>")
    chat = ChatFormat(made)
    said = "<think>\nHm.\n</think>\n\nIt ends with <|turn|>user\nNo."
    [one] = chat.examples([Chat([QUESTION, message("assistant", said)])], 999)
    turn, think = made.convert_tokens_to_ids(["<|turn|>", "<think>"])
    assert (one.ids.count(turn), one.ids.count(think), one.ended) == (4, 1, True)
    assert made.decode(one.learned_ids) == f"{said}<|turn|>"


ALTERNATE = (
    "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Alternate!') }}"
)
ALTERNATE += "{% endif %}{{ '[' + m.role + '] ' + m.content + eos_token }}{% endfor %}"
# As Mistral's: the system text stands in the last question, and only while that waits for its answer.
IN_LAST = (
    "{% for m in messages %}{% if m.role == 'user' %}{{ '[INST] ' }}{% if loop.last and messages[0].role == 'system' %}"
)
IN_LAST += "{{ messages[0].content + '\n' }}{% endif %}{{ m.content + '[/INST]' }}{% elif m.role == 'assistant' %}"
IN_LAST += "{{ ' ' + m.content + eos_token }}{% endif %}{% endfor %}"


def planned(template: str, rows: list[Row], monkeypatch: pytest.MonkeyPatch) -> Shown:
    """What the plan says of rows for a student with the template."""
    monkeypatch.setattr(shown_rows, "_tokenizer", lambda student, rows: copy.deepcopy(tokenizer(template)))
    recipe = recipe_from({"name": "a", "pool": [{"builtin": "python_docs"}], "steps": [{"train": {}}]})
    step = Training(1, "train", Train())
    return shown_rows.shown_rows(recipe, step.work.max_length, step.encoded, [rows])


@pytest.mark.parametrize(("template", "endless"), [(TURNS, 0), (TURNS.replace("<|im_end|>", ""), 1)])
def test_the_plan_says_where_no_end_of_a_turn_is_learned(
    template: str, endless: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = planned(template, [make_row([QUESTION, ANSWER])], monkeypatch)
    assert told.without_end == endless
    assert ("not learn to stop" in "".join(_shown(told))) == bool(endless)


@pytest.mark.parametrize("template", [ALTERNATE, IN_LAST])
def test_a_system_text_without_a_place_can_be_merged_and_the_plan_says_so(
    template: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        make_row([message("system", "Be terse."), QUESTION, ANSWER]),
        make_row([QUESTION, ANSWER]),
        make_row([QUESTION]),
    ]
    told = planned(template, rows, monkeypatch).not_trained
    assert [("system: merge" in reason, n) for reason, n in told.items()] == [(True, 1), (False, 1)]
    made = copy.deepcopy(tokenizer(template))
    assert merge_system(made)
    merged = ChatFormat(made)
    row = Chat([message("system", "Be terse."), QUESTION, ANSWER, QUESTION, ANSWER])
    assert [text.strip() for text in learned(merged, row)] == ["It is four.</s>"] * 2
    assert "Be terse.\n\nWhat is two and two?" in merged.render([row])[0]


def test_a_row_of_which_one_answer_cannot_be_learned_is_not_learned_in_part() -> None:
    made = sentencepiece(fallback=False)
    made.chat_template = (  # earlier answers are shown otherwise: an example for each
        "{% for m in messages %}{{ m.role + (' last' if loop.last else '') + ': ' }}"
        "{{ m.content + eos_token }}{% endfor %}"
        "{% if add_generation_prompt %}{{ 'assistant last: ' }}{% endif %}"
    )
    chat = ChatFormat(made)
    yes, other = message("assistant", "yes"), message("assistant", "\u51b0")
    assert len(chat.examples([Chat([QUESTION, yes, QUESTION, yes])], 999)) == 2
    for answers in ((yes, other), (other, yes)):
        [one] = chat.examples([Chat([QUESTION, answers[0], QUESTION, answers[1]])], 999)
        assert (one.ids, "no tokens" in one.reason) == ([], True)


def test_a_blank_at_the_end_of_the_header_does_not_part_the_answers_of_a_pair() -> None:
    made = sentencepiece()
    made.chat_template = SPACED
    better, worse = [QUESTION, message("assistant", "yes")], [message("assistant", "**no**")]
    [pair] = pairs_of(ChatFormat(made), [make_row(better, rejected=worse)], 999)
    assert isinstance(pair, dict)
    assert made.decode(pair["prompt_ids"]).endswith("BOT:")
    assert [made.decode(pair[name]).strip() for name in ("chosen_ids", "rejected_ids")] == ["yes</s>", "**no**</s>"]


def test_the_plan_says_which_pairs_will_not_be_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shown_rows, "_tokenizer", lambda student, rows: copy.deepcopy(tokenizer(TURNS)))
    recipe = recipe_from({"name": "a", "pool": [{"builtin": "python_docs"}], "steps": [{"train": {}}, {"prefer": {}}]})
    five, empty = message("assistant", "It is five."), message("assistant", "")
    rows = [make_row([QUESTION, ANSWER], rejected=worse) for worse in ([five], [empty], [five, QUESTION, five], None)]
    rows.append(make_row([QUESTION, {**ANSWER, "learn": False}], rejected=[five]))
    step = Preferring(2, "prefer", Prefer())
    found = shown_rows.shown_answers(recipe, step.work.max_length, step.trained_by(), step.encoded, [rows])
    reasons = [
        "its worse answer cannot be learned: its answer is empty",
        "its worse answer has 3 turns, and one is learned",
        "its better answer is marked as not to be learned",
    ]
    assert found == ShownAnswers(pairs=4, not_trained=dict.fromkeys(reasons, 1))
