"""A first recipe for the files at hand, with the reason of every line beside it."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import yaml

from dataflywheel import catalog
from dataflywheel.contracts import FlywheelError, Metric, UsageError
from dataflywheel.proposing.final_answer import NoAnswerError, final_answer
from dataflywheel.rows.containers.sniff import named
from dataflywheel.rows.peek import Size, look_into
from dataflywheel.rows.reading import Input, stem
from dataflywheel.rows.schema import Row
from dataflywheel.rows.text import part_of

LOOKED_AT = 200
"""Rows of the target that say by what its answers can be scored."""
FOR_SCORING = re.compile(
    r"(?:^|[-_. ])(?:test|eval|evaluation|target|dev|valid|validation|held[-_]?out)(?:[-_. ]|$)", re.IGNORECASE
)
MARKED = 0.9
"""Share of the answers that must name their result, so that it is what counts."""
BY_LIKELIHOOD = "bits_per_byte"
FEWEST = 60
"""Evaluation rows below which a score says little."""
SEVERAL = 0.1
"""Share of the rows from which preference pairs are trained on as such."""


@dataclass(frozen=True)
class Seen:
    """A file or folder that was looked into."""

    path: str
    size: Size
    first: Sequence[Row]

    def told(self) -> str:
        """What is in it, in a line."""
        kinds = [f"{number:,} {name}" for name, number in self._kinds().items() if number]
        unread = f"; {self.size.bad:,} cannot be read: {self.size.why}" if self.size.bad else ""
        return f"About {self.size.rows:,} rows{f', {kinds[0]}' if len(kinds) == 1 else ''}{unread}."

    def _kinds(self) -> dict[str, int]:
        return {"of them preference pairs": self.size.pairs, "of them labelled right or wrong": self.size.labelled}


def files_here(folder: Path) -> tuple[list[str], str | None]:
    """The data files of a folder: those for the pool, and one whose name says that it is for scoring, where there is
    just one such.

    Raises:
        UsageError: several names say so, and one that is not scored by would be trained on.
    """
    files = sorted(file for file in folder.iterdir() if file.is_file() and named(file) and file.name[0] != ".")
    scoring = [file for file in files if FOR_SCORING.search(stem(file))]
    if len(scoring) > 1 and len(files) > len(scoring):
        parts = ([one for one in files if (one in scoring) is so] for so in (True, False))
        named_so, rest = (" ".join(shlex.quote(one.name) for one in some) for some in parts)
        raise UsageError(
            f"{named_so}: several files to score by, as their names say; name what is what: "
            f"flywheel init {rest} --target {shlex.quote(scoring[0].name)}"
        )
    target = scoring[0] if len(scoring) == 1 and len(files) > 1 else None
    return [str(file) for file in files if file != target], None if target is None else str(target)


def readable(paths: Sequence[str]) -> tuple[dict[str, Seen], list[str]]:
    """What was seen in those of the files and folders whose rows can be read, by path, and the others, each with its
    reason.

    Raises:
        FlywheelError: a path names nothing, or none of them can be read.
    """
    seen: dict[str, Seen] = {}
    left: list[str] = []
    for path in paths:
        try:
            seen[path] = _looked(path)
        except (FlywheelError, OSError) as error:
            if not Path(path).expanduser().exists():
                raise
            told = str(getattr(error, "strerror", None) or error)
            left.append(told if told.startswith(path) else f"{path}: {told}")
    if paths and not seen:
        raise FlywheelError("\n".join(left))
    return seen, left


def drafted(
    pool: Sequence[str], target: str | None, model: str, name: str, looked: Mapping[str, Seen] = MappingProxyType({})
) -> str:
    """A commented recipe over these files, which `plan` accepts as it stands; `looked`: what was seen in them already.

    Raises:
        UsageError: no file for the pool.
        FlywheelError: a path names nothing, or no row of it can be read.
    """
    if not pool:
        raise UsageError("no data file for the pool; name one or several: flywheel init POOL.jsonl --target EVAL.jsonl")
    seen = [looked.get(path) or _looked(path) for path in pool]
    scored = None if target is None else looked.get(target) or _looked(target)
    rows = sum(one.size.rows for one in seen)
    pairs = sum(one.size.pairs for one in seen) / max(1, rows)
    lines = [
        f"# {rows:,} rows or so{', chosen and learned for what is in ' + target if target else ''}. What it will cost,",
        "# and what it refuses, before anything is done: flywheel plan; flywheel run goes on from wherever it ended.",
        f"name: {_said(name)}",
        "seed: 0",
        "pool:",
    ]
    for one in seen:
        lines += [f"  # {one.told()}", f"  - path: {_said(one.path)}", "    # license: CC-BY-4.0  # stands in the card"]
    lines += [*_target(scored, small=not model), *_models(model), "steps:", *_steps(scored is not None, pairs)]
    lines += _compared(scored is not None, pairs > SEVERAL)
    return "\n".join(lines) + "\n"


def _looked(path: str) -> Seen:
    size, first = look_into(Input(path), LOOKED_AT)
    if not size.rows:
        raise FlywheelError(f"{path}: no row can be read; {size.why or 'it is empty'}")
    return Seen(path, size, first)


def _target(scored: Seen | None, small: bool) -> list[str]:
    if scored is None:
        return [
            "# A few hundred rows of what the model shall be good at; never trained on. With them the recipe can",
            "# train, measure, and show what its choice is worth beside random rows.",
            "# target:",
            "#   - {path: eval.jsonl, metric: bits_per_byte}",
        ]
    metric, why = metric_for(scored.first)
    if small and metric != BY_LIKELIHOOD:
        metric, why = BY_LIKELIHOOD, f"less is better; for a model that is no toy: {metric}, since {why}"
    few = [f"  # Fewer than {FEWEST} say little: name more where you can."] if scored.size.rows < FEWEST else []
    return [
        "target:  # never trained on, and the pool is cleaned of it",
        f"  # {scored.told()}",
        *few,
        f"  - path: {_said(scored.path)}",
        f"    metric: {metric}  # {why}",
        "    # slice: tag  # or a field of the file: scores and budgets by skill",
    ]


def metric_for(rows: Sequence[Row]) -> tuple[str, str]:
    """By what answers to these rows can be scored, and why."""
    for name, why in (
        ("unit_tests", "the rows hold tests"),
        ("multiple_choice", "the rows hold choices"),
        ("tool_call", "the answers call tools"),
    ):
        metric = catalog.made({name: {}}, Metric)
        if all(not metric.lacks(row) for row in rows):
            return name, why
    marked = sum(_names_its_result(part_of(row["messages"], "answer")) for row in rows)
    if marked >= MARKED * len(rows):
        return "final_answer", "the answers mark their result"
    return BY_LIKELIHOOD, "less is better; final_answer, unit_tests, tool_call and others read what a model writes"


def _names_its_result(answer: str) -> bool:
    try:
        return bool(final_answer(answer, unmarked=False))
    except NoAnswerError:
        return False


def _models(model: str) -> list[str]:
    own = f"{{hf: {_said(model)}}}" if model else "{builtin: tiny, size: 1m}  # a toy; yours: {hf: FOLDER or NAME}"
    return ["models:", f"  student: {own}", "  embedder: {builtin: static}  # minilm sees more, and is 25 times slower"]


def _steps(scored: bool, pairs: float) -> list[str]:
    lines = [
        "  - deduplicate: {near: 0.8}  # the same again with small edits; semantic: 0.95 finds rewordings too",
        *(["  - decontaminate: {}  # whatever shares text with the target"] if scored else []),
        "  - filter: {bounds: {text.tokens_answer: [3, 2000]}}  # any column of any signal: flywheel methods",
    ]
    if not scored:
        return [
            *lines,
            "  - select: {by: k_center, keep: 10%}  # different from each other; flywheel methods lists all",
        ]
    train = "{}  # epochs, learning_rate, lora: {rank: 16} and more"
    learned = [f"  - train: {train}"]
    if pairs > SEVERAL:
        alone = "" if pairs > 1 - SEVERAL else "pairs: false"
        learned = [f"  - train: {{{alone}}}", "  - prefer: {}  # DPO on the pairs; by: simpo, kto and others"]
    return [
        *lines,
        "  - select: {by: dsir, keep: 10%}  # reads like the target; others: rds_plus, less, ifd, longest",
        *learned,
        "  - evaluate: {}",
    ]


def _compared(scored: bool, preferred: bool) -> list[str]:
    limits = "# budget: {hours: 2, usd: 5}  # it ends in time, and what is there stays valid"
    compare = "compare: {arms: [random], seeds: 3}  # is the choice worth anything? Six trainings, and an interval"
    if preferred:
        compare = "# compare: {arms: [random], seeds: 3}  # what the choice is worth, in a recipe without prefer"
    return [*([compare] if scored else []), limits, "format: messages  # or trl, llamafactory, axolotl"]


def _said(text: str) -> str:
    """A text as YAML has it, in quotes where it needs them."""
    plain = re.fullmatch(r"[\w./~-]+", text) and yaml.safe_load(text) == text
    return text if plain else json.dumps(text, ensure_ascii=False)
