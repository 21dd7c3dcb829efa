"""Units of measure, time and money under one name each, and how many of one another is."""

from __future__ import annotations

from fractions import Fraction

UNITS = {
    unit: names[0]
    for names in (
        line.split()
        for line in (
            "% percent pct per-cent",
            "$ dollar usd buck",
            "€ euro eur",
            "£ pound-sterling gbp quid",
            "¥ yen jpy yuan rmb cny",
            "₹ rupee inr rs",
            "cent ¢",
            "km kilometer kilometre kms",
            "m meter metre",
            "cm centimeter centimetre",
            "mm millimeter millimetre",
            "mile mi",
            "foot feet ft",
            "inch inches",
            "yard yd",
            "kg kilogram kilo kgs",
            "g gram",
            "mg milligram",
            "pound lb lbs",
            "ounce oz",
            "ton tonne",
            "l liter litre",
            "ml milliliter millilitre",
            "gallon gal",
            "cup",
            "tablespoon tbsp",
            "teaspoon tsp",
            "pint",
            "quart",
            "second sec secs s",
            "ms millisecond",
            "minute min mins",
            "hour hr hrs h",
            "day",
            "week wk",
            "month",
            "year yr yrs",
            "decade",
            "century centuries",
            "degree ° deg",
            "°c celsius ℃",
            "°f fahrenheit ℉",
            "mph",
            "km/h kph kmh",
            "hz hertz",
            "w watt",
            "kw kilowatt",
            "v volt",
            "kb kilobyte",
            "mb megabyte",
            "gb gigabyte",
            "tb terabyte",
            "am a.m a.m.",
            "pm p.m p.m.",
        )
    )
    for unit in names
}
SIZES: dict[str, tuple[str, Fraction]] = {
    unit: (kind, Fraction(size))
    for kind, given in (
        ("length", "km 1000 m 1 cm 1/100 mm 1/1000"),
        ("imperial length", "mile 63360 yd 36 foot 12 inch 1"),
        ("mass", "kg 1000 g 1 mg 1/1000"),
        ("imperial mass", "pound 16 ounce 1"),
        ("volume", "l 1000 ml 1"),
        ("time", "week 604800 day 86400 hour 3600 minute 60 second 1 ms 1/1000"),
        ("dollars", "$ 100 cent 1"),
        ("power", "kw 1000 w 1"),
    )
    for unit, size in zip(given.split()[::2], given.split()[1::2], strict=True)
}
"""Of units that go over into each other exactly: what they measure, and how much."""


def unit_name(word: str) -> str:
    """One name for all spellings of a unit, "" for what is none.

    >>> unit_name("Kilometres"), unit_name("apples")
    ('km', '')
    """
    lower = word.lower()
    return UNITS.get(lower) or UNITS.get(lower.removesuffix("s"), "")


def quantity(value: str, unit: str) -> tuple[str, Fraction] | None:
    """A value as what it measures and how much of it, for units that go over into others; else None.

    >>> quantity("2", "hour") == quantity("120", "minute"), quantity("3", "cup")
    (True, None)
    """
    if unit not in SIZES:
        return None
    kind, size = SIZES[unit]
    try:
        return kind, Fraction(value) * size
    except (ValueError, ZeroDivisionError):
        return None
