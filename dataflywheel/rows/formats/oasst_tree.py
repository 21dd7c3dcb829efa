"""Conversation trees of Open Assistant: `prompt` with nested `replies`, those of the assistant ranked by people.

A tree gives one row for each prompt that is reached through best replies only: the way to it and its best reply, with
the worst-ranked sibling as the rejected answer. The tree itself stays whole in the `extra` of its first row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import orjson

from dataflywheel.rows.formats.draft import CannotHold, Draft, ReadError, Record, kind
from dataflywheel.rows.formats.shape import OURS, Shape, finish, take_facts, with_lineage
from dataflywheel.rows.formats.turns import ROLES
from dataflywheel.rows.schema import Message, Row, message

TREE = "tree"


class OasstTree(Shape):
    """Only whole trees can be written: a row alone does not hold its siblings."""

    name = "oasst_tree"

    def matches(self, keys: frozenset[str]) -> bool:
        return {"message_tree_id", "prompt"} <= keys

    def parse(self, record: Record) -> Draft:
        raise ReadError("prompt", "a tree gives several rows")

    def render(self, draft: Draft) -> Record:
        raise CannotHold("a row without its tree")

    def read(self, record: Record, source: str = "") -> list[Row]:
        record = dict(record)
        facts = take_facts(record)
        drafts = list(walk(record["prompt"], [], "prompt"))
        if not drafts:
            raise ReadError("prompt.replies", "expected at least one reply of the assistant")
        rest = {key: value for key, value in record.items() if key != "prompt"}
        for draft in drafts:
            draft.extra = {**rest, **draft.extra}
        drafts[0].extra[TREE] = record["prompt"]
        return [finish(draft, source, [], facts) for draft in drafts]

    def write(self, row: Row, lineage: bool = True, source: str = "") -> Record:
        records = [record for _, record in self.write_all([row], lineage, source)]
        return records[0]

    def write_all(self, rows: Iterable[Row], lineage: bool = True, source: str = "") -> Iterator[tuple[Row, Record]]:
        """Records of the trees whose rows follow each other complete and in order.

        Raises:
            CannotHold: rows of a tree are missing, changed, or never belonged to one.
        """
        expected: list[Row] = []
        facts: Record = {}
        for row in rows:
            own = with_lineage({}, row, source, lineage).get(OURS, {})
            if not expected:
                extra: Record = orjson.loads(row["extra"])
                if TREE not in extra:
                    raise CannotHold("a row without its tree")
                record = {key: value for key, value in extra.items() if key not in (TREE, "message_id")}
                record["prompt"] = extra[TREE]
                expected = self.read(record, source)
                facts = own
                yield row, {**record, OURS: facts} if facts else record
            if own != facts or facts.keys() - {"source"}:
                raise CannotHold("lineage other than one source in a tree")
            if (row["id"], row["extra"]) != (expected[0]["id"], expected[0]["extra"]):
                raise CannotHold("a tree of which rows were dropped or changed")
            expected.pop(0)
        if expected:
            raise CannotHold("a tree of which rows were dropped or changed")


def walk(node: object, before: list[Message], field: str) -> Iterator[Draft]:
    """Drafts of the prompt `node` and, through its best reply, of the prompts below it.

    Raises:
        ReadError: a node without a text or a known role.
    """
    if not isinstance(node, dict) or not isinstance(node.get("text"), str) or node.get("role") not in ROLES:
        raise ReadError(field, f"expected a message {{role, text, replies}}, got {kind(node)}")
    path = [*before, message(ROLES[node["role"]], node["text"])]
    replies = node.get("replies") or []
    if ROLES[node["role"]] == "assistant":
        for position, reply in enumerate(replies):
            yield from walk(reply, path, f"{field}.replies[{position}]")
        return
    ranked = sorted(replies, key=lambda reply: (reply.get("rank") is None, reply.get("rank") or 0))
    if not ranked:
        return
    best = ranked[0]
    worst = [reply for reply in ranked[1:] if reply.get("rank") is not None]
    answer = message("assistant", text_of(best, field))
    rejected = [message("assistant", text_of(worst[-1], field))] if worst else None
    yield Draft([*path, answer], rejected, extra={"message_id": best.get("message_id")})
    yield from walk(best, path, field)


def text_of(reply: object, field: str) -> str:
    if not isinstance(reply, dict) or not isinstance(reply.get("text"), str):
        raise ReadError(f"{field}.replies", "expected messages {role, text, replies}")
    return str(reply["text"])
