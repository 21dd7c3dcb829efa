"""Tests as they are written for a runner, made to run by themselves."""

from __future__ import annotations

import ast
import sys

UNRUNNABLE = "the tests import what is not there"
OF_THE_PROGRAM = frozenset(
    ("solution", "solutions", "main", "answer", "program", "candidate", "submission", "code", "module", "your_module",
     "my_module", "your_code", "implementation", "__main__")
)  # fmt: skip
"""Names by which tests import the program that they are about."""


class UnrunnableError(ValueError):
    """The tests lean on a module that only a runner or another machine has; the message is its name."""


def runnable(tests: str) -> str:
    """Tests that run where they are executed: functions `test...` and cases of `unittest` that nothing calls are called
    at the end, what ends the process afterwards is left out, and imports of the program itself as well.

    >>> print(runnable("from solution import f\\ndef test_f():\\n    assert f(1)"))
    def test_f():
        assert f(1)
    test_f()

    Raises:
        UnrunnableError: an import of what is neither Python's nor the program.
    """
    try:
        tree = ast.parse(tests)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return tests
    body = [node for node in tree.body if not _is_start(node)]
    kept = [node for node in body if not _is_of_the_program(node)]
    called = {
        n.func.id
        for node in kept
        if not isinstance(node, ast.FunctionDef | ast.ClassDef)
        for n in ast.walk(node)
        if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
    }
    calls = [f"{node.name}()" for node in kept if _is_test(node) and node.name not in called]  # type: ignore[attr-defined]
    cases = [node.name for node in kept if isinstance(node, ast.ClassDef) and _is_case(node)]
    if cases:
        calls.append(_CASES.format(", ".join(cases)))
    if len(kept) == len(tree.body) and not calls:
        return tests
    return "\n".join([ast.unparse(ast.Module(kept, [])), *calls])


_CASES = """\
import unittest as _unittest
for _case in ({},):
    _case.setUpClass()
    for _name in _unittest.TestLoader().getTestCaseNames(_case):
        _one = _case(_name)
        _one.setUp()
        getattr(_one, _name)()
        _one.tearDown()"""


def _is_test(node: ast.stmt) -> bool:
    if not isinstance(node, ast.FunctionDef) or not node.name.startswith("test"):
        return False
    given = node.args
    return len(given.posonlyargs) + len(given.args) <= len(given.defaults) and not (
        len(given.kwonlyargs) > len([one for one in given.kw_defaults if one is not None])
    )


def _is_case(node: ast.ClassDef) -> bool:
    return any(ast.unparse(base).rpartition(".")[2].endswith("TestCase") for base in node.bases)


def _is_start(node: ast.stmt) -> bool:
    """`unittest.main()` and `pytest.main()`, also below a question for the name."""
    if isinstance(node, ast.If) and "__name__" in ast.unparse(node.test):
        return all(_is_start(inner) for inner in node.body)
    said = ast.unparse(node.value) if isinstance(node, ast.Expr) else ""
    return said.startswith(("unittest.main(", "pytest.main(", "main("))


def _is_of_the_program(node: ast.stmt) -> bool:
    names: list[str] = []
    if isinstance(node, ast.ImportFrom):
        names = ["__main__" if node.level else str(node.module)]
    elif isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    roots = {name.split(".")[0] for name in names}
    if isinstance(node, ast.ImportFrom) and roots <= OF_THE_PROGRAM:
        return True
    alien = sorted(roots - sys.stdlib_module_names)
    if alien:
        raise UnrunnableError(alien[0])
    return False
