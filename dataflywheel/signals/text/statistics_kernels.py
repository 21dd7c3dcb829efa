"""Compiled loops of the text statistics: token estimate, symbols, distinct words, repeated 3-grams."""

from __future__ import annotations

import numpy as np

from dataflywheel.contracts import AnyArray
from dataflywheel.signals.words.gram_kernels import SHINGLE_WORDS, gram_hash, place_of, scratch_for, sort_hashes
from dataflywheel.signals.words.word_kernels import ALONE, code_point, compiled, kind_of, next_word

TOKEN_LETTERS = 9
TOKEN_DIGITS = 3
TOKEN_FOREIGN = 3
RUN_SPACES = 8


@compiled
def word_tokens(data: AnyArray, start: int, stop: int) -> int:
    """Tokens of one word: digits by threes, ASCII letters by nines, characters of other scripts by threes."""
    digits = letters = foreign = 0
    at = start
    while at < stop:
        point, width = code_point(data, at, stop)
        if 48 <= point <= 57:
            digits += 1
        elif point < 128:
            letters += 1
        else:
            foreign += 1
        at += width
    tokens = -(-digits // TOKEN_DIGITS) + -(-letters // TOKEN_LETTERS) + -(-foreign // TOKEN_FOREIGN)
    return max(tokens, 1)


@compiled
def gap_tokens(data: AnyArray, start: int, stop: int) -> int:
    """Tokens between two words: one for each run of one symbol and of line ends; single spaces join the next word."""
    tokens, previous = 0, np.int64(-1)
    spaces = 0
    for k in range(start, stop):
        byte = np.int64(data[k])
        if byte == 32 or byte == 9:
            spaces += 1
        else:
            tokens += spaces // RUN_SPACES + (1 if 2 <= spaces < RUN_SPACES else 0)
            spaces = 0
            if byte != previous and (byte < 0x80 or byte >= 0xC0):  # later bytes of a character count with its first
                tokens += 1
        previous = byte
    return tokens + (1 if spaces >= 2 else 0)


@compiled
def estimate_tokens(data: AnyArray, offsets: AnyArray, first: int, last: int, out: AnyArray) -> None:
    for row in range(first, last):
        at, end, tokens = offsets[row], offsets[row + 1], 0
        while True:
            start, stop = next_word(data, at, end)
            tokens += gap_tokens(data, at, start)
            if start == end:
                break
            tokens += word_tokens(data, start, stop)
            at = stop
        out[row] = tokens


@compiled
def symbol_share(data: AnyArray, offsets: AnyArray, first: int, last: int, out: AnyArray) -> None:
    """Share of the characters other than white space that belong to no word; NaN where there is none."""
    for row in range(first, last):
        at, end, seen, symbols = offsets[row], offsets[row + 1], 0, 0
        while at < end:
            point, width = code_point(data, at, end)
            at += width
            if point <= 32 or point == 0x85 or point == 0xA0 or 0x2000 <= point <= 0x200A or point == 0x3000:
                continue
            seen += 1
            kind = kind_of(point)
            symbols += kind != ALONE and (kind == 0 or point == 95)
        out[row] = symbols / seen if seen else np.nan


@compiled
def repetition(hashes: AnyArray, lengths: AnyArray, offsets: AnyArray, distinct: AnyArray, repeated: AnyArray) -> None:
    """Distinct words over words, and the share of word bytes inside 3-grams that occur more than once in the row."""
    scratch, heads = scratch_for(offsets)
    ordered = np.empty(len(scratch), dtype=np.uint64)
    for row in range(len(distinct)):
        first, last = offsets[row], offsets[row + 1]
        if first == last:
            distinct[row], repeated[row] = np.nan, np.nan
            continue
        words = ordered[: last - first]
        for k in range(len(words)):  # a slice that is assigned takes seconds to compile
            words[k] = hashes[first + k]
        sort_hashes(words, scratch, heads)
        different = 1
        for k in range(1, len(words)):
            different += words[k] != words[k - 1]
        distinct[row] = different / len(words)
        repeated[row] = repeated_share(hashes[first:last], lengths[first:last], ordered, scratch, heads)


@compiled
def repeated_share(hashes: AnyArray, lengths: AnyArray, ordered: AnyArray, scratch: AnyArray, heads: AnyArray) -> float:
    """`ordered` and `scratch` have room for as many hashes, `heads` as `sort_hashes` wants it."""
    grams = len(hashes) - SHINGLE_WORDS + 1
    if grams < 2:
        return 0.0
    found = ordered[:grams]
    for k in range(grams):
        found[k] = gram_hash(hashes, k, SHINGLE_WORDS)
    sort_hashes(found, scratch, heads)
    often = 0
    for k in range(1, grams):
        if found[k] == found[k - 1] and (often == 0 or scratch[often - 1] != found[k]):
            scratch[often] = found[k]
            often += 1
    total, covered, until = 0, 0, 0
    for k in range(len(hashes)):
        if k < grams and often:
            value = gram_hash(hashes, k, SHINGLE_WORDS)
            place = place_of(scratch[:often], value)
            if place < often and scratch[place] == value:
                until = k + SHINGLE_WORDS
        total += lengths[k]
        covered += lengths[k] * (k < until)
    return covered / total
