"""Special tokens that a row's text spells out are plain text; those of the template stay special."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflywheel.contracts import Status
from dataflywheel.models.language.pool_tokenizer import load_tokenizer, pool_tokenizer
from dataflywheel.models.templates.chat import ChatFormat
from dataflywheel.models.templates.spelled_out import BREAK, SpelledOut
from dataflywheel.models.training.tiny import _packed
from dataflywheel.rows.schema import message
from tests.models.copy_skill import conversation
from tests.models.test_chat import FOREIGN, GLUED, tokenizer

PIECES = ["<s>", "</s>", "<|im_start|>", "<|im_end|>", "<|im_", "end|>", "<", "s>", "assistant", "\n", " ", "é", "the"]
TEXT = st.lists(st.sampled_from(PIECES), min_size=1, max_size=8).map("".join).filter(str.strip)


def plainly(tokens: Any, text: str) -> list[int]:
    """Tokens of a text in which nothing is special."""
    ids: list[int] = tokens.encode(text, add_special_tokens=False, split_special_tokens=True)
    return ids


def by_hand(tokens: Any, template: str | None, prompt: str, answer: str) -> list[int]:
    """The template's own special tokens, and what stands between two of them in one piece."""
    bos, eos, start, end = tokens.convert_tokens_to_ids(["<s>", "</s>", "<|im_start|>", "<|im_end|>"])
    if template == GLUED:
        return [bos, *plainly(tokens, f"user: {prompt} assistant: {answer}")]
    if template is None:
        return [bos, *plainly(tokens, f"### User:\n{prompt}\n\n### Assistant:\n{answer}"), eos]
    turns = [("system", "Be kind."), ("user", prompt.strip()), ("assistant", answer.strip())]
    made = [[start, *plainly(tokens, f"{role}\n{content}"), end] for role, content in turns]
    between = plainly(tokens, "\n")
    return [*made[0], *between, *made[1], *between, *made[2]]


@settings(max_examples=200, deadline=None)
@given(TEXT, TEXT, st.sampled_from([FOREIGN, GLUED, None]))
def test_rows_are_data_whatever_they_spell(prompt: str, answer: str, template: str | None) -> None:
    tokens = tokenizer(template)
    encoded = ChatFormat(tokens).encode([conversation(prompt, answer)], 4096)[0]
    assert encoded.status == Status.OK
    if template != GLUED:  # a merge over the boundary is undone
        assert encoded.ids == by_hand(tokens, template, prompt, answer)
    shown = answer.strip() if template == FOREIGN else answer
    tail = {FOREIGN: "<|im_end|>", GLUED: "", None: "</s>"}[template]
    assert tokens.decode(encoded.ids[encoded.start :]).strip() == (shown + tail).strip()


def test_a_row_gives_the_same_tokens_in_any_batch() -> None:
    chat = ChatFormat(tokenizer(FOREIGN))
    rows = [conversation(p, a) for p, a in [("the", "a <|im_end|> b"), ("</s>", "the the"), ("a b", "the é")]]
    together = chat.encode(rows, 999)
    assert [chat.encode([row], 999)[0].ids for row in rows] == [one.ids for one in together]


def test_a_spelled_end_of_turn_does_not_end_the_answer_of_the_built_in_model() -> None:
    rows = [conversation("What ends a turn?", "It is <|end|>, and <|user|> begins the next. " * 3)] * 30
    tokens = load_tokenizer(pool_tokenizer(rows))
    end, user = tokens.convert_tokens_to_ids(["<|end|>", "<|user|>"])
    encoded = ChatFormat(tokens).encode(rows[:1], 999)[0]
    assert encoded.ids.count(end) == 2
    assert encoded.ids.count(user) == 1
    assert encoded.ended
    assert tokens.decode(encoded.ids[encoded.start : -1]) == rows[0][1]["content"]
    assert (_packed(tokens, rows)[:, :-1] == user).sum() <= len(rows)


@pytest.mark.parametrize(("late", "blank"), [(False, False), (False, True), (True, False)])
def test_other_kinds_of_tokenizers(late: bool, blank: bool) -> None:
    """Tokens that are looked for behind the normaliser, and pieces with a blank put before the text."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers
    from transformers import PreTrainedTokenizerFast

    letters = {c: i for i, c in enumerate(["<unk>", *"▁abcdefghijklmnopqrstuvwxyz</>:|#\nUA"])}
    bpe = Tokenizer(models.BPE(letters, [], unk_token="<unk>"))
    lead = [normalizers.Prepend("▁")] if blank else []
    bpe.normalizer = normalizers.Sequence([*lead, normalizers.Replace(" ", "▁")])
    bpe.decoder = decoders.Replace("▁", " ")
    bpe.add_special_tokens([AddedToken(t, special=True, normalized=late) for t in ("<s>", "</s>")])
    tokens = PreTrainedTokenizerFast(tokenizer_object=bpe, bos_token="<s>", eos_token="</s>")
    assert [t.normalized for t in tokens.added_tokens_decoder.values() if t.special] == [late] * 2
    chat = ChatFormat(tokens)
    for answer in ("plain words", "a </s> b <s> c", "</s>"):
        ids = chat.encode([conversation("say <s>", answer)], 999)[0].ids
        assert [ids.count(tokens.bos_token_id), ids.count(tokens.eos_token_id)] == [1, 1]
        assert answer in tokens.decode(ids[1:-1])
        assert tokens.unk_token_id not in ids
    ordinary = chat.render([conversation("say", "plain words")])[0]
    assert chat.backend.encode(ordinary).ids == bpe.encode(ordinary, add_special_tokens=False).ids


def test_tool_calls_and_names_are_data_too() -> None:
    template = (
        "{% for m in messages %}{{ '<|im_start|>' + m.role + ' ' + (m.name or '') + '\n' + m.content }}"
        "{% if m.tool_calls %}{{ m.tool_calls | tojson }}{% endif %}{{ '<|im_end|>' }}{% endfor %}"
    )
    tokens = tokenizer(template)
    call = orjson.dumps([{"name": "f", "arguments": {"<s>": ["a<|im_end|>", 1, None]}}]).decode()
    row = [message("user", "the", name="<|im_start|>"), message("assistant", "a", tool_calls=call)]
    encoded = ChatFormat(tokens).encode([row], 999)[0]
    start, end, bos = tokens.convert_tokens_to_ids(["<|im_start|>", "<|im_end|>", "<s>"])
    assert [encoded.ids.count(i) for i in (start, end, bos)] == [2, 2, 0]
    assert '"<s>": ["a<|im_end|>", 1, null]' in tokens.decode(encoded.ids)


def test_overlapping_and_ordinary_texts() -> None:
    spelled = SpelledOut(tokenizer(FOREIGN))
    assert spelled.mark("<<s></s>") == f"<<{BREAK}s><{BREAK}/s>"
    assert spelled.mark("a < b </p> <|im_x|>") == "a < b </p> <|im_x|>"
    assert spelled.mark({"k<s>": ["</s>", 3, None]}) == {f"k<{BREAK}s>": [f"<{BREAK}/s>", 3, None]}
