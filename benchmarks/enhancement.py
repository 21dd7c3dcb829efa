"""What three enhancers are worth on real rows: RobustFT by noise and accuracy, a trained reviser, DSIR's pull.

    python benchmarks/enhancement.py DATA [robust_ft coach_lm dsir]

`DATA` is the folder that holds clinc150, coachlm_revisions, alpaca_pool, medquad and code_alpaca.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from math import log
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dataflywheel.contracts import Columns
from dataflywheel.enhancement.rewriting.coach_lm import ANSWER, CoachLM, asked, parse
from dataflywheel.enhancement.rewriting.expert_revisions import ExpertRevision, read_revisions
from dataflywheel.enhancement.rewriting.robust_ft import RobustFT
from dataflywheel.evolution.feedback.answering import answers
from dataflywheel.models.embedding.shared_embedder import shared_embedder
from dataflywheel.models.endpoint.chat_model import Capabilities
from dataflywheel.models.endpoint.request import Outcome, Reply, Request, TokenLogprob
from dataflywheel.models.language.language_model import shared_model
from dataflywheel.models.spec import EmbedderSpec, ModelSpec
from dataflywheel.models.templates.chat import Chat
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.proposing.kinds import Demand
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.schema import Row, table
from dataflywheel.selection.static.dsir import DSIR, GRAMS
from dataflywheel.signals.text.hashed_ngrams import HashedNgrams, bucket_counts

STATIC = EmbedderSpec(builtin="static")


def unit(*parts: object) -> float:
    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=8).digest(), "big") / 2**64


class Known:
    """A model whose answers are right with a given probability each, and whose losses say nothing about that."""

    def __init__(self, truths: dict[str, str], accuracy: float) -> None:
        self.truths, self.accuracy, self.labels = truths, accuracy, sorted(set(truths.values()))
        self.model: Any = SimpleNamespace(capabilities=Capabilities(logprobs=True), identity="known")

    def ask(self, requests: Sequence[Request]) -> list[Reply]:
        return [self.reply(request) for request in requests]

    def reply(self, request: Request) -> Reply:
        asked, shown = (str(turn["content"]) for turn in request.messages)
        text = next(text for text in self.truths if f">\n{text}\n</instruction" in shown)
        said = self.truths[text]
        if unit("right", asked[:20], text) >= self.accuracy:
            wrong = [label for label in self.labels if label != said]
            said = wrong[int(unit("wrong", asked[:20], text) * len(wrong))]
        start = f"{shown.split()[2]}: "
        tokens = (TokenLogprob(start, 0.0), TokenLogprob(said, log(unit("sure", text) + 1e-9)))
        return Reply(Outcome.ANSWERED, start + said, logprobs=tokens)


def robust_ft(data: Path) -> str:
    content = json.loads(gzip.decompress((data / "clinc150" / "data_small.json.gz").read_bytes()))
    names = sorted({intent for _, intent in content["train"]})[:12]
    pairs = [(text, intent) for text, intent in content["train"] if intent in names][:400]
    truths = dict(pairs)
    lines = [
        "RobustFT on clinc150 (12 intents, 400 queries): share of wrong labels after it, rows left in "
        "brackets. The model's losses carry no information, so this is what agreement alone gives. In "
        "italics where noise did not fall.",
        "",
        "| labels wrong before | model right 20 % | 40 % | 60 % | 80 % | 95 % |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for share in (0.1, 0.3, 0.5, 0.7):
        rows = []
        for text, truth in pairs:
            others = [name for name in names if name != truth]
            label = others[int(unit("label", text) * len(others))] if unit("noise", text) < share else truth
            rows.append(prompt_answer_row(text, label))
        before = float(
            np.mean([row["messages"][1]["content"] != truths[row["messages"][0]["content"]] for row in rows])
        )
        cells = []
        for accuracy in (0.2, 0.4, 0.6, 0.8, 0.95):
            method = RobustFT(model=ModelSpec(hf="known"), embedder=STATIC)
            demand = Demand(tuple(rows), (0,) * len(rows), (), np.random.default_rng(0))
            found = method.propose_with(Known(truths, accuracy), demand)
            left = [p.row or row for row, p in zip(rows, found, strict=True) if not p.facts.get("drop")]
            after = wrong(left, truths)
            cell = f"{after:.1%} ({len(left)})"
            cells.append(cell if after < before else f"*{cell}*")
        lines.append(f"| {before:.1%} | {' | '.join(cells)} |")
    return "\n".join(lines)


def wrong(rows: Sequence[Row], truths: dict[str, str]) -> float:
    """Share of rows whose answer is not the true one."""
    return float(np.mean([row["messages"][1]["content"] != truths[row["messages"][0]["content"]] for row in rows]))


def rouge_l(a: Sequence[str], b: Sequence[str]) -> float:
    """F1 of the longest common subsequence of two lists of words."""
    row = [0] * (len(b) + 1)
    for word in a:
        diagonal = 0
        for j, other in enumerate(b, 1):
            diagonal, row[j] = row[j], diagonal + 1 if word == other else max(row[j], row[j - 1])
    return 2 * row[-1] / (len(a) + len(b)) if a and b else 0.0


def coach_lm(data: Path) -> str:
    found = read_revisions(data / "coachlm_revisions" / "expert_revisions.jsonl.gz")
    order = np.random.default_rng(0).permutation(len(found))
    held_out, learnt = ([found[i] for i in part] for part in (order[:60], order[60:]))
    with tempfile.TemporaryDirectory() as folder:
        method = CoachLM(
            pairs=_written(learnt, Path(folder) / "pairs.jsonl"),
            model=ModelSpec(builtin="tiny", size="0.5m"),
            train=TrainSettings(epochs=4, learning_rate=3e-3, max_length=512),
            pretrain_tokens=400_000,
            max_tokens=200,
        )
        raw = [(one.raw_instruction, one.raw_answer) for one in held_out]
        good = sum(text is not None and parse(text) is not None for text in method.revisions(raw))
        model = shared_model(ModelSpec(hf=str(method.reviser())))
    said = ["".join(one.texts) for one in answers(model, [Chat(asked(*one)) for one in raw], 200)]
    # Texts that are no revision are compared too, for what they are worth: no run would accept them.
    pairs = [(one, text.partition(ANSWER)[2] or text) for one, text in zip(held_out, said, strict=True)]
    lines = [
        f"A reviser of 0.5 M weights trained on {-int(-0.3 * len(learnt) // 1)} of {len(learnt):,} expert revisions, "
        f"those changed most, and asked for {len(held_out)} others: {good} of its texts have the form of a revision "
        "and come to an end. The other rows would stay as they are; all texts are compared here.",
        "",
        "| answer beside the expert's, both cut to the same number of words | ROUGE-L | cosine |",
        "| --- | --- | --- |",
    ]
    ways: dict[str, Callable[[ExpertRevision, str], str]] = {
        "copied input": lambda one, text: one.raw_answer,
        "the reviser's": lambda one, text: text,
    }
    for name, way in ways.items():
        lines.append(f"| {name} | {_likeness([(one, text, way(one, text)) for one, text in pairs])} |")
    return "\n".join(lines)


def _likeness(cases: list[tuple[ExpertRevision, str, str]]) -> str:
    """Mean ROUGE-L and cosine to the expert's answer; candidate and copy are cut to the shorter of the two in words."""
    embedder = shared_embedder(STATIC)
    words, vectors = [], []
    for one, ours, candidate in cases:
        size = min(len(ours.split()), len(one.raw_answer.split()))
        cut, expert = candidate.split()[:size], one.answer.split()
        words.append(rouge_l([w.lower() for w in cut], [w.lower() for w in expert]))
        a, b = embedder.encode([" ".join(cut) or "-", one.answer])
        vectors.append(float(a @ b))
    return f"{np.mean(words):.3f} | {np.nanmean(vectors):.3f}"


def _written(pairs: Sequence[ExpertRevision], path: Path) -> Path:
    names = {"raw_instruction": "raw_instruction", "raw_answer": "raw_response",
             "instruction": "revised_instruction", "answer": "revised_response"}  # fmt: skip
    lines = [json.dumps({new: getattr(one, old) for old, new in names.items()}) for one in pairs]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def dsir(data: Path) -> str:
    alpaca = pq.read_table(data / "alpaca_pool" / "alpaca_pool.parquet").to_pylist()
    medical = [(one["question"], one["answer"]) for one in records(data / "medquad" / "medquad.jsonl.gz")]
    code = pairs_of(records(data / "code_alpaca" / "code_alpaca_2k.jsonl.gz"))
    pool, target = columns(pairs_of(alpaca) + medical), columns(code)
    pool.target = target
    wanted = bucket_counts(list(target[GRAMS])).astype(np.float64)

    def divergence(order: Any) -> float:
        chosen = bucket_counts([pool[GRAMS][i] for i in order]) + 1.0
        p, q = wanted / wanted.sum(), chosen / chosen.sum()
        return float((p[p > 0] * np.log(p[p > 0] / q[p > 0])).sum())

    ways: dict[str, Callable[[np.random.Generator], Any]] = {"random": lambda rng: rng.permutation(len(pool))[:1000]}
    for weight in ("sum", "mean"):
        method = DSIR.model_validate({"weight": weight})
        ways[f"DSIR, {weight}"] = lambda rng, method=method: method.rank(pool, 1000, rng).order[:1000]
    lines = [
        f"1,000 of {len(pool):,} rows (Alpaca and MedQuAD) for a target of {len(target):,} rows of code, five draws: "
        "KL(target || chosen) in nats over hashed n-grams, and the words of a chosen row.",
        "",
        "| choice | KL | words a row |",
        "| --- | --- | --- |",
    ]
    for name, way in ways.items():
        orders = [way(np.random.default_rng(seed)) for seed in range(5)]
        found = [divergence(order) for order in orders]
        words = np.mean([len(pool[GRAMS][i]) / 4 for order in orders for i in order])
        lines.append(f"| {name} | {np.mean(found):.3f} ({min(found):.3f} to {max(found):.3f}) | {words:.0f} |")
    return "\n".join(lines)


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]


def pairs_of(alpaca: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [("\n\n".join(filter(None, (r["instruction"], r["input"]))), r["output"]) for r in alpaca]


def columns(pairs: list[tuple[str, str]]) -> Columns:
    rows = table([prompt_answer_row(*pair) for pair in pairs]).combine_chunks().to_batches()[0]
    values = pa.array(HashedNgrams().measure(rows)["buckets"]).to_numpy(zero_copy_only=False)
    kept = np.array([value is not None for value in values])
    return Columns(np.array([f"r{i:06d}" for i in range(len(pairs))])[kept], {GRAMS: values[kept]})


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    parts = {"robust_ft": robust_ft, "coach_lm": coach_lm, "dsir": dsir}
    print("\n\n".join(parts[name](folder) for name in sys.argv[2:] or parts))
