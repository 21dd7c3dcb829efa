from __future__ import annotations

import copy
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflywheel.contracts import Status
from dataflywheel.models.templates.chat import ChatFormat
from dataflywheel.rows.schema import message
from tests.models.copy_skill import conversation

# As many published models have it: no marks of generation, trimmed contents, a default system turn, an end of turn.
FOREIGN = (
    "{% if messages[0].role != 'system' %}{{ '<|im_start|>system\nBe kind.<|im_end|>\n' }}{% endif %}"
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content | trim + '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
# A header that ends in plain text, so that a merge can straddle the boundary; no end of turn.
GLUED = (
    "{{ bos_token }}{% for m in messages %}{{ m.role + ': ' + m.content }}"
    "{% if m.role == 'user' %}{{ ' ' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}"
)


@lru_cache(maxsize=8)
def tokenizer(template: str | None, trim_offsets: bool = False) -> Any:
    """Byte-level BPE with merges learnt on text where headers run into answers."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    bpe.decoder = decoders.ByteLevel()
    bpe.post_processor = processors.ByteLevel(trim_offsets=trim_offsets)
    special = ["<s>", "</s>", "<|im_start|>", "<|im_end|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=700,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(["assistant: a b", "assistant: the", "user: the a", "t: a", ": the é"] * 40, trainer)
    made = PreTrainedTokenizerFast(tokenizer_object=bpe, bos_token="<s>", eos_token="</s>")
    made.add_special_tokens({"additional_special_tokens": special[2:]})
    made.chat_template = template
    return made


def byte_starts(tokens: Any, ids: list[int]) -> list[int]:
    """First byte of each token in the decoded whole: lengths of the tokens' own bytes, added up."""
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    length = {c: 1 for c in bytes_to_unicode().values()}
    starts, at = [], 0
    for token in tokens.convert_ids_to_tokens(ids):
        starts.append(at)
        special = token in tokens.all_special_tokens or token.startswith("<|im_")
        at += len(token.encode()) if special else sum(length[c] for c in token)
    return starts


TEXT = st.text(alphabet=st.sampled_from("ab the: é冰🧊\n\tuser"), min_size=1, max_size=25).filter(str.strip)


@settings(max_examples=150, deadline=None)
@given(TEXT, TEXT, st.sampled_from([FOREIGN, GLUED, None]), st.booleans())
def test_answer_tokens_are_all_of_the_answer_and_nothing_of_its_header(
    prompt: str, answer: str, template: str | None, trim: bool
) -> None:
    tokens = tokenizer(template, trim)
    chat = ChatFormat(tokens)
    row = conversation(prompt, answer)
    encoded = chat.encode([row], 4096)[0]
    text = chat.render([row])[0]
    shown = answer.strip() if template == FOREIGN else answer
    tail = {FOREIGN: "<|im_end|>\n", GLUED: "", None: "</s>\n\n"}[template]
    assert text.endswith(shown + tail)
    cut = len(text) - len(shown + tail)
    boundary = len(text[:cut].encode())
    whole = tokens.encode(text, add_special_tokens=False)
    starts = byte_starts(tokens, whole)
    # A token over the boundary is the answer's where it holds only white space of the header; else there is none.
    over = max(i for i, start in enumerate(starts) if start <= boundary)
    expected = over if starts[over] == boundary else over + 1
    into = shown.encode()[: ([*starts, len(text.encode())][expected]) - boundary].strip()
    if expected > over and into:
        expected = over
        if text.encode()[starts[over] : boundary].strip():
            parts = [tokens.encode(part, add_special_tokens=False) for part in (text[:cut], text[cut:])]
            whole, expected = [*parts[0], *parts[1]], len(parts[0])
            starts = byte_starts(tokens, whole)
    if expected == len(whole):
        assert encoded.status == Status.FAILED
        return
    assert encoded.status == Status.OK
    assert encoded.start == expected
    ending = tail.strip()
    stop = starts.index(len(text.encode()) - len(tail)) + 1 if ending else len(whole)
    assert encoded.ids == whole[:stop]


@settings(max_examples=60, deadline=None)
@given(TEXT, TEXT, st.sampled_from([FOREIGN, GLUED, None]))
def test_the_answer_alone_keeps_its_header_and_nothing_of_the_prompt(
    prompt: str, answer: str, template: str | None
) -> None:
    tokens = tokenizer(template)
    encoded = ChatFormat(tokens).encode([conversation(prompt, answer)], 4096)[0]
    ids, places = encoded.sequence(alone=True)
    start = places[0]
    header = {FOREIGN: "<|im_start|>assistant\n", GLUED: "<s>assistant: ", None: "<s>### Assistant:\n"}[template]
    assert ids[start:] == encoded.ids[encoded.start :]
    lead = tokens.decode(ids[:start])
    # A token that begins in the header and runs into the answer is context in both losses.
    assert lead.startswith(header) or header.startswith(lead)
    assert prompt not in lead or prompt in header + answer


MARKED = FOREIGN.replace(
    "{% for m in messages %}",
    "{% for m in messages %}{% if m.role == 'assistant' %}{{ '<|im_start|>assistant\n' }}"
    "{% generation %}{{ m.content | trim + '<|im_end|>' }}{% endgeneration %}{{ '\n' }}{% else %}",
).replace("'\n' }}{% endfor %}", "'\n' }}{% endif %}{% endfor %}")


def test_generation_marks_of_a_template_decide_what_the_answer_is() -> None:
    chats = [
        [message("system", "s"), *conversation("a", "b"), *conversation("c", " the a ")],
        conversation("q", "user the"),
    ]
    plain, ours = (ChatFormat(tokenizer(template)).encode(chats, 999) for template in (FOREIGN, MARKED))
    assert [(row.ids, row.start, row.header) for row in plain] == [(row.ids, row.start, row.header) for row in ours]


def test_threads_render_side_by_side() -> None:
    chats = [ChatFormat(tokenizer(MARKED)) for _ in range(4)]  # the library compiles their one template once
    turns = [conversation(f"question {i}", f"answer {i}") for i in range(60)]
    wanted = chats[0].render(turns)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda i: chats[i % 4].render(turns), range(40)))
    assert all(one == wanted for one in found)


def test_a_row_that_breaks_the_template_fails_alone() -> None:
    strict = "{% if messages[0].content == 'bad' %}{{ raise_exception('no') }}{% endif %}" + FOREIGN
    encoded = ChatFormat(tokenizer(strict)).encode([conversation(p, "a") for p in ("x", "bad", "y")], 99)
    assert [row.status for row in encoded] == [Status.OK, Status.FAILED, Status.OK]
    assert encoded[1].ids == []


@pytest.mark.parametrize("template", [FOREIGN, GLUED, None])
def test_multi_turn_rows_answer_in_their_last_turn(template: str | None) -> None:
    tokens = tokenizer(template)
    chat = [*conversation("a", "the the"), *conversation("b", "the the")]
    encoded = ChatFormat(tokens).encode([chat], 999)[0]
    assert tokens.decode(encoded.ids).count("the the") == 2
    assert tokens.decode(encoded.ids[: encoded.start]).count("the the") == 1


def test_a_token_that_opens_every_turn_is_no_beginning_of_the_text() -> None:
    """As of SmolLM2, whose tokenizer calls the opener of turns its BOS."""
    made = copy.deepcopy(tokenizer(FOREIGN))
    made.bos_token = "<|im_start|>"
    chat, opener = ChatFormat(made), made.convert_tokens_to_ids("<|im_start|>")
    assert (chat.bos_text, chat.header_text) == ("", "<|im_start|>assistant\n")
    row, document = [message("user", "one"), message("assistant", "two")], [message("assistant", "two")]
    for one in chat.encode([row, document], 99):
        ids, places = one.sequence(alone=True)
        assert ids.count(opener) == 1, "one header, and nothing in front of it"
        assert ids[places[0] :] == one.ids[one.start :]
        assert places[0] == one.start - one.header
