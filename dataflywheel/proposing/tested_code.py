"""The program that tests run against, and what of it the question gave."""

from __future__ import annotations

import ast

from dataflywheel.proposing.answer_code import MAX_ANSWER, answer_code


def program_of(answer: str, prompt: str, entry: str) -> str:
    """The program to test: the answer's own behind what the prompt gives, or the prompt with the answer behind it."""
    code = answer_code(answer)
    given = _begun(prompt)
    if given is None or not code.strip():
        return code
    own = _parsed(code)
    if own is None or (entry and entry not in _defined(own)):
        # The answer goes on from the prompt: with its fences cut off, its first line keeps its place.
        joined = f"{prompt.rstrip()}\n{code if '```' in answer else answer}"
        return joined if _parsed(joined) is not None else code
    before = [node for node in given.body if _name(node) not in _defined(own) and not isinstance(node, ast.Pass)]
    before = [node for node in before if _name(node) != entry]
    return "\n\n".join([*(ast.unparse(node) for node in before), code])


def _defined(tree: ast.Module) -> set[str]:
    return {_name(node) for node in tree.body}


def _name(node: ast.stmt) -> str:
    return node.name if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) else ""


def _parsed(code: str) -> ast.Module | None:
    try:
        return ast.parse(code) if code.strip() else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def given_helpers(prompt: str) -> str:
    """Whole functions and classes that a question which begins a program gives, and its imports; "" elsewhere.

    Tests that use them must have them as they were given, whatever an answer made of their names: they go before the
    tests, and not into the program.
    """
    given = _begun(prompt)
    if given is None:
        return ""
    whole = [node for node in given.body if _name(node) and _has_body(node)]
    if not whole:
        return ""
    imports = [node for node in given.body if isinstance(node, ast.Import | ast.ImportFrom)]
    return "\n".join(ast.unparse(node) for node in [*imports, *whole]) + "\n"


def _has_body(node: ast.stmt) -> bool:
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return False
    told = [s for s in node.body if isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant)]
    return any(s not in told and not isinstance(s, ast.Pass | ast.Import | ast.ImportFrom) for s in node.body)


def _begun(prompt: str) -> ast.Module | None:
    """A prompt that is the beginning of a program: its last function may still lack a body."""
    if len(prompt) > MAX_ANSWER:
        return None
    return _parsed(f"{prompt.rstrip()}\n    pass") or _parsed(prompt)
