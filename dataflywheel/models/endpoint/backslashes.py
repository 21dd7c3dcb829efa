"""JSON as models write it: backslashes of LaTeX, patterns and paths that were not doubled are doubled again.

A model that writes `"\\frac{1}{2} \\times 2"` with single backslashes writes valid JSON: a form feed, and a tab. What
was meant can be told exactly nearly always; where it cannot, the text is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_N = (
    r"abla|otin|ot|exists|ewcommand|oindent|onumber|otag|olimits|ewline|eqq|ormalsize|icefrac|atural|obreak|umberwithin|"
    r"subseteq|supseteq|shortmid|[lg]eq(?:q|slant)?|gtr|[vV][dD]ash|earrow|warrow|(?:left|right|Left|Right)arrow|"
    r"[lL]eftrightarrow"
)
_T = (
    r"imes|heta|herefore|ilde|iny|hinspace|hick(?:sim|approx|space)|woheadrightarrow|itle|oprule|abcolsep|"
    r"ext(?:bf|it|rm|tt|sf|sc|up|md|normal|style|color|width|superscript|subscript|degree|less|greater|bullet|backslash|"
    r"emdash|endash|ascii\w+|quote\w+)|riangle(?:left|right|q|down|(?:left|right)eq)?"
)
SURE = re.compile(rf"n(?:{_N})|t(?:{_T})")
"""Commands whose rest, behind the n or t, is no word with which a line would begin."""
ALSO = re.compile(
    r"n(?:e|eq|eg|i|u|mid|at|subset|supset|parallel|less|prec|succ|sim|cong)|t(?:o|an|anh|au|op|ext|ag|r|t|binom|frac)"
)
"""Commands whose rest may begin a line as well: `ni`, or a line end and the name i."""
HURT = re.compile(rf"\n(?:{_N})(?![A-Za-z])|\t(?:{_T})(?![A-Za-z])")
"""What is left of a command whose backslash was read as a line end or a tab."""
_PATH = re.compile(r"(?<![A-Za-z])[A-Za-z]:(?:\\[\w.-]+)+")
_IN_JSON = re.compile(r"[nt]|r$|u[0-9a-fA-F]{4}")
"""What may stand behind a backslash of JSON's own: a line's or a column's text, its end, a character's code."""
_OPTION = re.compile(r"n[A-Z]\.?")
"""The next choice, on its line: what stands behind `A:` is then no path."""
_PLAIN_PATH = re.compile(r"(?<![A-Za-z])[A-Z]:\\t[a-z]")
_MATRIX = re.compile(
    r"(?:[pbBvV]|small)?matrix|array|d?cases|rcases|align(?:ed|at|edat)?|gather(?:ed)?|split|eqnarray|multline|tabular|substack"
)
_TOKEN = re.compile(r'["{}\[\]]|\\.?', re.DOTALL)
_MARK = re.compile(r"\\(.)|\$\$?", re.DOTALL)
_CODE = re.compile(r"x[0-9a-fA-F]{2}|u[0-9]")
"""Codes of characters that JSON does not know, and those that were cut off."""
_WORD = re.compile(r"[A-Za-z]*")
_NEXT = 300
"""How far the end of a formula is looked for, in letters."""


class AmbiguousError(ValueError):
    """A backslash that may mean a line end or a command."""


def doubled(text: str) -> str:
    """The JSON value with which the text begins, every backslash of its strings doubled that was meant as one.

    Raises:
        AmbiguousError: says where it cannot be told.
    """
    if "\\" not in text:
        return text
    pieces, at = [], 0
    for start, end in _strings(text):
        pieces += [text[at:start], _mended(text[start:end])]
        at = end
    return "".join([*pieces, text[at:]])


def _strings(text: str) -> Iterator[tuple[int, int]]:
    """What stands between the quotation marks of each string of the first value."""
    start, depth = None, 0
    for found in _TOKEN.finditer(text):
        mark = found[0]
        if mark == '"' and start is not None:
            yield start, found.start()
            start = None
        elif mark == '"':
            start = found.end()
        elif start is None and mark in "{}[]":
            depth += 1 if mark in "{[" else -1
            if depth == 0:
                return


@dataclass
class _Where:
    """What is known of a place in a string: whether it is in a formula, a matrix, fenced code."""

    dollars: bool = False
    display: bool = False
    brackets: int = 0
    matrices: int = 0
    raw: bool = False
    """Commands of the string are written with single backslashes, and none with two."""
    rows: bool = False
    """Rows of a matrix are divided as they should be in JSON, by four."""

    @property
    def formula(self) -> bool:
        return self.dollars or self.display or self.brackets > 0 or self.matrices > 0


def _mended(said: str) -> str:
    if "\\" not in said:
        return said
    if _PLAIN_PATH.search(said) and not _raw(said):
        raise AmbiguousError("a path with single backslashes: in JSON a backslash is doubled")
    said = _PATH.sub(_path, said)
    where = _Where(raw=_raw(said), rows="\\\\\\\\" in said)
    pieces, at, skip = [], 0, 0
    for found in _MARK.finditer(said):
        if found.start() < skip:
            continue
        mark = found[0]
        if mark[0] == "$":
            _dollar(said, found, where)
            continue
        pieces.append(said[at : found.start()])
        meant, skip = _meant(said, found, where)
        pieces.append(meant)
        at = skip
    return "".join([*pieces, said[at:]])


def _path(found: re.Match[str]) -> str:
    """A path of a drive with its backslashes doubled, if one of them is none that JSON has and texts hold."""
    names = found[0].split("\\")[1:]
    plain = all(_IN_JSON.match(name) for name in names) or any(_OPTION.fullmatch(name) for name in names)
    return found[0] if plain else found[0].replace("\\", "\\\\")


def _dollar(said: str, found: re.Match[str], where: _Where) -> None:
    if found[0] == "$$":
        where.display = not where.display
    elif where.dollars:
        where.dollars = False
    else:  # a price has no second one before its line ends
        rest = said[found.end() : found.end() + _NEXT]
        closing = rest.find("$")
        where.dollars = closing >= 0 and not re.search(r"\\n(?![A-Za-z])", rest[:closing])


def _raw(said: str) -> bool:
    """Whether commands are written with single backslashes, and none with two."""
    single = False
    for found in _MARK.finditer(said):
        if found[0][0] == "$":
            continue
        word = _WORD.match(said, found.start() + 1)[0]  # type: ignore[index]
        if found[1] == "\\":
            if len(_WORD.match(said, found.end())[0]) > 1:  # type: ignore[index]
                return False
        elif found[1] not in "\"\\/bfnrtu'\n" or (found[1] in "bfr" and len(word) > 1) or SURE.fullmatch(word):
            single = True
    return single


def _meant(said: str, found: re.Match[str], where: _Where) -> tuple[str, int]:
    """What the backslash and what follows it mean, as JSON, and where the string goes on."""
    letter, after = found[1], found.end()
    word = _WORD.match(said, found.start() + 1)[0]  # type: ignore[index]
    if letter == "\\":
        return _two(said, found, where)
    _brackets(said, found.start(), word or letter, where)
    if letter in '"/' or (letter == "u" and re.match(r"[0-9a-fA-F]{4}", said[after : after + 4])):
        return found[0], after
    if letter == "'":
        between = said[found.start() - 1 : found.start()].isalpha() and said[after : after + 1].isalpha()
        return ("'" if between else found[0]), after
    if letter == "\n" or _CODE.match(said, found.start() + 1):
        return found[0], after  # no JSON, and nobody knows what it is
    if letter not in "fnrt" or (letter in "fr" and len(word) > 1):
        return "\\" + found[0], after
    if letter in "nt" and _command(said, found, word, where):
        return "\\" + found[0], after
    return found[0], after


def _two(said: str, found: re.Match[str], where: _Where) -> tuple[str, int]:
    """Two backslashes: one, as JSON has it; but two where they divide rows and were not doubled."""
    after = found.end()
    if said.startswith("\\\\", after):
        return "\\\\\\\\", after + 2
    word = _WORD.match(said, after)[0]  # type: ignore[index]
    _brackets(said, after - 1, word or said[after : after + 1], where)
    divides = not word or (where.raw and len(word) == 1 and where.matrices > 0)
    blank = not said[after : after + 1].strip() or said.startswith(("\\n", "[", "\\hline"), after)
    if divides and (where.raw or (where.matrices > 0 and blank and not where.rows)):
        return "\\\\\\\\", after
    return found[0], after


def _brackets(said: str, at: int, name: str, where: _Where) -> None:
    r"""Note \(, \[, \begin{matrix} and their ends."""
    if name in "([":
        where.brackets += 1
    elif name in ")]":
        where.brackets = max(0, where.brackets - 1)
    elif name in ("begin", "end") and said.startswith("{", at + 1 + len(name)):
        inside = said[at + 2 + len(name) : at + 30].partition("}")[0].rstrip("*")
        if _MATRIX.fullmatch(inside):
            where.matrices = max(0, where.matrices + (1 if name == "begin" else -1))


def _command(said: str, found: re.Match[str], word: str, where: _Where) -> bool:
    """Whether an n or t behind a backslash begins a command, and not a line or a blank.

    Raises:
        AmbiguousError: it may be either.
    """
    if not ALSO.fullmatch(word):
        return SURE.fullmatch(word) is not None
    start, end = found.start(), found.start() + 1 + len(word)
    before, after = said[max(0, start - 2) : start], said[end : end + 4]
    line_began = before in ("\\n", "\\t") or before.endswith("\n")
    if after.startswith("{") or (where.formula and not line_began):
        return True
    joined = not before or before[-1] in " ([{$=+-*/^_,<>|&"
    if word == "neq" and not line_began:
        return joined or not re.match(r"\s*[=(.\[:,]", after)
    if line_began or not joined:
        return False
    if where.raw or after[:1] in ("\\", "^"):
        return True
    if after[:1] and after[0] in " _=\\).,:;$":
        place = said[max(0, start - 20) : start + 20]
        raise AmbiguousError(f"\\{word} in {place!r} may be a command or a line end: in JSON a backslash is doubled")
    return False
