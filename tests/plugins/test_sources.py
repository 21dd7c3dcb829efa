"""A file's code is its own text and that of every module beside it that it imports, in whatever way, and no more."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataflywheel.plugins.sources import content, files_of

BESIDE = {
    "helper.py": "import numpy\nfrom deep import inner\nVALUE = 1\n",
    "deep/__init__.py": "",
    "deep/inner.py": "from . import other\nfrom .other import thing\n",
    "deep/other.py": "thing = 1\n",
    "unused.py": "import helper\n",
    "loose/words.py": "WORDS = []\n",
}
WAYS = {
    "import helper": ["deep/__init__.py", "deep/inner.py", "deep/other.py", "helper.py"],
    "import helper as h": ["deep/__init__.py", "deep/inner.py", "deep/other.py", "helper.py"],
    "from helper import VALUE": ["deep/__init__.py", "deep/inner.py", "deep/other.py", "helper.py"],
    "from helper import *": ["deep/__init__.py", "deep/inner.py", "deep/other.py", "helper.py"],
    "import deep.other": ["deep/__init__.py", "deep/other.py"],
    "from deep import other": ["deep/__init__.py", "deep/other.py"],
    "from deep import absent": ["deep/__init__.py"],
    "from loose import words": ["loose/words.py"],
    "def later():\n    import deep.other": ["deep/__init__.py", "deep/other.py"],
    "try:\n    import deep.other\nexcept ImportError:\n    pass": ["deep/__init__.py", "deep/other.py"],
    "import importlib\nx = importlib.import_module('deep.other')": ["deep/__init__.py", "deep/other.py"],
    "x = __import__('loose.words')": ["loose/words.py"],
    "import json, numpy, deep": ["deep/__init__.py"],
    "x = 'import helper'  # import helper": [],
    "not python (": [],
    "from ....above import x": [],
}


@pytest.mark.parametrize("text", WAYS)
def test_every_way_to_import_is_seen(text: str, tmp_path: Path) -> None:
    for name, body in BESIDE.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(body)
    (tmp_path / "mine.py").write_text(text)
    found = files_of(tmp_path / "mine.py")
    assert [str(file.relative_to(tmp_path)) for file in found] == ["mine.py", *WAYS[text]]
    whole = content(found, tmp_path)
    for name in BESIDE:
        (tmp_path / name).write_text(BESIDE[name] + "# said")
        changed = content(files_of(tmp_path / "mine.py"), tmp_path) != whole
        assert changed == (name in WAYS[text]), name
        (tmp_path / name).write_text(BESIDE[name])


def test_a_package_is_followed_within_itself_alone(tmp_path: Path) -> None:
    for name, body in {
        "mine/__init__.py": "from . import one\nimport other\n",
        "mine/one.py": "",
        "other.py": "",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(body)
    found = files_of(tmp_path / "mine" / "__init__.py", tmp_path, "mine")
    assert [str(file.relative_to(tmp_path)) for file in found] == ["mine/__init__.py", "mine/one.py"]
