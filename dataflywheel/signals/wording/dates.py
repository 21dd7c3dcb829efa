"""Dates and times of the day in one notation, and the marks of lists, which are no numbers."""

from __future__ import annotations

import re
from typing import NamedTuple

from dataflywheel.signals.wording.sentences import listed

MONTHS = listed("january february march april may june july august september october november december")
MONTH_NUMBER = {name: n for n, name in enumerate(MONTHS, 1)} | {name[:3]: n for n, name in enumerate(MONTHS, 1)}
MONTH_NUMBER["sept"] = 9
MONTH = rf"(?P<month>{'|'.join(sorted(MONTH_NUMBER, key=len, reverse=True))})\.?"
ORDINALS = listed(
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
    "sixteenth seventeenth eighteenth nineteenth twentieth"
)
DAYS = {word: n for n, word in enumerate(ORDINALS, 1)} | {
    f"twenty{word}": 20 + n for n, word in enumerate(ORDINALS[:9], 1)
}
DAYS |= {"thirtieth": 30, "thirtyfirst": 31}
DAY = (
    r"(?:(?P<day>0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?|"
    rf"(?P<spelled>(?:(?:twenty|thirty)[\s-])?(?:{'|'.join(ORDINALS)}|thirtieth))\b)"
)
DAY_FIRST = re.compile(rf"(?<![\w.,/:-]){DAY}(?:\s+of)?\s+{MONTH}(?!\w)", re.IGNORECASE)
MONTH_FIRST = re.compile(rf"(?<!\w){MONTH}\s+(?:the\s+)?{DAY}(?![\w:/]|[.,]\d)", re.IGNORECASE)
IN_DIGITS = re.compile(
    r"(?<![\w.,/:-])(?:(?P<y>[12]\d{3})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})"
    r"|(?P<a>\d{1,2})(?P<sign>[-/.])(?P<b>\d{1,2})(?P=sign)(?P<year>[12]\d{3}))(?![\w/-]|[.,]\d)"
)
CLOCK = r"(?P<{0}hour>[01]?\d|2[0-4])(?::(?P<{0}minute>[0-5]\d)(?::(?P<{0}second>[0-5]\d))?)?"
HALF = r"(?P<half>[ap])\.?\s?m\b\.?"
RANGE = re.compile(
    rf"(?<![\w.,/:$\u20ac\u00a3-]){CLOCK.format('from_')}\s?(?:-|\u2013|to)\s?{CLOCK.format('')}\s?{HALF}",
    re.IGNORECASE,
)
TIME = re.compile(
    rf"(?<![\w.,/:$\u20ac\u00a3-]){CLOCK.format('')}(?:\s?{HALF}|\s?(?P<exact>o['\u2019]clock)|(?<=:\d\d)(?![\d:]))",
    re.IGNORECASE,
)
PART_OF_DAY = re.compile(
    r"\s{1,3}(?:in\s+the\s+(?P<part>morning|afternoon|evening)|at\s+(?P<night>night))\b", re.IGNORECASE
)
HOURS = listed("twelve one two three four five six seven eight nine ten eleven")
MINUTES = {"five": 5, "ten": 10, "quarter": 15, "twenty": 20, "twenty-five": 25, "half": 30}
CLOCK_HOUR = rf"(?P<hour>{'|'.join(HOURS)}|1[0-2]|[1-9])(?![\w:.]\w)(?:\s?{HALF})?"
SPOKEN = re.compile(
    rf"\b(?:(?:an?\s)?(?P<minutes>quarter|half|(?:{'|'.join(sorted(MINUTES, key=len, reverse=True))})"
    rf"(?:\sminutes|(?=\spast)))\s(?P<way>past|to|after|before)\s{CLOCK_HOUR}|(?P<noon>noon|midday)\b|"
    r"(?P<midnight>midnight)\b)",
    re.IGNORECASE,
)
"""`half past three`, `a quarter to six`, `noon`."""
LABEL = (
    r"(?:step|part|question|answer|option|tip|reason|chapter|section|point|item|phase|stage|example|task|note|exercise|"
    r"method|way|idea|fact|problem|solution|q|a)"
)
LINE_MARK = (
    rf"^[^\S\n]{{0,40}}(?:[#>*_\u2022\u00b7+-]{{1,6}}[^\S\n]{{0,4}})?(?:{LABEL}[^\S\n]{{0,2}}#?)?[(\[#]?(?P<line>\d{{1,3}})"
    r"[.)\]:]{1,2}[*_]{0,3}(?=[^\S\n]{1,8}\S|[^\W\d])"
)
LABELLED = rf"(?<![^\W_]){LABEL}[^\S\n]{{0,2}}#?(?P<label>\d{{1,3}})[.)\]]?[*_]{{0,3}}:"
INNER_MARK = r"(?<=\s)\(?(?P<inner>\d{1,2})[.)](?=\s{0,4}[^\W\d]|\s{1,4}[\"'\u2018\u201c(])"
MARK = re.compile(f"{LINE_MARK}|{LABELLED}|{INNER_MARK}", re.MULTILINE | re.IGNORECASE)


class Moment(NamedTuple):
    """A date or a time of the day where it stands: `03-07` in a year that is told apart, or `21:30`."""

    value: str
    unit: str
    start: int
    end: int


def moments(text: str) -> list[Moment]:
    """Dates, apart from their years, and times of the day, in order and without overlaps.

    >>> [m.value for m in moments("9 am, 9:00 a.m. or 17:30 on 5 January 2020, Jan 5th, or 2020-01-05")]
    ['09:00', '09:00', '17:30', '01-05', '01-05', '01-05', '2020']
    """
    found = [*_dates(text), *_times(text)]
    kept: list[Moment] = []
    for one in sorted(found, key=lambda m: (m.start, -m.end)):
        if not kept or one.start >= kept[-1].end or one[2:] == kept[-1][2:]:
            kept.append(one)
    return kept


def _dates(text: str) -> list[Moment]:
    found = []
    for pattern in (DAY_FIRST, MONTH_FIRST):
        for m in pattern.finditer(text):
            verb = m["month"] in ("may", "mar") and not text[m.end() : m.end() + 6].strip(" ,").isdigit()
            if verb and pattern is DAY_FIRST:
                continue
            if m["spelled"] and m["month"].lower() in ("may", "mar", "march") and not re.search(r"\bof\b", m[0]):
                continue  # "a second march", "you may first wash it"
            day = int(m["day"] or DAYS.get(re.sub(r"[\s-]", "", (m["spelled"] or "").lower()), 0))
            value = f"{MONTH_NUMBER[m['month'].lower()]:02}-{day:02}"
            found.append(Moment(value, "date", m.start(), m.end()))
    for m in IN_DIGITS.finditer(text):
        month, day = (int(m["m"]), int(m["d"])) if m["y"] else (int(m["a"]), int(m["b"]))
        if not m["y"] and (month > 12 or m["sign"] == "."):
            month, day = day, month
        if 1 <= month <= 12 and 1 <= day <= 31:
            # The year is a number of its own behind it, as in dates with the name of their month.
            found.append(Moment(f"{month:02}-{day:02}", "date", m.start(), m.end()))
            found.append(Moment(m["y"] or m["year"], "", m.start(), m.end()))
    return found


def _times(text: str) -> list[Moment]:
    found = []
    for m in RANGE.finditer(text):
        if m["from_hour"]:
            found.append(Moment(_clock(m, "from_", m["half"]), "time", m.start(), m.end("from_hour")))
            found.append(Moment(_clock(m, "", m["half"]), "time", m.start("hour"), m.end()))
    for m in TIME.finditer(text):
        part = None if m["half"] else PART_OF_DAY.match(text, m.end())
        late = part is not None and (part["part"] or "night").lower() != "morning"
        half = m["half"] or (("p" if late else "a") if part else None)
        found.append(Moment(_clock(m, "", half), "time", m.start(), part.end() if part else m.end()))
    return found + [_spoken(m) for m in SPOKEN.finditer(text)]


def _spoken(m: re.Match[str]) -> Moment:
    """A time of the day in words."""
    if m["noon"] or m["midnight"]:
        return Moment("12:00" if m["noon"] else "00:00", "time", m.start(), m.end())
    hour = int(m["hour"]) if m["hour"].isdigit() else HOURS.index(m["hour"].lower())
    minutes = MINUTES[m["minutes"].lower().split()[0]]
    if m["way"].lower() in ("to", "before"):
        hour, minutes = hour - 1, 60 - minutes
    hour = hour % 12 + (12 if (m["half"] or "").lower() == "p" else 0)
    hour = hour or (0 if m["half"] else 12)
    return Moment(f"{hour:02}:{minutes:02}", "time", m.start(), m.end())


def _clock(m: re.Match[str], name: str, half: str | None) -> str:
    hour = int(m[f"{name}hour"])
    if half is not None and hour <= 12:
        hour = hour % 12 + (12 if half.lower() == "p" else 0)
    seconds = m[f"{name}second"]
    return f"{hour:02}:{m[f'{name}minute'] or '00'}{f':{seconds}' if seconds and seconds != '00' else ''}"


def list_marks(text: str) -> set[int]:
    """Where the numbers stand that only count the items of a list, steps or parts.

    >>> sorted(list_marks("1. Boil 3 eggs\\nStep 2: Peel 2) them")), sorted(list_marks("Do 1) this, 2) that."))
    ([0, 20], [3, 12])
    """
    found: set[int] = set()
    last: tuple[int, int] = (-1, -1)
    for m in MARK.finditer(text):
        kind = m.lastgroup or ""
        number, place = int(m[kind]), m.start(kind)
        if kind != "inner":
            found.add(place)
        elif number == last[0] + 1:
            found |= {last[1], place}
        elif number > 2:
            continue
        last = number, place
    return found
