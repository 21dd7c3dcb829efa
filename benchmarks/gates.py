"""What every gate by rules finds and loses, in one command.

    python benchmarks/gates.py [DATA] [PART ...]

DATA is the folder of data sets. Without parts it writes `benchmarks/gates.md` and prints it; with parts (`refusal
grounded`) it prints these alone. `--json FILE` keeps the counts as JSON instead, for a later `before`.
"""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import orjson

FOLDER = Path(__file__).resolve().parent
sys.path.append(str(FOLDER.parent))

PARTS = {
    "meaning": "gates_meaning:meaning",
    "similarity": "gates_meaning:similarity",
    "language_kept": "gates_grounded:language",
    "grounded": "gates_grounded:grounding",
    "answers": "gates_answers:answers",
    "programs": "gates_answers:programs",
    "executable_truth": "gates_answers:executable",
    "refusal": "gates_clean:refusal",
    "format_and_length": "gates_clean:form",
    "prompt_leak": "gates_clean:leaked",
    "no_personal_data": "gates_safety:personal_data",
    "no_toxicity": "gates_safety:toxicity",
    "detectors": "gates_detectors:detectors_table",
    "detoxification": "gates_safety:detoxification",
    "learning_dynamics": "gates_labels:learning_dynamics",
    "contamination": "gates_leaks:contamination",
    "novelty": "gates_novelty:novelty",
}
BEFORE = FOLDER / "gates_before.json"
"""The counts of the same cases under the first rules of these gates, by this command."""
HEAD = """# Gates by rules on real data

Made by `python benchmarks/gates.py`. `recall`: the share of what should be rejected that is; `false alarms`: the
share of what should pass that is not. `before`: the same cases under the first rules of the gate. Intervals are
Wilson's, of 95 %.

`made` says where the cases come from: `published` data sets, published rows that were `changed by rule` so that what
is right of them is known, or sentences of `our own`, planted where no data set has the kind. `looked at` says
whether the cases were looked at singly while the rules were written: figures on what was not are those to expect
elsewhere.
"""


def main(arguments: Sequence[str]) -> str:
    from gates_common import shown

    given = [argument for argument in arguments if argument not in PARTS and argument != "--json"]
    wanted = [argument for argument in arguments if argument in PARTS]
    default = os.environ.get("FLYWHEEL_DATA", str(FOLDER.parents[1] / "shared" / "data"))
    counts = given.pop() if "--json" in arguments else ""
    data = Path(given[0] if given else default)
    before = {key: (n, hits) for key, (n, hits) in orjson.loads(BEFORE.read_bytes()).items()} if BEFORE.exists() else {}
    sections = []
    for part in wanted or PARTS:
        module, _, function = PARTS[part].partition(":")
        began = time.perf_counter()
        try:
            sections.append(getattr(importlib.import_module(module), function)(data))
        except (ImportError, AttributeError, ValueError) as error:
            if not counts:
                raise
            print(f"{part}: {error!r}", file=sys.stderr)
        print(f"{part}: {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    if counts:
        found = {f"{s.title} | {line.title}": (line.n, line.rejected) for s in sections for line in s.lines}
        known = orjson.loads(Path(counts).read_bytes()) if Path(counts).exists() else {}
        Path(counts).write_bytes(orjson.dumps(known | found, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        return ""
    text = "\n\n".join([HEAD.strip(), *(shown(section, before) for section in sections)]) + "\n"
    if not wanted:
        (FOLDER / "gates.md").write_text(text, encoding="utf-8")
    return text


if __name__ == "__main__":
    print(main(sys.argv[1:]))
