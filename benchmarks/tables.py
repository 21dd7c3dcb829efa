"""What mending, matching and writing of tables is worth on tables whose truth is known, in one command.

    python benchmarks/tables.py [DATA]

DATA is the folder of data sets. Writes `benchmarks/tables.md` and prints it; takes about a minute.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import orjson

FOLDER = Path(__file__).resolve().parent
sys.path.append(str(FOLDER.parent))

from tables_scripted import MODEL, asked, matched, mended, whole  # noqa: E402

from dataflywheel.contracts import FloatArray  # noqa: E402
from dataflywheel.enhancement.tables.ask_matches import AskMatches  # noqa: E402
from dataflywheel.enhancement.tables.columns import columns_of  # noqa: E402
from dataflywheel.enhancement.tables.fill_table import FillTable  # noqa: E402
from dataflywheel.enhancement.tables.learning_dynamics import Learned  # noqa: E402
from dataflywheel.enhancement.tables.match_tables import MatchTables  # noqa: E402
from dataflywheel.enhancement.tables.repair_table import RepairTable  # noqa: E402
from dataflywheel.proposing.kinds import Proposal  # noqa: E402
from tests.enhancement.tables.entity_pairs import Entities, entities  # noqa: E402
from tests.enhancement.tables.support import read  # noqa: E402

Line = Mapping[str, Any]
DRAWS = 400
"""Resamples of the rows for an interval."""
SEEDS, STUDENT = 10, 2.262
"""Draws of real lines, and Student's factor for their mean."""
WRITTEN, TEST, FLIPS = 120, 250, 0.3
"""Lines that are written, lines that are tested on, and the share of flipped labels."""
DOUBT = 0.2
HEAD = f"""# Tables: repair, imputation, matching, and written lines

Made by `python benchmarks/tables.py`. Intervals are of 95 %, by resampling the rows of a table (or the pairs of a
split) {DRAWS} times. *A model, right in 0.9* is a script behind the methods' own questions, which says the truth of a
cell or a pair as often as stated, and otherwise another value of the column or the opposite: what is measured is the
method, not a model.
"""
REPAIR = """## Repair

Of the cells of a dirty table: *detection* counts a changed cell as right where it was wrong, *repair* where it is now
as in the clean table. The model is asked by `ask_table: {ask: [suspected]}` behind the rules, with `trials` for each
column that has a suspected cell.
"""
IMPUTE = """## Imputation

Of the cells that were emptied (5 % of each table): which share is filled, and which share of these is right.
`fill_table` asks nobody; `ask_table` stands behind `fill_table: {least: 0.8}`, and fills a column only where the model
proves right.
"""
MATCH = f"""## Entity matching

F1 on the labelled pairs of the test split; matches are found among all pairs of both tables, not among the labelled
ones alone. *By the gap* uses no label, *by labels* takes the threshold from the splits for training and validation.
`class` numbers the restaurants, and so gives the matches away: without it, and without the telephone number, the task
is harder. `ask_matches` is asked about pairs within {DOUBT} of the threshold.
"""
PUBLISHED = """Published beside it, of a model that is shown each labelled pair: GPT-4o without training has an F1 of
88.9 on beer and 97.8 to 100.0 on restaurants with all columns, GPT-4o-mini 44.4 and 87.2
([abcsys/libem](https://github.com/abcsys/libem), `benchmark/README.md`).
"""
WRITE = f"""## Written lines (CLLM)

Area under the ROC curve of boosted trees on {TEST} other lines of the table, mean over {SEEDS} draws with the interval
of the mean. The script writes {WRITTEN} lines as the table has them (others of its own lines) with the label flipped in
30 % of them: *raw* trains on real and written lines, *curated* on real lines and those that are easy to learn.
"""


def main(arguments: Sequence[str]) -> str:
    default = os.environ.get("FLYWHEEL_DATA", str(FOLDER.parents[1] / "shared" / "data"))
    data = Path(arguments[0] if arguments else default)
    parts = [HEAD, repair(data), imputation(data), matching(data), writing(data)]
    return "\n".join(part.strip() + "\n" for part in parts)


def repair(data: Path) -> str:
    lines = []
    for name in ("hospital", "beers"):
        dirty, clean = (read(data / f"repair_{name}" / f"{kind}.csv") for kind in ("dirty", "clean"))
        ruled = mended(RepairTable(), dirty)
        made = [("rules", ruled)]
        made += [(f"rules, then a model, right in {a}", asked(ruled, clean, a, ask=["suspected"])) for a in (0.9, 0.7)]
        for title, after in made:
            counts = np.array([_cells(*three) for three in zip(dirty, after, clean, strict=True)], float)
            changed, _, right, wrong = counts.sum(0)
            detection = resampled(counts, lambda s: _f1(s[1], s[0], s[3]))
            repaired = resampled(counts, lambda s: _f1(s[2], s[0], s[3]))
            told = [f"{wrong:,.0f}", f"{right / changed:.3f}", f"{right / wrong:.3f}"]
            lines.append([name, title, *told, detection, repaired])
    head = ["table", "by", "wrong cells", "precision", "recall", "detection F1", "repair F1"]
    return f"{REPAIR}\n{table(head, lines, 2)}"


def _cells(dirty: Line, after: Line, clean: Line) -> tuple[int, int, int, int]:
    """Of one row: cells that were changed, of these those that were wrong and those that are right now; wrong ones."""
    changed = [k for k in dirty if dirty[k] != after[k]]
    wrong, right = sum(dirty[k] != clean[k] for k in changed), sum(after[k] == clean[k] for k in changed)
    return len(changed), wrong, right, sum(dirty[k] != clean[k] for k in dirty)


def _f1(right: float, said: float, there: float) -> float:
    return float(2 * right / max(1.0, said + there))


def imputation(data: Path) -> str:
    lines = []
    for name in ("restaurant", "bridges"):
        folder = data / f"impute_{name}"
        dirty, clean = read(folder / f"{name}_5_1.csv"), read(folder / "clean.csv")
        sure = mended(FillTable(least=0.8), dirty)
        shares = (0.5, 0.6, 0.7, 0.8, 0.9)
        made = [(f"`fill_table`, least {share}", mended(FillTable(least=share), dirty)) for share in shares]
        made += [(f"`ask_table`, a model, right in {a}", asked(sure, clean, a)) for a in (0.9, 0.7, 0.5)]
        for title, after in made:
            counts = np.array([_gaps(*three) for three in zip(dirty, after, clean, strict=True)], float)
            filled = resampled(counts, lambda s: float(s[1] / max(1, s[0])))
            right = resampled(counts, lambda s: float(s[2] / max(1, s[1])))
            lines.append([name, title, f"{counts.sum(0)[0]:,.0f}", filled, right])
    return f"{IMPUTE}\n{table(['table', 'by', 'emptied', 'filled', 'right of filled'], lines, 2)}"


def _gaps(dirty: Line, after: Line, clean: Line) -> tuple[int, int, int]:
    """Of one row: cells that were emptied, those of them that hold a value now, and those whose value is right."""
    gaps = [k for k in dirty if dirty[k] != clean[k]]
    filled = [k for k in gaps if after[k] != dirty[k]]
    return len(gaps), len(filled), sum(after[k] == clean[k] for k in filled)


def matching(data: Path) -> str:
    lines = []
    cases: list[tuple[str, tuple[str, ...]]] = [("beer", ())]
    cases += [("fodors_zagats", without) for without in ((), ("class",), ("class", "phone"))]
    with TemporaryDirectory() as folder:
        labels = Path(folder) / "labelled.csv"
        for name, without in cases:
            held = entities(data, name, without)
            held.write(labels, ("train", "valid"))
            called = f"{name}{' without ' if without else ''}{' and '.join(without)}"
            for by, title in ((MatchTables(key="key"), "gap"), (MatchTables(key="key", labelled=labels), "labels")):
                lines.append([called, f"by the {title}", *_told(held, by, by.propose(whole(held.rows)))])
            for accuracy in (1.0, 0.9):
                ask = AskMatches(model=MODEL, key="key", doubt=DOUBT)
                said = _told(held, ask, matched(held, ask, accuracy))
                lines.append([called, f"by the gap, then a model, right in {accuracy}", *said])
    head = ["table", "by", "pairs asked", "labelled matches that blocking keeps", "F1 on the test split"]
    return f"{MATCH}\n{table(head, lines, 2)}\n\n{PUBLISHED}"


def _told(held: Entities, by: MatchTables, made: Sequence[Proposal]) -> list[str]:
    """Pairs that were asked about, labelled matches that were compared, and F1."""
    cells = [orjson.loads(p.row["cells"] or "") for p in made if p.row]
    found, told = {(one["key"], one["match"]) for one in cells}, by.told()["matching"]
    blocking = f"{told['blocking']['found']} of {told['blocking']['matches']}" if "blocking" in told else ""
    counts = np.array([((a, b) in found, same, same and (a, b) in found) for a, b, same in held.pairs["test"]], float)
    return [str(told.get("asked", "")), blocking, resampled(counts, lambda s: _f1(s[2], s[0], s[1]))]


def writing(data: Path) -> str:
    lines = []
    for name in ("pima-indians-diabetes", "german"):
        every = read(data / "tabular" / f"{name}.csv")
        for real in (20, 40, 100):
            drawn = np.array([_one_draw(every, real, np.random.default_rng([seed, real])) for seed in range(SEEDS)])
            half = STUDENT * drawn.std(0, ddof=1) / np.sqrt(SEEDS)
            area = [f"{mean:.3f} ± {apart:.3f}" for mean, apart in zip(drawn.mean(0)[:3], half, strict=False)]
            lines.append([name, str(real), *area, *(f"{share:.0%}" for share in drawn.mean(0)[3:])])
    head = ["table", "real lines", "real alone", "raw", "curated", "kept", "flips among the kept"]
    return f"{WRITE}\n{table(head, lines, 1)}"


def _one_draw(every: Sequence[Line], real: int, rng: np.random.Generator) -> list[float]:
    """Areas of real lines alone, with all written ones, with the easy ones; which share is easy, and flips there."""
    from sklearn.ensemble import GradientBoostingClassifier
    from sklearn.metrics import roc_auc_score

    classes = sorted({line["class"] for line in every})
    order = [every[i] for i in rng.permutation(len(every))]
    own, made, rest = order[:real], order[real : real + WRITTEN], order[real + WRITTEN :][:TEST]
    flipped = rng.random(WRITTEN) < FLIPS
    true = [classes.index(line["class"]) for line in made]
    labels = [classes[1 - k] if flip else classes[k] for k, flip in zip(true, flipped, strict=True)]
    learned = Learned(columns_of(own), "class")
    easy = np.array([one.group == "easy" for one in learned.dynamics(made, labels)])
    x, y = learned.vectors([*own, *made]), np.array([*(line["class"] for line in own), *labels])
    found = []
    for use in (np.zeros(WRITTEN, bool), np.ones(WRITTEN, bool), easy):
        chosen = np.concatenate([np.ones(real, bool), use])
        trees = GradientBoostingClassifier(random_state=0).fit(x[chosen], y[chosen])
        said = trees.predict_proba(learned.vectors(rest))[:, 1]
        found.append(float(roc_auc_score([line["class"] == classes[1] for line in rest], said)))
    return [*found, float(easy.mean()), float(flipped[easy].mean()) if easy.any() else 0.0]


def resampled(counts: FloatArray, of: Callable[[FloatArray], float]) -> str:
    """A figure of the sums over rows, with its interval over resamples of the rows."""
    rng = np.random.default_rng(0)
    draws = [of(counts[rng.integers(0, len(counts), len(counts))].sum(0)) for _ in range(DRAWS)]
    low, high = np.quantile(draws, [0.025, 0.975])
    return f"{of(counts.sum(0)):.3f} [{low:.3f}, {high:.3f}]"


def table(head: Sequence[str], lines: Sequence[Sequence[str]], texts: int) -> str:
    marks = ["---" if k < texts else "---:" for k in range(len(head))]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, marks, *lines))


if __name__ == "__main__":
    page = main(sys.argv[1:])
    (FOLDER / "tables.md").write_text(page, encoding="utf-8")
    print(page)
