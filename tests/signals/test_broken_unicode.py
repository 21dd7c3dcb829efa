"""What counts as broken text: planted forms are repaired, and what only looks odd stays, code and speech of it too."""

from __future__ import annotations

import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from dataflywheel.contracts import Status
from dataflywheel.rows.identity import make_row, prompt_answer_row
from dataflywheel.rows.schema import message, table
from dataflywheel.signals.text.broken_unicode import BrokenUnicode
from dataflywheel.signals.text.unicode_repair import repaired

BROKEN = {
    "UTF-8 read as Windows-1252": ("don\u00e2\u20ac\u2122t", "don\u2019t"),
    "UTF-8 read as Latin-1": ("it\u00e2\u0080\u0099s", "it\u2019s"),
    "read wrongly twice": ("\u00c3\u0192\u00c2\u00a9t\u00c3\u0192\u00c2\u00a9", "\u00e9t\u00e9"),
    "Mac Roman": ("Pok\u221a\u00a9mon", "Pok\u00e9mon"),
    "Windows-1251": ("they\u0432\u0402\u2122re", "they\u2019re"),
    "Windows-1250": ("\u00e2\u20ac\u015bUntil", "\u201cUntil"),
    "Cyrillic": ("\u00d0\u00bf\u00d1\u20ac\u00d0\u00b8\u00d0\u00b2", "\u043f\u0440\u0438\u0432"),
    "Chinese": ("\u00e4\u00bd\u00a0\u00e5\u00a5\u00bd", "\u4f60\u597d"),
    "an emoji": ("\u00f0\u0178\u02dc\u20ac hi", "\U0001f600 hi"),
    "a stray A before a sign": ("\u00c2\u00a330m", "\u00a330m"),
    "beside text that is well": ("M\u00c3\u00bcnchen \u00e2\u20ac\u201c K\u00f6ln", "M\u00fcnchen \u2013 K\u00f6ln"),
    "bytes of Windows-1252": ("no\u0097budget", "no\u2014budget"),
    "at the end of a word": ("voil\u00c3\u00a0", "voil\u00e0"),
    "in another line only": ("all well\nclich\u00c3\u00a9", "all well\nclich\u00e9"),
}  # fmt: skip
WELL = [
    "na\u00efve caf\u00e9, \u00c9cole, S\u00c3O PAULO, IRM\u00c3, \u00c0 L\u2019\u00ceLE",
    "\u201ccurly\u201d \u2018quotes\u2019 \u2013 and \u2014 dashes\u2026",
    "\uff21\uff22\uff23\uff11\uff12\uff13 \uff76\uff85 \ufb01ne o\ufb03ce",  # widths and ligatures
    "cafe\u0301 and A\u030angstro\u0308m",  # decomposed
    "x\u00b2 + y\u00b2 \u2264 r\u00b2, \u2200x\u2208\u211d, 3 \u00d7 4 \u00f7 2, 10\u00b3 \u00b5m, \u221a2",
    "$\\hat{x}_i \\in \\mathbb{R}$ and \\(\\alpha \u2192 \\beta\\), $$\\text{na\u00efve}$$",
    "\u65e5\u672c\u8a9e\u30c6\u30ad\u30b9\u30c8 \u4e2d\u6587 \u041f\u0440\u0438\u0432",
    "\u0645\u0631\u062d\u0628\u0627 \u1ea0\u1ede",
    "\u00bfQu\u00e9? \u00a1Hola! \u00abIl\u00bb \u201eGr\u00f6\u00dfe\u201c ",
    "\u00a9 \u00ae \u2122 \u00a7 \u00b6 \u00bd 20 \u00b0C \u00a35 \u20ac6",
    "line\r\nends\u2028and\ttabs \u200b \ufeff \u00a0",
    "AT&amp;T &lt;b&gt; &#8217;",  # entities, unless asked for
    "```python\ns = 'don\u00e2\u20ac\u2122t'\n```",
    "an opened block\n```\ndon\u00e2\u20ac\u2122t",
    "write `caf\u00c3\u00a9` or ``a ` \u00c3\u00a9``",
    "I see \"\u00e2\u20ac\u2122\" and '\u00c3\u00a9' in place of quotes. Why?",
    "Sl\u00c3 \u00a1inte",  # torn apart: what it was is a guess
    "he said \u00e2\u20ac\u0153hi\u00e2\u20ac and left",  # a byte is lost
    "caf\ufffd",
]  # fmt: skip


@pytest.mark.parametrize("broken", BROKEN)
def test_broken_text_is_whole_again_and_then_stays(broken: str) -> None:
    text, right = BROKEN[broken]
    assert repaired(text) == right
    assert repaired(right, entities=True) == right
    assert repaired(f"see\n```\n{text}\n```\n{text}") == f"see\n```\n{text}\n```\n{right}"


def test_what_only_looks_odd_stays() -> None:
    assert [text for text in WELL if repaired(text) != text] == []


def test_entities_are_for_those_who_ask() -> None:
    assert repaired("AT&amp;T &#8217;&#x1F600; &eacute;", entities=True) == "AT&T \u2019\U0001f600 \u00e9"
    stays = ["<p>AT&amp;T</p>", '{"a": "&quot;"}', "`&amp;`", "a & b; R&D;", "&unknownname;", "&T;", "?a=1&copy=2"]
    assert [text for text in stays if repaired(text, entities=True) != text] == []


@pytest.mark.parametrize(
    "odd", ["`", "`a", "\u00c3", "``a`", "'\u00c3", "\n```", "&a", "\u00c2 ", "\u00c3\u00a9a\u4e2d"]
)
def test_long_odd_text_takes_no_longer_by_the_character(odd: str) -> None:
    def seconds(length: int) -> float:
        began = time.process_time()
        repaired(odd * (length // len(odd)) + "\u00e9", entities=True)
        return time.process_time() - began

    assert seconds(80_000) < 0.1 + 16 * min(seconds(20_000) for _ in range(2))


def test_a_row_counts_its_texts_in_turns_thoughts_worse_answers_and_cells() -> None:
    bad, calls = "clich\u00c3\u00a9", '[{"function":{"arguments":"{\\"a\\": \\"clich\u00c3\u00a9\\"}","name":"f"}}]'
    rows = [
        make_row(
            [message("user", bad), message("assistant", bad, calls, reasoning=bad)],
            rejected=[message("assistant", bad)],
            cells='{"a":"clich\u00c3\u00a9"}',
        ),
        prompt_answer_row("well", "caf\u00e9"),
        prompt_answer_row("", " "),
        make_row([message("assistant", "", calls)], tools=calls),
    ]
    found = BrokenUnicode().measure(table(rows).to_batches()[0])
    assert found["texts"].to_pylist() == [5, 0, None, None]
    assert found["status"].tolist() == [Status.OK, Status.OK, Status.EMPTY, Status.EMPTY]


def test_real_sets_that_are_well_stay_as_they_are(data: Path) -> None:
    pool = pq.read_table(data / "alpaca_pool" / "alpaca_pool.parquet").slice(0, 6000)
    texts = [t for name in pool.column_names for t in pool[name].to_pylist() if isinstance(t, str) and not t.isascii()]
    assert len(texts) > 100
    assert [text for text in texts if repaired(text) != text] == []
