"""What a user's trainer may not give or leave is said with its line; nothing that follows from it is a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataflywheel.contracts import FlywheelError, Method
from dataflywheel.distillation.model.pairs import PairTrainer
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.models.training.trainer import Trainer
from dataflywheel.plugins.blame import blamed
from dataflywheel.rows.identity import prompt_answer_row
from tests.plugins.test_given_back_kinds import mine

ROWS = [prompt_answer_row("a", "b"), prompt_answer_row("c", "d")]
IMPORTS = "        from dataflywheel.models.training.training import TrainResult as T\n"
LEAVES = (
    "        task.output.mkdir()\n"
    "        for name in ('config.json', 'model.safetensors'): (task.output / name).write_text('')\n"
)


@pytest.mark.parametrize(
    ("does", "said"),
    [
        ("        return None\n", "gave NoneType; wanted is a TrainResult"),
        ("        return task.output\n", "gave PosixPath; wanted is a TrainResult"),
        ("        return T(task.output, 1, 1, 1, 1.0, [1.0])\n", "left no model in .*made; wanted are config.json"),
        (LEAVES + "        return T(task.output, 1, 1, 1, 1.0, [float('nan')])\n", "gave the loss nan"),
        (LEAVES + "        return T(task.output, 1, 1, 1, 1.0, ['low'])\n", "gave the loss 'low'"),
        (
            LEAVES + "        return T(task.output, 1, 1, 1, 1.0, [1.0], left_out={2: 'long'})\n",
            "gave left_out of {2: 'long'}; wanted is a reason by position, 0 to 1",
        ),
    ],
)
def test_what_a_trainer_may_not_give_names_its_line(tmp_path: Path, does: str, said: str) -> None:
    body = "    def shown(self, chat, rows, settings): return []\n    def learn(self, task):\n" + IMPORTS + does
    trainer = mine(tmp_path, Trainer, body)
    with pytest.raises(FlywheelError, match=rf"mine \(mine\.py, line 13\) {said}"):
        trainer.train(ROWS, tmp_path / "model", tmp_path / "made")


@pytest.mark.parametrize(
    ("gave", "said"),
    [("None", "NoneType"), ("['no answer']", "1 entries"), ("[1, 2]", "2 entries")],
)
def test_what_a_trainer_learns_is_one_entry_a_row(tmp_path: Path, gave: str, said: str) -> None:
    body = f"    def examples(self, chat, rows, max_length): return {gave}\n    def loop(self, *given): return None\n"
    trainer = mine(tmp_path, PairTrainer, body)
    with pytest.raises(FlywheelError, match=rf"mine \(mine\.py, line 12\) gave {said} for 2 rows"):
        trainer.shown(None, ROWS, TrainSettings())  # type: ignore[arg-type]


def test_what_follows_from_a_users_method_is_no_traceback(tmp_path: Path) -> None:
    made = mine(tmp_path, Method, "    def end(self): raise SystemExit('bye')\n")
    given = [{"prefer": {"by": "mine"}}]
    seen = r"07-prefer: TypeError: odd \(test_given_back_\w+\.py, line \d+\); this followed from mine of plugin mine"
    with pytest.raises(FlywheelError, match=seen), blamed("07-prefer", given):
        raise TypeError("odd")
    seen = r"07-prefer: plugin mine\.py, line 12: SystemExit: bye"
    with pytest.raises(FlywheelError, match=seen), blamed("07-prefer"):
        made.end()  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match="odd"), blamed("07-prefer", [{"prefer": {"by": "dpo"}}]):
        raise TypeError("odd")
    with pytest.raises(OSError, match="full"), blamed("07-prefer", given):
        raise OSError("full")
