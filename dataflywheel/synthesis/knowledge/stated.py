"""What documents state, asked of a model and held against them, and a denial of each statement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pydantic import Field

from dataflywheel.contracts import build
from dataflywheel.models.endpoint.failure import failure
from dataflywheel.models.endpoint.instructions import filled
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Reply, Sampling
from dataflywheel.models.endpoint.structured import Asks, Form, ask_for
from dataflywheel.proposing.gates.grounded import Grounded
from dataflywheel.synthesis.knowledge.graph import Statement, bare

ASK = "List up to {count} statements as `facts`, each with its `statement`, then its `subject`, then its `object`."
ASK_DENIALS = "Write {count} false statements as `denials`, in the order of the lines."
NOT_IN_IT = "not in the document"
NO_DENIAL = "no denial"


class Fact(Form):
    """A statement and what it is about."""

    statement: str = Field(min_length=1)
    subject: str = Field(min_length=1)
    object: str


class Facts(Form):
    """What one reply holds."""

    facts: list[Fact] = Field(min_length=1, json_schema_extra={"maxItems": 40})


class Denials(Form):
    """False statements, one for each that was shown."""

    denials: list[str] = Field(min_length=1, json_schema_extra={"maxItems": 40})


@dataclass
class Stated:
    """What was read of one document."""

    statements: list[Statement] = field(default_factory=list)
    lost: Counter[str] = field(default_factory=Counter)
    """Statements that are none, by reason."""
    why: str = ""
    """Why nothing was read of one of its parts, or ""."""
    replies: list[Reply] = field(default_factory=list)


def stated(
    client: Asks, parts: Sequence[tuple[str, str]], told: tuple[str, str], count: int, sampling: Sampling, strict: bool
) -> dict[str, Stated]:
    """By document, given as its id with the text of each of its parts: statements with their denials.

    `told` says how to read and how to deny. A statement has its names and numbers from its part, and names what it is
    about; where `strict` is false nothing is held against the text.
    """
    found: dict[str, Stated] = {}
    ask = filled(ASK, count=count)
    questions = [question(told[0], {"passage": text}, ask, sampling) for _, text in parts]
    for (document, text), answer in zip(parts, ask_for(client, questions, Facts), strict=True):
        one = found.setdefault(document, Stated())
        one.replies += answer.replies
        if answer.value is None:
            one.why = one.why or failure(answer)
            continue
        for fact in answer.value.facts[:count]:
            why = fault(fact, text) if strict else ""
            if why:
                one.lost[why] += 1
            else:
                names = fact.subject.strip(), fact.object.strip()
                one.statements.append(Statement(fact.statement.strip(), *names, (document,)))
    _deny(client, found, told[1], sampling)
    return found


def _deny(client: Asks, found: dict[str, Stated], told: str, sampling: Sampling) -> None:
    """One question a document: a list of another length says of no denial to which statement it belongs."""
    asked = [one for one in found.values() if one.statements]
    questions = [
        question(
            told,
            {"statements": "\n".join(" ".join(s.text.split()) for s in one.statements)},
            filled(ASK_DENIALS, count=len(one.statements)),
            sampling,
        )
        for one in asked
    ]
    for one, answer in zip(asked, ask_for(client, questions, Denials), strict=True):
        one.replies += answer.replies
        said = answer.value.denials if answer.value is not None else []
        if len(said) != len(one.statements):
            one.lost[NO_DENIAL] += len(one.statements)
            continue
        for place, (statement, denial) in enumerate(zip(one.statements, said, strict=True)):
            good = bool(denial.strip()) and bare(denial) != bare(statement.text)
            one.lost[NO_DENIAL] += not good
            one.statements[place] = replace(statement, denial=denial.strip() if good else "")


def fault(fact: Fact, text: str) -> str:
    """Why what was listed is no statement of the text, or ""."""
    said, held = bare(fact.statement), bare(text)
    names = [bare(name) for name in (fact.subject, fact.object) if name.strip()]
    if not names or not all(name in said and name in held for name in names):
        return f"{NOT_IN_IT}, nor in its own words, what it is about"
    check = build(Grounded, {}).against(fact.statement.strip(), text)
    return "" if check.passed else f"{NOT_IN_IT}, {check.reason}"
