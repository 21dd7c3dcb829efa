"""A kind of step, or a procedure, of the user's own that does not say what it did is refused by its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dataflywheel.contracts import FlywheelError, UsageError
from dataflywheel.recipe.execute import run
from tests.plugins.files import CARD
from tests.plugins.test_procedures import PLUGIN, ROWS, read, text_of

STEP = """
from dataclasses import dataclass
from pydantic import BaseModel
from dataflywheel.contracts import Cost, Decisions
from dataflywheel.recipe.steps.rows_out import write_decided, write_kept
from dataflywheel.recipe.steps.step import Step
from dataflywheel.rows.parts import read_rows
from dataflywheel.store.atomic import atomic_directory

class Thin(BaseModel, extra="forbid", frozen=True): pass

@dataclass(frozen=True)
class Thinning(Step, keyword="thin"):
    Work = Thin
    def do(self, given):
        decisions = Decisions()
        for place, id in enumerate(read_rows(given.state.rows, ["id"])["id"].to_pylist()[:FIRST]):
            decisions.add(id, "dropped" if place % 2 else "kept", "in turn")
        with atomic_directory(given.output) as aside:
            kept = write_kept(given.state.rows, decisions, aside / "rows")
            record = write_decided(aside, self.record(given, STATED, Cost()), decisions)
        return GIVEN
"""


@pytest.mark.parametrize(
    ("first", "stated", "gives", "said"),
    [
        ("None", "kept", "None", "gave NoneType; wanted is a StepRecord"),
        ("None", "19", "record", "states 19 rows, and 10 are there"),
        ("4", "kept", "record", r"decides about 4 of 20 rows; each needs a decision, also row \w+"),
    ],
)
def test_what_a_step_may_not_leave_names_its_line(
    tmp_path: Path, first: str, stated: str, gives: str, said: str
) -> None:
    tmp_path.joinpath("pool.jsonl").write_text("\n".join(map(json.dumps, ROWS)), encoding="utf-8")
    whole = {"FIRST": "None", "STATED": "kept", "GIVEN": "record"}
    wrong = {"FIRST": first, "STATED": stated, "GIVEN": gives}
    for words in (wrong, whole):
        text = CARD + STEP
        for word, by in words.items():
            text = text.replace(word, by)
        (tmp_path / "mine.py").write_text(text, encoding="utf-8")
        recipe = read(tmp_path, text_of("thin: {}").replace("budget: {rows: 5}\n", ""))
        if words is whole:
            assert run(recipe, runs=tmp_path / "runs", home=tmp_path / "store").rows_out == 10
            return
        for _ in range(2):  # what it left is not taken over
            with pytest.raises(FlywheelError, match=rf"01-thin: thin \(mine\.py, line \d+\) {said}"):
                run(recipe, runs=tmp_path / "runs", home=tmp_path / "store")


def test_a_procedure_that_draws_its_steps_is_refused(tmp_path: Path) -> None:
    text = PLUGIN.replace('{"text.chars_answer": [None, self.most]}', '{"text.chars_answer": [None, self.drawn()]}')
    text += "\n    def drawn(self):\n        import random\n        return random.random()\n"
    (tmp_path / "mine.py").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="short_ones: asked twice, it gives other steps"):
        read(tmp_path, text_of("short_ones: {}"))
