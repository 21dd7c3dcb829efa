"""YAML within bounds: what unfolds to millions of values is refused by name and in no time, wherever it stands."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import yaml

from dataflywheel.cli.parameters import with_parameters
from dataflywheel.contracts import UsageError
from dataflywheel.recipe.load import load_recipe
from dataflywheel.rows.containers.declared import declared
from dataflywheel.rows.plain_yaml import read_yaml


def levels(first: str, more: str) -> str:
    """Nine anchors, each of nine aliases of the one before."""
    lines = [f"a0: &a0 {first}"]
    lines += [f"a{i}: &a{i} {more.replace('*', f'*a{i - 1}')}" for i in range(1, 10)]
    return "\n".join(lines) + "\n"


BOMBS = {
    "lists": levels("[lol]", f"[{', '.join(['*'] * 9)}]"),
    "mappings": levels("{x: lol}", "{" + ", ".join(f"{key}: *" for key in "abcdefghi") + "}"),
    "merges": levels("{x: lol}", "{<<: [" + ", ".join(["*"] * 9) + "]}"),
    "a list in itself": "steps: &a [*a, *a]\n",
    "a mapping in itself": "steps: &a {x: *a}\n",
    "depth": "steps: " + "[" * 600 + "]" * 600 + "\n",
    "a long number": "seed: " + "9" * 5000 + "\n",
    "no day": "name: 2024-13-45\n",
    "no number": "seed: !!int ''\n",
    "code": "name: !!python/object/apply:os.system [ls]\n",
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_document_that_is_too_much_is_refused_at_once(name: str, tmp_path: Path) -> None:
    text = BOMBS[name] + "pool: {path: a.jsonl}\n"
    (tmp_path / "recipe.yaml").write_text(text)
    (tmp_path / "README.md").write_text(f"---\n{text}configs: [{{data_files: a.jsonl}}]\n---\n")
    began = time.process_time()
    with pytest.raises(yaml.YAMLError):
        read_yaml(text)
    with pytest.raises(UsageError, match=r"recipe\.yaml.*: not valid YAML"):
        load_recipe(tmp_path / "recipe.yaml")
    with pytest.raises(UsageError, match="--set takes NAME=VALUE"):
        with_parameters("by", [f"rounds={text}"])
    assert declared(tmp_path) == {}
    assert time.process_time() - began < 5


def test_aliases_that_people_use_are_written_out() -> None:
    node, value = read_yaml("a: &a {x: 1}\nb: {<<: *a, y: 2}\nc: [*a, *a]\n")
    assert value == {"a": {"x": 1}, "b": {"x": 1, "y": 2}, "c": [{"x": 1}] * 2}
    assert isinstance(node, yaml.MappingNode)
    assert read_yaml("") == read_yaml("# nothing\n") == (None, None)
    many = "\n".join(f"- {i}" for i in range(20_000))
    assert read_yaml(many)[1] == list(range(20_000))


def test_a_recipe_without_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_bytes(b"a: 1\n" * 300_000)
    for path in (tmp_path / "recipe.yaml", Path("/dev/zero")):
        with pytest.raises(UsageError, match="more than 1,048,576 bytes"):
            load_recipe(path)
