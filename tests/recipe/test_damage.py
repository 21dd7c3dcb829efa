"""What is damaged on disk between two starts of one command: named, and made anew with the same bytes; or refused by
name where it cannot be; used in silence never."""

from __future__ import annotations

import json
import os
import re
import shutil
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dataflywheel.contracts import FlywheelError
from dataflywheel.models.embedding import static_embedder
from dataflywheel.models.embedding.shared_embedder import shared_embedder
from dataflywheel.models.language.pool_tokenizer import pool_tokenizer
from dataflywheel.models.training.tiny import init_tiny
from dataflywheel.recipe.execute import run
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.progress import Silent
from dataflywheel.recipe.schema import Recipe
from dataflywheel.report.html import write_report
from dataflywheel.report.why import why
from dataflywheel.rows.schema import message
from dataflywheel.store.atomic import remove
from dataflywheel.store.ledger import read_bills
from tests.support.endpoint import Endpoint

WORDS = "amber birch cedar delta ember fjord grove heron islet jetty kiosk llama maple north otter pearl quill"
NAMES = WORDS.split()
Damage = Callable[[Path], None]


def row(i: int) -> dict[str, str]:
    a, b, c = (NAMES[(i * step + start) % len(NAMES)] for step, start in ((1, 0), (7, 3), (11, 5)))
    return {"prompt": f"Tell of the {a} and the {b}.", "completion": f"The {a} is by the {b}, {c} sees {i}."}


@dataclass
class Told(Silent):
    """What the command said: its notes and its warnings."""

    said: list[str] = field(default_factory=list)

    def finished(self, step: str, note: str, reused: bool) -> None:
        self.said.append(f"{step}: {note}")


@dataclass
class Job:
    folder: Path
    recipe: Recipe
    endpoint: Endpoint

    def again(self) -> str:
        told = Told()
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always", UserWarning)
            run(self.recipe, runs=self.folder / "runs", home=self.folder / "home", watcher=told)
        return "\n".join([*told.said, *(str(w.message) for w in warned)])

    def made(self) -> dict[str, bytes]:
        """Everything that follows from the recipe: rows, decisions, records without their times, data set, models."""
        found = {}
        for path in sorted((self.folder / "runs" / "d").rglob("*")):
            name = path.relative_to(self.folder / "runs" / "d").as_posix()
            if path.is_file() and path.suffix in (".parquet", ".jsonl", ".safetensors") and name != "events.jsonl":
                found[name] = path.read_bytes()
        return found


STEPS = [
    {"deduplicate": {}},
    {"decontaminate": {"semantic": None}},
    {"select": {"by": {"rated": {"score": "alpagasus.score"}}, "keep": 12}},
    {"select": {"by": "k_center", "keep": 8}},
    {"train": {"epochs": 1, "max_length": 64, "batch_size": 4}},
    "evaluate",
]


TITLES = ("00-pool", "01-deduplicate", "02-decontaminate", "03-select", "04-select", "05-train", "06-evaluate")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, endpoint_process: Endpoint) -> Iterator[Callable[[], Job]]:
    """Gives a small finished run with its store, as it was each time: ratings, vectors, a model and a scoreboard."""
    folder = tmp_path_factory.mktemp("damage")
    patch = pytest.MonkeyPatch()
    shared_embedder.cache_clear()
    made = static_embedder.models_folder() / f"static-{static_embedder.static_digest()}"
    static_embedder.StaticEmbedder()  # in the cache of all tests
    patch.setattr(static_embedder, "make_static", lambda to: shutil.copytree(made, to))
    for name, ids in (("pool", range(16)), ("target", range(16, 20))):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row(i)) + "\n" for i in ids))
    patch.setenv("FLYWHEEL_CACHE", str(folder / "student"))
    tokenizer = pool_tokenizer([[message("user", WORDS)]], cache_dir=folder / "student")
    student = init_tiny(tokenizer, "0.5m", cache_dir=folder / "student")
    patch.setenv("FLYWHEEL_CACHE", str(folder / "home" / "models"))
    value = {
        "name": "d",
        "pool": [{"path": str(folder / "pool.jsonl")}],
        "target": [{"path": str(folder / "target.jsonl")}],
        "models": {
            "student": {"hf": str(student)},
            "embedder": {"builtin": "static"},
            "teacher": {"endpoint": endpoint_process.url, "model": "grader"},
        },
        "steps": STEPS,
        "compare": {"arms": ["random"], "seeds": 2},
    }
    rule = {"rule": "rater", "low": 0, "high": 5, "template": "$score\nBecause."}
    endpoint_process.reset()
    endpoint_process.configure(rules=[rule])
    job = Job(folder, recipe_from(value), endpoint_process)
    job.again()
    for part in ("runs", "home"):
        shutil.copytree(folder / part, folder / "kept" / part)

    def fresh() -> Job:
        for part in ("runs", "home"):
            remove(folder / part)
            shutil.copytree(folder / "kept" / part, folder / part)
        shared_embedder.cache_clear()
        return job

    yield fresh
    patch.undo()
    shared_embedder.cache_clear()


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])


def empty(path: Path) -> None:
    if path.is_dir():
        remove(path)
    path.write_bytes(b"")


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 255
    path.write_bytes(bytes(content))


def zero(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def in_place(path: Path) -> None:
    """A folder in the place of a file."""
    remove(path)
    (path / "deep").mkdir(parents=True)


def other(path: Path) -> None:
    """JSON of another kind."""
    path.write_text('{"steps": {"round-1/01-deduplicate": {"seconds": "many"}}, "models": []}')


def a_list(path: Path) -> None:
    path.write_text("[1, null]")


def foreign(path: Path) -> None:
    """Fewer rows than were here, in a file that is whole."""
    pq.write_table(pq.read_table(path).slice(0, 3), path)


def edited(path: Path) -> None:
    """A text of a row changed, its id kept."""
    rows = pq.read_table(path)
    turns = rows["messages"].to_pylist()
    turns[0][-1]["content"] = "edited by hand"
    at = rows.schema.get_field_index("messages")
    pq.write_table(rows.set_column(at, "messages", pa.array(turns, rows.schema.field(at).type)), path)


def another(path: Path) -> None:
    """A part more."""
    shutil.copy(path, path.with_name("part-00001.parquet"))


def of_another_step(path: Path) -> None:
    shutil.copy(path.parents[1] / "01-deduplicate" / path.name, path)


def edited_number(path: Path) -> None:
    text = path.read_text()
    path.write_text(text.replace(": 8,", ": 7,", 1).replace(": 0.", ": 1.", 1))
    assert path.read_text() != text


RUN, FIRST, LAST = "runs/d/", "runs/d/round-1/00-pool/", "runs/d/round-1/04-select/"
RATED, ROWS = "runs/d/round-1/03-select/", "rows/part-00000.parquet"
WHOLE_RUN = ("ledger.json", "plan.json", "compare.json", "map.parquet", "recipe.yaml", "events.jsonl")
SAID = re.compile("made anew|written anew|entered anew|measured again|paid again")
BILLED = {"compare", *(f"round-1/{step}" for step in TITLES)}
NAMED, REFUSED, WRITTEN = "named and made anew", "refused by name", "written as if it had never been"

# What is damaged, how, what is taken away so that it is needed again, and what becomes of it.
KINDS: list[tuple[str, list[Damage], list[str], str]] = [
    (LAST + "metrics.json", [cut, empty, remove, in_place, other, a_list, of_another_step, edited_number], [], NAMED),
    (FIRST + "metrics.json", [cut, remove], [], NAMED),
    (RUN + "round-1/05-train/metrics.json", [remove], [], NAMED),
    (RUN + "target/metrics.json", [other], [], NAMED),
    (LAST + ROWS, [cut, empty, remove, in_place, flip, foreign, edited, another], [], NAMED),
    (FIRST + ROWS, [edited, another], [], NAMED),
    (RUN + "target/" + ROWS, [cut, edited], [], NAMED),
    (RUN + "round-1/01-deduplicate/rows", [remove, empty], [], NAMED),
    (FIRST + "decisions.parquet", [cut, remove], [], NAMED),
    (FIRST + "origins.parquet", [cut, remove], [], NAMED),
    (RATED + "asked.parquet", [remove], [], NAMED),
    (RATED + "columns.parquet", [flip], [], NAMED),
    (RUN + "round-1/06-evaluate/scores.parquet", [empty], [], NAMED),
    (RUN + "ledger.json", [cut, empty, other, a_list, in_place], [], NAMED),
    (RUN + "compare.json", [cut, empty, other, a_list, in_place, edited_number], [], NAMED),
    (RUN + "map.parquet", [cut, empty, flip, in_place], [], NAMED),
    (RUN + "models/student/model.safetensors", [flip, in_place], [], "models/student"),
    (RUN + "models/student/config.json", [remove], [], "models/student"),
    (RUN + "models/student", [empty], [], NAMED),
    (RUN + "events.jsonl", [in_place], [], NAMED),
    (RUN + ".lock", [in_place], [], NAMED),
    (RUN + "plan.json", [in_place], [], NAMED),
    (RUN + "recipe.yaml", [in_place], [], NAMED),
    (RUN + "plan.json", [cut], [], WRITTEN),
    (RUN + "recipe.yaml", [cut], [], WRITTEN),
    (RUN + "events.jsonl", [cut], [], WRITTEN),
    (RUN + "ledger.json", [remove], [], WRITTEN),
    (RUN + "dataset/train.jsonl", [cut, remove, in_place], [], WRITTEN),
    (RUN + "dataset", [empty], [], WRITTEN),
    ("home/signals/alpagasus*/part-*", [cut, foreign, in_place], [RATED], NAMED),
    ("home/signals/embedding*/part-*", [empty, flip], [LAST], NAMED),
    ("home/signals/embedding*/part-*", [remove], [LAST], WRITTEN),
    ("home/models/static-*/model.safetensors", [cut], ["home/signals/embedding*", LAST], NAMED),
    ("home/models/static-*/tokenizer.json", [remove], ["home/signals/embedding*", LAST], NAMED),
    ("home/models/sft-*/model.safetensors", [cut], [RUN + "models"], NAMED),
    ("home/models/.sft-*.seal", [cut, in_place], [RUN + "models"], NAMED),
    ("home/trials/*/scores.parquet", [cut], [RUN + "compare.json"], NAMED),
    ("home/trials/*/facts.json", [edited_number], [RUN + "compare.json"], NAMED),
    ("home/answers.db", [empty], ["home/signals/alpagasus*", RATED], NAMED),
    ("home/answers.db", [cut], ["home/signals/alpagasus*", RATED], NAMED),
    ("home/answers.db", [zero, in_place], ["home/signals/alpagasus*", RATED], REFUSED),
    (RUN + "models", [empty], [], REFUSED),
    (RUN + "round-1", [empty], [], REFUSED),
    ("home/signals", [empty], [RATED], REFUSED),
    ("home", [empty], [], REFUSED),
    ("runs/d", [empty], [], REFUSED),
]


@pytest.mark.parametrize(("file", "damages", "without", "outcome"), KINDS, ids=[f"{k[0]} {k[3]}" for k in KINDS])
def test_damage_is_named_and_made_anew(
    whole: Callable[[], Job], file: str, damages: list[Damage], without: list[str], outcome: str
) -> None:
    for damage in damages:
        job = whole()
        before = job.made()
        path = next(iter(sorted(job.folder.glob(file))))
        damage(path)
        for name in without:
            for needed in job.folder.glob(name):
                remove(needed)
        if outcome == REFUSED:
            with pytest.raises(FlywheelError, match=f"{path}.*move it away"):
                job.again()
            continue
        said = job.again()
        assert job.made() == before, damage
        billed = set(read_bills((job.folder / "runs/d/ledger.json").read_text()))
        assert len(helpers := {name for name in billed if name.startswith("helpers/untrained-student-")}) == 1, damage
        assert billed - helpers == BILLED, damage
        if outcome != WRITTEN:
            named = "" if damage in (another, of_another_step) else path.name if outcome == NAMED else outcome
            assert any(named in line and SAID.search(line) for line in said.splitlines()), (damage, said)


def test_a_run_that_may_not_be_entered_is_named(whole: Callable[[], Job]) -> None:
    job = whole()
    place, root = job.folder / "runs" / "d", os.geteuid() == 0
    place.chmod(0)
    try:
        if root:
            os.seteuid(65534)
        with pytest.raises(FlywheelError, match="check who may read and"):
            job.again()
    finally:
        if root:
            os.seteuid(0)
        place.chmod(0o755)


@pytest.mark.parametrize("damage", [cut, in_place, a_list, remove])
def test_what_reads_a_damaged_run_names_the_file(whole: Callable[[], Job], damage: Damage) -> None:
    job = whole()
    path = job.folder / "runs" / "d"
    id = pq.read_table(job.folder / LAST / ROWS)["id"][0].as_py()
    names = ("metrics.json", "decisions.parquet", "columns.parquet", "origins.parquet", ROWS)
    places = [*(f"{LAST}{name}" for name in names), f"{FIRST}origins.parquet", *map(RUN.__add__, WHOLE_RUN)]
    for place in (job.folder / name for name in places):
        if not place.exists():
            continue
        shutil.copy(place, job.folder / "held")
        damage(place)
        for read in (lambda: write_report(path), lambda: why(path, id, job.folder / "home")):
            said = f"{place.name} makes it anew"
            try:
                read()  # what is absent is named as missing
            except FlywheelError as error:
                said = str(error)
            assert place.name in said
            assert re.search("makes (it|them) anew", said)
        remove(place)
        shutil.copy2(job.folder / "held", place)
