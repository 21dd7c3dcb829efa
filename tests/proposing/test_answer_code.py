"""Which of an answer's text is its program."""

from __future__ import annotations

import time

import pytest

from dataflywheel.proposing.answer_code import answer_code

F = "def f(x):\n    return x + 1"
G = "def g(x):\n    return f(x)"

QUOTING = 'def f(x):\n    """\n     ```\n    f(1)\n     ```\n    """\n    return x + 1'


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (f"Here:\n```python\n{F}\n```\nDone.", F),
        (f"```\n{F}\n```", F),
        (f"```Python3 title=x.py\n{F}\n```", F),
        (f"```{{.python .numberLines}}\n{F}\n```", F),
        (f"~~~py\n{F}\n~~~", F),
        (f"```python\n{F}", F),
        (f"~~~\n{F}", F),
        (f"````python\n{F}\n````", F),
        (f"1. So:\n    ```python\n    {F.replace(chr(10), chr(10) + '    ')}\n    ```", F),
        (f"```bash\npip install x\n```\n```python\n{F}\n```\n```json\n{{}}\n```", F),
        (f"```python\n{F}\n```\nOutput:\n```\n2\n```", F),
        (f"```python\n{F}\n```\nUse it:\n```python\nprint(f(input()))\n```", F),
        (f"```python\n{F}\n```\nUse it:\n```python\nn = int(input())\nprint(f(n))\n```", F),
        (f"```python\n{F}\n```\n```python\nassert f(1) == 3\n```", F),
        (f"```python\ndef f(x):\n    return 0\n```\nThat is wrong.\n```python\n{F}\n```", F),
        (f"```python\ndef f(x): ...oops\n```\nBetter:\n```python\n{F}\n```", F),
        (f"```python\n{F}\n```\nand\n```python\n{G}\n```", f"{F}\n\n{G}"),
        ("```python\nONE = 1\n```\n```python\ndef f(x):\n    return x + ONE\n```",
        "ONE = 1\n\ndef f(x):\n    return x + ONE"),
        (f"```python\nimport math\n```\n```python\n{F}\n```", f"import math\n\n{F}"),
        (f"````markdown\nText\n```python\n{F}\n```\n````", F),
        (f"```markdown\n```python\n{F}\n```\n```", F),
        (f"```\nsome words\n```\n```\n{F}\n```", F),
        ("```pycon\n>>> def f(x):\n...     return x + 1\n...\n>>> f(1)\n2\n```",
        "def f(x):\n    return x + 1\n\nf(1)"),
        ("```\nIn [1]: a = 1\nOut[1]: 1\n```", "a = 1"),
        (f"```python\n{QUOTING}\n```", QUOTING),
        (f"<think>\n```python\ndef f(x):\n    return 0\n```\n</think>\n```python\n{F}\n```", F),
        ("```javascript\nlet x = 1\n```", ""),
        (f"> ```python\n> {F.replace(chr(10), chr(10) + '> ')}\n> ```\n> So.", F),
        (f"- A\n  > ```\n  > {F.replace(chr(10), chr(10) + '  > ')}\n\nIt ends with its quotation.", F),
        (f"```add.py\n{F}\n```", F),
        (f"```main.js\nlet x = 1\n```\n``` python\n{F}\n```", F),
        (f"\ufeff```python\n{F}\n```", F),
        (f"```python\n{F}```", F),
        (f"```text\n{F}\n```", F),
        ("```text\nsome words\nand more\n```", ""),
        ("`def f(x): return x + 1`", "def f(x): return x + 1"),
        (f"[BEGIN]\n{F}\n[DONE]", F),
        (f"[PYTHON]\n{F}\n[/PYTHON]", F),
        ("<pre><code class=\"language-python\">def f(x):\n    return x &lt; 1</code></pre>",
        "def f(x):\n    return x < 1"),
        (f"```python\n{F}\n```\nTests:\n```python\nimport unittest\nfrom solution import f\n\n"
         "class T(unittest.TestCase):\n    def test(self):\n        self.assertEqual(f(1), 2)\n```", F),
        (f"```python\n{F}\n```\n```python\nimport pytest\n\ndef test_f():\n    assert f(1) == 2\n```", F),
        (F, F),
        (f"Here is the function:\n\n{F}\n\nIt adds one to x.", F + "\n"),
        ("    return x + 1\n", "    return x + 1\n"),
        ("I cannot do that.", "I cannot do that."),
        ("```python\ndef f(x:\n```", "def f(x:"),
    ],
)  # fmt: skip
def test_the_program(answer: str, code: str) -> None:
    assert answer_code(answer) == code
    assert answer_code(answer.replace("\n", "\r\n")).replace("\r", "") == code


@pytest.mark.parametrize("piece", [
    "`", "```\n", "```python\n", "~~~\n", "\n", "def f(", ">>> x\n", " ", "x = 1\n", "(", "1,",
])  # fmt: skip
def test_any_text_is_read_in_a_time_that_grows_as_its_length(piece: str) -> None:
    began = time.process_time()
    for size in (10**4, 10**5, 10**6):
        answer_code((piece * size)[:size])
    assert time.process_time() - began < 5
