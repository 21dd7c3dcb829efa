"""By what `prefer` learns: what is refused, foretold and priced, and what becomes of labelled rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dataflywheel.cli.plan import _shown_pairs
from dataflywheel.contracts import PoolStatistics, UsageError
from dataflywheel.distillation.model.dpo import DPO
from dataflywheel.recipe.execute import run
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.planning.plan import plan
from dataflywheel.recipe.pricing import efficiency
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.prefer import Prefer, Preferring
from dataflywheel.report.card.card import write_card
from dataflywheel.rows.ingest import Input
from dataflywheel.rows.peek import peek
from dataflywheel.store.decisions import read_decisions

AS_BEFORE = (
    'prefer@2:{"epochs":2.0,"max_steps":null,"learning_rate":null,"force":false,"batch_size":16,"max_length":1024,'
    '"turns":"all","lora":null,"warmup":0.05,"scheduler":"cosine","weight_decay":0.0,"max_grad_norm":1.0,'
    '"dtype":"auto","save_steps":500,"seed":0,"beta":0.1,"reference":"writer","iterations":2}'
)
GOOD, BAD, PAIRED, PLAIN, LONG = 12, 8, 4, 3, 2
SHORT: dict[str, Any] = {"max_steps": 2, "batch_size": 8, "dtype": "float32", "max_length": 64}


def step(**given: Any) -> Preferring:
    return Preferring.made(2, "prefer", given, recipe_from({"name": "a", "pool": [{"path": "x"}], "steps": ["train"]}))


def write(path: Path) -> Path:
    lines: list[dict[str, Any]] = [
        {"prompt": f"Is {i} even?", "completion": "Yes." if i % 2 else "No.", "label": i < GOOD}
        for i in range(GOOD + BAD)
    ]
    lines += [{"prompt": f"Half of {i}?", "chosen": f"{i}/2", "rejected": "0"} for i in range(PAIRED)]
    lines += [{"prompt": f"Say {i}", "completion": f"{i}"} for i in range(PLAIN)]
    lines += [{"prompt": f"Count to {i}", "completion": "one " * 99, "label": False} for i in range(LONG)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def job(folder: Path, **prefer: Any) -> Recipe:
    student = {"builtin": "tiny", "size": "0.5m"}
    steps = [{"train": SHORT}, {"prefer": {**SHORT, **prefer}}]
    pool = [{"path": str(write(folder / "pool.jsonl"))}]
    return recipe_from({"name": "a", "pool": pool, "models": {"student": student}, "steps": steps})


def test_a_step_that_names_no_method_is_known_as_before() -> None:
    assert step(epochs=2).identity() == step(by="dpo", epochs=2).identity() == AS_BEFORE
    assert step(by={"dpo": {"beta": 0.3}}).identity() == step(beta=0.3).identity()
    assert step(by={"dpo": {"beta": 0.3}}).work.method() == DPO(beta=0.3)
    assert DPO().digest() == "09e697aac269965a"  # of models that stores hold
    known = step(by={"kto": {"beta": 0.2}})
    assert known.identity().endswith("kto@1")
    assert Prefer(**known.parameters()) == known.work
    assert "beta" not in known.parameters()
    assert "reference" not in step(by="simpo").parameters()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"by": "kto", "beta": 0.2}, r"beta is that of dpo; write `by: \{kto: \{beta"),
        ({"by": "simpo", "reference": "start"}, "reference: simpo is held to none"),
        ({"by": "fine_tuning"}, "fine_tuning learns from answers, not from preferences; there is dpo, kto and simpo"),
        ({"by": "on_policy"}, "on_policy learns from prompts"),
        ({"by": "ktoo"}, "there is no trainer 'ktoo'; did you mean 'kto'"),
        ({"by": {"simpo": {"gama": 1}}}, "unknown parameter 'gama'; did you mean 'gamma'"),
        ({"by": {"dpo": {"beta": 0.2}}, "beta": 0.3}, "leave one of them out"),
    ],
)
def test_what_does_not_go_together_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        step(**given)


def test_a_plan_counts_labels_prices_them_and_warns_of_weights(tmp_path: Path) -> None:
    seen = peek(Input(str(write(tmp_path / "rows.jsonl"))))
    assert (seen.pairs, seen.labelled) == (PAIRED, GOOD + BAD + LONG)
    found = plan(job(tmp_path, by={"kto": {"desirable_weight": 1, "undesirable_weight": 4}}))
    line = {line["step"]: line for line in found["steps"]}["prefer"]
    assert (line["cost"]["forward"], line["cost"]["backward"]) == (4 * 16, 16)  # two steps of eight answers
    shown = found["shown_pairs"]
    assert shown["answers"] == GOOD + BAD + PAIRED + LONG
    assert shown["not_trained"] == {"its answer leaves no room for the prompt in 64 tokens": LONG}
    told = _shown_pairs(found.shown_pairs)
    assert "26 labelled rows and pairs looked at: 2 will not be learned by `prefer`" in told[0]
    assert "16 good and 12 bad answers are weighted 1 and 4" in told[1]
    assert "take `desirable_weight: 3`" in told[1]
    assert plan(job(tmp_path, by="simpo"))["shown_pairs"] == {"pairs": PAIRED, "not_trained": {}}
    for method, seconds in (("dpo", 8), ("simpo", 6), ("kto", 12)):
        pool = PoolStatistics(100, 4000, 1000, pairs=10, labelled=0)
        price = step(by=method, epochs=1).cost(job(tmp_path), pool, 1e9)
        assert price.seconds == pytest.approx(seconds * 0.5e6 * 20 * 10 / (1e9 * efficiency(0.5e6)), abs=0.01)
    with pytest.raises(UsageError, match="`batch_size` is 1"):
        plan(job(tmp_path, by="kto", batch_size=1))


def test_rows_without_labels_are_refused_beforehand(tmp_path: Path) -> None:
    only = tmp_path / "only.jsonl"
    only.write_text('{"prompt": "a", "completion": "b"}\n', encoding="utf-8")
    recipe = recipe_from({"name": "a", "pool": [{"path": str(only)}], "steps": ["train", {"prefer": {"by": "kto"}}]})
    with pytest.raises(UsageError, match=r"no row of the pool.*says of its answer whether it is wanted"):
        plan(recipe)


def test_labels_and_pairs_are_learned_and_every_row_of_them_is_decided_on(tmp_path: Path) -> None:
    where: dict[str, Any] = {"runs": tmp_path / "runs", "home": tmp_path / "store"}
    made = run(job(tmp_path, by="kto"), **where)
    record = json.loads((made.path / "round-1" / "02-prefer" / "metrics.json").read_text(encoding="utf-8"))
    details = record["details"]
    assert (details["answers"], details["good"], details["bad"]) == (28, 16, 12)
    assert (details["steps"], details["reference"], details["left_out"]) == (2, "start", LONG)
    assert details["losses"][0][1] == pytest.approx(0.5 * (16 + 12 * 16 / 12) / 28, abs=0.02)
    assert (record["cost"]["forward"], record["cost"]["backward"]) == (4 * 16, 16)
    reasons = read_decisions(made.path / "round-1" / "02-prefer" / "decisions.parquet")["reason"].to_pylist()
    assert reasons.count("trained") == GOOD + BAD + PAIRED
    assert reasons.count("not trained, its answer leaves no room for the prompt in 64 tokens") == LONG
    assert "`kto`" in write_card(made.path).read_text(encoding="utf-8")
    [model] = (tmp_path / "store" / "models").glob("kto-*")
    before = (model / "training.json").stat().st_mtime_ns
    assert run(job(tmp_path, by="kto"), **where).rows_out == made.rows_out
    assert (model / "training.json").stat().st_mtime_ns == before
