"""What a user's method may not give is said with the line that gives it, and nothing follows from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import dataflywheel as fw
from dataflywheel import catalog
from dataflywheel.contracts import FlywheelError, Metric, UsageError
from dataflywheel.evolution.feedback.answering import Answered
from dataflywheel.evolution.feedback.evaluate import marked
from dataflywheel.recipe.load import recipe_from
from tests.plugins.files import CARD, write_vowels

SELECTING = CARD + "class Mine(Selector):\n    card: ClassVar = card('selection', 'static', 'X.')\n"


@pytest.mark.parametrize(
    ("ranked", "said"),
    [
        ("list(range(n))", r"gave list; wanted is `Selection\("),
        ("Selection(np.ones(n) > 0, np.ones(n), 'r')", r"a mask; write np\.flatnonzero"),
        ("Selection(np.arange(n) / 2, np.ones(n), 'r')", "whole numbers, the places of rows"),
        ("Selection(np.arange(n + 1), np.ones(n + 1), 'r')", "ranks a row at place 4; it was shown 4 rows"),
        ("Selection(np.arange(n) - 1, np.ones(n), 'r')", "ranks a row at place -1"),
        ("Selection(np.zeros(n, int), np.ones(n), 'r')", "ranks row 0 4 times; once is wanted"),
        ("Selection(np.arange(n), np.ones(2), 'r')", r"gave `gain` of the shape \(2,\) for 4 rows"),
        ("Selection(np.arange(n), ['a'] * n, 'r')", "its `gain` are no numbers"),
        ("Selection(np.arange(n), np.ones(n), ['r'] * 3)", "gave 3 reasons for 4 rows"),
        ("Selection(np.arange(n), np.ones(n), 'r', weight=np.ones(3))", r"gave `weight` of the shape \(3,\)"),
        ("Selection(np.arange(n), np.ones(n), 'r', weight=-np.ones(n))", "a weight below 0"),
    ],
)
@pytest.mark.parametrize("part", ["by", "then"])
def test_what_a_selector_may_not_give_names_its_line(tmp_path: Path, ranked: str, said: str, part: str) -> None:
    """Whether it scores or chooses from a shortlist: nothing follows from what cannot be meant."""
    text = SELECTING + "    def needs(self): return ('row.text',)\n    def rank(self, columns, budget, rng):\n"
    (tmp_path / "mine.py").write_text(text + f"        n = len(columns)\n        return {ranked}\n")
    fw.plugin("mine.py")
    rows = [{"prompt": "a", "completion": "b" * (i + 1)} for i in range(4)]
    asked: dict[str, Any] = {"by": "mine"} if part == "by" else {"by": "longest", "then": "mine"}
    with pytest.raises(FlywheelError, match=rf"mine \(mine\.py, line \d+\).*{said}"):
        fw.select(rows, keep=4, **asked)


def test_a_selector_may_give_lists(tmp_path: Path) -> None:
    text = SELECTING + "    def needs(self): return ['row.text']\n    def rank(self, columns, budget, rng):\n"
    text += "        n = len(columns)\n        return Selection([2, 0], [2, 1], ['x', 'y'])\n"
    (tmp_path / "mine.py").write_text(text)
    fw.plugin("mine.py")
    rows = [{"prompt": "a", "completion": "b" * (i + 1)} for i in range(4)]
    assert fw.select(rows, by="mine", keep=2).index == [0, 2]


@pytest.mark.parametrize(
    ("needs", "said"),
    [("return 'row.text'", "names of columns.*it gave 'row.text'"), ("return 1 / 0", "line 11: ZeroDivisionError")],
)
def test_what_a_selector_may_not_need_is_refused_by_a_plan(tmp_path: Path, needs: str, said: str) -> None:
    text = SELECTING + f"    def needs(self): {needs}\n    def rank(self, columns, budget, rng): pass\n"
    (tmp_path / "mine.py").write_text(text)
    (tmp_path / "pool.jsonl").write_text('{"prompt": "a", "completion": "b"}\n')
    fw.plugin("mine.py")
    recipe = {"name": "r", "pool": [{"path": "pool.jsonl"}], "steps": [{"select": {"by": "mine", "keep": 1}}]}
    with pytest.raises(FlywheelError, match=rf"mine.*mine\.py.*{said}"):
        fw.plan(recipe_from(recipe))


@pytest.mark.parametrize(
    ("decided", "said"),
    [
        ("return None", "gave NoneType; wanted are `Decisions`"),
        ("return [d.add(i, 'keep', 'x') for i in ids] and d", "decides 'keep' of a row; a decision is one of kept"),
        ("return d.add(ids[0], 'kept', 'x') or d", "2 rows came in and 1 were decided on"),
        ("return [d.add(i, 'kept', 'x') for i in ids + ids] and d", "with 4 decisions; every row has exactly one"),
    ],
)
def test_what_a_cleaner_may_not_decide_names_its_line(tmp_path: Path, decided: str, said: str) -> None:
    text = CARD + "from dataflywheel.contracts import Cleaner, Decisions\nclass Mine(Cleaner):\n"
    text += "    card: ClassVar = card('enhancement', 'preparation', 'X.')\n    def needs(self): return ()\n"
    text += "    def decide(self, columns, texts, target):\n        d, ids = Decisions(), columns.ids.tolist()\n"
    (tmp_path / "mine.py").write_text(text + f"        {decided}\n")
    (tmp_path / "pool.jsonl").write_text('{"prompt": "a", "completion": "b"}\n{"prompt": "c", "completion": "d"}\n')
    fw.plugin("mine.py")
    recipe = {"name": "r", "pool": [{"path": "pool.jsonl"}], "steps": [{"mine": {}}]}
    with pytest.raises(FlywheelError, match=rf"mine \(mine\.py, line 13\).*{said}"):
        fw.run(recipe_from(recipe))


@pytest.mark.parametrize(
    ("wrote", "checked", "said"),
    [
        ("None", "[PASSED for _ in proposals]", r"mine \(mine\.py, line 14\) gave NoneType; wanted is a list"),
        ("[{'a': 1}]", "[PASSED for _ in proposals]", r"mine \(mine\.py, line 14\) gave dict among its proposals"),
        (
            "[Proposal((), {'messages': []})]",
            "[PASSED for _ in proposals]",
            r"mine \(mine\.py, line 14\) gave a row without columns of a row \(.*id.*make it with `child`",
        ),
        ("good", "[True] * len(proposals)", r"gate own \(mine\.py, line 19\) .* 3 answers \(bool\) to 3 proposals"),
        ("good", "None", r"gate own \(mine\.py, line 19\) .* 1 answers \(NoneType\)"),
        ("good", "1 / 0", r"gate own \(mine\.py, line 19\) .* ZeroDivisionError: .*\(mine\.py, line 19\)"),
    ],
)
def test_what_writers_and_gates_may_not_give_names_their_line(
    tmp_path: Path, wrote: str, checked: str, said: str
) -> None:
    text = CARD + "from dataflywheel.proposing.child import child\n"
    text += "from dataflywheel.proposing.kinds import PASSED, Gate, Proposal, Proposer\nclass Mine(Proposer):\n"
    text += "    card: ClassVar = card('synthesis', 'instruction', 'X.')\n    gates: ClassVar = ('own',)\n"
    text += "    def propose(self, demand):\n"
    text += "        good = [Proposal((r['id'],), child('m', r, 'q' + r['id'], 'x')) for r in demand.seeds]\n"
    text += f"        return {wrote}\nclass Own(Gate):\n    card: ClassVar = card('proposing', 'gates', 'X.')\n"
    (tmp_path / "mine.py").write_text(text + f"    def check(self, proposals, around): return {checked}\n")
    fw.plugin("mine.py")
    rows = [{"prompt": f"question {i}", "completion": f"answer {i}"} for i in range(3)]
    with pytest.raises(FlywheelError, match=said):
        fw.generate(rows, "mine", rows=3)


def test_a_signal_of_no_status_is_a_failure(tmp_path: Path) -> None:
    text = write_vowels(tmp_path / "mine.py").read_text()
    (tmp_path / "mine.py").write_text(text.replace("np.zeros(len(said), np.uint8)", "np.full(len(said), 9, np.uint8)"))
    fw.plugin("mine.py")
    with pytest.raises(FlywheelError, match=r"vowels gave the status 9; there is 0 OK, 1 TRUNCATED"):
        fw.measure([{"prompt": "a", "completion": "b"}], "vowels")


def test_a_function_is_no_selector() -> None:
    with pytest.raises(UsageError, match=r"step 1, select: by.*got <built-in function len>"):
        fw.select([{"prompt": "a", "completion": "b"}], by=len, keep=1)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("mark", "said"),
    [("1.0", "gave float; wanted is `Mark"), ("None", "gave NoneType"), ("Mark('good')", "gave str; wanted")],
)
def test_what_a_metric_may_not_say_names_its_line(tmp_path: Path, mark: str, said: str) -> None:
    with pytest.raises(FlywheelError, match=rf"mine \(mine\.py, line 12\) {said}"):
        marked(metric(tmp_path, mark), [{}], [Answered(["x"])])


def test_what_is_no_finite_score_is_none(tmp_path: Path) -> None:
    (found,) = marked(metric(tmp_path, "Mark(float('inf'))"), [{}], [Answered(["x"])])
    assert (found.value, found.note) == (None, "the score is no finite number")


def metric(folder: Path, mark: str) -> Metric:
    text = CARD + "from dataflywheel.contracts import Mark, Metric\nclass Mine(Metric):\n"
    (folder / "mine.py").write_text(
        text + "    card: ClassVar = card('evolution', 'metrics', 'X.')\n"
        f"    def mark(self, answer, row): return {mark}\n"
    )
    fw.plugin("mine.py")
    return catalog.made({"mine": {}}, Metric)
