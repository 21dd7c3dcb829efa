"""A procedure in a recipe is its steps, as if the user had written them; what it cannot be is refused by name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from dataflywheel import catalog
from dataflywheel.contracts import Around, Card, Composite, Selector, UsageError
from dataflywheel.contracts.method import REGISTRY
from dataflywheel.errors import FlywheelError
from dataflywheel.recipe.execute import run
from dataflywheel.recipe.load import load_recipe, recipe_from
from dataflywheel.recipe.planning.plan import plan
from dataflywheel.recipe.schema import Recipe
from dataflywheel.report.card.used_methods import card_in, methods_of_run
from dataflywheel.report.rundir import load_run

TOYS = ("short_and_few", "twice", "told", "endless")


@pytest.fixture(autouse=True)
def toys() -> Iterator[None]:
    """Procedures that tests name."""
    toy = Card(title="T", year=2026, category="selection", subcategory="static", summary="S.", checked="by hand")

    class ShortAndFew(Composite):
        card: ClassVar[Card] = toy.model_copy(update={"paper": "2401.00001"})

        most: float = 120
        keep: int | None = None

        def steps(self, around: Around) -> list[Any]:
            kept = {} if self.keep is None else {"keep": self.keep}
            return [
                {"filter": {"bounds": {"lengths.chars_answer": (None, self.most)}}},
                {"select": {"by": "longest", **kept}},
            ]

        def signals(self, around: Around) -> dict[str, Any]:
            return {"lengths": "text"}

    class Twice(Composite):
        card: ClassVar[Card] = toy

        def steps(self, around: Around) -> list[Any]:
            return ["deduplicate", {"short_and_few": {"keep": 4}}]

    class Told(Composite):
        """Gives what it is told to give."""

        card: ClassVar[Card] = toy

        gives: Any = None
        under_signals: Any = {}

        def steps(self, around: Around) -> Any:
            if self.gives == "around":
                raise UsageError(f"told: {around}")
            return self.gives

        def signals(self, around: Around) -> Any:
            return self.under_signals

    class Endless(Composite):
        card: ClassVar[Card] = toy

        def steps(self, around: Around) -> list[Any]:
            return [{"told": {"gives": [{"endless": {}}]}}]

    yield
    for name in TOYS:
        del REGISTRY[name]


def text_of(steps: str, **more: str) -> str:
    lines = ["name: toy", "pool: {path: pool.jsonl}", "steps:", *(f"  - {line}" for line in steps.split("\n"))]
    return "\n".join([*lines, *(f"{name}: {value}" for name, value in more.items())]) + "\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rows = [{"prompt": f"How high is hill {i}?", "completion": f"It is {'very ' * i}high."} for i in range(20)]
    (tmp_path / "pool.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(folder: Path, text: str) -> Recipe:
    (folder / "recipe.yaml").write_text(text, encoding="utf-8")
    return load_recipe(folder / "recipe.yaml")


BY_HAND = """filter: {bounds: {lengths.chars_answer: [null, 60]}}
select: {by: longest, keep: 4}"""


def test_it_is_the_same_as_its_steps_written_by_hand(folder: Path) -> None:
    signals = {"signals": "{lengths: text}"}
    by_hand = read(folder, text_of(BY_HAND, **signals).replace("toy", "by-hand"))
    made = read(folder, text_of("short_and_few: {most: 60, keep: 4}"))
    assert (made.steps, made.signals) == (by_hand.steps, by_hand.signals)
    lines = plan(made)["steps"]
    assert [line.pop("of") for line in lines] == [["short_and_few"]] * 2
    assert [{**line, "cost": 0} for line in lines] == [{**line, "cost": 0} for line in plan(by_hand)["steps"]]
    where: dict[str, Any] = {"runs": folder / "runs", "home": folder / "store"}
    for recipe in (made, by_hand):
        run(recipe, **where)
    for step in ("01-filter", "02-select"):
        one, other = (folder / "runs" / name / "round-1" / step for name in ("toy", "by-hand"))
        assert (
            json.loads((one / "metrics.json").read_text())["fingerprint"]
            == (json.loads((other / "metrics.json").read_text())["fingerprint"])
        )
        for file in ("rows/part-00000.parquet", "decisions.parquet"):
            assert (one / file).read_bytes() == (other / file).read_bytes()
    data = [folder / "runs" / name / "dataset" / "train.jsonl" for name in ("toy", "by-hand")]
    assert data[0].read_bytes() == data[1].read_bytes()


def test_a_run_keeps_what_was_written_and_tells_of_both(folder: Path) -> None:
    text = text_of("deduplicate\nshort_and_few: {keep: 4}")
    recipe = read(folder, text)
    where: dict[str, Any] = {"runs": folder / "runs", "home": folder / "store"}
    path = run(folder / "recipe.yaml", **where).path
    assert (path / "recipe.yaml").read_text() == text
    told = json.loads((path / "plan.json").read_text())
    assert told["procedures"] == [
        {"procedure": "short_and_few", "params": {"keep": 4}, "steps": ["02-filter", "03-select"]}
    ]
    found = load_run(path)
    used = methods_of_run(found)
    assert used[0] == "short_and_few"
    assert {"deduplicate", "filter", "longest", "text"} <= {*used}
    assert card_in(found, "short_and_few").paper == "2401.00001"
    before = (path / "round-1" / "03-select" / "metrics.json").stat().st_mtime_ns
    run(recipe, **where)  # the same from Python: nothing is done again
    assert (path / "round-1" / "03-select" / "metrics.json").stat().st_mtime_ns == before
    again = load_recipe(path / "recipe.yaml")
    assert again == recipe
    assert again.as_written().steps == [{"deduplicate": {}}, {"short_and_few": {"keep": 4}}]


def test_procedures_within_procedures_and_within_rounds(folder: Path) -> None:
    made = read(folder, text_of("twice"))
    assert [next(iter(step)) for step in made.steps] == ["deduplicate", "filter", "select"]
    assert made.composed.names(1) == ("twice",)
    assert made.composed.names(3) == ("twice", "short_and_few")
    wheel = recipe_from(
        {
            "name": "wheel",
            "pool": [{"path": "pool.jsonl"}],
            "target": [{"path": "pool.jsonl"}],
            "steps": [{"decontaminate": {}}, {"short_and_few": {"keep": 6}}, {"train": {"max_steps": 1}}, "evaluate"],
            "rounds": 2,
            "feedback": "uniform",
        }
    )
    assert [line.get("of") for line in plan(wheel)["steps"]] == [
        None,
        ["short_and_few"],
        ["short_and_few"],
        None,
        None,
    ]


def test_it_knows_what_the_recipe_has(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    more = {"models": "{teacher: {endpoint: 'http://x/v1', model: m, api_key: '${K}'}}", "budget": "{rows: 7}"}
    monkeypatch.setenv("K", "secret-secret-secret")
    with pytest.raises(UsageError) as error:
        read(folder, text_of("told: {gives: around}", target="{path: pool.jsonl}", **more))
    assert "targets=1, rounds=1, rows=7" in str(error.value)
    assert "'teacher': {'endpoint': 'http://x/v1'" in str(error.value)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("step", "more", "said"),
    [
        ("short_and_few: {moost: 3}", {}, r"recipe.yaml:5: step 2, short_and_few: unknown parameter 'moost'.*'most'"),
        ("short_and_few: {most: wide}", {}, r"recipe.yaml:5: step 2, short_and_few: most: .*\(got 'wide'\)"),
        ("endless", {}, r"recipe.yaml:5: step 2, endless > told > endless: a procedure that stands for itself"),
        ("told: {gives: []}", {}, "told: gives no steps"),
        ("told: {gives: [{a: {}, b: {}}]}", {}, "told: step 1: expected one name with its parameters"),
        ("told: {gives: [filter, 3]}", {}, "told: step 2: expected one name"),
        ("told: {gives: 3}", {}, "recipe.yaml:5: step 2, told: its steps are no list"),
        (
            "told: {gives: [evaluate], under_signals: {lengths: {nothing: {}}}}",
            {},
            "told: its signals: there is no signal",
        ),
        ("told: {gives: [evaluate], under_signals: {lengths: embedding}}", {"signals": "{lengths: text}"}, "otherwise"),
    ],
)
def test_what_no_procedure_may_be(step: str, more: dict[str, str], said: str, folder: Path) -> None:
    with pytest.raises(UsageError, match=said):
        read(folder, text_of(f"deduplicate\n{step}", **more))


def test_more_steps_than_a_procedure_needs(folder: Path) -> None:
    steps = [{"told": {"gives": ["deduplicate"] * 60}}, {"told": {"gives": ["deduplicate"] * 60}}]
    with pytest.raises(UsageError, match="told > told"):
        read(folder, text_of(json.dumps({"told": {"gives": steps}})))
    with pytest.raises(UsageError, match="told: gives more than 100 steps"):
        read(folder, text_of(json.dumps({"told": {"gives": ["deduplicate"] * 101}})))


def test_errors_in_its_steps_name_procedure_parameters_and_file(folder: Path) -> None:
    """Steps that a procedure gives wrongly are found where all steps are checked, at the plan and at the run."""
    told = r"told: .*\"gives\".*\(.*recipe.yaml:5\) stands for 02-filter, 03-train"
    made = read(folder, text_of("deduplicate\ntold: {gives: [{filter: {bound: {}}}, train]}"))
    for verb in (plan, run):
        with pytest.raises(UsageError, match=rf"filter: unknown parameter 'bound'.*\n{told}"):
            verb(made)  # type: ignore[operator]
    made = read(folder, text_of("deduplicate\nshort_and_few"))  # no `keep`, and no budget
    with pytest.raises(UsageError, match=r"say how much to keep.*\nshort_and_few: \{\} \(.*recipe.yaml:5\) stands for"):
        plan(made)
    made = read(folder, text_of("short_and_few: {most: 1, keep: 2}"))
    with pytest.raises(FlywheelError, match=r"01-filter: no row is left.*\n.*short_and_few: \{.most.: 1, .keep.: 2\}"):
        run(made, runs=folder / "runs", home=folder / "store")
    with pytest.raises(UsageError) as error:
        plan(read(folder, text_of("short_and_few: {keep: 3}\nselect: {by: lngest, keep: 1}")))
    assert "did you mean 'longest'" in str(error.value)


def test_where_another_kind_is_wanted_it_says_where_it_stands() -> None:
    with pytest.raises(UsageError, match="short_and_few is a procedure, which stands among the steps"):
        catalog.get("short_and_few", Selector)
