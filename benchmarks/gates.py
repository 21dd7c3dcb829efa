"""What the gates of proposals find and lose on real data.

    python benchmarks/gates.py [DATA]

DATA is the folder of data sets. Writes `benchmarks/gates.md` and prints it.
"""

from __future__ import annotations

import importlib
import os
import sys
from importlib.util import find_spec
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent))
PARTS = ("gates_meaning", "gates_safety", "gates_answers", "gates_wording")
HEAD = """# Gates on real data

Made by `python benchmarks/gates.py`. `rejected` is a share: of texts whose meaning was broken, or that leak, it is the
recall of the gate; of texts that should pass, its false rejects.
"""


def main(data: Path) -> str:
    found = [importlib.import_module(name).tables(data) for name in PARTS if find_spec(name) is not None]
    text = "\n\n".join([HEAD.strip(), *found]) + "\n"
    (FOLDER / "gates.md").write_text(text, encoding="utf-8")
    return text


if __name__ == "__main__":
    default = os.environ.get("FLYWHEEL_DATA", str(FOLDER.parents[1] / "shared" / "data"))
    print(main(Path(sys.argv[1] if len(sys.argv) > 1 else default)))
