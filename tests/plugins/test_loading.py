"""A plugin's methods are known by name, with its code in their fingerprints; what is broken leaves nothing."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import dataflywheel as fw
from dataflywheel import catalog
from dataflywheel.contracts import REGISTRY, STEPS, FlywheelError, Selector, Signal, UsageError, build
from dataflywheel.plugins.carried import Carried, loaded, restore
from tests.plugins.files import CARD, write_vowels

BROKEN = {
    "a name": ("x = 1\ny = nothing\n", r"plugin mine\.py, line 2: NameError: name 'nothing'"),
    "a package": (
        "import not_installed_anywhere\n",
        r"plugin mine\.py, line 1: ModuleNotFoundError: .*; install it, or put not_installed_anywhere\.py beside",
    ),
    "no Python": ("x = (\n", r"plugin mine\.py, line 1: SyntaxError"),
    "ends": ("import sys\nsys.exit(3)\n", r"plugin mine\.py, line 2: SystemExit: 3"),
    "recursion": ("def f(): f()\nf()\n", r"plugin mine\.py, line 1: RecursionError"),
    "nothing": ("x = 1\n", r"plugin mine\.py: defines no method: expected a class of a kind such as Signal"),
    "no card": (
        "from dataflywheel.contracts import Signal\nclass Mine(Signal): pass\n",
        r"plugin mine\.py, line 2: Mine has no `card`",
    ),
    "a class twice": (
        "class Mine: pass\n\nclass Mine: pass\n",
        r"plugin mine\.py.*: class Mine stands in lines 1 and 3; rename one of them",
    ),
    "a bad card": (
        CARD + "class Mine(Selector):\n    card = card('cooking', '', '')\n",
        r"line 7: ValidationError: category: Input should be",
    ),
    "a card of another kind": (
        CARD + "class Mine(Selector):\n    card: ClassVar = {'title': 'X'}\n",
        r"plugin mine\.py, line 9: the card of Mine is a dict; write `card: ClassVar = Card\(",
    ),
    "a signal without columns": (
        CARD + "class Mine(Signal):\n    card: ClassVar[Card] = card('signals', 'text', 'X.')\n",
        r"plugin mine\.py, line 9: Mine has no columns; name what it measures",
    ),
    "ours": (
        CARD + "class KCenter(Selector):\n    card: ClassVar[Card] = card('selection', 'static', 'X.')\n",
        r"line 9: two methods are named 'k_center': dataflywheel\.selection\.static\.k_center and .*mine\.py; rename",
    ),
    "a step of ours": (
        "from dataflywheel.recipe.steps.step import Step\nclass S(Step, keyword='train'): pass\n",
        r"two kinds of steps are named 'train': dataflywheel\.recipe\.steps\.train and .*mine\.py",
    ),
    "both": (
        CARD + "class Train(Selector):\n    card: ClassVar[Card] = card('selection', 'static', 'X.')\n",
        r"plugin mine\.py: train names a method and a kind of step",
    ),
    "beside": ("import helper\n", r"plugin mine\.py, in helper\.py, line 2: ZeroDivisionError"),
    "a relative import": (
        "from .helper import x\n",
        r"plugin mine\.py, line 1: ImportError: .*by its own name, without a dot",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_broken_is_said_and_leaves_nothing(what: str, tmp_path: Path) -> None:
    body, said = BROKEN[what]
    (tmp_path / "mine.py").write_text(body)
    (tmp_path / "helper.py").write_text("x = 1\n1 / 0\n")
    before = dict(REGISTRY), dict(STEPS)
    with pytest.raises(UsageError, match=f"(?s){said}"):
        fw.plugin("mine.py")
    assert (dict(REGISTRY), dict(STEPS)) == before


def test_half_a_plugin_is_none(tmp_path: Path) -> None:
    text = write_vowels(tmp_path / "mine.py").read_text()
    (tmp_path / "mine.py").write_text(text + "\nraise ValueError('late')\n")
    with pytest.raises(UsageError, match="ValueError: late"):
        fw.plugin("mine.py")
    assert "vowels" not in catalog.names()
    (tmp_path / "mine.py").write_text(text)
    assert fw.plugin("mine.py") == ["vowels", "few_vowels"]  # mended, in the same process


@pytest.mark.parametrize(
    ("named", "said"),
    [("absent.py", "is not there"), (".", "is a folder"), ("mine.txt", "must end with .py")],
)
def test_what_is_no_file_of_code(named: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(UsageError, match=f"plugin {named}: .*{said}"):
        fw.plugin(named)


def test_methods_are_known_by_name_and_card(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = write_vowels(tmp_path / "mine.py").read_text()
    (tmp_path / "mine.py").write_text("print('hello')\n" + text)
    fw.plugin(tmp_path / "mine.py")
    assert capsys.readouterr().out == ""  # results alone stand there
    assert catalog.get("few_vowels", Selector, ("selection",)).card.summary == "Rows with few vowels."
    (told,) = [card for card in fw.methods() if card["name"] == "vowels"]
    assert told["plugin"] == str(tmp_path / "mine.py")
    assert all("plugin" not in card for card in fw.methods() if card["name"] not in ("vowels", "few_vowels"))


def test_code_is_part_of_every_key(tmp_path: Path) -> None:
    """Its own, and that of a module beside it; the same text gives the same key, wherever it stands."""

    def key() -> tuple[str, str]:
        fw.plugin("mine.py")
        vowels = catalog.get("vowels")
        assert issubclass(vowels, Signal)
        return vowels().key(), vowels.edition()

    write_vowels(tmp_path / "mine.py")
    (tmp_path / "helper.py").write_text("x = 1\n")
    first = key()
    assert key() == first
    text = (tmp_path / "mine.py").read_text()
    (tmp_path / "mine.py").write_text(text + "# a word\n")
    second = key()
    (tmp_path / "mine.py").write_text("from helper import x\n" + text)
    third = key()
    (tmp_path / "helper.py").write_text("x = 2\n")
    assert len({first, second, third, key()}) == 4
    (tmp_path / "mine.py").write_text(text)
    assert key() == first
    assert REGISTRY["k_center"].edition() == "k_center@1"


def test_an_edited_file_is_run_again_with_what_lies_beside_it(tmp_path: Path) -> None:
    text = write_vowels(tmp_path / "mine.py", "* FACTOR").read_text()
    (tmp_path / "mine.py").write_text("from helper import FACTOR\n" + text)
    for factor in (2, 3):
        (tmp_path / "helper.py").write_text(f"FACTOR = {factor}\n")
        fw.plugin("mine.py")
        module = sys.modules[catalog.get("vowels").__module__]
        assert factor == module.FACTOR
    assert not list(tmp_path.glob("__pycache__"))


def test_a_name_that_another_plugin_has_names_both(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        write_vowels(tmp_path / folder / "mine.py")
    fw.plugin("one/mine.py")
    with pytest.raises(UsageError, match=r"two methods are named 'vowels': .*one/mine\.py and .*two/mine\.py"):
        fw.plugin("two/mine.py")
    fw.plugin(tmp_path / "two" / ".." / "one" / "mine.py")  # the same file by another way


def test_no_module_hides_another(tmp_path: Path) -> None:
    """Two folders with modules of one name, and a module that has the name of Python's."""
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        text = write_vowels(tmp_path / folder / "mine.py").read_text().replace("Vowels", f"Vowels{folder}")
        (tmp_path / folder / "mine.py").write_text("import helper\n" + text.replace("vowels.", f"vowels{folder}."))
        (tmp_path / folder / "helper.py").write_text(f"x = {folder!r}\n")
    whole = (tmp_path / "two" / "mine.py").read_text()
    (tmp_path / "two" / "mine.py").write_text(whole + "1 / 0")
    with pytest.raises(UsageError, match="ZeroDivisionError"):
        fw.plugin("two/mine.py")
    (tmp_path / "two" / "mine.py").write_text(whole)
    fw.plugin("one/mine.py")  # one that failed holds no name of a module either
    with pytest.raises(UsageError, match=r"imports helper, .*two/helper\.py.* another helper .*one/helper\.py"):
        fw.plugin("two/mine.py")
    (tmp_path / "json.py").write_text("raise SystemExit\n")
    write_vowels(tmp_path / "mine.py")
    (tmp_path / "mine.py").write_text("import json\n" + (tmp_path / "mine.py").read_text())
    with pytest.raises(UsageError, match=r"imports json, which lies beside it .*json\.py"):
        fw.plugin("mine.py")


def test_a_module_that_a_script_imported_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_vowels(tmp_path / "my_own_methods.py")
    monkeypatch.syspath_prepend(tmp_path)
    import my_own_methods  # type: ignore[import-not-found]

    assert fw.plugin("my_own_methods.py") == ["vowels", "few_vowels"]
    assert catalog.get("vowels") is my_own_methods.Vowels
    assert my_own_methods.Vowels.source


def test_another_process_loads_them_before_it_opens_what_it_is_sent(tmp_path: Path) -> None:
    write_vowels(tmp_path / "mine.py")
    fw.plugin("mine.py")
    made = catalog.get("vowels")()
    assert isinstance(made, Signal)
    (tmp_path / "sent").write_bytes(pickle.dumps((Carried(made), loaded())))
    code = (
        "import pickle, sys; found, _ = pickle.load(open(sys.argv[1], 'rb')); print(found.value.key());"
        "from dataflywheel import catalog; print(catalog.get('few_vowels').edition())"
    )
    elsewhere = {"cwd": "/", "env": {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}}
    there = [sys.executable, "-c", code, str(tmp_path / "sent")]
    done = subprocess.run(there, capture_output=True, text=True, **elsewhere)  # type: ignore[call-overload]
    assert done.stdout.split() == [made.key(), catalog.get("few_vowels").edition()], done.stderr


def test_a_file_that_changes_while_it_is_in_use_is_refused_in_the_other_process(tmp_path: Path) -> None:
    write_vowels(tmp_path / "mine.py")
    fw.plugin("mine.py")
    sent = loaded()
    write_vowels(tmp_path / "mine.py", "+ 1")
    with pytest.raises(FlywheelError, match=r"plugin mine\.py: .*changed while it was in use"):
        restore(sent)


def test_a_method_that_cannot_be_made_is_refused_by_name(tmp_path: Path) -> None:
    text = CARD + "class Made(Selector):\n    card: ClassVar[Card] = card('selection', 'static', 'X.')\n"
    (tmp_path / "made.py").write_text(text)
    fw.plugin("made.py")
    with pytest.raises(UsageError, match=r"made of plugin made\.py: Made has no needs, rank; write what it does"):
        build(REGISTRY["made"], {})
    text += "    def needs(self): return ()\n    def rank(self, columns, budget, rng): return None\n"
    (tmp_path / "made.py").write_text(text + "    def __init__(self, model): self.model = model\n")
    fw.plugin("made.py")
    with pytest.raises(UsageError, match=r"made of plugin made\.py: .*'model'; write no `__init__`: parameters are"):
        build(REGISTRY["made"], {})


@pytest.mark.parametrize(
    ("measured", "said"),
    [
        ("raise KeyError('who')", r"KeyError: 'who' \(mine\.py, line 16\)"),
        ("return {'count': np.ones(3, np.int32), 'status': np.zeros(3, np.uint8)}", "3 of count, 3 of status"),
        ("return {'count': [1] * len(said)}", r"gave no status; wanted is one value a row .* np\.zeros\(len\(batch\)"),
    ],
)
def test_a_signal_that_fails_everywhere_names_plugin_and_line(tmp_path: Path, measured: str, said: str) -> None:
    text = write_vowels(tmp_path / "mine.py").read_text()
    lines = [line if "count = [" not in line else f"        {measured}" for line in text.splitlines()]
    (tmp_path / "mine.py").write_text("\n".join(lines) + "\n")
    fw.plugin("mine.py")
    with pytest.raises(FlywheelError, match=rf"signal vowels of plugin mine\.py: all 2 rows failed; .*{said}"):
        fw.measure([{"prompt": "a", "completion": text} for text in ("b", "c")], "vowels")


def test_what_a_function_prints_is_no_part_of_a_result(tmp_path: Path) -> None:
    (tmp_path / "loud.py").write_text(
        "import os\ndef keep(row):\n    print('loud')\n    os.write(1, b'loud')\n    return True\n"
    )
    (tmp_path / "pool.jsonl").write_text('{"prompt": "a", "completion": "b"}\n')
    (tmp_path / "r.yaml").write_text("name: r\npool: {path: pool.jsonl}\nsteps: [{filter: {python: 'loud.py:keep'}}]\n")
    command = [sys.executable, "-m", "dataflywheel.cli.main", "run", "r.yaml", "--json"]
    done = subprocess.run(command, capture_output=True, check=True, text=True, timeout=60)
    assert json.loads(done.stdout)["rows_out"] == 1
    assert done.stderr.count("loud") >= 2
