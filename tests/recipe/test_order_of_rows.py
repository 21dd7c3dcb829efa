from __future__ import annotations

import json
import random
from pathlib import Path

from dataflywheel.recipe.execute import run
from dataflywheel.recipe.load import recipe_from
from dataflywheel.rows.parts import read_rows


def test_a_shuffled_pool_gives_the_same_rows(tmp_path: Path) -> None:
    rng = random.Random(0)
    rows = []
    for k in range(40):  # each four times, with another word
        words = [f"w{rng.randrange(3000)}" for _ in range(20)]
        rows += [{"prompt": f"Ask {k}.", "completion": " ".join([*words[:-1], f"end{n}"])} for n in range(4)]
    found, asked = [], json.dumps({"prompt": rows[3]["completion"], "completion": "why"})
    for name in ("one", "other"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "pool.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        (folder / "target.jsonl").write_text(asked)
        recipe = recipe_from(
            {
                "name": "job",
                "pool": {"path": str(folder / "pool.jsonl")},
                "target": {"path": str(folder / "target.jsonl")},
                "steps": [
                    {"deduplicate": {"near": 0.7, "part": "answer"}},
                    {"decontaminate": {"semantic": None}},
                    {"select": {"by": "random", "keep": 20}},
                ],
            }
        )
        result = run(recipe, runs=folder / "runs", home=folder / "store")
        found.append([set(read_rows(p)["id"].to_pylist()) for p in sorted(result.path.glob("round-1/*/rows"))])
        rng.shuffle(rows)
    assert found[0] == found[1]
    assert [len(ids) for ids in found[0]] == [160, 40, 39, 20]
