"""Every template that TRL ships: a conversation is trained as it stands, or refused with a reason."""

from __future__ import annotations

import os
import re
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflywheel.models.templates.chat import Chat, ChatFormat, as_chat
from dataflywheel.models.templates.chat_template import merge_system
from dataflywheel.rows.schema import Message, message
from tests.models.template_rows import ANSWER, KINDS, QUESTION, names, with_template

TABLE = Path(__file__).resolve().parents[2] / "benchmarks" / "templates.md"
INTRO = """# What chat templates make of rows

Every template that TRL ships, with a small tokenizer, and rows of each kind. "all": every answer is learned, and what
is learned decodes to the row's own text; "apart": likewise, in one example a turn, since the template shows earlier
turns otherwise once others follow; everything else is why the row is refused, before anything is trained. Thoughts are
learned in the family's own form, or as a `<think>` block where a template has none.

`FLYWHEEL_TABLES=1 pytest tests/models/test_templates.py` makes this page anew; the same test fails where it is out of
date, or where a text that is learned is not the row's.
"""


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def verdict(chat: ChatFormat, row: Chat) -> str:
    """What becomes of a row; fails where something is learned that is not the row's, or less than all of it."""
    found = chat.examples([row], 4096)
    if not found[0].ids:
        return found[0].reason.replace("the chat template ", "")
    learned: dict[int, str] = {}
    for one in found:
        for span in one.spans:
            learned[span.turn] = chat.tokenizer.decode(one.ids[span.start : span.end])
    turns = {place: turn for place, turn in enumerate(row.messages) if turn["role"] == "assistant"}
    assert learned.keys() == turns.keys()
    for place, turn in turns.items():
        said = squeezed(learned[place])
        for piece in (turn["reasoning"] or "", turn["content"]):
            assert squeezed(piece) in said or all(squeezed(part) in said for part in re.split("</?think>", piece))
        for call in orjson.loads(turn["tool_calls"] or "[]"):
            assert call["function"]["name"] in said
            assert "Oslo" in said
        others = [other["content"] for other in row.messages if other["role"] != "assistant"]
        assert not any(squeezed(other) in said for other in others)
    return "all" if len(found) == 1 else "apart"


def table() -> str:
    lines = ["| template | " + " | ".join(KINDS) + " |", "| --- |" + " --- |" * len(KINDS)]
    for name in names():
        chat = ChatFormat(with_template(name))
        lines.append(f"| {name} | " + " | ".join(verdict(chat, row) for row in KINDS.values()) + " |")
    return INTRO + "\n" + "\n".join(lines) + "\n"


def test_every_template_trains_a_row_as_it_stands_or_refuses_it() -> None:
    made = table()
    if os.environ.get("FLYWHEEL_TABLES"):
        TABLE.write_text(made, encoding="utf-8")
    assert TABLE.read_text(encoding="utf-8") == made


def learned(chat: ChatFormat, row: Chat, turns: str = "all") -> list[str]:
    found = chat.examples([row], 4096, turns)  # type: ignore[arg-type]
    return [chat.tokenizer.decode(one.ids[s.start : s.end]) for one in found for s in one.spans]


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("qwen3", "thoughts", ["<think>\nTwo and two make four.\n</think>\n\nIt is four.<|im_end|>"]),
        (
            "deepseek_r1_distill",
            "thoughts in the text",
            ["<think>\nTwo and two make four.\n</think>\n\nIt is four.</s>"],
        ),
        ("qwen2_5", "two turns", ["It is four.<|im_end|>", "It is six.<|im_end|>"]),
        ("phi3", "two turns", ["It is four.<|end|>\n</s>", "It is six.<|end|>\n</s>"]),
        (
            "gptoss",
            "thoughts",
            [
                "<|channel|>analysis<|message|>Two and two make four.<|end|>"
                "<|start|>assistant<|channel|>final<|message|>It is four.<|return|>"
            ],
        ),
    ],
)
def test_what_is_learned(name: str, kind: str, expected: list[str]) -> None:
    chat = ChatFormat(with_template(name))
    found = [text.replace("<\uff5cend\u2581of\u2581sentence\uff5c>", "</s>") for text in learned(chat, KINDS[kind])]
    assert found == expected


def test_a_turn_that_must_not_be_learned_is_read_and_not_learned() -> None:
    chat = ChatFormat(with_template("qwen2_5"))
    wrong: Message = {**message("assistant", "It is five."), "learn": False}
    row = Chat([QUESTION, wrong, message("user", "Sure?"), ANSWER])
    assert learned(chat, row) == ["It is four.<|im_end|>"]
    [one] = chat.examples([row], 4096)
    assert "It is five." in chat.tokenizer.decode(one.ids)
    nothing = chat.examples([Chat([QUESTION, wrong])], 4096)[0]
    assert (nothing.ids, nothing.reason) == ([], "all its answers are marked as not to be learned")


def test_only_the_last_turn_is_learned_where_asked() -> None:
    chat = ChatFormat(with_template("qwen2_5"))
    assert learned(chat, KINDS["two turns"], "last") == ["It is six.<|im_end|>"]


def test_rows_that_show_images_or_end_with_a_question_are_refused_by_name() -> None:
    chat = ChatFormat(with_template("qwen2_5"))
    rows = [Chat([QUESTION, ANSWER], media=True), Chat([QUESTION]), Chat([QUESTION, message("assistant", "")])]
    assert [one.reason for one in chat.examples(rows, 99)] == [
        "it shows images or sounds, and only text is learned",
        "it does not end with an answer",
        "its answer is empty",
    ]


def test_a_system_text_that_is_refused_can_be_merged() -> None:
    made = with_template("gemma")
    assert ChatFormat(made).examples([KINDS["system"]], 999)[0].reason.endswith("System role not supported")
    assert merge_system(made)
    merged = ChatFormat(made)
    assert learned(merged, KINDS["system"]) == ["It is four.<end_of_turn>"]
    assert "Be terse.\n\nWhat is two and two?" in merged.render([KINDS["system"]])[0]
    assert learned(merged, KINDS["answer"]) == ["It is four.<end_of_turn>"]
    with_template.cache_clear()


def test_a_template_that_shows_system_texts_is_not_touched() -> None:
    made = with_template("qwen2_5")
    before = made.chat_template
    assert not merge_system(made)
    assert made.chat_template == before


WORDS = st.text(alphabet=st.sampled_from("ab \u00e9\u51b0</>|think{}\n"), min_size=1, max_size=12).filter(str.strip)
TURN = st.builds(lambda content, thoughts: message("assistant", content, reasoning=thoughts), WORDS, st.none() | WORDS)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(WORDS, TURN), min_size=1, max_size=3),
    st.none() | WORDS,
    st.sampled_from(["qwen3", "gemma", "gptoss", "phi3", "deepseekv3", "smolvlm"]),
)
def test_any_conversation_is_trained_as_it_stands_or_refused(
    turns: list[tuple[str, Message]], system: str | None, name: str
) -> None:
    chat = ChatFormat(with_template(name))
    messages = [turn for question, answer in turns for turn in (message("user", question), answer)]
    row = as_chat([message("system", system), *messages] if system else messages)
    found = chat.examples([row], 4096)
    if not found[0].ids:
        assert found[0].reason
        return
    texts = {s.turn: chat.tokenizer.decode(o.ids[s.start : s.end]) for o in found for s in o.spans}
    assert len(texts) == len(turns)
    for place, text in texts.items():
        turn = row.messages[place]
        for piece in (turn["content"], turn["reasoning"] or ""):
            assert squeezed(piece) in squeezed(text)
