from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflywheel.contracts import Status
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import message, table
from dataflywheel.signals.text.near_duplicate import NearDuplicate
from dataflywheel.signals.words.shingles import shingle_hashes, signatures, text_keys, word_hashes
from tests.signals.rows import alpaca, batch, json_lines, p3
from tests.signals.words import jaccard, shingles, words


def counts(texts: list[str]) -> list[int]:
    return np.diff(shingle_hashes(texts)[1]).tolist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The cat's  hat, 42 snake_case!", ["the", "cat", "s", "hat", "42", "snake_case"]),
        ("naïve Straße — “quoted” …", ["naïve", "strasse", "quoted"]),
        ("黑豹队 won 24次。", ["黑", "豹", "队", "won", "24", "次"]),
        ("日本語のカナ 한국", ["日本語", "の", "カナ", "한국"]),
        ("\uff26\uff35\uff2c\uff2c width", ["full", "width"]),
        ("Привет, мир", ["привет", "мир"]),
    ],
)
def test_words_of_many_scripts(text: str, expected: list[str]) -> None:
    assert words(text) == expected  # the reference itself
    assert len(word_hashes([text])[0]) == len(expected)
    assert text_keys([text]) == text_keys([" ".join(expected)])


def test_equal_words_give_equal_hashes_and_only_those(data: Path) -> None:
    texts = [f"{p}\n\n{a}" for p, a in alpaca(data)[:3000]]
    texts += [
        r["context"] for lang in ("zh", "de") for r in json_lines(data / "xquad" / f"xquad.{lang}.jsonl.gz")[:100]
    ]
    hashes, offsets = word_hashes(texts)
    seen: dict[str, int] = {}
    agreeing = 0
    for i, text in enumerate(texts):
        expected, mine = words(text), hashes[offsets[i] : offsets[i + 1]].tolist()
        if len(expected) != len(mine):
            continue
        agreeing += all(seen.setdefault(word, value) == value for word, value in zip(expected, mine, strict=True))
    assert agreeing / len(texts) > 0.998
    assert len(set(seen.values())) == len(seen)


def test_shingle_sets_give_the_true_jaccard(data: Path) -> None:
    texts = p3(data)[:400]
    flat, offsets = shingle_hashes(texts)
    sets = [set(flat[a:b].tolist()) for a, b in pairwise(offsets)]
    expected = [shingles(text) for text in texts]
    for i in range(0, len(texts) - 1):
        assert abs(jaccard(sets[i], sets[i + 1]) - jaccard(expected[i], expected[i + 1])) < 0.01  # type: ignore[arg-type]


def test_texts_of_few_words() -> None:
    assert counts(["", "?!", "yes", "Yes.", "one two", "one two three", "one two three four", "a a a a a"]) == [
        0, 0, 1, 1, 1, 1, 2, 1,
    ]  # fmt: skip
    flat, _ = shingle_hashes(["yes", "Yes.", "no"])
    assert flat[0] == flat[1] != flat[2]


def test_signature_estimates_jaccard_without_bias(data: Path) -> None:
    texts = sorted(p3(data)[:12_000])[::3]
    signature, _ = signatures(texts)
    errors, variance = [], []
    for i in range(len(texts) - 1):
        truth = jaccard(shingles(texts[i]), shingles(texts[i + 1])) if i % 4 == 0 else 0.0
        if 0.05 < truth < 1:
            errors.append((signature[i] == signature[i + 1]).mean() - truth)
            variance.append(truth * (1 - truth) / 128)
    assert len(errors) > 300
    assert abs(np.mean(errors)) < 0.006
    assert np.sqrt(np.mean(np.square(errors))) < 1.2 * np.sqrt(np.mean(variance))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=60), min_size=1, max_size=12), st.integers(1, 5))
def test_batch_size_and_order_change_nothing(texts: list[str], size: int) -> None:
    rows = table([make_row([message("user", "p"), message("assistant", t)]) for t in texts])
    signal = NearDuplicate(part="answer")
    whole = signal.measure(rows.combine_chunks().to_batches()[0])
    parts = [signal.measure(b) for b in rows.to_batches(max_chunksize=size)]
    assert whole["signature"].to_pylist() == [row for part in parts for row in part["signature"].to_pylist()]
    backwards = signal.measure(rows.take(list(range(len(texts)))[::-1]).combine_chunks().to_batches()[0])
    assert backwards["signature"].to_pylist() == whole["signature"].to_pylist()[::-1]


def test_threads_change_nothing(data: Path) -> None:
    texts = p3(data)[:4000]  # several megabytes, hence several threads
    whole, _ = signatures(texts)
    single = np.concatenate([signatures(texts[i : i + 50])[0] for i in range(0, len(texts), 50)])
    assert np.array_equal(whole, single)


def test_case_space_and_punctuation_do_not_matter_but_words_do() -> None:
    prompts = ["Name three colours, please.", "  NAME three\n\ncolours please", "Name four colours, please."]
    rows = batch([(prompt, "ok") for prompt in prompts])
    a, b, c = NearDuplicate().measure(rows)["signature"].to_pylist()
    assert a == b
    assert a != c


def test_row_without_a_word_is_empty_and_has_no_signature() -> None:
    found = NearDuplicate(part="answer").measure(batch([("p", "an answer"), ("p", " ?! "), ("p", "")]))
    assert found["status"].tolist() == [Status.OK, Status.EMPTY, Status.EMPTY]
    assert [row is None for row in found["signature"].to_pylist()] == [False, True, True]
    assert found["signature"].type == NearDuplicate.columns["signature"]


def test_part_chooses_the_text() -> None:
    rows = batch([("same prompt for both", "first answer here"), ("same prompt for both", "second answer there")])
    signature = {part: NearDuplicate(part=part).measure(rows)["signature"].to_pylist() for part in ("prompt", "answer")}
    assert signature["prompt"][0] == signature["prompt"][1]
    assert signature["answer"][0] != signature["answer"][1]


def test_a_row_of_a_million_tokens_needs_little_memory() -> None:
    code = (
        "import resource, numpy as np\n"
        "from dataflywheel.signals.words.shingles import signatures\n"
        "signatures(['warm up the compiler'])\n"
        "text = ' '.join(f'w{i * 7919 % 1000003}' for i in range(1_000_000))\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "signature, words = signatures([text])\n"
        "print(words[0], (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)\n"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert int(out[0]) == 1_000_000
    assert int(out[1]) < 100  # MiB; the tokens times 128 permutations would be 1,000
