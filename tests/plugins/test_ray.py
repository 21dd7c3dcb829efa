"""A plugin's signal is measured by Ray's workers as it is here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.plugins.files import write_vowels

RECIPE = """
name: {name}
plugins: [mine.py]
pool: {{path: pool.jsonl}}
steps: [{{select: {{by: few_vowels, keep: 5}}}}]
engine: {engine}
"""


@pytest.mark.slow
@pytest.mark.ray
def test_workers_of_ray_load_the_plugin(tmp_path: Path) -> None:
    write_vowels(tmp_path / "mine.py", "* FACTOR")
    (tmp_path / "mine.py").write_text("from helper import FACTOR\n" + (tmp_path / "mine.py").read_text())
    (tmp_path / "helper.py").write_text("FACTOR = -1\n")
    rows = [{"prompt": f"Say {n}", "completion": "a" * n + "."} for n in range(20)]
    (tmp_path / "pool.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for name, engine in (("on-ray", "{ray: auto}"), ("alone", "{local: 1}")):
        (tmp_path / f"{name}.yaml").write_text(RECIPE.format(name=name, engine=engine))
        asked = [sys.executable, "-m", "dataflywheel.cli.main", "run", f"{name}.yaml", "--home", f".{name}"]
        done = subprocess.run(asked, capture_output=True, text=True, timeout=540, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    chosen = [(tmp_path / "runs" / name / "dataset" / "train.jsonl").read_bytes() for name in ("on-ray", "alone")]
    assert chosen[0] == chosen[1]
    assert b"a" * 19 in chosen[0]  # the most vowels, as the module beside the plugin turns it round
