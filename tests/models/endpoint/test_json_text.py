"""LaTeX, code and paths survive JSON: what was meant is read, and where nobody can know it there is no answer."""

from __future__ import annotations

import contextlib
import json
import time
from typing import Any

import pytest
from pydantic import BaseModel

from dataflywheel.enhancement.rewriting.revision import Revised
from dataflywheel.enhancement.rewriting.self_refine import Written
from dataflywheel.models.endpoint.json_text import FormError, first_json
from dataflywheel.models.endpoint.request import Request
from dataflywheel.models.endpoint.structured import ask_for
from dataflywheel.synthesis.adversarial.llm2llm import Problem
from dataflywheel.synthesis.instruction.self_instruct import Instance, Tasks
from dataflywheel.synthesis.instruction.syn_po import Improved
from dataflywheel.synthesis.knowledge.grounded_questions import Pairs
from tests.models.endpoint.fake import FakeClient

AS_WRITTEN = [
    r"So \frac{1}{2} is \boxed{2}",
    r"a \times b \neq c \right) \theta",
    r"So $x \ne y$ and $a \to b$, $\nu = 3$",
    r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}",
    r"\begin{cases} x & y \\ z & w \end{cases}",
    r"\(\alpha + \beta\) and \[ \sum_{i} x_i \]",
    r"\rho \rightarrow \forall \bar{x} \flat \underline{x} \uparrow",
    r"\text{if } x, a\tfrac{1}{2}b, a\neq b",
    r"\nabla f = \vec{0}",
    r"pattern \d+\s*\bword\b",
    r"C:\Users\name\temp",
    r"C:\new\folder\test and D:\reports\notes and E:\backup\todo and F:\usr\tmp",
    r"50\% of \$3 & \_x",
]
"""Written with single backslashes, and meant so."""
AS_JSON = [
    r"So \\frac{1}{2}\nThen \\boxed{2}.",
    r"First line\nSecond line\n\tindented",
    r"x = 1\ni = 0\nmid = (lo + hi) // 2\neq = Eq(x, y)\nless = 3",
    r"\\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix}",
    r"say \"hi\" \u00e9 \/ done",
    r"a\tb\tc\r\nd",
    r"costs $5\nin total\nnot $6",
    r"\\tan x\ntan y\nto be sure",
    r"if x:\n\treturn y\n\telse:\n\textract()",
    r"a \\, b \\{x\\} \\$6",
    r"Option C:\nfoo\nbar",
    r"Option C:\r\nfoo\r\nbar, option D:\n\u00e9t\u00e9",
    r"D:\\data\\new",
    r"She said \"one\ntwo\" and left.",
    r"\"Roses are red,\nViolets are blue.\"",
    r"```bash\necho \"a\nb\"\n```",
    r"```python\n# don't\ns = '''a\nb'''\nprint(\"a\\nb\")\n```",
    r"```js\nconst s = `a\nb`; // it's\n```",
    r"print('it')\nprint(\"b\")",
]
"""Written as JSON wants it: what any reader makes of it."""
MEANT = {
    r"A:\beta\nB:\frac{1}{2}\nC:\alpha": "A:\\beta\nB:\\frac{1}{2}\nC:\\alpha",
    r"Let \(x \to 0\).\nNow \(y \ni 3\)\nto be sure": "Let \\(x \\to 0\\).\nNow \\(y \\ni 3\\)\nto be sure",
    r"\frac{a}{b}\nto be sure \nu": "\\frac{a}{b}\nto be sure \\nu",
    r"\\begin{pmatrix} 1 & 2 \\ 3 & 4 \\end{pmatrix}": r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}",
    r"don\'t": "don't",
    r"```python\nprint(\"a\nb\")\n```": '```python\nprint("a\\nb")\n```',
    r"```c\nprintf(\"%d\n\", x); // it's\n```": '```c\nprintf("%d\\n", x); // it\'s\n```',
    r"```java\nString s = \"a\n\" + 'c';\n```": "```java\nString s = \"a\\n\" + 'c';\n```",
    r"def f(x):\n    return \"\n\".join(x)": 'def f(x):\n    return "\\n".join(x)',
}
"""Both in one text."""
UNKNOWN = [
    r"x \to 0 as it grows",
    r"Use \tan x",
    r"C:\temp\new",
    r"\x41",
    r"\u00",
    r"a smile \ud83d",
    r"a\u0008b",
    "a\x0cb",
    r"a\u0009imes b",
    r"x\r y",
]


def read(inner: str) -> Any:
    return first_json(f'Here it is: {{"a": "{inner}"}} I hope "x \\to 0" helps.')["a"]


@pytest.mark.parametrize("inner", AS_WRITTEN)
def test_single_backslashes_that_were_meant_stay(inner: str) -> None:
    assert read(inner) == inner


@pytest.mark.parametrize("inner", AS_JSON)
def test_right_json_is_what_it_says(inner: str) -> None:
    assert read(inner) == json.loads(f'"{inner}"')


@pytest.mark.parametrize("inner", MEANT)
def test_what_was_meant_is_read(inner: str) -> None:
    assert read(inner) == MEANT[inner]


@pytest.mark.parametrize("inner", UNKNOWN)
def test_where_nobody_can_know_there_is_no_answer(inner: str) -> None:
    with pytest.raises(FormError):
        read(inner)


LATEX = r"So \frac{1}{2} \times 4 = \boxed{2} \neq 3"
FORMS: dict[type[BaseModel], dict[str, Any]] = {
    Revised: {"instruction": LATEX, "answer": LATEX},
    Written: {"answer": LATEX},
    Problem: {"problem": LATEX, "solution": LATEX},
    Improved: {"answer": LATEX},
    Instance: {"input": LATEX, "output": LATEX},
    Tasks: {"instructions": [LATEX]},
    Pairs: {"pairs": [{"question": LATEX, "evidence": LATEX, "answer": LATEX}]},
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_long_text_keeps_it(form: type[BaseModel]) -> None:
    right = json.dumps(FORMS[form])
    for said in (right, right.replace("\\\\", "\\")):
        client = FakeClient(lambda request, said=said: said)
        (found,) = ask_for(client, [Request.chat("x")], form)
        assert found.value is not None
        assert found.value.model_dump() == FORMS[form]
        assert len(client.requests) == 1


UNITS = [r"\n", r"\frac", "$", r"\begin{array}", r"$\to$ ", "\\\\", r"C:\a", "`", "'", '\\"', "```\\n", r"x = 'a\n"]


def test_time_grows_as_the_text() -> None:
    for unit in UNITS:
        begun = time.process_time()
        with contextlib.suppress(FormError):
            read(unit * (50_000 // len(unit)))
        assert time.process_time() - begun < 2.0, unit
