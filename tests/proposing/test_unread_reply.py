"""A reply of which no row came is shown for the reason that is the commonest, and nothing in it reaches a terminal."""

from __future__ import annotations

from dataflywheel.models.endpoint.request import Outcome, Reply
from dataflywheel.proposing.kinds import Proposal
from dataflywheel.proposing.ledger import Entry, Fate, unread_reply


def failed(why: str, text: str) -> Entry:
    return Entry(Proposal(("a",), failure=why, replies=(Reply(Outcome.ANSWERED, text),)), Fate.FAILED, 0)


def test_the_reply_is_one_of_the_commonest_reason() -> None:
    entries = [
        failed("truncated: at 16", "Once"),
        failed("no list: none", "Well\x1b[31m"),
        failed("no list: two", "So"),
    ]
    assert unread_reply(entries) == {"unread_reply": "'Well\\x1b[31m'"}
    assert unread_reply([failed("no list", "x" * 500)])["unread_reply"].endswith("' and so on")


def test_nothing_is_shown_where_no_reply_has_a_text() -> None:
    silent = Entry(Proposal(("a",), failure="empty document"), Fate.FAILED, 0)
    left = Entry(Proposal(("a",), failure="nothing to revise", replies=(Reply(Outcome.ANSWERED, "x"),)), Fate.LEFT, 0)
    assert unread_reply([silent, left, failed("no answer", "")]) == {}
