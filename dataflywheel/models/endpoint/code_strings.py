r"""Line ends that were meant as \n in a string of a program: no such string goes on over lines, so they are known."""

from __future__ import annotations

import ast
import re
import warnings

from dataflywheel.rows.fences import fenced

_PYTHON = re.compile(r"py(?:thon)?[23]?|ipython|sage")
_BRACED = re.compile(
    r"c|h|cpp|c\+\+|cc|cxx|c#|cs|csharp|java|kotlin|kt|scala|go|golang|swift|dart|objc|"
    r"js|jsx|javascript|ts|tsx|typescript|node"
)
_IN_PYTHON = re.compile(r'#[^\n]*|"""|\'\'\'|["\'\n]|\\.', re.DOTALL)
_IN_BRACED = re.compile(r'//[^\n]*|/\*|["\'`\n]|\\.', re.DOTALL)
MOST = 100_000
"""Letters of a program that is looked at."""


def mended(text: str) -> str:
    """The text with `\\n` in place of each line end within a string of a program.

    A program is a fenced block in a language whose strings end with their line, a block without a language or a text
    without blocks where that is Python with the change and not without.
    """
    if "\n" not in text or not any(mark in text for mark in "\"'"):
        return text
    pieces, at = [], 0
    for block in fenced(text):
        code = text[block.code : block.closing]
        pieces += [text[at : block.code], _program(code, block.language)]
        at = block.closing
    return "".join([*pieces, text[at:]]) if at else _if_python(text)


def _program(code: str, language: str) -> str:
    python = _PYTHON.fullmatch(language) is not None
    if python or _BRACED.fullmatch(language):
        return joined(code, python) or code
    return code if language else _if_python(code)


def _if_python(code: str) -> str:
    if len(code) > MOST or _parsed(code) is not None:
        return code
    changed = joined(code, True)
    program = _parsed(changed) if changed else None
    # A sentence in quotation marks is an expression too: what is only written is no program.
    lines = program.body if program else []
    acts = any(not isinstance(line, ast.Expr) or isinstance(line.value, ast.Call) for line in lines)
    return changed if changed and acts else code


def _parsed(code: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def joined(code: str, python: bool) -> str | None:
    """The program with its broken strings made whole; None where a string has no end all the same."""
    pattern = _IN_PYTHON if python else _IN_BRACED
    pieces: list[str] = []
    at = last = 0
    quote = ""
    while found := pattern.search(code, at):
        mark, at = found[0], found.end()
        if not quote:
            if mark == "/*":
                at = code.find("*/", at) + 2
                if at < 2:
                    return None
            elif mark[0] in "\"'`" and mark[-1] in "\"'`":
                quote = mark
        elif mark == quote:
            quote = ""
        elif mark == "\n" and len(quote) == 1 and quote != "`":
            pieces += [code[last : found.start()], "\\n"]
            last = at
        elif (quote and mark[0] in "#/") or (len(mark) == 3 and len(quote) == 1 and mark[0] == quote):
            at = found.start() + 1  # no comment, no long string: a letter of the string, or its end
            quote = "" if mark[0] == quote else quote
    return None if quote else "".join([*pieces, code[last:]])
