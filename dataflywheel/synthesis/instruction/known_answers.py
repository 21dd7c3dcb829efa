"""The known answer to a row's question, and how it is come to."""

from __future__ import annotations

import orjson

from dataflywheel.proposing.answers.compare import number_of
from dataflywheel.proposing.final_answer import NoAnswerError, final_answer
from dataflywheel.rows.schema import Row
from dataflywheel.rows.text import answer_said
from dataflywheel.rows.trainers.kind import LABELS
from dataflywheel.synthesis.instruction.generate_verify_keep import checked_by
from dataflywheel.synthesis.instruction.unknowns import values_of

NO_GOLD = "no known answer"
EQUATIONS = ("equation", "Equation", "program")
"""Fields of a row that say how its answer is computed."""


def gold_of(seed: Row) -> str:
    """The known answer to a seed's question, "" where there is none: prose of a short answer is not taken for one."""
    if seed["label"] in LABELS:  # whether the answer was wanted
        seed = {**seed, "label": None}
    found = checked_by(seed).get("gold", "")
    extra = orjson.loads(seed["extra"] or "{}")
    if not found or extra.get("gold") not in (None, "") or seed["label"] or number_of(found) is not None:
        return found
    try:
        return final_answer(answer_said(seed["messages"]), unmarked=False)
    except NoAnswerError:
        return ""


def worked_of(seed: Row) -> str:
    """How the answer is come to: the equation beside a row, else its solution where that is more than the answer."""
    extra = orjson.loads(seed["extra"] or "{}")
    equation = next((str(extra[name]) for name in EQUATIONS if extra.get(name)), "")
    said = answer_said(seed["messages"])
    return equation or (said if len(values_of(said)) > 1 else "")
