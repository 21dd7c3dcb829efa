"""KTO: the loss by hand with its z and weights, and as TRL has it; batches that hold both kinds; planted labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.contracts import UsageError
from dataflywheel.distillation.model import kto as kto_module
from dataflywheel.distillation.model.kto import KTO
from dataflywheel.distillation.model.labelled import NO_LABEL
from dataflywheel.distillation.model.mismatched import BalancedOrder, collator, partners
from dataflywheel.models.training.train_settings import Lora, TrainSettings
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import Row, message
from tests.distillation.model.support import loaded, untrained
from tests.models.copy_skill import copy_rows

UNWANTED = "basil basil basil"
ONE = TrainSettings(max_steps=1, batch_size=64, dtype="float32")


def labelled(good: int, bad: int, seed: int) -> list[Row]:
    """Wanted answers repeat the words, the others always say the same; the wanted ones all come first."""
    made = []
    for place, row in enumerate(copy_rows(good + bad, seed)):
        answer = row[-1]["content"] if place < good else UNWANTED
        made.append(make_row([row[0], message("assistant", answer)], label="true" if place < good else "false"))
    return made


def likelihoods(folder: Path, rows: Sequence[Any]) -> Any:
    """(rows,): log-likelihood of each conversation's last answer, end of turn included."""
    model = loaded(folder)
    return -model.answer_scores(model.encode(list(rows))).total


def by_hand(policy: Path, reference: Path, rows: list[Row], beta: float, weights: tuple[float, float]) -> Any:
    """The loss of one batch with all rows, and its z; prompts are all different."""
    order = list(BalancedOrder([row["label"] == "true" for row in rows], 0))
    turns = [rows[i]["messages"] for i in order]
    others = [[mine[0], theirs[1]] for mine, theirs in zip(turns, [turns[-1], *turns[:-1]], strict=True)]
    apart, crossed = (likelihoods(policy, x) - likelihoods(reference, x) for x in (turns, others))
    z = max(0.0, float(crossed.mean()))
    good = np.array([rows[i]["label"] == "true" for i in order])
    signs = np.where(good, 1, -1)
    lost = 1 - 1 / (1 + np.exp(-beta * signs * (apart - z)))
    return float((np.where(good, *weights) * lost).mean()), z


@pytest.mark.parametrize("turned", [False, True], ids=["z above 0", "z at 0"])
def test_the_first_loss_is_the_one_by_hand(turned: bool, tmp_path: Path) -> None:
    rows = labelled(12, 20, seed=4)
    policy, reference = (untrained(1), untrained(0)) if turned else (untrained(0), untrained(1))
    made = KTO(beta=0.5).train(rows, policy, tmp_path / "a", ONE, reference=reference)
    wanted, z = by_hand(policy, reference, rows, 0.5, (20 / 12, 1.0))
    assert (z == 0) == turned
    assert made.losses[0] == pytest.approx(wanted, abs=1e-4)
    assert made.told == {"answers": 32, "good": 12, "bad": 20, "weights": [1.6667, 1.0]}


def test_trl_alone_has_the_same_loss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own batches, with answers that are turned as it turns them, on rows in our order."""
    from datasets import Dataset
    from trl import KTOConfig, KTOTrainer

    rows = labelled(12, 20, seed=4)
    ours = KTO().train(rows, untrained(1), tmp_path / "a", ONE, reference=untrained(0))
    base, held = loaded(untrained(1)), loaded(untrained(0))
    examples: list[Any] = [one[0] for one in KTO().examples(base.chat, rows, 1024) if not isinstance(one, str)]
    ordered = [examples[i] for i in BalancedOrder([one["label"] for one in examples], 0)]
    turned = [ordered[-1], *ordered[:-1]]
    ready = [one | {"KL_completion_ids": other["completion_ids"]} for one, other in zip(ordered, turned, strict=True)]
    monkeypatch.setattr(KTOTrainer, "_prepare_dataset", lambda self, dataset, *given: dataset)
    trainer = KTOTrainer(
        model=base.model,
        ref_model=held.model,
        args=KTOConfig(
            output_dir=str(tmp_path / "b"), desirable_weight=20 / 12, per_device_train_batch_size=64, max_length=None,
            use_cpu=True, report_to="none", bf16=False, activation_checkpointing=False,
        ),
        train_dataset=Dataset.from_list(ready),
        processing_class=base.tokenizer,
    )  # fmt: skip
    loss = trainer.compute_loss(trainer.model, next(iter(trainer.get_train_dataloader())))
    assert ours.losses[0] == pytest.approx(float(loss.detach()), abs=1e-5)


def test_one_wanted_answer_in_ten_is_enough(tmp_path: Path) -> None:
    settings = TrainSettings(max_steps=6, batch_size=20, learning_rate=1e-3, dtype="float32")
    made = KTO().train(labelled(6, 54, seed=0), untrained(0), tmp_path / "a", settings)
    assert made.told["weights"] == [9.0, 1.0]
    assert len(made.margins) == 6  # good and bad ones in every batch
    unseen = copy_rows(32, seed=9)
    bad = [[row[0], message("assistant", UNWANTED)] for row in unseen]
    margin = [likelihoods(folder, unseen) - likelihoods(folder, bad) for folder in (untrained(0), made.folder)]
    assert (margin[1] - margin[0]).mean() > 0.5


def test_adapters_are_held_to_the_model_without_them(tmp_path: Path) -> None:
    settings = ONE.model_copy(update={"lora": Lora(rank=4)})
    made = KTO().train(labelled(6, 6, seed=0), untrained(0), tmp_path / "a", settings)
    assert made.losses[0] == pytest.approx(0.5, abs=1e-4)  # d and z are 0


def test_pairs_are_two_answers_and_what_is_neither_is_named(tmp_path: Path) -> None:
    ask, yes, no = message("user", "repeat amber"), message("assistant", "amber"), message("assistant", "basil")
    long = message("assistant", "amber " * 200)
    rows = [
        make_row([ask, yes], rejected=[no]),
        make_row([ask, yes], label="true"),
        make_row([ask, yes], label="amber"),
        make_row([ask, yes]),
        make_row([ask, yes], rejected=[no], label="false"),
        make_row([ask, long], label="false"),
        make_row([yes], label="true"),
        make_row([ask], label="true"),
        make_row([ask, {**yes, "learn": False}], label="true"),
        make_row([ask, yes], rejected=[yes]),
    ]
    method = KTO()
    found = method.examples(loaded(untrained(0)).chat, rows, 64)
    assert [len(one) if not isinstance(one, str) else one for one in found] == [
        2,
        1,
        NO_LABEL,
        NO_LABEL,
        "its label says that its better answer is not wanted",
        "its answer leaves no room for the prompt in 64 tokens",
        "it has no prompt",
        "it does not end with an answer",
        "its answer is marked as not to be learned",
        "its answers are the same",
    ]
    assert [one["label"] for one in found[0] if not isinstance(one, str)] == [True, False]
    assert list(map(method.takes, rows)) == [True, True, False, False, *[True] * 6]
    settings = ONE.model_copy(update={"max_length": 64})
    made = method.train(rows, untrained(0), tmp_path / "a", settings)
    assert (made.told["answers"], made.told["good"], made.told["bad"]) == (3, 2, 1)
    assert made.left_out == {place: one for place, one in enumerate(found) if isinstance(one, str)}
    with pytest.raises(UsageError, match="all 1 answers are good: label some as the other kind, or learn them with"):
        method.train(rows[1:2], untrained(0), tmp_path / "b", settings)
    with pytest.raises(UsageError, match="none of 1 rows gives an answer to learn from"):
        method.train(rows[3:4], untrained(0), tmp_path / "c", settings)
    with pytest.raises(UsageError, match="reference"):
        method.train(rows, untrained(0), tmp_path / "d", settings, reference=untrained(0, text=copy_rows(4, 1)))
    with pytest.raises(UsageError, match="`batch_size` is 1"):
        method.train(rows, untrained(0), tmp_path / "d", settings.model_copy(update={"batch_size": 1}))


@pytest.mark.parametrize(
    ("given", "good", "bad", "weights"),
    [
        ({}, 10, 10, (1.0, 1.0)),
        ({}, 10, 40, (4.0, 1.0)),
        ({}, 40, 10, (1.0, 4.0)),
        ({"desirable_weight": 2.0}, 10, 40, (2.0, 0.5)),
        ({"undesirable_weight": 2.0}, 10, 40, (8.0, 2.0)),
        ({"desirable_weight": 1.0, "undesirable_weight": 1.0}, 10, 40, (1.0, 1.0)),
    ],
)
def test_weights_even_out_what_there_is_more_of(given: Any, good: int, bad: int, weights: Any) -> None:
    assert KTO(**given).weights(good, bad) == pytest.approx(weights)
    rows = [{"label": "true", "rejected": None}] * good + [{"label": "false", "rejected": None}] * bad
    [said] = KTO(**given).remarks(rows)  # type: ignore[arg-type]
    assert ("take `desirable_weight: 4`" in said) == (len(given) == 2)
    [said] = KTO().remarks(rows[:3])  # type: ignore[arg-type]
    assert said.startswith("kto learns from good and bad answers, and all 3 answers are good")


@given(st.lists(st.integers(0, 3), min_size=1, max_size=9))
def test_no_prompt_meets_its_own_answer_unless_there_is_no_other(prompts: list[int]) -> None:
    found = partners([[prompt] for prompt in prompts])
    for prompt, place in zip(prompts, found, strict=True):
        assert (place is None) == (len(set(prompts)) == 1)
        assert place is None or prompts[place] != prompt


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 9))
def test_both_kinds_are_spread_evenly_whatever_order_they_come_in(good: int, bad: int, seed: int) -> None:
    labels = np.array([True] * good + [False] * bad)
    order = BalancedOrder(labels.tolist(), seed)
    drawn = list(order)
    assert sorted(drawn) == list(range(good + bad))
    for start in range(good + bad):
        window = labels[drawn[start : start + 10]]
        assert abs(window.sum() - len(window) * good / (good + bad)) <= 2
    order.set_epoch(1)
    assert good + bad < 9 or list(order) != drawn


def test_prompts_make_room_for_answers_of_others() -> None:
    short = {"prompt_ids": [1, *range(10, 16)], "completion_ids": [5], "label": True}
    long = {"prompt_ids": [1, 20], "completion_ids": [6] * 6, "label": False}
    batch = collator(0, 1, 8)([short, long])
    assert batch["KL_input_ids"].tolist() == [[1, 15, 6, 6, 6, 6, 6, 6], [1, 20, 5, 0, 0, 0, 0, 0]]
    assert batch["KL_completion_mask"].sum(dim=1).tolist() == [6, 1]
    alone = collator(0, 1, 8)([short])
    assert alone["KL_completion_mask"].sum() == 0
    assert kto_module.one_sided(0, 3).endswith("there is nothing that is wanted")
