"""Rounds of attempts at failing instructions: how they are written, which are new, what is learned and told of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from dataflywheel.models.endpoint.failure import failure
from dataflywheel.models.endpoint.request import Outcome, Request, Sampling
from dataflywheel.models.endpoint.structured import Asks
from dataflywheel.rows.schema import Row
from dataflywheel.signals.words.rouge import indexed
from dataflywheel.signals.words.shingles import word_hashes
from dataflywheel.synthesis.adversarial.instruction_writer import asked, pair, picked
from dataflywheel.synthesis.adversarial.seeking import SHOWN, Seeking
from dataflywheel.synthesis.adversarial.target_failure import COPY, Attempt

UNREAD = "no instruction was written"


def attempted(by: Seeking, writer: Asks, rows: Sequence[Row], rng: np.random.Generator) -> list[Attempt]:
    """What the proposer writes in one round: several instructions to each three rows that it is shown."""
    prompts = []
    for _ in range(-(-by.attempts // by.draws)):
        shown = [rows[i] for i in picked(len(rows), SHOWN, rng).tolist()]
        prompts.append((asked(shown), shown))
    attempts = [Attempt(prompt, shown) for prompt, shown in prompts for _ in range(by.draws)][: by.attempts]
    drawing = Sampling(by.creativity, 1.0, by.instruction_tokens)
    numbers = [i % by.draws for i in range(len(attempts))]
    requests = [
        Request.chat(one.prompt, sampling=drawing, sample=number) for one, number in zip(attempts, numbers, strict=True)
    ]
    for one, reply in zip(attempts, writer.ask(requests), strict=True):
        one.replies.append(reply)
        one.text = reply.text.strip() if reply.answered else ""
        if not one.text:
            one.lost(UNREAD, failure(reply) if not reply.answered else "empty")
    return attempts


class New:
    """Instructions that are there: those of the pool, and all that were written before."""

    def __init__(self, pool: Sequence[str], most_alike: float) -> None:
        self.known = indexed(pool, *word_hashes(pool), most_alike)

    def among(self, attempts: Sequence[Attempt]) -> list[Attempt]:
        """Those that are no copies; from now on they are known. Of the others it is entered what they are copies of."""
        written = [one for one in attempts if one.text]
        words, offsets = word_hashes([one.text for one in written])
        found = []
        for one, (start, end) in zip(written, pairwise(offsets.tolist()), strict=True):
            if start == end:
                one.lost(UNREAD, "it holds no word")
                continue
            own = self.known.words(words[start:end])
            near = self.known.above(own)
            if near is not None:
                one.lost(COPY, f"ROUGE-L {near[1]:.2f} with {near[0][:80]!r}")
                continue
            self.known.add(one.text, own)
            found.append(one)
        return found


def pairs_of(attempts: Sequence[Attempt], partners: int, rng: np.random.Generator) -> list[Row]:
    """Each instruction that failed as the better answer to what the proposer was asked, against some that did not:
    those written to the same question first, then others, the least used of them first."""
    others = [one for one in attempts if one.failed is False]
    order, used = rng.permutation(len(others)).tolist(), dict.fromkeys(range(len(others)), 0)
    found: dict[str, Row] = {}
    for one in attempts:
        if not one.failed:
            continue
        near = sorted(order, key=lambda i: (others[i].prompt != one.prompt, used[i]))
        for i in near[:partners]:
            used[i] += 1
            row = pair(one.prompt, one.text, others[i].text)
            found.setdefault(row["id"], row)
    return list(found.values())


def round_facts(attempts: Sequence[Attempt]) -> dict[str, Any]:
    """What there is to tell of a round, as JSON values. `failure_rate`: of attempts with a verdict; `copies`: share of
    the instructions written that are copies; `distinct_2`: different pairs of words over all, in the round's
    instructions together, copies among them. None where there is nothing to divide by."""
    written = [one for one in attempts if one.text]
    judged = [one for one in attempts if one.failed is not None]
    failed = sum(bool(one.failed) for one in judged)
    copies = sum(one.why.startswith(COPY) for one in written)
    sent = [reply for one in attempts for reply in one.replies if reply.outcome is not Outcome.OVER_BUDGET]
    return {
        "attempts": len(attempts),
        "written": len(written),
        "copies": _share(copies, len(written)),
        "judged": len(judged),
        "failed": failed,
        "failure_rate": _share(failed, len(judged)),
        "rows": sum(not one.why for one in attempts),
        "distinct_2": distinct_2([one.text for one in written]),
        "calls": len(sent),
        "tokens": sum(reply.tokens_in + reply.tokens_out for reply in sent),
        "usd": sum(reply.usd for reply in sent),
    }


def distinct_2(texts: Sequence[str]) -> float | None:
    """Different pairs of neighbouring words over all such pairs of these texts.

    >>> distinct_2(["Add one and two.", "add one and three"])
    0.6666666666666666
    """
    words, offsets = word_hashes(texts)
    flat = words.tolist()
    grams = [gram for start, end in pairwise(offsets.tolist()) for gram in pairwise(flat[start:end])]
    return _share(len(set(grams)), len(grams))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
