"""Numbers for people: three significant digits, thousands separators, units."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

MINUS = "\u2212"
UNKNOWN = "not known"


def finite(value: object) -> float | None:
    """The number, or None for null, NaN, infinity and anything that is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        return None
    return float(value) if math.isfinite(value) else None


def count(value: object) -> str:
    """`16352` -> `16,352`."""
    number_ = finite(value)
    return UNKNOWN if number_ is None else f"{round(number_):,}".replace("-", MINUS)


def plural(value: float, noun: str) -> str:
    """`1 row`, `2 rows`, `1,635 copies`."""
    if value == 1:
        return f"1 {noun}"
    many = noun[:-1] + "ies" if noun.endswith("y") else noun + ("es" if noun.endswith(("ss", "ch", "s")) else "s")
    return f"{count(value)} {many}"


def number(value: object) -> str:
    """Three significant digits, and every digit before the point of large numbers.

    >>> number(0.012345), number(2.3), number(16352.7), number(None)
    ('0.0123', '2.3', '16,353', 'not known')
    """
    x = finite(value)
    if x is None:
        return UNKNOWN
    if x == 0:
        return "0"
    digits = 2 - math.floor(math.log10(abs(x)))
    if digits > 7:
        text = f"{x:.2e}"
    elif digits <= 0:
        text = f"{x:,.0f}"
    else:
        text = f"{x:,.{digits}f}".rstrip("0").rstrip(".")
    return text.replace("-", MINUS)


def aligned(values: Sequence[object], *, signed: bool = False) -> list[str]:
    """Values side by side with one number of decimals: those of the largest at three digits, four from 1 on.

    >>> aligned([2.3141, 2.29, 2.3378]), aligned([-0.0051, 0.11])
    (['2.314', '2.290', '2.338'], ['\u22120.005', '0.110'])
    """
    largest = max((abs(x) for value in values if (x := finite(value)) is not None), default=0.0)
    power = math.floor(math.log10(largest)) if largest else 0
    decimals = min(6, max(0, (3 if largest >= 1 else 2) - power))
    sign = "+" if signed else ""
    return [UNKNOWN if (x := finite(v)) is None else f"{x:{sign},.{decimals}f}".replace("-", MINUS) for v in values]


def interval(value: object, low: object, high: object, *, signed: bool = False) -> str:
    """`2.314 (2.290 to 2.338)`; the bounds are left out where they are not known."""
    texts = aligned([value, low, high], signed=signed)
    return texts[0] if UNKNOWN in texts else f"{texts[0]} ({texts[1]} to {texts[2]})"


def percent(share: object) -> str:
    """A share of one as percent: `0.1` -> `10%`, tiny but not zero -> `<0.1%`.

    >>> percent(0.1), percent(0.0004), percent(0.1234), percent(0)
    ('10%', '<0.1%', '12.3%', '0%')
    """
    x = finite(share)
    if x is None:
        return UNKNOWN
    if 0 < x < 0.001:
        return "<0.1%"
    if 0.9995 < x < 1:
        return ">99.9%"
    return f"{100 * x:.1f}".removesuffix(".0").replace("-", MINUS) + "%"


def signed_percent(share: float) -> str:
    """A change of one part in the whole, always with its sign and one decimal: `+3.8%`.

    >>> signed_percent(0.038), signed_percent(0.01)
    ('+3.8%', '+1.0%')
    """
    shown = f"{100 * share:+.1f}%".replace("-", MINUS)
    return "0.0%" if shown[1:] == "0.0%" else shown


def signed(value: float) -> str:
    """A difference with its sign and three decimals.

    >>> signed(-0.0671)
    '\u22120.067'
    """
    return f"{value:+.3f}".replace("-", MINUS)


def tick(value: float) -> str:
    """A mark of an axis, no digit of it rounded away.

    >>> tick(2.775), tick(2.8), tick(20_000)
    ('2.775', '2.8', '20 k')
    """
    return short(value) if abs(value) >= 1e4 else f"{value:.8g}".replace("-", MINUS)


def seconds(value: object) -> str:
    """`0.42 s`, `12.3 s`, `3 min 20 s`, `1 h 5 min`."""
    x = finite(value)
    if x is None:
        return UNKNOWN
    if x < 0.001:
        return "0 s" if x == 0 else "<0.001 s"
    if x < 99.5:
        return f"{number(x)} s"
    whole = round(x)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def money(value: object) -> str:
    """Dollars to the cent, and to three digits below it."""
    x = finite(value)
    if x is None:
        return UNKNOWN
    return f"${number(x)}" if 0 < x < 0.1 else f"${x:,.2f}"


def short(value: object) -> str:
    """Compact counts for tiles: `1,234`, `12.3 k`, `4.56 M`.

    >>> short(950), short(12345), short(4_560_000)
    ('950', '12.3 k', '4.56 M')
    """
    x = finite(value)
    if x is None:
        return UNKNOWN
    for least, size, unit in ((1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if abs(x) >= least:
            return f"{number(x / size)} {unit}"
    return number(x)
