"""The files of a run and of the store, as the reference shows them; a test runs a recipe and finds each of them."""

from __future__ import annotations

from docs.fields import table

RUN = {
    "recipe.yaml": "The recipe as it was given.",
    "plan.json": "What the plan said before anything ran.",
    "events.jsonl": "One line an event, with the time.",
    "ledger.json": "What was spent, by step and in all.",
    "report.html": "The report: one file without scripts from elsewhere, to be mailed.",
    "map.parquet": "Two principal components of the embeddings, where a step measured them.",
    "compare.json": "The scoreboard, where the recipe compares.",
    "dataset/train.jsonl": "The final rows in the recipe's `format`; of several kinds, `train.<kind>.jsonl` for each. "
    "The column `flywheel` tells where each row comes from, unless the recipe says `origins: false`.",
    "dataset/README.md": "The data set card: composition, steps, methods with citations, licences, limits.",
    "dataset.partial/": "In place of `dataset/` where a budget ended the run: the rows that the last finished step "
    "left. They are not the result, and go when the run is finished. `dataset.earlier/` is the data set of an earlier "
    "recipe of that name, until then.",
    "quarantine/rows.jsonl": "Rows that a step `quarantine` holds apart, each with step and reason; in no data set.",
    "models/student/": "The trained model, loadable by transformers, with its card; `student-sft` is the one before "
    "`prefer`, `student-02-train` that of a `train` step which another follows.",
    "target/": "The evaluation rows, as a step.",
    ".lock": "Held by the process that works in the directory; it gives it up with its end, however that is.",
    "round-1/00-pool/": "The pool as rows, merged; the steps follow under their numbers.",
}
STEP = {
    "metrics.json": "Fingerprint, parameters, rows in and out, counts of reasons, cost, details.",
    "decisions.parquet": "One line a row that came in: id, action, reason, other, score.",
    "rows/": "The rows that go on, `part-*.parquet`.",
    "columns.parquet": "The numbers that the step read, by row.",
    "asked.parquet": "Where the step rests on a model's answers: their keys in `answers.db` and their cost, by row.",
    "origins.parquet": "`00-pool` and `target` only: id, file, line of every row read, copies included.",
    "quarantine.jsonl": "`00-pool` and `target` only, where a line could not be read: where it is and why.",
    "scores.parquet": "`evaluate` only: id, slice, value, weight of every evaluation row, and the answer where one was "
    "written; `untrained.parquet` has the same of the student before any training.",
}
WRITERS = {
    "proposals.parquet": "`enhance` and `generate`: one line a proposal, accepted or not: wave, fate, slice, gate, "
    "reason, detail, the row, its parents, the keys of the answers that it rests on, calls, tokens and dollars.",
}
WHEEL = {
    "round-<n>/budget.json": "What the round may spend by step and by slice, and why.",
    "round-<n>/turn.json": "What came of it: kept or not and why, scores by slice, rows, diversity, a judge's scores, "
    "alarms, what stopped it.",
    "round-<n>/00-offer/": "From the second round on: the cleaned rows that no round has taken yet.",
    "round-<n>/<number>-accumulate/": "All rows that the round is trained on, those of kept rounds among them.",
    "models/round-<n>/": "The model of each round; `models/student/` is that of the last kept one.",
    "tiers/": "The target's rows by tier: steer, select, sealed.",
    "sealed/": "The score of the final model on the sealed tier.",
    "sealed-looks.json": "Every look at the sealed tier, entered before it happens, refused ones among them.",
}
PARTS = {
    "without/<number>-<step>/": "The job without that step, where the recipe has `compare: {leave_one_out: ...}`: its "
    "own rounds, with links to what the run had done before. Its bills are in the run's ledger under this name.",
}
STORE = {
    "signals/<name>@<version>-<digest>/part-*.parquet": "Measured values: id, the columns, status, seconds, error.",
    "models/": "Models made here: the tokenizer, the untrained student, the scorer, the static embedder, "
    "trained students. `FLYWHEEL_CACHE` moves all but the trained students.",
    "models/helper-<digest>": "Where the model is that was trained first for such a pool, for plans.",
    "answers.db": "Every reply of a model that was ever paid for, with its request, status and cost, and the ledger of "
    "reservations (SQLite).",
    "given/<digest>.jsonl": "Rows that Python handed over, by their content; `.arrow` where they came as a table.",
    "trials/<digest>/": "Scores and facts of each training and evaluation of a comparison.",
    "untrained/<digest>/": "Scores of a student before any training.",
}


def disk() -> list[str]:
    """Run, step and store."""
    lines = ["A directory appears whole, by rename, or not at all.", "", "### `runs/<name>/`", ""]
    lines += table(["path", "what it is"], [[f"`{name}`", text] for name, text in RUN.items()])
    lines += ["### A step, `runs/<name>/round-1/<number>-<step>/`", ""]
    lines += table(["path", "what it is"], [[f"`{name}`", text] for name, text in STEP.items()])
    lines += ["Steps that write rows have one file more:", ""]
    lines += table(["path", "what it is"], [[f"`{name}`", text] for name, text in WRITERS.items()])
    lines += ["### A run with rounds", "", "Cleaning lies in `round-1`, and each round's other steps in its own.", ""]
    lines += table(["path", "what it is"], [[f"`{name}`", text] for name, text in WHEEL.items()])
    lines += ["### A run that leaves steps out", ""]
    lines += table(["path", "what it is"], [[f"`{name}`", text] for name, text in PARTS.items()])
    lines += ["### The store, `.flywheel/`", "", "Shared by all recipes that are run from the same folder.", ""]
    return lines + table(["path", "what it is"], [[f"`{name}`", text] for name, text in STORE.items()])
