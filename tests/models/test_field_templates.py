"""Templates as published models have them: each mechanism in the smallest form, with what is learned through it."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from dataflywheel.contracts import UsageError
from dataflywheel.models.templates.chat import Chat, ChatFormat
from dataflywheel.models.templates.chat_template import merge_system
from dataflywheel.rows.schema import message
from tests.models.template_rows import AGAIN, ANSWER, COLD, FOLLOW, LOOKED, QUESTION, SEEN, TOOLS, thinking
from tests.models.test_chat import tokenizer

ASK = "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
CHATML = "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor %}" + ASK
OPEN, SHUT = "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' }}", "{{ '<|im_end|>\n' }}{% endfor %}" + ASK
NAMES = "{% for t in tools %}{{ t.function.name }}{% endfor %}"
CALLS = "{{ m.content }}{% for c in m.tool_calls or [] %}{{ c.function.name + ' ARGUMENTS' }}{% endfor %}"
JOINED = OPEN + CALLS.replace("ARGUMENTS'", "' + c.function.arguments") + SHUT
PRINTED = OPEN + CALLS.replace("ARGUMENTS'", "' ~ c.function.arguments") + SHUT
# As Command R7B: the next answer is asked for behind every conversation.
ALWAYS = CHATML.replace("{% if add_generation_prompt %}", "").replace("{% endif %}", "")
# As Nemotron Nano 2: thoughts are opened before the last answer, whatever it says, and dropped from earlier ones.
OPENS = (
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' }}"
    "{% if m.role == 'assistant' and loop.last %}{{ '<think>\n' + m.content }}"
    "{% else %}{{ m.content.split('</think>')[-1] | trim }}{% endif %}{{ '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n<think>\n' }}{% endif %}"
)
# As Magistral: thoughts are a part of the content.
PARTS = (
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' }}{% if m.content is string %}{{ m.content }}{% else %}"
    "{% for part in m.content %}{% if part['type'] == 'thinking' %}{{ '[THINK]' + part['thinking'] + '[/THINK]' }}"
    "{% else %}{{ part['text'] }}{% endif %}{% endfor %}{% endif %}{{ '<|im_end|>\n' }}{% endfor %}" + ASK
)
FIRST = "{% if messages[0].role == 'system' %}{{ messages[0].content }}{% endif %}" + CHATML
BACKWARDS = CHATML.replace("in messages", "in messages | reverse")
SWITCHED = CHATML.replace("m.content", "m.content.replace('/no_think', '').strip()")
SAID = "It is four.<|im_end|>"
THOUGHT = thinking(ANSWER, "Twice two.")


def learned(template: Any, row: Chat, tokens: Any = None) -> list[str] | str:
    """What is learned, turn by turn, or why nothing is."""
    made = copy.deepcopy(tokens or tokenizer(None))
    made.chat_template = template
    found = ChatFormat(made).examples([row], 999)
    if not found[0].ids:
        return found[0].reason
    return [made.decode(one.ids[span.start : span.end]) for one in found for span in one.spans]


@pytest.mark.parametrize(
    ("template", "turns", "expected"),
    [
        (FIRST, [ANSWER, FOLLOW, AGAIN], [SAID, "It is six.<|im_end|>"]),
        (ALWAYS, [QUESTION, ANSWER, FOLLOW, AGAIN], [SAID, "It is six.<|im_end|>"]),
        (OPENS, [QUESTION, THOUGHT], ["<think>\nTwice two.\n</think>\n\n" + SAID]),
        (OPENS, [QUESTION, ANSWER], ["<think>\n</think>\n\n" + SAID]),
        (OPENS, [QUESTION, message("assistant", "<think>Hm.</think>It is four.")], ["<think>\nHm.</think>" + SAID]),
        (
            OPENS,
            [QUESTION, THOUGHT, FOLLOW, AGAIN],
            ["<think>\nTwice two.\n</think>\n\n" + SAID, "<think>\n</think>\n\nIt is six.<|im_end|>"],
        ),
        (PARTS, [QUESTION, THOUGHT, FOLLOW, AGAIN], ["[THINK]Twice two.[/THINK]" + SAID, "It is six.<|im_end|>"]),
        (BACKWARDS, [QUESTION, ANSWER], "the chat template shows turn 1 (user) within turn 2 (assistant)"),
        (SWITCHED, [message("system", "/no_think Be terse."), QUESTION, ANSWER], [SAID]),
        (SWITCHED, [message("user", "Two and two? /no_think"), ANSWER], [SAID]),
        (
            SWITCHED,
            [QUESTION, message("assistant", "Say /no_think.")],
            "the chat template leaves out the text of",
        ),
    ],
    ids=lambda value: "" if isinstance(value, str) and "{%" in value else None,
)
def test_what_is_learned(template: str, turns: list[Any], expected: Any) -> None:
    found = learned(template, Chat(turns))
    assert found.startswith(expected) if isinstance(found, str) else found == expected


@pytest.mark.parametrize("template", [JOINED, PRINTED], ids=["joined", "printed"])
def test_arguments_of_calls_are_json_where_a_template_wants_them_as_text(template: str) -> None:
    turns = [*LOOKED, SEEN, COLD]
    assert learned(template, Chat(turns)) == ['weather {"city": "Oslo"}<|im_end|>', "It is cold there.<|im_end|>"]
    assert learned(template, Chat(turns, TOOLS)) == "the chat template leaves out the tools", "a call is no tool"


def test_a_word_that_names_a_tool_is_not_the_tool() -> None:
    tools = json.dumps([{"type": "function", "function": {"name": "time", "parameters": {}}}])
    call = json.dumps([{"type": "function", "function": {"name": "time", "arguments": {}}}])
    asked, answer = message("user", "What time is it now?"), message("assistant", "The time is noon.")
    assert learned(CHATML, Chat([asked, answer], tools)) == "the chat template leaves out the tools"
    named = [message("user", "time"), answer]
    both = {"default": CHATML, "tool_use": NAMES + CHATML}
    assert learned(both, Chat(named, tools)) == ["The time is noon.<|im_end|>"]
    looked = [asked, message("assistant", "I look at the time.", call)]
    assert learned(CHATML, Chat(looked)) == "the chat template leaves out the tool calls of turn 2 (assistant)"


def test_rows_with_tools_are_shown_by_the_template_that_is_named_for_them() -> None:
    # As Hermes and Command R: it cannot be rendered without tools.
    named = {"default": CHATML, "tool_use": NAMES + OPEN + CALLS.replace("ARGUMENTS'", "' ~ c.id") + SHUT, "rag": "x"}
    assert learned(named, Chat([QUESTION, ANSWER])) == [SAID]
    plain = json.loads(LOOKED[1]["tool_calls"] or "")
    plain[0]["function"]["arguments"] = {}
    looked = [LOOKED[0], message("assistant", "", json.dumps(plain))]
    assert learned(named, Chat(looked, TOOLS)) == ["weather call12345<|im_end|>"]
    assert learned({"only": CHATML}, Chat([QUESTION, ANSWER])) == [SAID]
    with pytest.raises(UsageError, match="one must be called `default`"):
        learned({"a": CHATML, "b": CHATML}, Chat([QUESTION, ANSWER]))


def test_named_templates_are_merged_one_by_one() -> None:
    strict = "{% if messages[0].role == 'system' %}{{ raise_exception('no') }}{% endif %}"
    made = copy.deepcopy(tokenizer(None))
    made.chat_template = {"default": strict + CHATML, "tool_use": NAMES + CHATML}
    assert merge_system(made)
    assert made.chat_template["tool_use"] == NAMES + CHATML
    row = Chat([message("system", "Be terse."), QUESTION, ANSWER])
    assert learned(made.chat_template, row) == [SAID]


def blank_first() -> Any:
    """Pieces with a blank before the first word of a text, and merges across what stands around turns."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    merges = [("n", "\n"), ("\n", "I"), ("n\n", "I"), (".", "\n"), (".\n", "Q")]
    letters = sorted(set("assistantQuestion:It is four.\n") | {"\u2581"})
    pieces = ["<unk>", "</s>", *letters, *(a + b for a, b in merges)]
    made = Tokenizer(models.BPE({piece: i for i, piece in enumerate(pieces)}, merges, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    made.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.Fuse()])
    return PreTrainedTokenizerFast(tokenizer_object=made, eos_token="</s>", unk_token="<unk>")


def test_a_token_over_the_border_of_a_turn_gives_neither_a_blank_nor_the_next_header() -> None:
    template = "{% for m in messages %}{{ 'Question\n' + m.content + '\n' }}{% endfor %}"
    template += "{% if add_generation_prompt %}{{ 'Question\n' }}{% endif %}"
    user, answer = message("user", "I is"), message("assistant", "It is four.")
    assert learned(template, Chat([user, answer, user, answer]), blank_first()) == ["It is four.", "It is four.\n"]
