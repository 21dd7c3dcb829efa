"""What exact answers, programs in answers and their tests find and lose, on published sets and planted cases.

`python benchmarks/gates_answers.py [DATA]` prints the tables.
"""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from gates_safety import lines, markdown

from dataflywheel.proposing.answer_code import answer_code
from dataflywheel.proposing.answers.compare import same_answer
from dataflywheel.proposing.final_answer import NoAnswerError, final_answer
from dataflywheel.proposing.limited_process import Limits, run_limited
from tests.proposing.answers.test_compare import DIFFERENT, EQUAL
from tests.proposing.test_tests_apart import ATTACKS, CHECK, HONEST

Same = Callable[[str, str], bool]
BEFORE = {
    "spellings": "26",
    "planted differences": "16",
    "math500 solutions": "239",
    "math500 respelt": "1822",
    "math500 changed": "459",
    "gsm8k right": "0",
    "gsm8k wrong": "0",
    "human_eval dressed": "63",
    "attacks": "13",
    "honest": "11",
}
"""The same of the rules that these replaced, which read no "A: 18", dropped words behind numbers as units, joined all
fenced blocks, and ran tests in the process of the program."""


def tables(data: Path) -> str:
    """Recall and false alarms of exact answers, of programs found in answers, and of their tests."""
    found = {**answers(data, final_answer, NoAnswerError, same_answer), **programs(data)}
    rows = [[what, str(n), BEFORE[name], told] for name, (what, n, told) in found.items()]
    note = (
        "Respelt: fractions, spaces, brackets of LaTeX, boxes, signs. Changed: one digit, sign, bracket or letter. "
        "A verdict of equality that is false teaches what is false; one that is missing costs a row."
    )
    head = ["cases", "number", "before", "now"]
    return f"## Exact answers and programs\n\n{markdown(head, rows)}\n\n{note}"


def answers(
    data: Path, find: Callable[[str], str], none: type[Exception], same: Same
) -> dict[str, tuple[str, int, str]]:
    def right(text: str, gold: str) -> bool:
        try:
            return same(find(text), gold)
        except none:
            return False

    maths = lines(data / "math500" / "math500.jsonl.gz")
    respelt = [(row["answer"], other) for row in maths for other in respellings(row["answer"])]
    changed = [(row["answer"], other) for row in maths for other in changes(row["answer"])]
    school = [
        (row[model], final_answer(row["ground_truth"]))
        for row in lines(data / "gsm8k" / "example_model_solutions.jsonl.gz")
        for model in ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")
    ]
    good = [right(said["solution"], gold) for said, gold in school if said["is_correct"]]
    bad = [right(said["solution"], gold) for said, gold in school if not said["is_correct"]]
    return {
        "spellings": told("planted spellings of one value: equal", [same(*pair) for pair in EQUAL]),
        "planted differences": told("planted values that differ: equal", [same(*pair) for pair in DIFFERENT]),
        "math500 solutions": told("solutions of math500: right", [right(r["solution"], r["answer"]) for r in maths]),
        "math500 respelt": told("answers of math500, respelt: equal", [same(*pair) for pair in respelt]),
        "math500 changed": told("answers of math500, changed: equal", [same(*pair) for pair in changed]),
        "gsm8k right": told("solutions of models to gsm8k that are right: right", good),
        "gsm8k wrong": told("those that are wrong: right", bad),
    }


def told(what: str, verdicts: list[bool]) -> tuple[str, int, str]:
    return what, len(verdicts), str(sum(verdicts))


def respellings(answer: str) -> Iterator[str]:
    """The same answer as others write it."""
    yield rf"\boxed{{{answer}}}"
    yield f"${answer}$"
    yield f" **{answer}**."
    yield answer.replace(r"\frac", r"\dfrac")
    yield answer.replace("(", r"\left( ").replace(")", r" \right)")
    yield answer.replace("-", "\u2212")
    yield re.sub(r"(?<=[,=+])(?![ \\])", " ", answer)
    if re.fullmatch(r"\d+", answer):
        yield from (f"{int(answer):,}", f"{answer}.0", f"{answer} apples", f"x = {answer}", f"{2 * int(answer)}/2")
    simple = re.fullmatch(r"\\d?frac\{(\d+)\}\{(\d+)\}", answer)
    if simple:
        yield from (f"{simple[1]}/{simple[2]}", rf"\frac{{{2 * int(simple[1])}}}{{{2 * int(simple[2])}}}")


def changes(answer: str) -> Iterator[str]:
    """Answers that are not it."""
    for match in list(re.finditer(r"\d", answer))[:3]:
        yield answer[: match.start()] + str((int(match[0]) + 1) % 10) + answer[match.end() :]
    if re.search(r"[1-9]", answer) and not re.search(r"[,()\\]", answer):
        yield from (f"-{answer}" if not answer.startswith("-") else answer[1:], f"{answer}%", f"{answer} thousand")
        yield from (f"{answer}x", f"{answer}i", f"{answer} is wrong", f"not {answer}", f"{answer} or 1")
    if answer.startswith("("):
        yield f"[{answer[1:]}"


def programs(data: Path) -> dict[str, tuple[str, int, str]]:
    limits = Limits(seconds=3)
    codes = lines(data / "human_eval_code" / "HumanEval.jsonl.gz")[::8]
    dressed = [(row, text) for row in codes for text in dresses(row["prompt"] + row["canonical_solution"])]
    passed = [
        bool(run_limited(answer_code(text), f"{row['test']}\ncheck({row['entry_point']})", limits).checked)
        for row, text in dressed
    ]
    attacked = [not run_limited(program, CHECK, limits).reason for program in ATTACKS.values()]
    honest = [bool(run_limited(*pair, limits).checked) for pair in HONEST.values()]
    return {
        "human_eval dressed": told("reference programs of human_eval among prose, outputs, drafts: pass", passed),
        "attacks": told("programs that deceive their tests: pass", attacked),
        "honest": told("honest programs of every kind of value: pass", honest),
    }


def dresses(code: str) -> Iterator[str]:
    """One program as models answer with it."""
    name = next(node.name for node in ast.parse(code).body[::-1] if isinstance(node, ast.FunctionDef))
    block = f"```python\n{code}\n```"
    yield f"Here it is:\n{block}\nIt works."
    yield f"{block}\nFor example:\n```python\nprint({name}(input()))\n```"
    yield f"{block}\nOutput:\n```\nsome words\n```\nRun it:\n```bash\npython x.py\n```"
    yield f"```python\ndef {name}(*args):\n    return None\n```\nThat is wrong. Better:\n{block}"
    yield f"~~~python\n{code}\n~~~"
    yield f"```python\n{code}"
    yield f"````markdown\n{block}\n````"


def main(argv: list[Any]) -> None:
    default = os.environ.get("FLYWHEEL_DATA", str(Path(__file__).resolve().parents[2] / "shared" / "data"))
    print(tables(Path(argv[1] if len(argv) > 1 else default)))


if __name__ == "__main__":
    main(sys.argv)
