"""Thoughts are told from answers in every common form, and a text that talks about tags is left alone."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflywheel.rows.thoughts import marks_thoughts, split_thoughts

SAID = "The sum is 42."
WRITTEN = {
    "think": "<think>\nadd\n</think>\n\n@",
    "the prompt opened them": "Okay, they want a sum.\n</think>\n\n@",
    "attached": "so it is 42</think>@",
    "behind a sentence": "I add the two.</think> @",
    "no thoughts": "<think>\n\n</think>\n\n@",
    "no thoughts, opened by the prompt": "</think>\n\n@",
    "magistral": "[THINK]add[/THINK]@",
    "magistral, opened by the prompt": "add it up.[/THINK]@",
    "thinking": "<thinking>\nadd\n</thinking>\n@",
    "marco": "<Thought>add</Thought>\n<Output>\n@\n</Output>",
    "reka": "<reasoning>add</reasoning><answer>@</answer>",
    "seed": "<seed:think>add<seed:cot_budget_reflect>3</seed:cot_budget_reflect></seed:think>@",
    "longcat": "add.\n</longcat_think>\n@",
    "cohere": "<|START_THINKING|>add<|END_THINKING|><|START_RESPONSE|>@<|END_RESPONSE|>",
    "kimi": "◁think▷add◁/think▷@",
    "gemma": "<|channel>thought\nadd\n<channel|>@<turn|>",
    "apertus": "<|inner_prefix|>add<|inner_suffix|>@",
    "harmony": "<|channel|>analysis<|message|>add<|end|><|start|>assistant<|channel|>final<|message|>@<|return|>",
    "harmony, begun in the prompt": "add<|end|><|start|>assistant<|channel|>final<|message|>@",
    "harmony with a call": "<|start|>assistant<|channel|>analysis<|message|>add<|end|><|start|>assistant<|channel|>"
    "commentary to=functions.x <|constrain|>json<|message|>{}<|call|><|start|>assistant<|channel|>final<|message|>@",
    "harmony without its tokens": "analysisWe add.assistantfinal@",
    "sky": "<|begin_of_thought|>\n\nadd\n\n<|end_of_thought|>\n\n<|begin_of_solution|>\n\n@\n\n<|end_of_solution|>",
    "granite": "Here is my thought process: add.\n\nHere is my response: @",
    "apriel": "Here are my reasoning steps:\nadd\n[BEGIN FINAL RESPONSE]\n@\n[END FINAL RESPONSE]\n<|end|>",
    "ollama's terminal": "Thinking...\nadd\n...done thinking.\n\n@",
    "glm": "<think>add</think><|begin_of_box|>@<|end_of_box|>",
    "open webui": '<details type="reasoning" done="true">\n<summary>Thought</summary>\n> add\n</details>\n@',
    "librechat": ":::thinking\nadd\n:::\n\n@",
    "with the turn's tokens": "<|im_start|>assistant\n<think>\nadd</think>@<|im_end|>",
    "blanks in tags": "< think >add</ THINK >@",
    "tags are talked about within": "<think>A `<think>`, a `</think>`, t.split('</think>')\n</think>\n@",
    "code within": "<think>\n```\n<think>\nx\n</think>\n```\nadd\n</think>\n@",
    "a fence left open": "<think>\n```python\nx = 1\n</think>\n@",
    "nested": "<think>\na\n<think>\nb\n</think>\nc\n</think>\n@",
    "opened twice": "<think>\na\n<think>\nadd\n</think>\n@",
    "an opening tag in a sentence": "<think>Should I use <think> tags? No.</think>@",
    "two blocks": "<think>a</think>\n<think>b</think>\n@",
    "closed twice": "<think>add\n</think>\n</think>\n@",
    "closed by another name": "<thinking>add</think>\n@",
    "apostrophes": "<think>It's done, don't worry</think>@",
}
KEPT = [
    "A tag such as </think> ends a thought.",
    "Wrap it in <think>...</think> tags.",
    "R1 has two tags. <think> opens, and </think> closes.",
    "Use `<think>` and `</think>`.",
    "```\n<think>\na\n</think>\nb\n```",
    "~~~xml\n<thinking>a</thinking>\n~~~\nThat is the form.",
    "The format is:\n<think>\na\n</think>\nb",
    "text.split('</think>')[-1] gives the answer",
    "x = re.sub(r'<think>.*?</think>', '', t)",
    "The tag is called </think>",
    "The closing tag is </think>\nAnd the opening one is <think>.",
    '"<think>" opens the block.',
    "Use [THINK] and [/THINK].",
    "He wrote (</think>), then left.",
    '{"id": "q1", "answer": "It ends with\\n</think>\\nThen the answer."}',
    '```json\n{"id": "q1", "answer": "It ends with</think>Then the answer."}\n```',
    "analysis of the text: fine",
    "Here is my thought process: I add.",
    "a </details> b",
    ":::\nnote\n:::",
    "gpt-oss writes <|channel|>analysis<|message|> before its thoughts.",
    "",
    "  two lines\n and blanks stay \n",
]
CUT = [
    "<think>never ended",
    "<think>",
    "[THINK]so",
    "<|channel|>analysis<|message|>add",
    "<|START_THINKING|>add",
    "<think>closed by `</think>` he s",
    "<think>\n```\n<think>\na\n</think>\n```\nand",
    "analysisWe need to",
    "Okay then.\n</think>",
]


@pytest.mark.parametrize("form", WRITTEN)
def test_thoughts_are_cut_off(form: str) -> None:
    thoughts, answer = split_thoughts(WRITTEN[form].replace("@", SAID))
    assert answer == SAID
    assert bool(thoughts) == ("no thoughts" not in form)
    assert SAID not in thoughts


def test_a_text_that_talks_about_tags_is_left_alone() -> None:
    for text in KEPT:
        assert split_thoughts(text) == ("", text)


def test_thoughts_without_an_end_are_no_answer() -> None:
    for text in CUT:
        assert split_thoughts(text)[1] == ""


def test_later_blocks_are_thoughts_too() -> None:
    parts = split_thoughts("<think>a</think>One.\n<think>b</think>\nTwo.")
    assert parts == ("a\n\nb", "One.\n\nTwo.")
    assert split_thoughts("Sure.\n<think>\nd\n</think>\nTwo.") == ("d", "Sure.\n\nTwo.")
    assert split_thoughts("<think>a</think>One. <think> is a tag.") == ("a", "One. <think> is a tag.")
    assert split_thoughts('<think>a</think>"Yes," she said.') == ("a", '"Yes," she said.')
    assert split_thoughts("<think>a</think>```python\nx\n```") == ("a", "```python\nx\n```")


def test_a_tag_that_is_only_quoted_marks_nothing() -> None:
    assert marks_thoughts('Let me see: <think>perhaps {"score": 1}')
    assert not marks_thoughts('The `<think>` tag is in "<think>".')


@given(st.text(alphabet="ab .\n", max_size=30), st.sampled_from(["think", "thinking", "reasoning", "seed:think"]))
def test_any_plain_thought_comes_back(thought: str, name: str) -> None:
    assert split_thoughts(f"<{name}>{thought}</{name}>\n{SAID}") == (thought.strip(), SAID)


@settings(max_examples=50)
@given(st.text(max_size=60))
def test_a_text_without_tags_stays_as_it_is(text: str) -> None:
    if "<" not in text and "[" not in text and "analysis" not in text:
        assert split_thoughts(text) == ("", text)


UNITS = [
    "<think>",
    "</think>",
    "\n<think>\n<think>\n</think>",
    "`</think>`",
    "```\n</think>\n",
    " ",
    "<",
    "<|channel|>",
]


def test_time_grows_as_the_text() -> None:
    for unit in UNITS:
        text = "<think>a</think>x" + unit * (100_000 // len(unit))
        begun = time.process_time()
        split_thoughts(text)
        assert time.process_time() - begun < 4.0, unit
