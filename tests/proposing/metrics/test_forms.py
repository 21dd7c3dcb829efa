"""References, tests and calls in the forms in which public sets and models write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dataflywheel.contracts import Mark
from dataflywheel.proposing.metrics.final_answer import FinalAnswer
from dataflywheel.proposing.metrics.tool_call import ToolCall
from dataflywheel.proposing.metrics.tool_calls import Call, written_calls
from dataflywheel.proposing.metrics.unit_tests import UnitTests
from dataflywheel.proposing.metrics.user_function import Python
from tests.proposing.metrics.test_metrics import row

UNITTEST = "import unittest\nclass T(unittest.TestCase):\n    def test_a(self): self.assertEqual(add(1, 2), 3)\n"
PYTEST = "from solution import add\ndef test_add():\n    assert add(1, 2) == 3\n"


@pytest.mark.parametrize("tests", [UNITTEST, f"{UNITTEST}if __name__ == '__main__':\n    unittest.main()\n", PYTEST])
def test_tests_that_are_written_for_a_runner_run(tests: str) -> None:
    right, wrong = (f"```python\ndef add(a, b):\n    return a {sign} b\n```" for sign in "+-")
    assert UnitTests().mark(right, row(tests=tests)) == Mark(1.0)
    assert UnitTests().mark(wrong, row(tests=tests)) == Mark(0.0, "tests failed")


def test_tests_that_lean_on_what_is_not_there_say_nothing_of_an_answer() -> None:
    tests = "import numpy as np\nassert np.allclose(add(1, 2), 3)"
    assert UnitTests().mark("def add(a, b): return a + b", row(tests=tests)) == Mark(
        None, "the tests import what is not there: numpy"
    )
    listed = row(test_list='["assert add(1, 2) == 3"]')
    assert UnitTests().mark("def add(a, b): return a + b", listed) == Mark(1.0)


ARC = {"text": ["dog", "bird", "cat"], "label": ["1", "2", "3"]}


@pytest.mark.parametrize(
    ("answer", "extra"),
    [
        ("The answer is C.", {"answerKey": "3", "choices": ARC}),
        ("The answer is cat.", {"answerKey": "3", "choices": ARC}),
        ("The answer is cat.", {"answerKey": "C", "choices": {"text": ["dog", "bird", "cat"], "label": list("ABC")}}),
        ("B", {"answer": "B", "options": [{"label": "A", "text": "dog"}, {"label": "B", "text": "cat"}]}),
        ("The answer is NYC.", {"answer": {"value": "New York", "aliases": ["NYC"]}}),
        ("The answer is Paris.", {"answer": ["Paris", "City of Light"]}),
        ("yes", {"answer": True}),
        ("5", {"solution": r"Add them: \boxed{5}"}),
    ],
)
def test_references_in_the_writings_of_public_sets(answer: str, extra: dict[str, Any]) -> None:
    assert FinalAnswer().mark(answer, row(**extra)).value == 1.0
    assert FinalAnswer().mark("The answer is dog.", row(**extra)).value == 0.0


def test_fields_that_are_no_record_are_none() -> None:
    assert FinalAnswer().mark("5", {**row("#### 5"), "extra": "[1]"}).value == 1.0


@pytest.mark.parametrize(
    "written",
    [
        'I will call it now: {"name": "f", "arguments": {"a": 1, "b": "x"}}',
        "<tool_call>\n<function=f>\n<parameter=a>\n1\n</parameter>\n<parameter=b>\nx\n</parameter>\n</function>\n</tool_call>",
        "<\uff5ctool\u2581calls\u2581begin\uff5c><\uff5ctool\u2581call\u2581begin\uff5c>function<\uff5ctool\u2581sep\uff5c>f\n"
        '```json\n{"a": 1, "b": "x"}\n```<\uff5ctool\u2581call\u2581end\uff5c><\uff5ctool\u2581calls\u2581end\uff5c>',
        "<|tool_calls_section_begin|><|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>"
        '{"a": 1, "b": "x"}<|tool_call_end|><|tool_calls_section_end|>',
    ],
)
def test_calls_of_further_templates_and_behind_words_are_read(written: str) -> None:
    assert written_calls(written) == [Call("f", {"a": 1, "b": "x"})]


@pytest.mark.parametrize("value", ["{1, 2}", "b'x'", "1j", "10 ** 30", "10000000000000000000000000", "{1: 2}", "..."])
def test_calls_with_values_that_are_no_json_are_wrong_and_no_error(value: str) -> None:
    given = row(answers=[{"name": "f", "arguments": {"a": 1}}])
    assert ToolCall().mark(f"f(a={value})", given).value == 0.0


def test_a_function_that_ends_the_process_or_changes_its_row_does_neither(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "import sys\ndef ends(answer, row): sys.exit(1)\ndef writes(answer, row): row['messages'].clear(); return 1\n"
    )
    given = row("a")
    ended = Python(function=f"{tmp_path}/own.py:ends").mark("a", given)
    assert ended == Mark(None, "the function failed: SystemExit (own.py, line 2)")
    assert Python(function=f"{tmp_path}/own.py:writes").mark("a", given) == Mark(1.0)
    assert given["messages"]
