"""Redaction: nothing that is found stays, the same value has one stand-in in a row and another elsewhere."""

from __future__ import annotations

import gzip
import json
import logging
import re
from pathlib import Path

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.enhancement.toxicity.redact_personal_data import NOTHING, RedactPersonalData
from dataflywheel.enhancement.toxicity.stand_ins import redactor, surrogate
from dataflywheel.proposing.gates.no_personal_data import NoPersonalData
from dataflywheel.proposing.kinds import Demand, Proposal, Surroundings
from dataflywheel.rows.identity import make_row, prompt_answer_row
from dataflywheel.rows.schema import Row, message
from dataflywheel.rows.text import text_of
from dataflywheel.signals.safety.name_types import NAME_TYPES
from dataflywheel.signals.safety.names_found import names_in
from dataflywheel.signals.safety.personal_data_patterns import TYPES, find
from tests.signals.planted_names import plant


def redacted(*rows: Row) -> list[Proposal]:
    return RedactPersonalData().propose(Demand(rows, (0,) * len(rows), (), np.random.default_rng(0)))


def named(row: Row, **given: object) -> Proposal:
    return RedactPersonalData(names="any", **given).propose(Demand((row,), (0,), (), np.random.default_rng(0)))[0]  # type: ignore[arg-type]


def emails(row: Row) -> list[str]:
    return [word.strip(".,") for turn in row["messages"] for word in turn["content"].split() if "@" in word]


def test_consistent_within_a_row_and_not_across() -> None:
    rows = [prompt_answer_row(f"{i}: ask jane@corp.org, JOE@corp.org", "I asked Jane@corp.org.") for i in range(2)]
    first, second = (proposal.row for proposal in redacted(*rows))
    assert first is not None
    assert second is not None
    jane, joe, again = emails(first)
    assert jane == again != joe
    assert not set(emails(second)) & {jane, joe}
    assert first["parents"] == [rows[0]["id"]]
    assert first["made_by"] == "redact_personal_data"


def test_all_of_a_row_is_redacted_and_the_rest_stays() -> None:
    call = orjson.dumps([{"name": "mail", "arguments": {"to": "jane@corp.org", "n": 4}}]).decode()
    row = make_row(
        [message("user", "Mail jane@corp.org"), message("assistant", "Sure", tool_calls=call)],
        rejected=[message("assistant", "No, jane@corp.org")],
        extra={"author": {"email": ["jane@corp.org"]}, "year": 1999},
        tags=["mail"],
        source="box",
    )
    made = redacted(row)[0].row
    assert made is not None
    assert b"jane" not in orjson.dumps(made)
    stand_in = emails(made)[0]
    assert orjson.loads(made["messages"][1]["tool_calls"] or "") == [
        {"name": "mail", "arguments": {"to": stand_in, "n": 4}}
    ]
    assert orjson.loads(made["extra"]) == {"author": {"email": [stand_in]}, "year": 1999}
    assert (made["tags"], made["source"], made["copies"]) == (["mail"], "box", 1)


def test_a_clean_row_stays() -> None:
    row = prompt_answer_row("Two plus two?", "4")
    assert [(p.row, p.failure) for p in redacted(row)] == [(None, NOTHING)]


@pytest.mark.parametrize("kind", [*TYPES, *NAME_TYPES])
def test_stand_ins_are_not_found(kind: str) -> None:
    for i in range(300):
        stand_in = surrogate(kind, str(i))
        for text in (stand_in, f"call {stand_in}, born {stand_in}", f"https://{stand_in}@host.org", f"({stand_in})."):
            assert find(text) == []


@given(st.text(alphabet="0123456789 -+().@:/abcAB", max_size=80), st.text(alphabet="ab", max_size=2))
def test_redacting_twice_changes_nothing_more(text: str, key: str) -> None:
    once = redactor(key, TYPES)(text)
    assert find(once) == []
    assert redactor(key + "other", TYPES)(once) == once


def test_labelled_values_are_gone_and_nothing_is_logged(
    data: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    kinds = {"EMAIL_ADDRESS", "US_SSN", "IBAN_CODE", "CREDIT_CARD", "IP_ADDRESS", "PHONE_NUMBER"}
    with gzip.open(data / "pii_synthetic" / "synth_dataset_v2.json.gz") as file:
        rows = [r for r in json.load(file) if any(s["entity_type"] in kinds for s in r["spans"])]
    proposals = redacted(*(prompt_answer_row("Note", row["full_text"]) for row in rows))
    left = total = 0
    for row, proposal in zip(rows, proposals, strict=True):
        text = row["full_text"] if proposal.row is None else proposal.row["messages"][1]["content"]
        values = [s["entity_value"] for s in row["spans"] if s["entity_type"] in kinds]
        total += len(values)
        left += sum(value in text for value in values)
        assert all(v not in repr((proposal.failure, dict(proposal.facts))) for v in values)
    assert left / total < 0.02
    assert caplog.text == capsys.readouterr().out == ""


PEOPLE = {"Jane Doe": "person", "John Roe": "person", "Doe": "person", "Jane": "person", "Jane Roe": "person"}
STAND_IN = re.compile(r"(?:Person|Place|Organisation)-[A-Z][a-z]{7}")


def test_a_part_of_one_name_has_the_stand_in_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, PEOPLE)
    made = named(prompt_answer_row("Doe came.", "Jane Doe's dog met John Roe. Jane Doe, jane@corp.org, JANE")).row
    assert made is not None
    said = [turn["content"] for turn in made["messages"]]
    part, (whole, other, again) = STAND_IN.findall(said[0])[0], STAND_IN.findall(said[1])
    assert part == whole == again != other
    assert said[0] == f"{whole} came."
    assert said[1].startswith(f"{whole}'s dog met {other}. {whole}, name-")
    assert said[1].endswith("@redacted.invalid, JANE")


def test_a_part_of_two_names_and_of_a_place_is_somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, {**PEOPLE, "New York": "place", "York": "place"})
    made = named(prompt_answer_row("Jane Doe, Jane Roe", "Jane flew from New York to York")).row
    assert made is not None
    assert len(set(STAND_IN.findall(text_of(made["messages"])))) == 5


def test_a_name_that_was_found_once_stands_nowhere_in_the_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the model does not look (code, tools) as well, but for single words that may be something else there."""
    plant(monkeypatch, {"ask Jane Doe": "person", "Max came": "person", "Rose said": "person"})
    call = orjson.dumps([{"name": "Jane Doe", "arguments": {}}]).decode()
    turns = [
        message("user", "ask Jane Doe, Max came, Rose said, rose"),
        message("assistant", "`Max(1)`, `by = 'ask Jane Doe'`, Max came, Rose", tool_calls=call),
    ]
    row = make_row(turns, extra={"author": "ask Jane Doe", "by": {"who": "Max came"}})
    made = named(row).row
    assert made is not None
    first, second = (turn["content"] for turn in made["messages"])
    jane, max_, rose = STAND_IN.findall(first)
    assert first == f"{jane}, {max_}, {rose}, rose"
    assert second == f"`Max(1)`, `by = '{jane}'`, {max_}, Rose"
    assert orjson.loads(made["extra"]) == {"author": jane, "by": {"who": max_}}


@pytest.mark.parametrize("most", [1, 99])
def test_redacting_names_twice_changes_nothing_more(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """A model that sees another name once the first is gone is asked until it sees none."""
    names = {"Ann Bob": "person", "Cid": "person", **({"Person": "person", "-": "place"} if most > 1 else {})}
    planted = plant(monkeypatch, names, most=most)
    row = prompt_answer_row("Ann Bob Cid met Cid.", "_Ann Bob_, Cid; +44 20 7946 0958")
    once = named(row)
    assert once.row is not None
    assert once.facts == {"redacted_person": 5, "redacted_phone": 1}
    assert len(planted.read) == (6 if most == 1 else 4)
    assert once.row["parents"] == [row["id"]]
    assert named(once.row).failure == NOTHING
    assert NoPersonalData(names="any").check([once], Surroundings())[0].passed


def test_only_the_asked_types_go(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, {"Jane Doe": "person", "Lima": "place"})
    made = named(prompt_answer_row("Jane Doe in Lima", "jane@corp.org"), types=("person",)).row
    assert made is not None
    assert re.fullmatch(r"Person-[A-Z]\w+ in Lima\n\njane@corp\.org", text_of(made["messages"]))


@given(
    st.lists(
        st.sampled_from(["Ann", "Ann Lee", "Lee", "Bo Lee", "`", " ", ".", "'s ", "\n\n", "ann", "1"]), max_size=20
    )
)
def test_no_planted_name_is_left_outside_of_code(pieces: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        plant(patch, dict.fromkeys(["Ann Lee", "Bo Lee", "Ann", "Lee"], "person"))
        row = prompt_answer_row("".join(pieces), "Yes")
        proposal = named(row)
        made = row if proposal.row is None else proposal.row
        assert names_in([made["messages"][0]["content"]], "any") == [[]]
        assert proposal.row is None or named(proposal.row).failure == NOTHING


def test_a_name_is_replaced_in_capitals_across_lines_and_with_underscores(monkeypatch: pytest.MonkeyPatch) -> None:
    """The recogniser finds each name once, as it was written first."""
    plant(monkeypatch, {"Jane Doe said": "person", "E\u0301mile Zola": "person", "a_b": "organisation"})
    said = "JANE DOE SAID; Jane\nDoe said; jane doe said; Jane_Doe_said; \u00c9MILE ZOLA, \u00c9mile Zola"
    made = named(prompt_answer_row("Jane Doe said, E\u0301mile Zola, a_b", said)).row
    assert made is not None
    first, second = (turn["content"] for turn in made["messages"])
    jane, zola, other = STAND_IN.findall(first)
    assert len({jane, zola, other}) == 3
    assert second == f"{jane}; {jane}; jane doe said; {jane}; {zola}, {zola}"


def test_names_of_speakers_are_looked_at_and_those_of_tools_are_functions() -> None:
    mail = "jane@corp.example.org"
    turns = [
        message("user", "Hi", name=mail),
        message("tool", "1", name="ask@corp.example.org"),
        message("assistant", "Yes"),
    ]
    row = make_row(turns)
    (proposal,) = redacted(row)
    assert proposal.row is not None
    names = [turn["name"] for turn in proposal.row["messages"]]
    assert names[0] is not None
    assert names[0].endswith("@redacted.invalid")
    assert names[1] == "ask@corp.example.org"
    around = Surroundings()
    before, after = NoPersonalData().check([Proposal((row["id"],), one) for one in (row, proposal.row)], around)
    assert (before.reason, before.detail) == ("personal data: email", "1 email")
    assert after.passed
