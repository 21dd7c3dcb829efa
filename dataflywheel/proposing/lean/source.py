"""Lean 4 as text: what of it is code, what it leaves open, and the statement of a theorem."""

from __future__ import annotations

import re
from dataclasses import dataclass

_HIDDEN = re.compile(r"--[^\n]*|/-|\"(?:[^\"\\]|\\.)*\"")
_SIGNS = re.compile(r"/-|-/")
_DECLARED = re.compile(
    r"^[ \t]*(?:@\[[^\]\n]*\]\s*)?(?:(?:private|protected|noncomputable)\s+)*(?P<kind>theorem|lemma)\s+"
    r"(?P<name>[^\s:({\[⦃]+)",
    re.MULTILINE,
)
_SCOPE = re.compile(
    r"^[ \t]*(?:noncomputable[ \t]+)?(?P<kind>namespace|section|end)\b[ \t]*(?P<name>[^\s]*)[ \t]*$", re.MULTILINE
)
_IMPORT = re.compile(r"^[ \t]*(?:public[ \t]+)?import[ \t]+[^\n]*$", re.MULTILINE)
_OPEN, _CLOSED = frozenset("([{⟨⦃"), frozenset(")]}⟩⦄")


@dataclass(frozen=True)
class Statement:
    """A theorem without its proof."""

    before: str
    """What stands before it, imports aside: opened namespaces, variables, definitions."""
    name: str
    declared: str
    """`theorem NAME binders : type`."""
    imports: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The whole of it."""
        return "\n".join(part for part in (*self.imports, self.before.strip(), self.declared) if part)

    @property
    def full_name(self) -> str:
        """With the namespaces that it stands in."""
        return ".".join([*(name for kind, name in scopes(self.before) if kind == "namespace"), self.name])


def code_only(text: str) -> str:
    """The text with blanks in place of comments and strings; of the same length.

    >>> code_only('a -- sorry\\nb /- x /- y -/ z -/ c')
    'a         \\nb                   c'
    """
    kept, at = [], 0
    while found := _HIDDEN.search(text, at):
        end = _comment_end(text, found.start()) if found[0] == "/-" else found.end()
        kept += [text[at : found.start()], _blank(text[found.start() : end])]
        at = end
    return "".join([*kept, text[at:]])


def _comment_end(text: str, at: int) -> int:
    """Behind a comment, within which others may stand; the end of the text where it is left open."""
    depth = 0
    for sign in _SIGNS.finditer(text, at):
        depth += 1 if sign[0] == "/-" else -1
        if not depth:
            return sign.end()
    return len(text)


def comment_left_open(text: str) -> bool:
    """Whether a comment goes on behind the end of a text.

    >>> comment_left_open("a /- b"), comment_left_open("a /- b -/"), comment_left_open('"/-"')
    (True, False, False)
    """
    return code_only(f"{text}\nx")[-1:] != "x"


def statement_of(text: str) -> Statement | None:
    """The last theorem of a text, without its proof; None where there is none with a name.

    >>> found = statement_of("import Mathlib\\nopen Nat\\ntheorem two (n : Nat) : n + 0 = n := by sorry")
    >>> found.name, found.declared, found.before.strip(), found.imports
    ('two', 'theorem two (n : Nat) : n + 0 = n', 'open Nat', ('import Mathlib',))
    """
    code = code_only(text)
    declared = list(_DECLARED.finditer(code))
    if not declared:
        return None
    last = declared[-1]
    imports, before = without_imports(text[: last.start()])
    end = _proof_at(code, last.end())
    return Statement(before, last["name"], text[last.start() : end].strip(), imports)


def declares(text: str, name: str) -> bool:
    """Whether a text declares a theorem of that name."""
    return any(found["name"] == name for found in _DECLARED.finditer(code_only(text)))


def without_imports(text: str) -> tuple[tuple[str, ...], str]:
    """The imports of a file, and the file without them."""
    code = code_only(text)
    places = [(found.start(), found.end()) for found in _IMPORT.finditer(code)]
    imports = tuple(" ".join(text[a:b].split()) for a, b in places)
    for a, b in reversed(places):
        text = text[:a] + text[b:]
    return imports, text


def scopes(text: str) -> list[tuple[str, str]]:
    """Sections and namespaces that a text leaves open, outermost first.

    >>> scopes("namespace A\\nsection\\nend\\nnoncomputable section B")
    [('namespace', 'A'), ('section', 'B')]
    """
    found: list[tuple[str, str]] = []
    for one in _SCOPE.finditer(code_only(text)):
        if one["kind"] != "end":
            found.append((one["kind"], one["name"]))
        elif found:
            found.pop()
    return found


def closed(text: str) -> str:
    """The text with every section and namespace ended."""
    return "\n".join([text, *(f"end {name}".rstrip() for _, name in reversed(scopes(text)))])


def _proof_at(code: str, at: int) -> int:
    """Where the proof of a declaration begins: at the first `:=` outside brackets, else at the end."""
    depth = 0
    for place in range(at, len(code)):
        sign = code[place]
        depth += (sign in _OPEN) - (sign in _CLOSED)
        if depth == 0 and code.startswith(":=", place):
            return place
    return len(code)


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)
