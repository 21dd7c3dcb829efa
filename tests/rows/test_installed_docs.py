"""The pool of installed packages: parsed and never run, the same every time, and without what its target asks."""

from __future__ import annotations

import json
import re
import sysconfig
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dataflywheel.recipe.inputs.sources import inputs
from dataflywheel.recipe.sections import Source
from dataflywheel.rows import installed_docs as module
from dataflywheel.rows.fingerprint import fingerprint
from dataflywheel.rows.installed_docs import installed_docs
from dataflywheel.rows.python_docs import held_out


def facts(row: Any) -> dict[str, str]:
    told: dict[str, str] = json.loads(row["extra"])
    return told


def words(row: Any) -> str:
    return " ".join(re.findall(r"\w+", row["messages"][1]["content"].lower()))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of installed packages in place of this machine's."""
    paths = {**sysconfig.get_paths(), "purelib": str(tmp_path), "platlib": str(tmp_path)}
    monkeypatch.setattr(sysconfig, "get_paths", lambda: paths)
    module._texts.cache_clear()
    yield tmp_path
    module._texts.cache_clear()


def install(site: Path, name: str, sources: dict[str, str], metadata: str = "License-Expression: MIT\n") -> None:
    about = site / f"{name}-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\n{metadata}")
    (about / "RECORD").write_text("".join(f"{path},,\n" for path in sources))
    for path, text in sources.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_text(text)


@pytest.mark.slow
def test_the_pool_of_this_machine_is_large_and_mixed() -> None:
    sources = Counter(row["source"] for row in installed_docs())
    assert sources.total() > 8000
    assert len(sources) > 20
    assert 2000 < sources["python"] < sources.total() / 2
    assert max(count for name, count in sources.items() if name != "python") == module.MOST


def test_the_target_is_not_in_the_pool(site: Path) -> None:
    pool, target = list(installed_docs()), list(installed_docs("held_out"))
    assert len(pool) > 2000
    assert len(target) > 300
    assert all(held_out(facts(row)["module"]) for row in target)
    assert not any(held_out(facts(row)["module"]) for row in pool)
    assert not {words(row) for row in pool} & {words(row) for row in target}
    assert max(Counter(row["messages"][1]["content"] for row in target).values()) == 1


def test_rows_tell_where_they_are_from(site: Path) -> None:
    source = '''"""Sings."""
class Bird:
    """Has wings."""
    def fly(self):
        """Up."""
    def _moult(self):
        """Private."""
class _Egg:
    """Private."""
async def sing(): "A song."
'''
    install(site, "Big_Birds", {"birds/__init__.py": source, "birds/tests/test_a.py": '"""A test."""'})
    found = [row for row in installed_docs() if row["source"] == "big-birds"]
    told = {(row["messages"][0]["content"].split("`")[1], row["messages"][1]["content"]) for row in found}
    expected = {("birds", "Sings."), ("birds.Bird", "Has wings."), ("birds.Bird.fly", "Up."), ("birds.sing", "A song.")}
    assert told == expected
    about = {"module": "birds", "package": "big-birds", "version": "1.0", "license": "MIT"}
    assert all({**facts(row), "kind": ""} == {**about, "kind": ""} for row in found)
    assert [row["tags"] for row in found if facts(row)["kind"] == "method"] == [["method", "big-birds"]]


def test_nothing_is_run_and_what_cannot_be_parsed_is_passed_over(site: Path) -> None:
    install(site, "trap", {"trap/a.py": f'"""Kept."""\nopen({str(site / "ran")!r}, "w")\n', "trap/b.py": "def (:"})
    (site / "trap" / "gone-1.0.dist-info").mkdir()
    install(site, "odd", {"odd/a.py": "x = '\\d'\n", "odd/bytes.py": "", "odd/missing.py": ""})
    (site / "odd" / "bytes.py").write_bytes(b'"""\xff\x00"""')
    (site / "odd" / "missing.py").unlink()
    texts = [row["messages"][1]["content"] for row in installed_docs() if row["source"] != "python"]
    assert texts == ["Kept."]
    assert not (site / "ran").exists()


def test_what_the_target_asks_is_not_in_the_pool_under_another_name(site: Path) -> None:
    stolen = next(installed_docs("held_out"))["messages"][1]["content"]
    copied = json.dumps(stolen.upper() + " ")
    install(site, "back-port", {"back/a.py": copied, "back/b.py": '"""Its own."""', "textwrap.py": '"""A new one."""'})
    assert held_out("textwrap")
    texts = [row["messages"][1]["content"] for row in installed_docs() if row["source"] == "back-port"]
    assert texts == ["Its own."]


def test_no_package_is_the_pool_and_the_choice_follows_from_names_alone(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    install(site, "large", {f"large/{n}.py": f'"""Text {n}."""' for n in range(9)})
    first = [row["id"] for row in installed_docs() if row["source"] == "large"]
    before = fingerprint(inputs([Source(builtin="installed_docs")]))
    record = site / "large-1.0.dist-info" / "RECORD"
    record.write_text("".join(reversed(record.read_text().splitlines(keepends=True))))
    module._texts.cache_clear()
    assert [row["id"] for row in installed_docs() if row["source"] == "large"] == first
    assert len(first) == 3
    assert fingerprint(inputs([Source(builtin="installed_docs")])) == before
    for path in (site / "large").iterdir():
        path.write_text(f'"""{path.name} was changed."""')
    module._texts.cache_clear()
    assert fingerprint(inputs([Source(builtin="installed_docs")])) != before


@pytest.mark.parametrize(
    ("metadata", "license"),
    [
        ("License-Expression: Apache-2.0\nLicense: Apache\n", "Apache-2.0"),
        ("License: BSD\n", "BSD"),
        ("License: The whole text\n of a licence\nClassifier: License :: OSI Approved :: MIT License\n", "MIT License"),
        ("Classifier: Programming Language :: Python\n", ""),
    ],
)
def test_the_licence_is_what_the_metadata_calls_it(site: Path, metadata: str, license: str) -> None:
    install(site, "some", {"some.py": '"""Text."""'}, metadata)
    assert [facts(row)["license"] for row in installed_docs() if row["source"] == "some"] == [license]
