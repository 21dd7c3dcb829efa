"""Examples of each verb, as its help shows them."""

from __future__ import annotations

EXAMPLES: dict[str, tuple[str, ...]] = {
    "init": ("flywheel init pool.jsonl --target benchmark.jsonl", "flywheel init --like cleaning --out cleaning.yaml"),
    "run": ("flywheel run recipe.yaml", "flywheel --quiet run recipe.yaml --json"),
    "plan": ("flywheel plan recipe.yaml", "flywheel plan recipe.yaml --probe"),
    "select": (
        "flywheel select pool.jsonl --by k_center --keep 10%",
        "flywheel select pool.jsonl --by dsir --keep 1000 --target benchmark.jsonl",
    ),
    "enhance": (
        "flywheel enhance pool.jsonl --by redact_personal_data",
        "flywheel enhance pool.jsonl --by revision --ask runs/a/models/student",
    ),
    "generate": (
        "flywheel generate manual.jsonl --by grounded_rules --rows 50",
        "flywheel generate --by magpie --rows 50 --ask runs/a/models/student",
    ),
    "distill": (
        "flywheel distill pool.jsonl --teacher tiny --teacher-size 5m",
        "flywheel distill pool.jsonl --teacher big --student small --epochs 1",
    ),
    "compress": (
        "flywheel compress my-model --to 60% --data pool.jsonl --out smaller",
        "flywheel compress my-model --to 80% --by magnitude --no-recover --out bare",
    ),
    "compare": ("flywheel compare recipe.yaml", "flywheel compare recipe.yaml --json"),
    "answer": (
        "flywheel answer runs/a/models/student prompts.jsonl --out a.jsonl",
        "flywheel answer http://localhost:8000/v1 p.jsonl --model m --out a.jsonl",
    ),
    "judge": (
        "flywheel judge a.jsonl b.jsonl --judge http://localhost:8000/v1 --model m",
        "flywheel judge --calibrate --judge runs/a/models/student --data data",
    ),
    "profile": ("flywheel profile pool.jsonl", "flywheel profile pool.jsonl --target benchmark.jsonl --html pool.html"),
    "why": ("flywheel why runs/a 3f2a", 'flywheel why runs/a "the river Alba"'),
    "runs": ("flywheel runs", "flywheel runs elsewhere/runs --json"),
    "push": ("flywheel push runs/a me/rows --dry-run", "flywheel push runs/a me/rows --what dataset --public"),
    "clean": ("flywheel clean", "flywheel clean --take checkpoints,trials"),
    "diff": ("flywheel diff runs/a runs/b", "flywheel diff before.jsonl after.jsonl --drift"),
    "methods": ("flywheel methods --category selection --needs nothing", "flywheel methods --why ifd"),
    "convert": (
        "flywheel convert pool.jsonl trl.jsonl --to trl",
        "flywheel convert pool.csv pool.jsonl --to messages --columns prompt=q,answer=a",
    ),
    "restore": ("flywheel restore rows.jsonl before.jsonl --key env:ROW_KEY",),
}
WIDEST = 78
"""Letters of a line: a longer one would be broken on a terminal of 80, and could not be copied."""


def epilog(verb: str) -> str:
    """What stands at the end of a verb's help: a line for each example, as Typer takes them."""
    examples = EXAMPLES.get(verb, ())
    return "\n\n".join(["Examples:" if len(examples) > 1 else "Example:", *examples]) if examples else ""
