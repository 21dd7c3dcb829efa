"""What an answer is worth by each metric: planted right and wrong ones, and rows that nothing can be scored by."""

from __future__ import annotations

import ast
import itertools
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from dataflywheel.contracts import Mark, UsageError
from dataflywheel.proposing.metrics.final_answer import FinalAnswer
from dataflywheel.proposing.metrics.tool_call import ToolCall
from dataflywheel.proposing.metrics.tool_calls import Call, written_calls
from dataflywheel.proposing.metrics.unit_tests import UnitTests, pass_at_k
from dataflywheel.proposing.metrics.user_function import Python
from dataflywheel.proposing.tested_code import given_helpers, program_of
from dataflywheel.rows.identity import make_row, prompt_answer_row
from dataflywheel.rows.schema import Row, message
from tests.signals.rows import json_lines


def row(said: str = "", **extra: Any) -> Row:
    turns = [message("user", "Q"), *([message("assistant", said)] if said else [])]
    return make_row(turns, extra=extra)


@pytest.mark.parametrize(
    ("answer", "given", "value", "note"),
    [
        ("She has 3*6=18.\n#### 18", row("So 18.\n#### 18"), 1.0, ""),
        ("The answer is 18 apples.", row("#### 18"), 1.0, ""),
        (r"\boxed{\frac{1}{2}}", row(answer="0.5"), 1.0, ""),
        ("A: 17", row("#### 18"), 0.0, ""),
        ("I do not know, sorry.\nReally not.", row("#### 18"), 0.0, "no final answer"),
        ("Either \\boxed{1} or \\boxed{18}", row("#### 18"), 0.0, "several final answers"),
        ("The answer is (C).", row(answer=2, choices=["x", "y", "z"]), 1.0, ""),
        ("The answer is z.", row(answer=2, choices=["x", "y", "z"]), 1.0, ""),
        ("The answer is (B).", row(answer=2, choices=["x", "y", "z"]), 0.0, ""),
        ("Answer: B", row(answerKey="B"), 1.0, ""),
        ("18", row(), None, "no reference with a final answer"),
        ("18", row("It is a long story.\nNobody knows."), None, "no reference with a final answer"),
    ],
)
def test_final_answers(answer: str, given: Row, value: float | None, note: str) -> None:
    assert FinalAnswer().mark(answer, given) == Mark(value, note)
    assert bool(FinalAnswer().lacks(given)) == (value is None)


def test_published_labels_of_solutions_are_met(data: Path) -> None:
    """Of recorded solutions of two models with their published verdicts: no wrong one is called right."""
    found: dict[tuple[bool, float | None], int] = {}
    for line in json_lines(data / "gsm8k" / "example_model_solutions.jsonl.gz"):
        gold = row(line["ground_truth"])
        for name in ("6b_finetuning", "175b_verification"):
            value = FinalAnswer().score(line[name]["solution"], gold)
            key = bool(line[name]["is_correct"]), value
            found[key] = found.get(key, 0) + 1
    assert found.get((False, 1.0), 0) == 0
    assert found.get((True, 0.0), 0) <= 2
    assert found[True, 1.0] > 450


CODE = {
    "prompt": "import math\n\ndef helper(x):\n    return x\n\ndef area(r):\n    '''Area.'''\n",
    "test": "def check(candidate):\n    assert abs(candidate(1) - 3.14159) < 1e-3\n    assert candidate(0) == 0\n",
    "entry_point": "area",
}
MBPP = {"test_list": ["assert twice(2) == 4", "assert twice(0) == 0"], "test_setup_code": "import math"}


@pytest.mark.parametrize(
    ("answer", "extra", "value", "note"),
    [
        ("```python\ndef area(r):\n    return math.pi * helper(r) ** 2\n```", CODE, 1.0, ""),
        ("    return math.pi * r * r\n", CODE, 1.0, ""),
        ("```python\ndef area(r):\n    return 3 * r\n```", CODE, 0.0, "tests failed"),
        ("I cannot.", CODE, 0.0, "program failed"),
        ("```js\nlet a = 1\n```", CODE, 0.0, "no program in the answer"),
        ("def twice(x):\n    return 2 * x", MBPP, 1.0, ""),
        ("def twice(x):\n    return x", MBPP, 0.0, "tests failed"),
        ("def f(): pass", {}, None, "no tests"),
        ("def f(): pass", {"tests": "f()"}, None, "the tests made no assertion"),
    ],
)
def test_programs_and_their_tests(answer: str, extra: dict[str, Any], value: float | None, note: str) -> None:
    asked = make_row([message("user", extra.get("prompt", "Write it."))], extra=extra)
    assert UnitTests().mark(answer, asked) == Mark(value, note)


def test_reference_solutions_pass_in_every_dress_and_mutants_do_not(data: Path) -> None:
    metric = UnitTests()
    for line in json_lines(data / "human_eval_code" / "HumanEval.jsonl.gz")[30:42:2]:
        asked = make_row([message("user", line["prompt"])], extra={k: line[k] for k in ("test", "entry_point")})
        whole = line["prompt"] + line["canonical_solution"]
        assert metric.score(line["canonical_solution"], asked) == 1.0, line["task_id"]
        assert metric.score(f"Sure:\n```python\n{whole}\n```\nTry it:\n```\nprint(1)\n```", asked) == 1.0
        mutant = ast.unparse(ast.parse(whole)).replace("return ", "return None or not ")
        assert metric.score(f"```python\n{mutant}\n```", asked) == 0.0


def test_what_a_program_is_made_of() -> None:
    code = program_of("```python\ndef area(r):\n    return 1\n```", CODE["prompt"], "area")
    assert code.startswith("import math\n\ndef helper")
    assert code.count("def area") == 1
    assert program_of("def f(): return 1", "Write f, please.", "f") == "def f(): return 1"
    assert given_helpers(CODE["prompt"]) == "import math\ndef helper(x):\n    return x\n"
    assert given_helpers("def f(x):\n    import math\n    'Rounds x.'\n") == ""
    assert given_helpers("Write f, please.") == given_helpers("def f(x):\n    'Doubles x.'\n") == ""


def test_what_the_question_gave_is_the_tests_as_it_was_given() -> None:
    """An answer that overrides a helper which the tests use gains nothing."""
    prompt = "def poly(x):\n    return x - 2\n\ndef zero():\n    'Where poly is 0.'\n"
    asked = make_row([message("user", prompt)], extra={"tests": "assert abs(poly(zero())) < 1", "entry_point": "zero"})
    assert UnitTests().score("def zero():\n    return 2", asked) == 1.0
    assert UnitTests().score("def poly(x):\n    return 0\n\ndef zero():\n    return 5", asked) == 0.0


def test_pass_at_k_is_the_share_of_draws_with_a_right_one() -> None:
    for n, right in itertools.product(range(1, 7), range(7)):
        if right <= n:
            for k in range(1, n + 1):
                draws = [any(i < right for i in draw) for draw in itertools.combinations(range(n), k)]
                assert pass_at_k(right, n, k) == pytest.approx(np.mean(draws))


CALLS = [Call("get_weather", {"city": "Rome", "days": 2}), Call("book", {"seats": [1, 2], "window": True})]
JSON = [{"name": c.name, "arguments": c.arguments} for c in CALLS]
FORMS = {
    "hermes": "\n".join(f"<tool_call>\n{json.dumps(c)}\n</tool_call>" for c in JSON),
    "left open": f"Let me see. <tool_call>{json.dumps(JSON[0])}</tool_call><tool_call>{json.dumps(JSON[1])}<|im_end|>",
    "mistral": f"[TOOL_CALLS] {json.dumps(JSON)}</s>",
    "llama json": "<|python_tag|>"
    + "; ".join(json.dumps({"name": c.name, "parameters": c.arguments}) for c in CALLS)
    + "<|eom_id|>",
    "llama python": "[get_weather(city='Rome', days=2), book(seats=[1, 2], window=True)]",
    "functions": "".join(f"<function={c.name}>{json.dumps(c.arguments)}</function>" for c in CALLS),
    "openai": json.dumps(
        [{"type": "function", "function": {**c, "arguments": json.dumps(c["arguments"])}} for c in JSON]
    ),
    "fenced": f"I call them:\n```json\n{json.dumps(JSON, indent=1)}\n```",
    "thoughts": f"<think>\nMaybe <tool_call>{{}}</tool_call>?\n</think>\n{json.dumps(JSON[::-1])}",
    "lines": "\n".join(json.dumps(c) for c in JSON),
}


@pytest.mark.parametrize("form", FORMS)
def test_calls_are_read_in_the_forms_of_templates(form: str) -> None:
    given = orjson.dumps([{"id": f"c{i}", "type": "function", "function": c} for i, c in enumerate(JSON)]).decode()
    expected = make_row([message("user", "Q"), message("assistant", "", given)])
    assert sorted(call.key() for call in written_calls(FORMS[form])) == sorted(call.key() for call in CALLS)
    assert ToolCall().mark(FORMS[form], expected) == Mark(1.0)
    assert ToolCall().mark(FORMS[form], row(answers=json.dumps(JSON))) == Mark(1.0)
    for old, new in (("Rome", "Oslo"), ("2", "3"), ("get_weather", "weather"), ("days", "day")):
        assert ToolCall().score(FORMS[form].replace(old, new), expected) == 0.0


def test_calls_that_are_not_the_references() -> None:
    expected = row(answers=JSON)
    one = json.dumps(JSON[0])
    assert ToolCall().mark(one, expected) == Mark(0.0)
    assert ToolCall().mark(json.dumps([*JSON, JSON[0]]), expected) == Mark(0.0)
    assert ToolCall().mark("It is sunny.", expected) == Mark(0.0, "no call in the answer")
    assert ToolCall().mark(one.replace("2", '"2"'), row(answers=[JSON[0]])) == Mark(0.0)
    assert ToolCall().mark(one.replace("2", "2.0"), row(answers=[JSON[0]])) == Mark(1.0)
    assert ToolCall().mark("It is sunny.", row(answers=[])) == Mark(1.0)
    assert ToolCall().mark(one, row(answers=[])) == Mark(0.0)
    assert ToolCall().mark(one, row("It is sunny.")) == Mark(None, "no reference of calls")


def test_a_function_of_the_users_own(tmp_path: Path) -> None:
    path = tmp_path / "metrics.py"
    path.write_text(
        "def score(answer, row):\n    return len(answer) / len(row['messages'][0]['content'])\n"
        "def odd(answer, row):\n"
        "    return {'none': None, 'text': 'x', 'nan': float('nan'), 'right': True}.get(answer)\n"
        "def broken(answer, row):\n    raise KeyError(answer)\n"
    )
    asked = prompt_answer_row("four", "ab")
    assert Python(function=f"{path}:score").score("ab", asked) == 0.5
    odd = Python(function=f"{path}:odd")
    assert [odd.score(text, asked) for text in ("none", "text", "nan", "right")] == [None, None, None, 1.0]
    failed = Python(function=f"{path}:broken").mark("x", asked)
    assert failed == Mark(None, "the function failed: KeyError (metrics.py, line 6)")
    before = Python(function=f"{path}:score").contents()
    path.write_text("def score(answer, row):\n    return 7\n")
    assert Python(function=f"{path}:score").contents() != before
    assert Python(function=f"{path}:score").score("ab", asked) == 7.0
    for wrong in (f"{path}", f"{path}:1", "there_is_none.py:score", "os:getcwd"):
        with pytest.raises(UsageError):
            Python(function=wrong).mark("", asked)
    with pytest.raises(UsageError, match="holds no function"):
        Python(function=f"{path}:other").mark("", asked)


@pytest.mark.parametrize(
    "piece", ["<tool_call>", "{", "[", "f(", "```\n", '{"name": "a"}\n', "<function=a>", "1,", "\n"]
)
def test_calls_are_read_in_a_time_that_grows_as_the_text(piece: str) -> None:
    began = time.process_time()
    for size in (10**4, 10**5, 10**6):
        written_calls((piece * size)[:size])
    assert time.process_time() - began < 3
