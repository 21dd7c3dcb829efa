"""A procedure of the user's own: its errors name its file, and run and card tell of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dataflywheel.contracts import UsageError
from dataflywheel.recipe.execute import run
from dataflywheel.recipe.load import load_recipe
from dataflywheel.recipe.planning.plan import plan
from dataflywheel.recipe.schema import Recipe
from dataflywheel.report.card.used_methods import methods_of_run
from dataflywheel.report.rundir import load_run
from tests.plugins.files import CARD

ROWS = [{"prompt": f"How high is hill {i}?", "completion": f"It is {'very ' * i}high."} for i in range(20)]


def text_of(step: str) -> str:
    lines = [
        "name: toy",
        "pool: {path: pool.jsonl}",
        "steps:",
        f"  - {step}",
        "plugins: [mine.py]",
        "budget: {rows: 5}",
    ]
    return "\n".join(lines) + "\n"


def read(folder: Path, text: str) -> Recipe:
    (folder / "recipe.yaml").write_text(text, encoding="utf-8")
    return load_recipe(folder / "recipe.yaml")


PLUGIN = (
    CARD
    + """
from dataflywheel.contracts import Composite

class ShortOnes(Composite):
    card: ClassVar[Card] = card("selection", "static", "Short ones.")

    most: int = 60

    def steps(self, around):
        return [{"filter": {"bounds": {"text.chars_answer": [None, self.most]}}}, {"select": {"by": self.by()}}]

    def by(self):
        return {"longest": {}}["longest" if self.most else "none"] or "longest"
"""
)


def test_one_of_the_users_own(tmp_path: Path) -> None:
    (folder := tmp_path).joinpath("pool.jsonl").write_text("\n".join(map(json.dumps, ROWS)), encoding="utf-8")
    (folder / "mine.py").write_text(PLUGIN, encoding="utf-8")
    text = text_of("short_ones: {most: MOST}")
    with pytest.raises(
        UsageError, match=r"recipe.yaml:4: step 1, short_ones: plugin mine.py, line \d+: KeyError: 'none'"
    ):
        read(folder, text.replace("MOST", "0"))
    found = plan(made := read(folder, text.replace("MOST", "70")))
    assert [line["of"] for line in found["steps"]] == [["short_ones"]] * 2
    (plugged,) = found["plugins"]
    assert (plugged["plugin"], plugged["methods"]["short_ones"]["title"]) == ("mine.py", "Mine")
    result = run(made, runs=folder / "runs", home=folder / "store")
    assert result.rows_out == 5
    assert methods_of_run(load_run(result.path))[-1] == "short_ones"
    compared = read(folder, text.replace("MOST", "70") + "compare: [random]\n")
    with pytest.raises(
        UsageError, match=r"compare needs.*\n.*recipe.yaml:4, mine.py\) stands for 01-filter, 02-select"
    ):
        plan(compared)
