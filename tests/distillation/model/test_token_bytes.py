"""Tokens as bytes: every vocabulary spells its text, and alignments are those that a search over prefixes finds."""

from __future__ import annotations

import itertools
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflywheel.contracts import UsageError
from dataflywheel.distillation.model.token_bytes import END, aligned, shared_ids, token_bytes
from dataflywheel.models.language.pool_tokenizer import load_tokenizer
from tests.distillation.model.support import untrained
from tests.models.copy_skill import copy_rows


def sentencepiece() -> Any:
    from tokenizers import Tokenizer, decoders, models, normalizers
    from transformers import PreTrainedTokenizerFast

    pieces = ["<unk>", "</s>", *(f"<0x{b:02X}>" for b in range(256))]
    pieces += ["\u2581", *"abcde", "\u2581am", "\u2581a", "ber", "be", "r", "m", "am"]
    merges = [("b", "e"), ("be", "r"), ("a", "m"), ("\u2581", "am"), ("\u2581", "a")]
    made = Tokenizer(
        models.BPE({p: i for i, p in enumerate(pieces)}, merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True)
    )
    made.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    made.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()])
    return PreTrainedTokenizerFast(tokenizer_object=made, eos_token="</s>", unk_token="<unk>")


@lru_cache(maxsize=1)
def byte_level() -> Any:
    tokenizer = load_tokenizer(untrained())
    return tokenizer, token_bytes(tokenizer)


@settings(max_examples=50)
@given(st.text(max_size=40))
def test_byte_level_tokens_spell_the_text(text: str) -> None:
    tokenizer, spelled = byte_level()
    ids = tokenizer.backend_tokenizer.encode(text, add_special_tokens=False).ids
    if not any(spelled[i] is None or spelled[i] == END for i in ids):  # a text may spell a special token
        assert b"".join(spelled[i] or b"" for i in ids) == text.encode()


def test_sentencepiece_spells_blanks_and_lone_bytes() -> None:
    tokenizer = sentencepiece()
    spelled = token_bytes(tokenizer)
    ids = tokenizer.backend_tokenizer.encode("amber am é", add_special_tokens=False).ids
    assert b"".join(spelled[i] or b"" for i in ids) == " amber am é".encode()
    assert spelled[tokenizer.eos_token_id] == END


def test_other_tokenizers_are_refused() -> None:
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    words = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.WordPiece({"[UNK]": 0, "a": 1})))
    with pytest.raises(UsageError, match="neither byte-level nor SentencePiece"):
        token_bytes(words)


@settings(max_examples=100)
@given(st.text("ab é", max_size=12), st.randoms(), st.booleans())
def test_aligned_places_are_equal_prefixes(text: str, draw: Any, ended: bool) -> None:
    """Against a search over all pairs of prefixes, on random cuts of one text."""
    content = text.encode()
    table: list[bytes | None] = [END]

    def cut() -> list[int]:
        places = sorted({0, len(content), *(draw.randrange(len(content) + 1) for _ in range(4))})
        ids = []
        for start, stop in itertools.pairwise(places):
            table.append(content[start:stop])
            ids.append(len(table) - 1)
        return [*ids, 0] if ended else ids

    first, second = cut(), cut()
    if not first or not second:
        return
    found = aligned(first, second, (table, table))
    assert found is not None

    def prefix(ids: list[int], n: int) -> bytes:
        return b"".join(table[i] or b"" for i in ids[:n])

    expected = [(i, j) for i in range(len(first)) for j in range(len(second)) if prefix(first, i) == prefix(second, j)]
    assert list(zip(*(side.tolist() for side in found), strict=True)) == expected
    assert expected[0] == (0, 0), "the first token of an answer is distilled"


def test_a_leading_blank_does_not_shift_and_other_texts_do_not_align() -> None:
    ours: list[bytes | None] = [END, b"am", b"ber", b" x", b"am"]
    theirs: list[bytes | None] = [END, b" amb", b"er", b" am", b"ber x"]
    first, second = aligned([1, 2, 3, 0], [3, 4, 0], (ours, theirs)) or ([], [])
    assert (list(first), list(second)) == ([0, 1, 3], [0, 1, 2])
    assert aligned([1, 2], [1, 1], (ours, theirs)) is None
    cut = aligned([1, 2, 3, 0], [3], (ours, theirs))
    assert cut is not None
    assert cut[0].tolist() == [0]


def test_shared_strings_are_equal_bytes() -> None:
    one, other = load_tokenizer(untrained()), load_tokenizer(untrained(text=copy_rows(4, 1)))
    ours, theirs = token_bytes(one), token_bytes(other)
    first, second = shared_ids(ours, theirs)
    assert [ours[i] for i in first] == [theirs[i] for i in second]
    assert len(first) == len({p for p in ours if p is not None} & {p for p in theirs if p is not None})
    assert END in {ours[i] for i in first}
    assert np.unique(first).size == len(first) < len(one)


@pytest.mark.parametrize(
    ("ours", "theirs", "places"),
    [
        ([b"<think>\n\n</think>\n\n", b"be", b"r"], [b"b", b"e", b"r", END], [(1, 0), (2, 2)]),
        ([b"be", b"r", END], [b"final", b"be", b"r", b"\n"], [(0, 1), (1, 2), (2, 3)]),
        ([b"a", b"be", b"r"], [b"am", b"am", b"am", b"r"], None),
        ([b"{", b"be", b"}"], [b"[", b"am", b"}"], None),
    ],
    ids=["empty thoughts", "a channel", "other words", "a bracket"],
)
def test_what_a_template_writes_before_an_answer_does_not_hide_it(ours: Any, theirs: Any, places: Any) -> None:
    spell = list(dict.fromkeys([*ours, *theirs]))
    found = aligned([spell.index(piece) for piece in ours], [spell.index(piece) for piece in theirs], (spell, spell))
    assert (found if found is None else list(zip(*map(list, found), strict=True))) == places


def test_the_end_of_a_turn_is_the_one_that_the_template_writes() -> None:
    import copy

    from dataflywheel.distillation.model.across import spelled
    from dataflywheel.models.templates.chat import ChatFormat
    from tests.models.test_chat import FOREIGN, tokenizer

    made = copy.deepcopy(tokenizer(FOREIGN))
    model: Any = type("Model", (), {"tokenizer": made, "chat": ChatFormat(made)})
    table = spelled(model)
    end, own = made.convert_tokens_to_ids(["<|im_end|>", "</s>"])
    assert (table[end], table[own]) == (END, None)
    assert model.chat.end_ids == [end, own]
