"""Chat formats: every family's parts make a whole conversation, and a tokenizer's own format is found."""

from __future__ import annotations

import pytest

from dataflywheel.errors import UsageError
from dataflywheel.models.language.pool_tokenizer import load_tokenizer, pool_tokenizer
from dataflywheel.models.templates.chat import ChatFormat
from dataflywheel.synthesis.instruction.pre_query_templates import TEMPLATES, own_template

CHATS = {
    "chatml": "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n",
    "llama-3": "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\n",
    "llama-2": "<s>[INST] Hi [/INST]",
    "mistral": "<s>[INST] Hi [/INST]",
    "gemma": "<bos><start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\n",
    "phi-3": "<|user|>\nHi<|end|>\n<|assistant|>\n",
    "zephyr": "<|user|>\nHi</s>\n<|assistant|>\n",
    "tulu": "<|user|>\nHi\n<|assistant|>\n",
}
TALKS = {
    "chatml": CHATS["chatml"] + "Ho<|im_end|>\n<|im_start|>user\nHm",
    "llama-3": CHATS["llama-3"] + "Ho<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHm",
    "llama-2": "<s>[INST] Hi [/INST]Ho </s><s>[INST] Hm",
    "mistral": "<s>[INST] Hi [/INST]Ho</s>[INST] Hm",
    "gemma": CHATS["gemma"] + "Ho<end_of_turn>\n<start_of_turn>user\nHm",
    "phi-3": "<|user|>\nHi<|end|>\n<|assistant|>\nHo<|end|>\n<|user|>\nHm",
    "zephyr": "<|user|>\nHi</s>\n<|assistant|>\nHo</s>\n<|user|>\nHm",
    "tulu": "<|user|>\nHi\n<|assistant|>\nHo</s>\n<|user|>\nHm",
}
WITH_SYSTEM = {
    "chatml": "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n",
    "llama-3": "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
    "<|start_header_id|>user<|end_header_id|>\n\n",
    "llama-2": "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\n",
    "phi-3": "<|system|>\nBe brief.<|end|>\n<|user|>\n",
    "zephyr": "<|system|>\nBe brief.</s>\n<|user|>\n",
    "tulu": "<|system|>\nBe brief.\n<|user|>\n",
}


@pytest.mark.parametrize("family", sorted(TEMPLATES))
def test_the_parts_of_a_family_make_its_format(family: str) -> None:
    template = TEMPLATES[family]
    assert f"{template.before()}Hi{template.answer}" == CHATS[family]
    # Something of what follows the turn is among the marks that end it, and nothing of what precedes it runs on.
    assert any(stop in template.answer for stop in template.stop)
    assert f"{template.before()}Hi{template.answer}Ho{template.again}Hm" == TALKS[family]
    if family in WITH_SYSTEM:
        assert template.before("Be brief.") == WITH_SYSTEM[family]
    else:
        with pytest.raises(UsageError, match="no place for a system text"):
            template.before("Be brief.")


CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def test_a_tokenizers_own_template_is_the_familys() -> None:
    tokenizer = load_tokenizer(pool_tokenizer(["some words to learn from"] * 20))
    tokenizer.chat_template = CHATML
    found = own_template(ChatFormat(tokenizer))
    family = TEMPLATES["chatml"]
    assert found.again == family.again
    assert (found.before(), found.before("Be brief."), found.answer) == (
        family.before(),
        family.before("Be brief."),
        family.answer,
    )
    assert found.stop == ("<|im_end|>", "<|im_start|>assistant")


def test_a_template_that_hides_the_turn_is_refused() -> None:
    tokenizer = load_tokenizer(pool_tokenizer(["some words to learn from"] * 20))
    tokenizer.chat_template = (
        "{% for m in messages if m.role == 'assistant' %}<a>{{ m.content }}{{ eos_token }}{% endfor %}"
        "{% if add_generation_prompt %}<a>{% endif %}"
    )
    with pytest.raises(UsageError, match="does not show the user's turn"):
        own_template(ChatFormat(tokenizer))
