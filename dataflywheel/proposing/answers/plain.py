"""An answer without its dress: signs of one kind, no commands of layout, no signs of emphasis around it."""

from __future__ import annotations

import re
import unicodedata

MAX_CHARS = 1000
"""Of an answer; a longer text is no answer, and stays as it is."""
_MINUS = "\u2010\u2011\u2012\u2212\ufe63\uff0d"
_SUPER = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_SIGNS = {
    **dict.fromkeys(_MINUS, "-"),
    **dict.fromkeys("\u00a0\u2007\u2009\u202f\u200a\u2002\u2003\u3000", " "),
    **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff\u00ad", ""),
    **dict.fromkeys("\u2018\u2019", "'"),
    **dict.fromkeys("\u201c\u201d", '"'),
    "\u00d7": r"\times ", "\u22c5": r"\cdot ", "\u00f7": r"\div ", "\u00b1": r"\pm ", "\u221a": r"\sqrt ",
    "\u03c0": r"\pi ", "\u221e": r"\infty ", "\u222a": r"\cup ", "\u2208": r"\in ", "\u2264": r"\le ",
    "\u2265": r"\ge ", "\u2260": r"\ne ", "\u2248": r"\approx ", "\u2205": r"\emptyset ", "\u03b8": r"\theta ",
    "\u03b1": r"\alpha ", "\u03b2": r"\beta ", "\u2044": "/", "\u2215": "/", "\uff05": "%", "\uff0c": ", ",
}  # fmt: skip
_TRANSLATED = str.maketrans(_SIGNS)
_RAISED = re.compile("[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_VULGAR = re.compile("(\\d?)([\u00bc-\u00be\u2150-\u215e\u2189])")
_LAYOUT = re.compile(
    r"\\(?:left|right|bigl|bigr|big|Big|Bigl|Bigr|displaystyle|textstyle|limits|mathstrut)(?![A-Za-z])\.?"
    r"|(?<!\\)\\!|\\hspace\*?\{[^{}]{0,20}\}|\\phantom\{[^{}]{0,20}\}"
)
_GROUPED = re.compile(r"(?<=\d)(?:\{,\}|\\,|,\\!)(?=\d{3}(?!\d))")
_SPACE = re.compile(r"(?<!\\)\\(?:[,;: ]|quad(?![A-Za-z])|qquad(?![A-Za-z]))|~")
_TEXT = re.compile(
    r"\\(?:text|textbf|textit|textrm|texttt|textsf|mathrm|mathbf|mathit|mathsf|mathbb|mbox|operatorname|emph|boldsymbol|bf|rm)"
    r"\s*\{([^{}]*)\}"
)
_FRACTION = re.compile(r"\\[dtc]frac(?![A-Za-z])")
_DEGREES = re.compile(r"\s*(?:\^\s*(?:\{\s*\\circ\s*\}|\\circ(?![A-Za-z]))|\\degree(?![A-Za-z])|\u00b0|\u00ba)\s*")
_ABOUT = re.compile(r"^\s*~\s?(?=[$\d.])")
_ENDLESS = re.compile(r"(?<![\\A-Za-z])(?:infinity|inf|oo)(?=\s*[)\]])")
_RENAMED = re.compile(r"\\(?:leq|geq|neq|lt|gt|thinspace|land|pmatrix|bmatrix|varnothing)(?![A-Za-z])")
_IN_CODE = re.compile(r"(?<![<>=!])(?:<=|>=|!=)(?![=>])|\+/-")
_CODED = {"<=": r"\le ", ">=": r"\ge ", "!=": r"\ne ", "+/-": r"\pm "}
_BELOW_ZERO = re.compile(r"^(?:(?i:minus|negative)\s+|\u2013)(?=[\d.$\\])")
_NAMES = {
    r"\varnothing": r"\emptyset",
    r"\leq": r"\le",
    r"\geq": r"\ge",
    r"\neq": r"\ne",
    r"\lt": "<",
    r"\gt": ">",
    r"\thinspace": " ",
}
_ESCAPED = re.compile(r"(?<!\\)\\([$%#])")
_EMPHASIS = re.compile(r"(?<![\w)*])\*\*(?=[^\s*])([^*\n]+)(?<=\S)\*\*(?![\w(*])")
_INLINE = re.compile(r"(?<!\\)\$(?=[^\s$])([^$]*[^\s$\\])\$(?!\d)")
_DELIMITERS = re.compile(r"(?<!\\)\\[()\[\]]")
_BOXED = re.compile(r"\\f?boxed?\s*(\{)")
_ROUND = (("$$", "$$"), ("$", "$"), ("**", "**"), ("__", "__"), ("*", "*"),
          ("`", "`"), ('"', '"'), ("'", "'"))  # fmt: skip


def plain_math(text: str) -> str:
    r"""A text with one spelling for every sign, without the layout of LaTeX and the marks around the whole.

    Plain again, it stays as it is. A text of more than `MAX_CHARS` characters stays as it is too.

    >>> plain_math(r"$\dfrac{1}{2}$"), plain_math(r"\$1{,}000"), plain_math(r"**90^\circ**"), plain_math("2\u00bd")
    ('\\frac{1}{2}', '$1,000', '90°', '2 1/2')
    """
    for _ in range(20):  # marks within marks; what is not settled by then is left as it is
        if len(text) > MAX_CHARS:
            return text
        once = _undressed(text)
        if once == text:
            return text
        text = once
    return text


def _undressed(text: str) -> str:
    text = _RAISED.sub(lambda m: "^{" + m[0].translate(_SUPER) + "}", text.translate(_TRANSLATED))
    text = _VULGAR.sub(lambda m: f"{m[1]} {unicodedata.normalize('NFKD', m[2]).replace(chr(0x2044), '/')}", text)
    text = _GROUPED.sub(",", _LAYOUT.sub("", _ABOUT.sub(lambda m: r"\approx ", text)))
    text = _IN_CODE.sub(lambda m: _CODED[m[0]], _BELOW_ZERO.sub("-", text))
    text = _ENDLESS.sub(lambda m: r"\infty", text)
    text = _DEGREES.sub("° ", text)
    text = _FRACTION.sub(lambda m: r"\frac", _TEXT.sub(r" \1 ", text))
    text = _INLINE.sub(r"\1", _EMPHASIS.sub(r"\1", _DELIMITERS.sub(" ", text)))
    text = _RENAMED.sub(lambda m: _NAMES.get(m[0], m[0]), _SPACE.sub(" ", text))
    text = " ".join(_unwrapped(text.strip()).split())
    return _ESCAPED.sub(r"\1", text) if not _is_wrapped(text) else text


def _is_wrapped(text: str) -> bool:
    return any(text.startswith(left) and text.endswith(right) and len(text) > len(left) for left, right in _ROUND[:2])


def _unwrapped(text: str) -> str:
    """Without one pair of marks around the whole, and without a full stop at its end."""
    for left, right in _ROUND:
        inner = text[len(left) : -len(right)]
        if len(text) > len(left + right) and text.startswith(left) and text.endswith(right) and inner.strip():
            if "$" in inner.replace("\\$", "") if "$" in left else left in inner:
                continue
            return inner.strip()
    box = _BOXED.match(text)
    if box is not None and text.endswith("}") and _closed(text, box.start(1)) == len(text) - 1:
        return text[box.end() : -1].strip()
    if text.endswith((".", ",", ";")) and not text.endswith(("..", "\\.", "\\,", "\\;")):
        return text[:-1].rstrip()
    return text


def _closed(text: str, opened: int) -> int:
    """Where the brace opened at a position is closed; -1: nowhere."""
    depth = 0
    for i in range(opened, len(text)):
        if text[i] in "{}" and (i == 0 or text[i - 1] != "\\"):
            depth += 1 if text[i] == "{" else -1
            if depth == 0:
                return i
    return -1
