"""A frozen set: small recipes of the steps that train nothing, and digests of all that it leaves on disk.

What a change of the code must keep (rows, decisions, records, plan, comparison, fingerprints) is in `frozen.json`
beside this file. Where a change is meant, such as a method that gives something else under a higher version,

    python -m tests.recipe.frozen

makes that file anew; name recipes behind it to make only theirs. The difference of the file then shows what changed.

Nothing in a digest depends on the machine: times and prices are left out, paths stand from the working directory, and
no recipe trains a model, whose last digits differ between processors. Where an endpoint is asked, whose address has
another port each time, fingerprints are left out.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Sequence
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow.parquet as pq

from dataflywheel.recipe.execute import run
from dataflywheel.recipe.load import recipe_from
from tests.support.endpoint import Endpoint

FILE = Path(__file__).with_suffix(".json")
METALS = ("iron", "zinc", "lead", "gold")
PLACES = ("Arvo", "Belun", "Corta", "Dranik", "Estal", "Fenor", "Garda", "Holm", "Ister", "Jorun")
TINY: dict[str, Any] = {"student": {"builtin": "tiny", "size": "0.5m"}, "embedder": "static"}
GUARD: dict[str, Any] = {"decontaminate": {"semantic": None}}
SAME: dict[str, Any] = {"decontaminate": {"semantic": None, "share_13": None, "share_8": None, "changed": None}}
"""Keeps away from the very questions of the target: its other rows are worded as the pool's."""
LATER = "models|map.parquet|events.jsonl|ledger.json|report.html|README.md|recipe.yaml|sealed-looks.json"
"""Files of which only the names count: what they hold are weights, times, or a recipe as it was given."""
TIMED = ("second", "usd", "cost", "hours", "digest", "files", "keys", "rate_of", "machine")
"""Parts of the names of what depends on the machine or the moment."""


def fact(i: int) -> dict[str, Any]:
    place, metal = PLACES[i % 10], METALS[i // 10 % 4]
    asked = f"What does mine number {i} of {place} give, and since when?"
    answer = f"The mine of {place} with number {i} gives {metal}, and it has given {metal} since {1700 + 3 * i}."
    return {"prompt": asked, "completion": answer, "tags": [metal]}


def facts(first: int, last: int) -> list[dict[str, Any]]:
    return [fact(i) for i in range(first, last)]


def page(i: int) -> dict[str, Any]:
    text = (
        f"# Mines of {PLACES[i]}\n\nA shaft is a way that leads down into mine {i}.\n\n"
        f"Parameters:\n\n- depth: how far below the ground of {PLACES[i]} the miners work, in metres\n"
        f"- width: the metres from one wall of the {METALS[i % 4]} vein to the other\n\n"
        f"If the water rises above {i + 3} metres, the miners leave the shaft by the northern ladder.\n"
    )
    return {"prompt": f"Describe the mines of {PLACES[i]}.", "completion": text}


DIRTY = [
    *facts(0, 30),
    {**fact(3), "prompt": "Tell me of the third mine."},  # as another row answers
    {**fact(5), "completion": fact(5)["completion"] + " Yes."},
    fact(52),  # an evaluation row
    {"prompt": "Where is the cafÃ© of Holm?", "completion": "The cafÃ© of Holm stands beside the mine since 1902."},
    {"prompt": "Who leads Garda?", "completion": "Write to Anna at anna.berg@garda.org or call +44 20 7946 0958."},
    {"prompt": "Why?", "completion": "So."},
]


def recipes(url: str) -> dict[str, dict[str, Any]]:
    """By name; `url` is that of the scripted endpoint."""
    pick = {"select": {"by": "random", "keep": 24}}
    teacher = {"endpoint": url, "model": "m", "usd_per_mtok": {"in": 1.0, "out": 1.0}}
    return {
        "clean": {"pool": DIRTY, "steps": [
            {"deduplicate": {"near": 0.8, "part": "answer"}}, GUARD, "repair_unicode",
            {"filter": {"bounds": {"text.tokens_answer": [5, 300]}}},
        ]},
        "select": {"pool": DIRTY, "steps": [
            GUARD, {"select": {"by": ["dsir", "longest"], "keep": "60%", "per": "tag"}},
            {"select": {"by": "random", "keep": 8}},
        ], "format": "trl"},
        "enhance": {"pool": DIRTY, "steps": [
            {"enhance": {"by": "redact_personal_data"}}, {"filter": {"bounds": {"text.tokens_answer": [5, 300]}}},
        ]},
        "generate": {"pool": [page(i) for i in range(8)], "steps": [
            {"generate": {"by": "grounded_rules", "rows": 12, "visits": 3}},
        ], "format": "llamafactory"},
        "renew": {"pool": facts(0, 20), "steps": [
            {"renew": {"by": "reworded"}}, {"renew": {"by": {"noised": {"share": 0.3}}}},
            SAME,
        ], "models": {**TINY, "teacher": teacher}},
        "asked": {"pool": facts(0, 30), "steps": [
            pick, {"select": {"by": {"rated": {"score": "alpagasus.score"}}, "keep": 12}},
            {"enhance": {"by": {"revision": {"revise": "answer"}}, "gates": ["format_and_length", "contamination"]}},
            {"generate": {"by": "grounded_questions", "rows": 6, "visits": 2}},
        ], "models": {**TINY, "teacher": {**teacher, "model": "writer"}},
            "signals": {"alpagasus": {"model": {**teacher, "model": "grader"}}}},
    }  # fmt: skip


ASKED = ("renew", "asked")
NAMES = tuple(recipes(""))
RULES: list[dict[str, Any]] = [
    {"rule": "rater", "model": "grader", "low": 0, "high": 5, "template": "$score\nBecause."},
    {"rule": "writer", "model": "writer", "errors": 0.2},
    {"rule": "solver", "slips": 0.3},
]


def left_by(name: str, folder: Path, endpoint: Endpoint | None) -> dict[str, str]:
    """Digests of what the recipe of that name leaves, by file, done in an empty `folder`."""
    if endpoint is not None:
        endpoint.reset()
        endpoint.configure(rules=RULES)
    given = recipes("" if endpoint is None else endpoint.url)[name]
    with chdir(folder):
        _write(Path("pool.jsonl"), given["pool"])
        _write(Path("target.jsonl"), facts(50, 80))
        sources = {"pool": [{"path": "pool.jsonl"}], "target": [{"path": "target.jsonl", "slice": "tag"}]}
        recipe = recipe_from({"name": name, **given, **sources})
        result = run(recipe, runs=Path("runs"), home=Path("store"))
        told = _Told(name)
        paths = sorted(path for path in result.path.rglob("*") if path.is_file() and ".lock" not in path.name)
        return {str(path.relative_to(result.path)): told.digest(path) for path in paths if told.counts(path)}


def _write(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


class _Told:
    """What of a file counts for the recipe of that name."""

    def __init__(self, name: str) -> None:
        self.asked = name in ASKED

    def counts(self, path: Path) -> bool:
        return not ("models" in path.parts and path.name != "config.json")

    def digest(self, path: Path) -> str:
        if re.search(LATER, str(path)):
            return "there"
        data = path.read_bytes()
        if path.suffix == ".json":
            data = self.text(json.loads(data))
        elif path.suffix == ".parquet":
            data = self.text(pq.read_table(path).to_pylist())
        return hashlib.blake2b(data, digest_size=6).hexdigest()

    def text(self, value: Any) -> bytes:
        return json.dumps(self.kept(value), sort_keys=True, default=str).encode()

    def kept(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self.kept(one) for name, one in value.items() if not self.passed_over(str(name))}
        if isinstance(value, list):
            return [self.kept(one) for one in value]
        if isinstance(value, float):
            return f"{value:.9g}"
        return value

    def passed_over(self, name: str) -> bool:
        timed = any(word in name for word in TIMED)
        return timed or (self.asked and name == "fingerprint")


def main(names: Sequence[str]) -> None:
    """Make `frozen.json` anew, of all recipes or of those with these names."""
    held: dict[str, dict[str, str]] = json.loads(FILE.read_text(encoding="utf-8")) if names else {}
    with TemporaryDirectory() as place, Endpoint(Path(place) / "bill.jsonl") as endpoint:
        for name in names or NAMES:
            (folder := Path(place) / name).mkdir()
            held[name] = left_by(name, folder, endpoint)
            print(name, len(held[name]))
    FILE.write_text(json.dumps(held, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main(sys.argv[1:])
