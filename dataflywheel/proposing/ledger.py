"""Every proposal ever made in a step, accepted or not, with its reason and its bill: what the accepted rows rest on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from dataflywheel.models.endpoint.request import Outcome
from dataflywheel.models.endpoint.tried import escaped
from dataflywheel.proposing.kinds import Check, Proposal

REPLY_SHOWN = 120
"""Letters of a reply that are shown."""
TOLD = frozenset({"cells", "failed", "score", "sought"})
"""Facts of proposals that are entered with them."""


class Fate(StrEnum):
    """What became of a proposal."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    """A gate turned it away."""
    FAILED = "failed"
    """No row came of it: nothing readable was written, or what was is none by the method's own rules."""
    LEFT = "left"
    """A rewriter saw no reason to change the row, or that it must not."""
    SURPLUS = "surplus"
    """It passed, but no more rows of its kind were wanted."""


@dataclass(frozen=True)
class Entry:
    """One line of the ledger."""

    proposal: Proposal
    fate: Fate
    wave: int
    slice: str = ""
    gate: str = ""
    """The gate that rejected it."""
    check: Check | None = None

    @property
    def reason(self) -> str:
        """Why it is no row, in words that can be counted; "" where it is one."""
        if self.fate is Fate.REJECTED and self.check is not None:
            return self.check.reason
        if self.proposal.failure:
            return self.proposal.failure.partition(":")[0]
        return "no more rows of its kind were wanted" if self.fate is Fate.SURPLUS else ""

    def as_dict(self) -> dict[str, Any]:
        """As it is written to `proposals.parquet`."""
        proposal, row, before = self.proposal, self.proposal.row, self.proposal.before
        replies = (*proposal.replies, *(self.check.replies if self.check else ()))
        sent = [reply for reply in replies if reply.outcome is not Outcome.OVER_BUDGET]
        return {
            "wave": self.wave,
            "fate": self.fate.value,
            "slice": self.slice,
            "gate": self.gate,
            "reason": self.reason,
            "detail": (self.check.detail if self.check else proposal.failure) or "",
            "facts": orjson.dumps(self._facts()).decode(),
            "id": row["id"] if row else None,
            "parents": list(proposal.parents),
            "before": before["id"] if before else None,
            "row": orjson.dumps(row).decode() if row else None,
            "keys": [reply.key for reply in replies],
            "calls": len(sent),
            "tokens": sum(reply.tokens_in + reply.tokens_out for reply in sent),
            "usd": sum(reply.usd for reply in sent),
        }

    def _facts(self) -> dict[str, Any]:
        """What gates measured, a judge's score, and the failure that the proposal was written from."""
        measured = dict(self.check.facts) if self.check else {}
        told = {name: fact for name, fact in self.proposal.facts.items() if name in TOLD}
        return measured | told


SCHEMA = pa.schema(
    [
        ("wave", pa.int32()),
        ("fate", pa.string()),
        ("slice", pa.string()),
        ("gate", pa.string()),
        ("reason", pa.string()),
        ("detail", pa.string()),
        ("facts", pa.string()),
        ("id", pa.string()),
        ("parents", pa.list_(pa.string())),
        ("before", pa.string()),
        ("row", pa.string()),
        ("keys", pa.list_(pa.string())),
        ("calls", pa.int32()),
        ("tokens", pa.int64()),
        ("usd", pa.float64()),
    ]
)


def unread_reply(entries: Sequence[Entry]) -> dict[str, str]:
    """The beginning of a reply of which no row came for the reason that is the commonest; nothing without such."""
    failed = [e for e in entries if e.fate is Fate.FAILED and any(reply.text for reply in e.proposal.replies)]
    common = Counter(e.reason for e in failed).most_common(1)
    for entry in failed:
        if entry.reason == common[0][0]:
            text = next(reply.text for reply in entry.proposal.replies if reply.text)
            return {"unread_reply": escaped(text, REPLY_SHOWN)}
    return {}


def write_ledger(path: Path, entries: Sequence[Entry]) -> None:
    """`proposals.parquet`: folding the accepted lines over the rows before gives the rows after."""
    pq.write_table(pa.Table.from_pylist([e.as_dict() for e in entries], SCHEMA), path, compression="zstd")


def funnel(entries: Sequence[Entry]) -> dict[str, Any]:
    """How many were proposed, failed, rejected (by gate and reason), surplus and accepted; calls, tokens and dollars
    in all and for each accepted row, those of lost proposals among them."""
    fates = Counter(entry.fate for entry in entries)
    rejected = Counter((e.gate, e.reason) for e in entries if e.fate is Fate.REJECTED)
    failed = Counter(e.reason for e in entries if e.fate is Fate.FAILED)
    dropped = [e for e in entries if e.fate is not Fate.ACCEPTED and e.proposal.facts.get("drop")]
    left = Counter(e.reason for e in entries if e.fate is Fate.LEFT and not e.proposal.facts.get("drop"))
    lines = [entry.as_dict() for entry in entries]
    paid = {name: sum(line[name] for line in lines) for name in ("calls", "tokens", "usd")}
    accepted = fates[Fate.ACCEPTED]
    return {
        "proposed": len(entries),
        **{fate.value: fates[fate] for fate in Fate},
        "rejections": [{"gate": g, "reason": r, "rows": n} for (g, r), n in rejected.most_common()],
        "failures": [{"reason": reason, "rows": n} for reason, n in failed.most_common()],
        "left_as_they_were": [{"reason": reason, "rows": n} for reason, n in left.most_common()],
        "dropped": len(dropped),
        **paid,
        "per_accepted": {name: value / accepted if accepted else None for name, value in paid.items()},
    }
