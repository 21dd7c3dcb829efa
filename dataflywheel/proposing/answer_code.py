"""The program that an answer holds: which of its fenced blocks, without transcripts, prose and other languages."""

from __future__ import annotations

import ast
import html
import re
import textwrap
import warnings
from dataclasses import dataclass

from dataflywheel.rows.thoughts import split_thoughts
from dataflywheel.signals.wording.fences import Block, blocks

PYTHON = frozenset(("python", "python3", "py", "py3", "python2", "pycon", "ipython", "ipython3", "sage", "jupyter"))
TEXTS = frozenset(("markdown", "md", "text", "txt", "plaintext", "plain"))
MAX_CHARS = 100_000
"""Of a program; a longer one is none."""
MAX_ANSWER = 200_000
"""Characters of an answer that is looked through; a longer one holds no program that can be told."""
_PROMPT = re.compile(r"[ \t]*(?:>>>|\.\.\.|In \[\d*\]:|\.\.\.:)(?: |$)")
_OUTPUT = re.compile(r"[ \t]*Out\[\d*\]:")
_GLUED = re.compile(r"(?<=[^`\s])`{3}\s*\Z")
"""A fence behind the last line of a program that nothing else closed."""
_OPENED = re.compile(r"\[(?:PYTHON|BEGIN|CODE)\]|(?:<pre>\s{0,9})?<code[^<>\n]{0,80}>")
_CLOSED = re.compile(r"\s{0,9}(?:\[/(?:PYTHON|CODE)\]|\[(?:DONE|END)\]|</code>(?:\s{0,9}</pre>)?)\Z")
_TICKED = re.compile(r"`{1,3}([^`\n]+)`{1,3}")
_BEGINS = re.compile(r"(?:def|class|import|from|async|@\w|if __name__|for|while|with|try)\b|[A-Za-z_][\w, ]* = ")


@dataclass(frozen=True)
class _Piece:
    code: str
    defined: frozenset[str]
    """Functions and classes that it defines."""
    assigned: frozenset[str]
    used: frozenset[str]
    parses: bool
    imports: bool = False


def answer_code(answer: str) -> str:
    """The Python program of an answer, or "" where it holds none.

    - Blocks marked as Python, else those marked as nothing that are Python; blocks of other languages never. A block of
      Markdown is looked into. A fence that is not closed, `~~~`, and indented blocks are blocks as well.
    - Transcripts of an interpreter lose their prompts and outputs.
    - Of several blocks: those that define or import something, and those that give values to names which they use;
      shown uses and tests of the answer's own are left out. A block whose definitions all come again in a later one
      was a draft. What does not parse is kept where nothing else defines it, so that it fails.
    - Without blocks: the text, or the part of it that is a program between lines of prose.
    """
    said = split_thoughts(answer)[1] if len(answer) <= MAX_ANSWER else ""
    fenced = blocks(said)
    found = _within(fenced)
    if not found:
        texts = [block for block in fenced if block.language in TEXTS and "\n" in block.body]
        return _whole(texts) if fenced else _bare(_unmarked(said))
    named = [block for block in found if block.language in PYTHON]
    pieces = [_piece(_typed(block.body)) for block in named or found]
    if not named:
        pieces = [piece for piece in pieces if piece.parses]
    return "\n\n".join(piece.code for piece in _chosen(pieces))[: MAX_CHARS + 1]


def _whole(found: list[Block]) -> str:
    """Blocks marked as text that are programs all the same."""
    pieces = [piece for block in found if (piece := _piece(_typed(block.body))).parses and piece.defined]
    return "\n\n".join(piece.code for piece in _chosen(pieces))


def _unmarked(text: str) -> str:
    """A text without marks of code around the whole: `[PYTHON]`, `[BEGIN]`, a tag, or backticks."""
    whole = text.strip()
    opened, ticked = _OPENED.match(whole), _TICKED.fullmatch(whole)
    if opened is None:
        return ticked[1] if ticked else text
    code = _CLOSED.sub("", whole[opened.end() :]).lstrip("\r\n")
    return html.unescape(code) if opened[0].startswith("<") else code


def _within(found: list[Block], depth: int = 0) -> list[Block]:
    """Blocks of Python or of no language, also those within blocks of Markdown."""
    kept = []
    for block in found:
        if block.language in PYTHON or not block.language:
            kept.append(block)
        elif block.language in TEXTS and depth < 3:
            kept += _within(blocks(block.body), depth + 1)
    return kept


def _typed(code: str) -> str:
    """What was typed in a transcript; any other code as it is, moved to the margin."""
    lines = _GLUED.sub("", code).split("\n")
    first = next((line for line in lines if line.strip()), "")
    if not _PROMPT.match(first):
        return textwrap.dedent("\n".join(lines))
    return "\n".join(
        _PROMPT.sub("", line, count=1) for line in lines if _PROMPT.match(line) and not _OUTPUT.match(line)
    )


def _piece(code: str) -> _Piece:
    tree = _parsed(code)
    if tree is None:
        said = re.findall(r"^[ \t]{0,40}(?:async )?(?:def|class) (\w+)", code, re.MULTILINE)
        return _Piece(code, frozenset(said), frozenset(), frozenset(), False)
    defined, assigned, imports = set(), set(), False
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            defined.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            imports = True
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            assigned |= {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    used = frozenset(n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load))
    return _Piece(code, frozenset(defined), frozenset(assigned), used, True, imports)


def _parsed(code: str) -> ast.Module | None:
    if len(code) > MAX_CHARS:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of escapes in strings that nobody here wrote
        try:
            return ast.parse(code)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def _chosen(pieces: list[_Piece]) -> list[_Piece]:
    later: set[str] = set()
    kept: list[_Piece] = []
    for piece in reversed(pieces):
        draft = bool(piece.defined) and piece.defined <= later
        if not draft:
            kept.append(piece)
        later |= piece.defined
    kept.reverse()
    kept = [piece for piece in kept if not _only_tests(piece)] or kept
    programs = [piece for piece in kept if piece.defined or piece.imports]
    if not programs:
        return [piece for piece in kept if piece.parses] or kept
    needed = frozenset[str]().union(*(piece.used for piece in programs))
    return [
        piece for piece in kept if piece in programs or (piece.assigned & needed and not piece.used & _all(programs))
    ]


def _only_tests(piece: _Piece) -> bool:
    """Whether all that a block defines are tests, such as an answer adds to its program."""
    cases = {name for name in piece.defined if f"class {name}(unittest.TestCase)" in piece.code}
    return bool(piece.defined) and all(re.match(r"[Tt]est|.*Tests?$", name) for name in piece.defined - cases)


def _all(programs: list[_Piece]) -> frozenset[str]:
    return frozenset[str]().union(*(piece.defined for piece in programs))


def _bare(text: str) -> str:
    """A program without fences. What is neither whole nor between lines of prose is given as it stands: it may be the
    body of a function that the question began."""
    first = next((line for line in text.split("\n") if line.strip()), "")
    if _PROMPT.match(first):
        return _typed(text)
    if _parsed(text) is not None or first[:1].isspace() or len(text) > MAX_CHARS:
        return text
    lines = text.split("\n")
    begin = next((i for i, line in enumerate(lines) if _BEGINS.match(line)), None)
    if begin is None:
        return text
    ends = [i for i in range(len(lines), begin, -1) if i == len(lines) or not lines[i][:1].isspace()]
    for end in ends[:40]:  # prose behind the program, from its end on
        code = "\n".join(lines[begin:end])
        if _parsed(code) is not None:
            return code
    return text
