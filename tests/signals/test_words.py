# ruff: noqa: RUF001
from __future__ import annotations

import time
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflywheel.proposing.gates.novelty import Novelty
from dataflywheel.proposing.kinds import Surroundings
from dataflywheel.signals.text.near_duplicate import NearDuplicate
from dataflywheel.signals.words.shingles import shingle_hashes, signatures, text_keys, word_hashes
from dataflywheel.signals.words.word_kernels import SEPARATOR, character_kind, kind_in_words
from dataflywheel.signals.words.words import UNPLAIN, folded_text
from tests.proposing.gates.proposals import new
from tests.signals.rows import batch

ALIKE = {
    "tatweel": ("كتـــاب جديد", "كتاب جديد"),
    "Arabic vowels": ("كِتَابٌ جَدِيدٌ", "كتاب جديد"),
    "alef with and without hamza": ("أحمد إلى آخر", "احمد الى اخر"),
    "Persian and Arabic letters": ("کتاب یک", "كتاب يك"),
    "half-space": ("می‌خواهم", "میخواهم"),
    "Hebrew points": ("שָׁלוֹם", "שלום"),
    "soft hyphen": ("data\u00adset co\u00adoperate", "dataset cooperate"),
    "zero-width space": ("data\u200bset", "dataset"),
    "byte order mark": ("\ufeffhello", "hello"),
    "direction marks": ("\u202bhello\u202c \u200eworld", "hello world"),
    "marks apart": ("cafe\u0301 nai\u0308ve", "café naïve"),
    "stress": ("за\u0301мок", "замок"),
    "keycap and variation": ("1\ufe0f\u20e3 ❤\ufe0f", "1 ❤"),
    "full width": ("\uff26\uff35\uff2c\uff2c １２３", "full 123"),
    "half-width kana": ("ｶﾞｷﾞ", "ガギ"),
    "digits": ("١٢٣ ४५ ๖", "123 45 6"),
    "sharp s": ("STRASSE", "straße"),
    "final sigma": ("ΟΔΟΣ", "οδος"),
    "dotted I": ("İSTANBUL", "istanbul"),
    "ligature": ("ﬁnd ﻻ", "find لا"),
    "Thai am apart": ("น\u0e49\u0e4d\u0e32", "น้ำ"),
    "zero-width space between Khmer words": ("ភាសា\u200bខ្មែរ", "ភាសាខ្មែរ"),
}
WORDS = {
    "แปลคำว่าสวัสดีเป็นภาษาอังกฤษ": 7,
    "请写一首诗送给客户。": 6,
    "今日は天気がいいですね": 7,
    "おはようございます": 3,
    "ខ្ញុំចង់រៀនភាសាខ្មែរ": 4,
    "ຂ້ອຍຢາກຮຽນພາສາລາວ": 5,
    "ကျွန်တော်မြန်မာစာသင်ချင်တယ်": 5,
    "한국 사람들은 친절하다": 3,
    "हिन्दी में लिखो।": 3,
    "தமிழ் மொழி": 2,
    "བོད་སྐད་": 2,
    "ከተማ፡ቤት።": 2,
    "שלום־עולם": 2,
    "ꦲꦏ꧀ꦱꦫ": 4,
    "黑豹队 won 24次": 6,
    "a😀b😀😀": 5,
    "ᏣᎳᎩ ᎦᏬᏂᎯᏍᏗ": 2,
}


@pytest.mark.parametrize("name", ALIKE)
def test_one_text_in_two_spellings_has_the_same_words(name: str) -> None:
    first, second = ALIKE[name]
    assert text_keys([first])[0] == text_keys([second])[0] is not None


@pytest.mark.parametrize("text", WORDS)
def test_words_are_those_of_the_script(text: str) -> None:
    assert len(word_hashes([text])[0]) == WORDS[text]


@pytest.mark.parametrize(
    ("first", "second"), [("año", "ano"), ("я пишу", "я пишем"), ("猫が好き", "犬が好き"), ("กา", "ก้า")]
)
def test_what_tells_words_apart_still_does(first: str, second: str) -> None:
    assert text_keys([first]) != text_keys([second])


@settings(max_examples=150, deadline=None)
@given(
    st.text(alphabet="ab éß١Aक़िकाสวัดี中国の한 \n.,", max_size=30), st.lists(st.integers(0, 30), max_size=5), st.data()
)
def test_unseen_characters_change_nothing_and_folding_twice_is_folding_once(
    text: str, at: list[int], data: object
) -> None:
    text = unicodedata.normalize("NFC", text)
    unseen = data.draw(st.sampled_from("\u00ad\u200b\u200c\u200d\ufeff\u2060\u200e\ufe0f"))  # type: ignore[attr-defined]
    hidden = text
    for place in at:
        hidden = hidden[:place] + unseen + hidden[place:]
    assert text_keys([hidden]) == text_keys([text])
    assert text_keys([folded_text(text)]) == text_keys([text])


def test_words_do_not_depend_on_what_stands_beside_them() -> None:
    texts = [*WORDS, *(side for pair in ALIKE.values() for side in pair)]
    joined = word_hashes(["\n".join(texts)])[0].tolist()
    assert joined == word_hashes(texts)[0].tolist()


def test_kinds_of_characters_are_those_of_unicode() -> None:
    wrong = [
        point
        for point in range(0x80, 0x20000)
        if (character_kind(point) == SEPARATOR) != (kind_in_words(point) == SEPARATOR)
    ]
    assert wrong == []


def test_the_short_way_of_western_letters_is_the_long_one() -> None:
    plain = [c for c in map(chr, range(0x80, 0x2100)) if UNPLAIN.search(c) is None]
    assert len(plain) > 100
    short = word_hashes([f"A{character}b" for character in plain])[0]
    long = [word_hashes([f"A{character}b \u4e2d"])[0][:-1] for character in plain]
    assert short.tolist() == np.concatenate(long).tolist()


def test_duplicates_and_novelty_see_the_same_words() -> None:
    plain, spelled = "كتاب جديد عن تاريخ المدينة القديمة في الشرق", "كِتَابٌ جـــديد عن تَارِيخ المدينـة القديمة في الشَّرق"
    first, second = NearDuplicate().measure(batch([(plain, ""), (spelled, "")]))["signature"].to_pylist()
    assert first == second
    checks = Novelty().check([new(plain, ""), new(spelled, "")], Surroundings())
    assert [check.passed for check in checks] == [True, False]


ODD = (
    "7",
    "-",
    "\n",
    "a",
    "é",
    "ก",
    "中",
    "の",
    "\u0301",
    "\u0316\u0301",
    "\u093c\u115f\u094d\uff9e",
    "\u200b",
    "ـ",
    "😀",
    "1 ",
    "\u0f73",
)


@pytest.mark.parametrize("piece", ODD, ids=ascii)
def test_a_long_text_of_one_character_takes_linear_time(piece: str) -> None:
    text = piece * (10**6 // len(piece))
    signatures(["warm"])
    began = time.process_time()
    word_hashes([text])
    shingle_hashes([text])
    text_keys([text])
    assert time.process_time() - began < 6
