"""What the documentation says is run: commands, recipes and code, in a temporary folder with small data."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from dataflywheel.cli import main as cli
from dataflywheel.recipe.load import load_recipe, recipe_from
from dataflywheel.recipe.planning.plan import plan
from dataflywheel.recipe.steps.build import build_steps
from dataflywheel.rows.python_docs import python_docs
from docs.build import pages
from docs.disk import RUN, STEP, STORE
from tests.pages import CODE, FILE, MARK, PAGES, ROOT, Block, blocks, complete
from tests.support.plugins import forgotten

EVERY = ("", "slow")
made = cache(pages)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Small data under the names that the pages use, the repository's recipes, and the registry as it was."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    pool, held = ([row for row in python_docs(split) if size(row) < 400] for split in ("pool", "held_out"))
    write_rows(tmp_path / "pool.jsonl", pool[::120])
    write_rows(tmp_path / "chat.jsonl", pool[7::120])
    write_rows(tmp_path / "code.jsonl", pool[11::120])
    write_rows(tmp_path / "benchmark.jsonl", held[::20], ("reading", "writing"))
    thumbs = [
        {"prompt": f"Repeat {n}", "completion": f"{n}" if n % 3 else "No.", "label": n % 3 > 0} for n in range(30)
    ]
    (tmp_path / "thumbs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in thumbs), encoding="utf-8")
    towns = ("Aldertown", "Birchville", "Cedarburg")
    lines = [f"{200 + n % 3},{'' if n == 9 else towns[n % 3]},{n}.0 oz" for n in range(60)]
    (tmp_path / "places.csv").write_text("\n".join(["zip,city,weight", *lines]) + "\n", encoding="utf-8")
    names = [f"s{n},{200 + n % 3},{towns[n % 3]},555-01{n}" for n in range(3)]
    (tmp_path / "suppliers.csv").write_text("\n".join(["key,zip,city,phone", *names]) + "\n", encoding="utf-8")
    asked = {"context": "A shop.", "q": "Is it open?", "data": {"a": "Until six."}, "ok": True}
    (tmp_path / "support.jsonl").write_text(json.dumps(asked) + "\n", encoding="utf-8")
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    (tmp_path / "recipes").symlink_to(ROOT / "recipes")
    with forgotten(tmp_path):
        yield tmp_path


def size(row: Any) -> int:
    return sum(len(message["content"]) for message in row["messages"])


def write_rows(path: Path, rows: list[Any], skills: tuple[str, ...] = ()) -> None:
    records = [{"prompt": r["messages"][0]["content"], "completion": r["messages"][1]["content"]} for r in rows]
    for place, record in enumerate(records if skills else ()):
        record["skill"] = skills[place % len(skills)]
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")


def write_model(folder: Path) -> None:
    """A small model folder, as a user would bring one."""
    from dataflywheel.models.language.pool_tokenizer import pool_tokenizer
    from dataflywheel.models.training.tiny import init_tiny

    made = init_tiny(pool_tokenizer([r["messages"] for r in python_docs("held_out")]), "0.5m")
    folder.symlink_to(made)


def flywheel(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """One command, in this process, as the console script calls it."""
    monkeypatch.setattr(sys, "argv", ["flywheel", *arguments])
    monkeypatch.setattr(cli, "listen", lambda: None)  # its watch over signals would outlive the command
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert not end.value.code, arguments


def check_recipe(block: Block) -> None:
    """Loaded, its steps built, and planned; a block that names its file is written there."""
    if named := FILE.match(block.body):
        Path(named[1]).write_text(block.body, encoding="utf-8")
        load_recipe(Path(named[1]))
    recipe = recipe_from(complete(block.body))
    assert build_steps(recipe)
    assert plan(recipe)["steps"]


def run_page(page: str, monkeypatch: pytest.MonkeyPatch, marks: tuple[str, ...]) -> int:
    """All blocks in order; commands and code only where their mark is asked for. Gives how many ran."""
    module = ModuleType("documentation")  # where dataclasses look for the types of their fields
    monkeypatch.setitem(sys.modules, module.__name__, module)
    names: dict[str, Any] = vars(module)
    ran = 0
    for block in blocks(page):
        if block.kind == "yaml":
            check_recipe(block)
        elif block.kind == "bash" and block.mark in marks:
            for line in block.body.splitlines():
                program, *arguments = shlex.split(line, comments=True)
                assert program == "flywheel", f"{page}: only flywheel can be run here: {line}"
                flywheel(arguments, monkeypatch)
        elif block.kind == "python" and (named := CODE.match(block.body)):
            Path(named[1]).write_text(block.body, encoding="utf-8")
        elif block.kind == "python" and block.mark in marks:
            exec(compile(block.body, page, "exec"), names)
        else:
            continue
        ran += 1
    return ran


@pytest.mark.parametrize("page", PAGES)
def test_the_page_does_what_it_says(page: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_model(folder / "my-model")
    assert run_page(page, monkeypatch, ("",))


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES[:3])
def test_the_page_does_what_it_says_with_training(
    page: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_model(folder / "my-model")
    run_page(page, monkeypatch, EVERY)
    assert "random" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.ray
def test_the_page_on_ray_chooses_the_same_rows(folder: Path) -> None:
    """In a process of its own, since a process has one engine for life."""
    marked = [b for page in PAGES for b in blocks(page) if b.mark == "ray"]
    assert marked
    recipe = next(b.body for b in blocks("docs/how-to.md") if "ray: auto" in b.body)
    alone = recipe.replace("engine: {ray: auto}\n", "").replace("name: on-ray", "name: alone")
    (folder / "on-ray.yaml").write_text(recipe, encoding="utf-8")
    (folder / "alone.yaml").write_text(alone, encoding="utf-8")
    for name in ("on-ray", "alone"):
        arguments = [sys.executable, "-m", "dataflywheel.cli.main", "run", f"{name}.yaml", "--home", f".{name}"]
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
    rows = [(folder / "runs" / name / "dataset" / "train.jsonl").read_bytes() for name in ("on-ray", "alone")]
    assert rows[0] == rows[1]


def test_every_mark_has_a_reason() -> None:
    comments = [block.comment for page in PAGES for block in blocks(page) if block.comment]
    assert comments
    assert [comment for comment in comments if not MARK.match(comment)] == []


def test_no_block_is_passed_over_for_its_language() -> None:
    kinds = {block.kind for page in PAGES for block in blocks(page)}
    assert kinds == {"bash", "yaml", "python", "text"}
    fences = sum((ROOT / page).read_text(encoding="utf-8").count("```") for page in PAGES)
    assert fences == 2 * sum(len(blocks(page)) for page in PAGES)


def test_the_made_pages_are_what_the_code_makes_now() -> None:
    for path, text in made().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name} is old: run `make docs`"


def test_no_page_has_a_heading_twice() -> None:
    for page in PAGES:
        heads = [line for line in (ROOT / page).read_text(encoding="utf-8").splitlines() if line.startswith("## ")]
        assert sorted(set(heads)) == sorted(heads), page


def test_the_reference_leaves_no_field_unexplained() -> None:
    rows = [line for line in made()[ROOT / "docs" / "reference.md"].splitlines() if line.startswith("|")]
    assert [line for line in rows if line.endswith("|  |")] == []


def test_the_schema_accepts_every_recipe_and_refuses_mistakes() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    check = jsonschema.Draft202012Validator(json.loads(made()[ROOT / "docs" / "recipe.schema.json"])).is_valid
    files = [*ROOT.glob("recipes/*.yaml"), *ROOT.glob("docs/examples/*.yaml")]
    recipes = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in files]
    recipes += [complete(b.body) for page in PAGES for b in blocks(page) if b.kind == "yaml"]
    assert len(recipes) > 10
    shipped = [recipe for recipe in recipes if "plugins" not in recipe]  # names of the user's own are not in the schema
    assert [recipe["name"] for recipe in shipped if not check(recipe)] == []
    good = recipes[0]
    mistakes: list[dict[str, Any]] = [
        {"stepps": []},
        {"pool": []},
        {"steps": [{"deduplicate": {"nearr": 0.8}}]},
        {"steps": [{"deduplicat": {}}]},
        {"steps": [{"select": {"by": "best", "keep": 5}}]},
        {"steps": [{"select": {"by": {"ifd": {"ratio": "log"}}, "keep": 5}}]},
        {"compare": ["ramdom", "random"]},
        {"compare": ["longest"]},
        {"models": {"student": {"builtin": "huge"}}},
        {"signals": {"embeding": {"part": "prompt"}}},
        {"signals": {"prompts": {"embedding": {"prt": "prompt"}}}},
        {"signals": {"text": {"of": "trained"}}},
    ]
    for mistake in mistakes:
        assert not check({**good, **mistake}), mistake


def test_the_examples_of_the_tutorial_are_the_files() -> None:
    shown = [yaml.safe_load(block.body) for block in blocks("docs/tutorial.md") if block.kind == "yaml"]
    files = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(ROOT.glob("docs/examples/*.yaml"))]
    assert shown == files


@pytest.mark.parametrize("page", [*PAGES, "docs/architecture.md", "docs/reference.md"])
def test_links_lead_somewhere(page: str) -> None:
    """Pictures aside: they are taken from a run of the release."""
    text = (ROOT / page).read_text(encoding="utf-8")
    links = re.findall(r"(?<!!)\[[^\]]*\]\((?!https?://)([^)\s]+)\)", re.sub(r"```.*?```", "", text, flags=re.S))
    anchors = {
        re.sub(r"[^\w -]", "", h.lower()).strip().replace(" ", "-") for h in re.findall(r"^#+ (.*)$", text, re.M)
    }
    for link in links:
        target, _, anchor = link.partition("#")
        assert not target or (ROOT / page).parent.joinpath(target).exists(), f"{page}: {link}"
        assert target or anchor in anchors, f"{page}: {link}"


def test_a_run_leaves_what_the_reference_lists(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "pool.jsonl").open("a").write("{broken\n")
    recipe = {"steps": [{"deduplicate": {"near": 0.8}}, {"select": {"by": "longest", "keep": 20}}], "name": "listed"}
    (folder / "listed.yaml").write_text(yaml.safe_dump({**complete("{}"), **recipe}), encoding="utf-8")
    flywheel(["run", "listed.yaml"], monkeypatch)
    run = folder / "runs" / "listed"
    trained = {"models/student/", "compare.json", "map.parquet", "quarantine/rows.jsonl"}
    assert {name for name in RUN if not (run / name).exists()} == {*trained, "dataset.partial/"}
    files = {path.name for path in run.glob("round-1/*/*")}
    assert {name.rstrip("/") for name in STEP} - files == {"scores.parquet", "asked.parquet"}
    assert files <= {name.rstrip("/") for name in STEP}
    top = {name.split("/")[0] for name in RUN}
    assert {path.name for path in run.iterdir()} <= top
    assert {path.name for path in (folder / ".flywheel").iterdir()} <= {name.split("/")[0] for name in STORE}
