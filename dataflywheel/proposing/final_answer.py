"""The final answer of a worked solution, found where it is marked and nowhere else."""

# ruff: noqa: RUF001
from __future__ import annotations

import re

from dataflywheel.proposing.answers.compare import same_answer
from dataflywheel.proposing.answers.plain import MAX_CHARS, plain_math
from dataflywheel.proposing.answers.reading import read
from dataflywheel.proposing.answers.units import known_unit
from dataflywheel.proposing.answers.values import Choice, Words
from dataflywheel.rows.thoughts import split_thoughts

NONE = "no final answer"
SEVERAL = "several final answers"
LONG = "the answer is too long to be read"
MAX_TEXT = 200_000
"""Characters of a text that is looked through."""
SHORT = 80
"""Characters of an answer of one line that is taken whole where nothing is marked."""
SPOKEN = 3
"""Words of a text that "the answer is" may announce where something else is marked too; a longer one is prose."""
_WORKED = re.compile(r"<<[^<>\n]{0,100}>>")
"""What a calculator said in a worked solution: `48/2=<<48/2=24>>24`."""
_HASHES = re.compile(r"(?<![^\s.!])####(?!#)[ \t]*(?P<said>[^\n]*)$", re.MULTILINE)
_TAGGED = re.compile(r"<(?:final_?)?answer>([^<]{1,1000})</(?:final_?)?answer>", re.IGNORECASE)
_BOXED = re.compile(r"\\f?box(?:ed)?\s?(?:\{|(?=[\dA-Za-z]))")
_SAID = re.compile(
    r"\b(?:(?:final |correct |right |exact |numerical )?(?:answer|ans)|(?:correct|right|best) (?:option|choice))\b"
    r"(?: (?:to|for) (?:the|this) (?:question|problem))?[*_]{0,3} ?"
    r"(?:\b(?:is|would be|will be)\b|:|=|(?<=\bans)\.)[*_]{0,3}(?: ?:)? ?"
    r"(?:(?:therefore|thus|hence|then|simply|just|equal to|given by),? )?",
    re.IGNORECASE,
)
_SAID_ELSEWHERE = re.compile(
    r"(?:\b(?:antwort|r[ée]ponse|respuesta|resposta|risposta|antwoord|jibu)(?:\s(?:finale?|correcta?))?\s?"
    r"(?:\b(?:ist|lautet|est|es|is|ni)\b|[éè]\b|[:=])|\bответ\w{0,2}\s?(?:[:=\u2013\u2014-]|равен)"
    r"|\b(?:cevap|yanıt|odpowiedź|odpověď|odpoveď|vastaus|svar(?:et)?|răspuns(?:ul)?|válasz|jawaban|jawapan"
    r"|đáp (?:án|số)|απάντηση|відповідь|одговор|odgovor|отговор|vastus|atbilde|atsakymas|sagot)\s?[:=]"
    r"|(?:الجواب|الإجابة|الاجابة|پاسخ|جواب|תשובה|התשובה)\s?[:=]|(?:उत्तर|விடை|பதில்|సమాధానం|ಉತ್ತರ|ഉത്തരം|જવાબ)\s?[:=]"
    r"|(?:答案|解答|答え?)\s?[是为為はが:\uff1a=]|(?:정답|답)[은는:]|คำตอบ(?:คือ|\s?:)|উত্তর\s?[:হল]{1,2})"
    r"[*_]{0,3}\s?[:\uff1a]?\s?",
    re.IGNORECASE,
)
"""The same in the languages of translated sets of school problems."""
_SAID_END = re.compile(r"(?:です|であ?る|입니다|이다)?[。\uff0e.]?\**$")
_SHORT_MARK = re.compile(r"^[ \t>*_]{0,8}A[*_]{0,3}:[*_]{0,3}[ \t](?P<said>[^\n]+)$", re.MULTILINE)
_SECOND_OPTION = re.compile(r"^[ \t>*_]{0,8}\(?B[*_]{0,3}[:.)]", re.MULTILINE)
_HEADING = re.compile(
    r"[#\s*_]{0,8}(?:the )?(?:final )?(?:answer|ans|result|solution)[*_]{0,3} ?(?:is)? ?:?[*_]{0,3}:?", re.IGNORECASE
)
_UNIT_BEHIND = re.compile(r"\s?\$?\s?(?:\\text\{\s?)?([A-Za-z]{3,20})\b")
_OPINION = re.compile(
    r"(?:correct|right|wrong|incorrect|clear|obvious|unique|valid|consistent|reasonable)\b", re.IGNORECASE
)
_CHOSEN = re.compile(r"\b(?i:option|choice|answer) \(?([A-J])\)? is (?:the )?(?:correct|right)\b")
_SENTENCE_END = re.compile(r"(?:\.|(?<![\d)])!)(?=\s+[^\W\d_a-z]|\s*$)")
_REASON = re.compile(r",? (?:because|since) ")


class NoAnswerError(ValueError):
    """There is not exactly one final answer; the message is one of `NONE`, `SEVERAL` and `LONG`."""


def final_answer(text: str, unmarked: bool = True) -> str:
    r"""What a solution gives as its answer, behind any thoughts: after `####`, within `\boxed{}` or `<answer>`, after
    "the answer is", "Answer:" or "A:", under a heading "Final answer", or as a last line that is a value by itself.

    Without a mark, an answer of one short line is the answer itself. Marks that disagree are no answer.

    Args:
        unmarked: take also what no mark announces: a last line, or the whole of one line.

    >>> final_answer("48 / 2 = 24\n#### 24"), final_answer(r"So \boxed{\frac{1}{2}}."), final_answer("7")
    ('24', '\\frac{1}{2}', '7')

    Raises:
        NoAnswerError: nothing is marked, marks disagree, or the text has more than `MAX_TEXT` characters.
    """
    if len(text) > MAX_TEXT:
        raise NoAnswerError(LONG)
    text = _WORKED.sub("", split_thoughts(text)[1])
    strong = [match["said"] for match in _HASHES.finditer(text)] + _boxes(text) + _TAGGED.findall(text)
    spoken = _spoken(text)
    if strong:
        spoken = [said for said in dict.fromkeys(spoken) if not _is_prose(said)]
    found = [plain_math(piece) for piece in dict.fromkeys((*strong, *spoken))]
    if not found and unmarked:
        found = [_unmarked(text)]
    if not found:
        raise NoAnswerError(NONE)
    if not all(found) or any(len(piece) > MAX_CHARS for piece in found):
        raise NoAnswerError(NONE)
    fullest = max(found, key=len)
    if any(not same_answer(fullest, other) for other in dict.fromkeys(found)):
        raise NoAnswerError(SEVERAL)
    return fullest


def _spoken(text: str) -> list[str]:
    """What sentences and headings announce, each up to the end of its sentence."""
    found = [match[1] for match in _CHOSEN.finditer(text)]
    lines = text.split("\n")
    for at, line in enumerate(lines):
        marks = list(_SAID.finditer(line[:4000])) or list(_SAID_ELSEWHERE.finditer(line[:4000]))
        if marks and (rest := line[marks[-1].end() : marks[-1].end() + MAX_CHARS].strip(" \t")):
            found.append(_sentence(_SAID_END.sub("", rest) if marks[-1].re is _SAID_ELSEWHERE else rest))
        elif len(line) <= SHORT and _HEADING.fullmatch(line.strip()):
            below = next((other for other in lines[at + 1 : at + 4] if other.strip(" \t$*\\[]")), "")
            found += [below] if below else []
    if not found and not _SECOND_OPTION.search(text):
        found = [match["said"] for match in _SHORT_MARK.finditer(text)]
    return [said for said in found if said.strip() and not _BOXED.search(said) and "####" not in said]


def _is_prose(said: str) -> bool:
    return isinstance(read(said), Words) and (len(said.split()) > SPOKEN or _OPINION.match(said) is not None)


def _sentence(text: str) -> str:
    if text.count("**") == 1 and text.endswith("**"):  # opened before the mark
        text = text[:-2]
    end = _SENTENCE_END.search(text)
    text = text[: end.start()] if end else text
    reason = _REASON.search(text)
    return text[: reason.start()] if reason else text


def _unmarked(text: str) -> str:
    """The whole of one short line, or a last line that is a value while the line before is none."""
    lines = [line for line in text[-4 * MAX_CHARS :].split("\n") if line.strip()]
    whole = text.strip()
    if not lines or "####" in whole or _BOXED.search(whole):
        return ""
    if len(lines) == 1:
        return plain_math(whole) if len(whole) <= SHORT else ""
    values = [len(line) <= SHORT and _is_value(line) for line in lines[-2:]]
    return plain_math(lines[-1]) if values == [False, True] else ""


def _is_value(line: str) -> bool:
    value = read(line)
    return not isinstance(value, Words) and not (isinstance(value, Choice) and value.text)


def _boxes(text: str) -> list[str]:
    r"""Contents of `\boxed{}` with braces matched, and of `\boxed 7`; an open box has none."""
    starts = {match.end(): text[match.end() - 1] == "{" for match in _BOXED.finditer(text)}
    if not starts:
        return []
    found: dict[int, str] = {}
    for start, braced in starts.items():
        if not braced:
            bare = re.match(r"\w{1,20}", text[start : start + 20])
            found[start] = bare[0] if bare else ""
    opened: list[int] = []
    for match in re.finditer(r"(?<!\\)[{}]", text):
        if match[0] == "{":
            opened.append(match.end())
        elif opened:
            start = opened.pop()
            if starts.get(start) and match.start() - start <= MAX_CHARS:
                found[start] = text[start : match.start()] + _unit_behind(text[match.end() : match.end() + 40])
    return [found[start] for start in sorted(found)]


def _unit_behind(text: str) -> str:
    """The unit that stands right behind a box, if it is one that has another size than its fellows."""
    word = _UNIT_BEHIND.match(text)
    return f" {word[1]}" if word is not None and known_unit(word[1]) else ""
