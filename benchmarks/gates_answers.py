"""What exact answers, programs in answers, and their tests find and lose, on published sets and planted cases."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from gates_common import Line, Measure, Section, Seen, Source, records, tried, written

from dataflywheel.proposing.gates.executable_truth import ExecutableTruth
from dataflywheel.proposing.kinds import Proposal

NOTE = """Two answers that are one must be called equal, others never: `recall` is the share of unequal pairs that
are told apart, `false alarms` the share of equal ones that are not. A false verdict of equality teaches what is
false; a missing one costs a row. What is right of the pairs of our own was decided before they were tried; what was
wrong was then mended, so that of them only the column `before` is a measurement. `may be refused`: equal, but
written so that a reader may hold it for something else. Respelt: fractions, spaces, brackets of LaTeX, boxes, signs.
Changed: one digit, sign, bracket or word."""


def answers(data: Path) -> Section:
    from dataflywheel.proposing.answers.compare import same_answer
    from dataflywheel.proposing.final_answer import NoAnswerError, final_answer
    from tests.proposing.answers.forms import MAY_BE_REFUSED, OTHER, SAME
    from tests.proposing.answers.test_compare import DIFFERENT, EQUAL

    def right(text: str, gold: str) -> bool:
        try:
            return same_answer(final_answer(text), gold)
        except NoAnswerError:
            return False

    def line(
        title: str, measure: Measure, pairs: Sequence[tuple[str, str]], source: Source, seen: Seen, whole: bool = False
    ) -> Line:
        verdicts = [right(*pair) if whole else same_answer(*pair) for pair in pairs]
        return Line(title, measure, len(pairs), len(pairs) - sum(verdicts), source, seen)

    maths = records(data / "math500" / "math500.jsonl.gz")
    respelt = [(row["answer"], other) for row in maths for other in respellings(row["answer"])]
    changed = [(row["answer"], other) for row in maths for other in changes(row["answer"])]
    school = [
        (row[model]["solution"], final_answer(row["ground_truth"]), row[model]["is_correct"])
        for row in records(data / "gsm8k" / "example_model_solutions.jsonl.gz")
        for model in ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")
    ]
    sums = svamp(data)
    rule: Source = "published, changed by rule"
    lines = [
        line("pairs of one value", "false alarms", [*EQUAL, *SAME], "our own", "yes"),
        line("pairs of two values", "recall", [*DIFFERENT, *OTHER], "our own", "yes"),
        line("pairs of one value that may be refused", "false alarms", MAY_BE_REFUSED, "our own", "yes"),
        line("math500, solution and answer", "false alarms", [(r["solution"], r["answer"]) for r in maths],
             "published", "yes", whole=True),
        line("math500, answers respelt", "false alarms", respelt, rule, "yes"),
        line("math500, answers changed", "recall", changed, rule, "yes"),
        line("gsm8k, right solutions of models", "false alarms", [(s, g) for s, g, good in school if good],
             "published", "no", whole=True),
        line("gsm8k, wrong solutions of models", "recall", [(s, g) for s, g, good in school if not good],
             "published", "no", whole=True),
        line("svamp, its sum and its answer", "false alarms", [(s, g) for s, g, _ in sums],
             "published", "no", whole=True),
        line("svamp, its sum and another answer", "recall", [(s, other) for s, _, other in sums],
             rule, "no", whole=True),
    ]  # fmt: skip
    return Section("Exact answers", NOTE, lines)


def svamp(data: Path) -> list[tuple[str, str, str]]:
    """Each sum as a solution says it, its answer, and one that is not."""
    import orjson

    rows = orjson.loads((data / "svamp" / "SVAMP.json").read_bytes())
    plain = [(row["Equation"].strip("() "), f"{row['Answer']:.10g}", row["Answer"]) for row in rows]
    return [(f"{sum} = {said}\nThe answer is {said}.", str(value), str(value + 1)) for sum, said, value in plain]


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


def programs(data: Path) -> Section:
    from dataflywheel.proposing.answer_code import answer_code
    from dataflywheel.proposing.limited_process import Limits, run_limited
    from tests.proposing.test_tests_apart import ATTACKS, CHECK, HONEST

    limits = Limits(seconds=3)
    codes = records(data / "human_eval_code" / "HumanEval.jsonl.gz")[::8]
    failed = [
        not run_limited(answer_code(text), f"{row['test']}\ncheck({row['entry_point']})", limits).checked
        for row in codes
        for text in dresses(row["prompt"] + row["canonical_solution"])
    ]
    caught = [bool(run_limited(program, CHECK, limits).reason) for program in ATTACKS.values()]
    honest = [not run_limited(*pair, limits).checked for pair in HONEST.values()]
    found: list[tuple[str, Measure, list[bool], Source, Seen]] = [
        ("human_eval, programs among prose, outputs, drafts, quotations", "false alarms", failed,
         "published, changed by rule", "yes"),
        ("programs that deceive their tests", "recall", caught, "our own", "yes"),
        ("honest programs of every kind of value", "false alarms", honest, "our own", "yes"),
    ]  # fmt: skip
    lines = [Line(title, measure, len(v), sum(v), source, seen) for title, measure, v, source, seen in found]
    return Section("Programs of answers", "The program is found in the answer, then run against its tests.", lines)


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
    yield "1. So:\n" + "\n".join(f"   {line}" for line in block.split("\n")) + "\n2. Done."
    yield "\n".join(f"> {line}" for line in block.split("\n"))
    yield f"[BEGIN]\n{code}\n[DONE]"
    tests = f"import unittest\nfrom solution import {name}\n\nclass T(unittest.TestCase):\n    pass"
    yield f"{block}\nTests:\n```python\n{tests}\n```"


def executable(data: Path) -> Section:
    gate = ExecutableTruth()
    codes = [
        written(
            row["prompt"],
            row["prompt"] + row["canonical_solution"],
            facts={"tests": f"{row['test']}\ncheck({row['entry_point']})"},
        )
        for row in records(data / "human_eval_code" / "HumanEval.jsonl.gz")
    ]
    mixed = [Proposal((), one.row, facts=other.facts) for one, other in zip(codes, codes[1:] + codes[:1], strict=True)]
    sums = records(data / "gsm8k" / "train.jsonl.gz")
    golds = [row["answer"].split("####")[1].strip() for row in sums]
    off = [str(int(gold.replace(",", "")) + 1) for gold in golds]
    rule: Source = "published, changed by rule"
    lines = [
        tried("human_eval, reference solutions", "false alarms", gate, codes),
        tried("the same, tests of the next task", "recall", gate, mixed, rule),
        tried("gsm8k, worked solutions", "false alarms", gate, worked(sums, golds)),
        tried("the same, answer off by one", "recall", gate, worked(sums, off), rule),
    ]
    note = "Five solutions of gsm8k give two final answers, one in their last sentence and one behind `####`."
    return Section("Executable truth", note, lines)


def worked(rows: Sequence[dict[str, Any]], golds: Sequence[str]) -> list[Proposal]:
    return [
        written(row["question"], row["answer"], facts={"gold": gold}) for row, gold in zip(rows, golds, strict=True)
    ]
