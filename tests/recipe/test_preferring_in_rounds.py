"""SPIN and Self-Rewarding as wheels: who writes in which round, and a judge that parts from gold."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from dataflywheel.contracts import UsageError
from dataflywheel.distillation.data.self_distillation import SelfDistillation
from dataflywheel.distillation.model.dpo import DPO
from dataflywheel.enhancement.rewriting.clear_correction import ClearCorrection
from dataflywheel.evolution.iteration.own_answers import own_request
from dataflywheel.evolution.iteration.self_rewarding import POINTS, SelfRewarding
from dataflywheel.evolution.iteration.spin import Spin
from dataflywheel.models.endpoint.request import Sampling
from dataflywheel.models.files import folder_digest
from dataflywheel.models.language.pool_tokenizer import pool_tokenizer
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.training.tiny import init_tiny
from dataflywheel.recipe.asking import teacher, writes_itself
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.execute import Result, run
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.progress import Silent
from dataflywheel.recipe.steps.pair_writers import opponent, preferences_to_learn, written_by
from dataflywheel.report.html import write_report
from dataflywheel.rows.builder import build
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.parts import PartWriter, read_rows
from dataflywheel.rows.python_docs import python_docs
from dataflywheel.rows.schema import message
from dataflywheel.rows.text import part_of, text_of
from dataflywheel.store.run import RunDirectory
from tests.models.endpoint.fake import FakeClient
from tests.recipe.jobs import job
from tests.synthesis.support import teacher as scripted

CLEANED: list[Any] = [{"decontaminate": {"semantic": None}}, {"filter": {"bounds": {"text.tokens_answer": [5, 100]}}}]
SHORT: dict[str, Any] = {"max_steps": 2, "max_length": 96, "batch_size": 8, "dtype": "float32"}
MORE: dict[str, Any] = {"rounds": 2, "feedback": {"uniform": {}}, "guards": {"patience": 5, "real_share": 0.3}}
TOKENS = 16


def student() -> str:
    """An untrained model that was not built in, and so is not trained on the pool before it writes."""
    texts = [row["messages"] for row in islice(python_docs("pool"), 200)]
    return str(init_tiny(pool_tokenizer(texts), "0.5m", seed=0))


def wheel(folder: Path, by: dict[str, Any], rows: int, **prefer: Any) -> Any:
    steps = [
        *CLEANED,
        {"select": {"by": "random", "keep": 40}},
        {"generate": {"by": by, "rows": rows, "gates": []}},
        {"train": {**SHORT, "pairs": False, **prefer}},
        {"prefer": {**SHORT, **prefer}},
        "evaluate",
    ]
    return job(folder, steps, models={"student": {"hf": student()}, "embedder": "static"}, **MORE)


@pytest.fixture(scope="module")
def spun(tmp_path_factory: pytest.TempPathFactory) -> Result:
    folder = tmp_path_factory.mktemp("spin")
    recipe = wheel(folder, {"spin": {"max_tokens": TOKENS}}, 16)
    return run(recipe, runs=folder / "runs", home=folder / "store")


def written(result: Result, round: int, by: str) -> list[Any]:
    rows = read_rows(result.path / f"round-{round}" / "04-generate" / "rows").to_pylist()
    return [row for row in rows if row["made_by"] == by]


@pytest.mark.slow
def test_each_round_of_spin_is_written_by_the_model_of_the_round_before(spun: Result) -> None:
    turn = json.loads((spun.path / "round-1" / "turn.json").read_text(encoding="utf-8"))
    assert turn["kept"]
    ledger = pq.read_table(spun.path / "round-2" / "04-generate" / "proposals.parquet").to_pylist()
    rows = {row["id"]: row for row in read_rows(spun.path / "round-1" / "00-pool" / "rows").to_pylist()}
    # An answer that is cut is asked for once more, with twice the room.
    limits = [Sampling(temperature=1.0, max_tokens=most) for most in (TOKENS, 2 * TOKENS)]

    def asked(name: str) -> list[bool]:
        identity = f"local:{folder_digest(spun.path / 'models' / name)}:float32"
        prompts = [rows[line["parents"][0]] for line in ledger]
        keys = [[own_request(row, limit, 0).key(identity) for limit in limits] for row in prompts]
        return [line["keys"][0] in mine for line, mine in zip(ledger, keys, strict=True)]

    assert all(asked("round-1"))
    assert not any(asked("round-1-sft") + asked("round-2") + asked("round-2-sft"))
    assert len(written(spun, 2, "spin")) == 8
    for row in written(spun, 2, "spin"):
        assert part_of(row["messages"], "answer") == part_of(rows[row["parents"][0]]["messages"], "answer")
        assert text_of(row["rejected"]).strip()


@pytest.mark.slow
def test_pairs_add_up_over_rounds_and_the_result_is_the_preferred_model(spun: Result) -> None:
    untrained = folder_digest(Path(student()))
    for round, pairs, writer in ((1, 8, untrained), (2, 16, folder_digest(spun.path / "models" / "round-1"))):
        found = json.loads((spun.path / f"round-{round}" / "06-prefer" / "metrics.json").read_text(encoding="utf-8"))
        assert found["rows_in"] == pairs
        assert found["details"]["model"] == f"models/round-{round}"
        assert found["details"]["reference"] == writer, "it is held to the model that wrote the rejected answers"
    models = {path.name: folder_digest(path) for path in (spun.path / "models").iterdir()}
    assert set(models) == {"round-1", "round-1-sft", "round-2", "round-2-sft", "student"}
    assert models["student"] in (models["round-1"], models["round-2"])
    assert len(set(models.values())) == 4
    turns = [json.loads((spun.path / f"round-{r}" / "turn.json").read_text(encoding="utf-8")) for r in (1, 2)]
    assert [(turn["judge"], turn["alarms"]) for turn in turns] == [(None, []), (None, [])]


def test_own_pairs_of_the_last_two_iterations_are_learned_and_those_of_others_always(tmp_path: Path) -> None:
    rows = [
        dict(
            prompt_answer_row(f"{by} {round}", "good", made_by=by, round=round), rejected=[message("assistant", "bad")]
        )
        for by in ("spin", "self_rewarding", "syn_po", "clear_correction", "")
        for round in (1, 2, 3)
    ]
    rows.append(dict(prompt_answer_row("no pair", "good", made_by="spin", round=3)))
    with PartWriter(tmp_path / "rows") as writer:
        writer.write(build(rows))  # type: ignore[arg-type]
    table = {row["id"]: row["messages"][0]["content"] for row in rows}
    for iterations, gone in (
        (2, {"spin 1", "self_rewarding 1"}),
        (1, {f"{m} {r}" for m in ("spin", "self_rewarding") for r in (1, 2)}),
    ):
        ids, older = preferences_to_learn(tmp_path / "rows", 3, iterations, DPO())
        assert set(table.values()) - {table[i] for i in ids} == {"no pair"} | gone
        assert older == len(gone)


def test_the_opponent_is_the_model_that_wrote_and_must_still_be_there(tmp_path: Path) -> None:
    value = {"name": "a", "pool": [{"builtin": "python_docs"}], "models": {"student": student()}, "steps": ["train"]}
    context = Context(recipe_from(value), RunDirectory(tmp_path / "run"), tmp_path / "store")
    first, second = tmp_path / "run" / "round-2" / "03-generate", tmp_path / "run" / "round-2" / "04-enhance"
    kept = tmp_path / "run" / "models" / "round-1"
    shutil.copytree(student(), kept)
    for folder, trained in ((first, None), (second, kept)):
        context = replace(context, trained=trained)
        spin = context.proposer("spin", {})
        assert isinstance(spin, Spin)
        folder.mkdir(parents=True)
        told = {"details": {"writer": written_by(context, spin, {})}}
        (folder / "metrics.json").write_text(json.dumps(told), encoding="utf-8")
    assert written_by(context, Spin(model=ModelSpec(endpoint="http://localhost:1/v1", model="m")), {}) is None
    for other in (SelfDistillation, ClearCorrection):  # the student writes, and no pairs
        assert written_by(context, other(model=ModelSpec(hf=student())), {}) is None
    assert opponent(context, []) is None
    assert opponent(context, [first, tmp_path / "nothing"]) == Path(student())
    assert opponent(context, [first, second]) == kept
    (kept / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(UsageError, match=r"not in .*round-1 any more"):
        opponent(context, [first, second])


def test_a_method_writes_with_the_students_model_only_where_one_is_trained(tmp_path: Path) -> None:
    value: dict[str, Any] = {"name": "a", "pool": [{"builtin": "python_docs"}], "models": {"teacher": "./big"}}
    trains, not_trains = (recipe_from({**value, "steps": [step]}) for step in ("train", "deduplicate"))
    for kind in (Spin, SelfRewarding):
        assert teacher(trains, kind) == trains.models.student
        assert teacher(not_trains, kind) == ModelSpec(hf="./big")
        assert teacher(trains, kind, {"model": "./own"}) == ModelSpec(hf="./own")
        assert [writes_itself(r, kind, {}) for r in (trains, not_trains)] == [True, False]
    context = Context(trains, RunDirectory(tmp_path / "run"), tmp_path / "store")
    context = replace(context, trained=tmp_path / "models" / "round-3")
    made = context.proposer("spin", {"max_tokens": 20})
    assert isinstance(made, Spin)
    assert made.model == ModelSpec(hf=str(context.trained))


class Policy:
    """A writer that learns from what its judge prefers: each round answers about as long as the best of the last."""

    def __init__(self, seed: int) -> None:
        self.rng, self.words, self.best = np.random.default_rng(seed), 20.0, list[float]()

    def __call__(self, _: dict[str, str], request: Any) -> str:
        count = max(3, round(float(self.rng.normal(self.words, 5))))
        return " ".join(f"w{i}{request.sample}" for i in range(count))

    def learn(self, answers: list[str]) -> None:
        self.words = float(np.mean([len(answer.split()) for answer in answers]))


class Told(Silent):
    """Keeps what the live table says of each round."""

    def __init__(self, learn: Callable[[], None]) -> None:
        self.rounds: list[str] = []
        self.learn = learn

    def finished(self, step: str, note: str, reused: bool) -> None:
        if step.startswith("round") and "," not in step:
            self.rounds.append(note)
            self.learn()


def loves_length(answer: str) -> int:
    return min(5, len(answer.split()) // 6)


def is_fair(answer: str) -> int:
    return sum(map(ord, answer)) % 6


def judged_wheel(
    folder: Path, monkeypatch: pytest.MonkeyPatch, judge: Callable[[str], int]
) -> tuple[Result, list[str]]:
    """A wheel whose writer and judge are scripted, and whose student stands still: gold is flat."""
    policy = Policy(0)

    def points(parts: dict[str, str], request: Any) -> dict[str, Any]:
        score = judge(parts["answer"])
        return {"justification": "So.", **{point: i < score for i, point in enumerate(POINTS)}}

    clients = {"writer": FakeClient(lambda request: policy({}, request)), "judge": scripted(points)}
    for module in ("proposing.asking", "evolution.iteration.self_rewarding"):
        monkeypatch.setattr(f"dataflywheel.{module}.client_for", lambda spec: clients[spec.model])
    named = {name: {"endpoint": "http://localhost:9/v1", "model": name} for name in clients}
    by = {"self_rewarding": {"model": named["writer"], "judge": named["judge"], "judgements": 1}}
    recipe = wheel(folder, by, 48, learning_rate=1e-12, max_steps=1)
    runs = folder / "runs"

    def learn() -> None:
        last = max((runs / "job").glob("round-*/04-generate"))
        rows = [row for row in read_rows(last / "rows").to_pylist() if row["rejected"]]
        policy.learn([part_of(row["messages"], "answer") for row in rows])

    told = Told(learn)
    return run(recipe, runs=runs, home=folder / "store", watcher=told), told.rounds


def test_a_length_loving_judge_rings_through_a_whole_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result, told = judged_wheel(tmp_path, monkeypatch, loves_length)
    turns = [json.loads((result.path / f"round-{r}" / "turn.json").read_text(encoding="utf-8")) for r in (1, 2)]
    rows = written(result, 1, "self_rewarding")
    scores = [loves_length(part_of(row["messages"], "answer")) for row in rows]
    assert turns[0]["judge"]["answers"] == len(rows) == 24
    assert turns[0]["judge"]["score"] == pytest.approx(np.mean(scores))
    assert turns[1]["judge"]["score"] > turns[0]["judge"]["score"] + 0.5
    assert turns[0]["alarms"] == []
    assert "the model learns to please the judge (24 answers" in turns[1]["alarms"][0]
    assert "learns to please the judge" in told[1]
    assert "please" not in told[0]
    page = write_report(result.path).read_text(encoding="utf-8")
    assert "alarm: the judge&#x27;s score rose" in page or "alarm: the judge's score rose" in page
    assert "beside the select tier, in which it has no say" in page


@pytest.mark.slow
def test_a_fair_judge_does_not_ring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result, _ = judged_wheel(tmp_path, monkeypatch, is_fair)
    turns = [json.loads((result.path / f"round-{r}" / "turn.json").read_text(encoding="utf-8")) for r in (1, 2)]
    assert all(turn["judge"]["answers"] == 24 for turn in turns)
    assert [turn["alarms"] for turn in turns] == [[], []]
