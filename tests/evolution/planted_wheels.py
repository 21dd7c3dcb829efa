"""Wheels whose truth is planted: what feedback must find, and how such a wheel is run and read.

A skill is a dozen facts: a thing's word is answered by another word, by heart. Prompts carry random words besides, so
that no training row holds an evaluation row. The student knows the words and the form beforehand, but no fact.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from dataflywheel.contracts import REGISTRY, Card
from dataflywheel.evolution.feedback.score_files import read_scores
from dataflywheel.models.language.pool_tokenizer import pool_tokenizer
from dataflywheel.models.training.tiny import init_tiny
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.models.training.training import train_sft
from dataflywheel.proposing.child import child
from dataflywheel.proposing.kinds import Demand, Proposal, Proposer
from dataflywheel.recipe.execute import run
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.schema import Recipe
from dataflywheel.rows.schema import Message, message
from dataflywheel.store.lock import made_once

IN_POOL = ("colour", "river", "metal", "shape")
ABSENT = "animal"
UNRELATED = "weather"
"""A skill that the target does not have."""
FACTS_EACH = 12


def _facts() -> tuple[list[str], dict[str, dict[str, str]]]:
    """Words that say nothing, and the facts of every skill; no word is used twice."""
    starts = [a + b for a in "bdklmnp" for b in "aeiou"]
    words = [start + end for start in starts for end in ("lon", "mar", "nes", "pir", "tus")]
    random.Random(0).shuffle(words)
    facts = {}
    for place, skill in enumerate((*IN_POOL, ABSENT, UNRELATED)):
        its = words[20 + 2 * FACTS_EACH * place :][: 2 * FACTS_EACH]
        facts[skill] = dict(zip(its[:FACTS_EACH], its[FACTS_EACH:], strict=True))
    return words[:20], facts


FILLERS, FACTS = _facts()


def asked(skill: str, thing: str, rng: random.Random) -> str:
    return " ".join([*(rng.choice(FILLERS) for _ in range(3)), skill, thing])


class SameSkill(Proposer):
    """A row of the seed's skill about any of its things, right or wrong, or of a skill that nobody asks for."""

    card: ClassVar[Card] = Card(
        title="Planted facts",
        authors="dataflywheel",
        year=2026,
        paper="",
        category="synthesis",
        subcategory="instruction",
        summary="Writes facts of known worth.",
        checked="by hand",
    )

    says: Literal["right", "wrong", "unrelated"] = "right"

    def propose(self, demand: Demand) -> list[Proposal]:
        rng = random.Random(int(demand.rng.integers(2**62)))
        made = []
        for seed in demand.seeds:
            facts = FACTS[UNRELATED if self.says == "unrelated" else seed["tags"][0]]
            things = list(facts)
            about = rng.randrange(len(things))
            answer = facts[things[(about + 1) % len(things) if self.says == "wrong" else about]]
            skill = UNRELATED if self.says == "unrelated" else seed["tags"][0]
            made.append(Proposal((seed["id"],), child(self.name, seed, asked(skill, things[about], rng), answer)))
        return made


REGISTRY.pop(SameSkill.name)


@contextmanager
def planted_method() -> Iterator[None]:
    """`same_skill` is a method that recipes may name, in here and nowhere else: it belongs to no catalogue."""
    REGISTRY[SameSkill.name] = SameSkill
    try:
        yield
    finally:
        REGISTRY.pop(SameSkill.name)


def student(folder: Path, rows: int = 9600) -> Path:
    """A small model that says the last word of a prompt again: it knows words and form, and no fact."""
    rng = random.Random(0)
    words = [word for facts in FACTS.values() for pair in facts.items() for word in pair]
    echoes: list[list[Message]] = []
    for _ in range(rows):
        word = rng.choice(words)
        prompt = asked(rng.choice(list(FACTS)), word, rng)
        echoes.append([message("user", prompt), message("assistant", word)])
    made = folder / f"echo-{rows}"

    def make() -> None:
        untrained = init_tiny(pool_tokenizer(echoes, cache_dir=folder), "0.5m", cache_dir=folder)
        settings = TrainSettings(epochs=1, learning_rate=1.5e-3, warmup=0.1, batch_size=32, max_length=64)
        train_sft(echoes, untrained, made, settings)

    made_once(made, make)
    return made


def write_facts(path: Path, rows: Mapping[str, int], seed: int, known: int = FACTS_EACH) -> str:
    """So many rows of each skill in a random order, about its first `known` facts, as a file; gives its path."""
    rng = random.Random(seed)
    skills = [skill for skill, count in rows.items() for _ in range(count)]
    rng.shuffle(skills)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for skill in skills:
            thing = rng.choice(list(FACTS[skill])[:known])
            record = {"prompt": asked(skill, thing, rng), "completion": FACTS[skill][thing], "tags": [skill]}
            file.write(json.dumps(record) + "\n")
    return str(path)


GATES = [{"contamination": {"semantic": None}}]


def train(epochs: int, rate: float) -> dict[str, Any]:
    return {"train": {"epochs": epochs, "learning_rate": rate, "batch_size": 8, "max_length": 64}}


def recipe(
    folder: Path, name: str, seed: int, pool: Mapping[str, int], base: Path, known: int = FACTS_EACH, **more: Any
) -> Recipe:
    """A recipe over facts drawn by the seed, with `target`, `steps`, `rounds` and `feedback` as given."""
    files = folder / "facts" / str(seed)
    target = write_facts(files / f"{name}-target.jsonl", more.pop("target"), 2 * seed + 1)
    value = {
        "name": f"{name}-{seed}",
        "seed": seed,
        "pool": [{"path": write_facts(files / f"{name}.jsonl", pool, 2 * seed, known)}],
        "target": [{"path": target, "slice": "tag"}],
        "models": {"student": {"hf": str(base)}, "embedder": "static"},
        "guards": {"real_share": 0.1, "patience": 9, "diversity_drop": 0.9},
        **more,
    }
    return recipe_from(value)


def absent_skill(folder: Path, name: str, seed: int, base: Path, feedback: dict[str, Any], **more: Any) -> Recipe:
    """One of five skills has no row in the pool; a generator that writes from the steering tier can write it."""
    steps = [
        {"decontaminate": {"semantic": None}},
        {"select": {"by": "random", "keep": 240}},
        {"generate": {"by": "same_skill", "source": "target", "rows": 60, "visits": 4, "gates": GATES}},
        train(8, 0.002),
        "evaluate",
    ]
    target = dict.fromkeys((*IN_POOL, ABSENT), 70)
    given = {"target": target, "steps": steps, "rounds": 3, "feedback": feedback, **more}
    return recipe(folder, name, seed, dict.fromkeys(IN_POOL, 100), base, **given)


def two_bad_sources(folder: Path, name: str, seed: int, base: Path, feedback: dict[str, Any], **more: Any) -> Recipe:
    """Three ways to get rows, all of them over the pool's skills: right answers, wrong ones, and what nobody asks.

    The pool teaches half of each skill's facts; the right source is the only one that has the other half.
    """
    steps: list[Any] = [{"decontaminate": {"semantic": None}}]
    for says in ("right", "wrong", "unrelated"):
        by = {"same_skill": {"says": says}}
        steps.append({"generate": {"by": by, "source": "pool", "rows": 128, "visits": 24, "gates": GATES}})
    given = {"steps": [*steps, train(12, 0.002), "evaluate"], "rounds": 8, "feedback": feedback, **more}
    target = dict.fromkeys(IN_POOL, 70)
    return recipe(folder, name, seed, dict.fromkeys(IN_POOL, 30), base, FACTS_EACH // 2, target=target, **given)


@dataclass(frozen=True)
class Outcome:
    """What a wheel came to: the sealed tier's metric, the same by slice, rows it trained on last, and tokens.

    `tokens` are those of the last training, `all_tokens` of the trainings of all rounds.
    """

    sealed: float
    slices: dict[str, float]
    rows: int
    tokens: int
    all_tokens: int
    rounds: int


def turn(made: Recipe, folder: Path) -> Outcome:
    """Run a wheel and read it."""
    with planted_method():
        result = run(made, runs=folder / "runs", home=folder / "store")
    scores = read_scores(result.path / "sealed" / "scores.parquet")
    trained = sorted(result.path.glob("round-*/*-train/metrics.json"))
    facts = [json.loads(path.read_text(encoding="utf-8"))["details"] for path in trained]
    slices = {name: scores.metric(at) for name, at in scores.by_slice(1).items()}
    tokens = [int(one["tokens"]) for one in facts]
    return Outcome(scores.metric(), slices, result.rows_out, tokens[-1], sum(tokens), result.rounds)
