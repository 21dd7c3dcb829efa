"""What is counted or measured: units of one dimension are converted, any other two must have one name."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction

_TABLE = """
length 1 m metre meter | length 1000 km kilometre kilometer | length 1/100 cm centimetre centimeter
length 1/1000 mm millimetre millimeter | length 127/5000 in inch inches | length 381/1250 ft foot feet
length 1143/1250 yd yard | length 201168/125 mi mile | weight 1 g gram gramme | weight 1000 kg kilogram kilo
weight 1/1000 mg milligram | weight 1000000 tonne | us_weight 1 oz ounce | us_weight 16 lb lbs
time 1 s sec secs second | time 60 min mins minute | time 3600 h hr hrs hour | time 86400 day | time 604800 week
time 1/1000 ms millisecond | months 1 month | months 12 yr yrs year | months 120 decade | months 1200 century centuries
volume 1 L l litre liter | volume 1/1000 mL ml millilitre milliliter | us_volume 1 cup | us_volume 2 pint
us_volume 4 quart | us_volume 16 gallon | angle 1 ° deg degree | radian 1 rad radian | celsius 1 °C celsius
fahrenheit 1 °F fahrenheit | kelvin 1 K kelvin | area_acre 1 acre | area_hectare 1 ha hectare | usd 1 $ dollar usd
usd 1/100 ¢ cent | eur 1 € euro eur
gbp 1 £ gbp | jpy 1 ¥ yen jpy | inr 1 ₹ rupee inr Rs | joule 1 J joule | joule 1000 kJ kilojoule | watt 1 W watt
watt 1000 kW kilowatt | newton 1 N newton | volt 1 V volt | ampere 1 A ampere amp | hertz 1 Hz hertz
pascal 1 Pa pascal | mole 1 mol mole | people 1 person persons people | people_child 1 child children
people_man 1 man men | people_woman 1 woman women | mice 1 mouse mice | geese 1 goose geese | teeth 1 tooth teeth
fish 1 fish | sheep 1 sheep
"""
_SCALES = {
    "hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12, "dozen": 12,
}  # fmt: skip
_PARTS = {"halves": 2, "fifths": 5, "sixths": 6, "sevenths": 7, "eighths": 8, "ninths": 9, "tenths": 10,
          "hundredths": 100, "thousandths": 1000}  # fmt: skip
_NO_NOUNS = frozenset(
    """
a about above across again all almost also always an and any are around as at away because below besides between but by
can do does each either equals exactly except fewer few for from had has have if is isn its less like minus more most
much no none nor not of off on one ones only or others over pairs per percentage perhaps plus point quarters tens than
that the then thirds this though through times to too twice under unless until up versus was were what which while
with without wrong yes score scores half quarter third fourths fourth thousand hundred million billion trillion
""".split()  # noqa: SIM905
)
"""Words that change what a number says, or say nothing of what is counted."""
_BEHIND = re.compile(r"\s+(?:each|old|left|remaining|altogether|total|in total|in all|long|high|wide|tall|deep)$")
_SIDE = re.compile(
    r"(?:(?P<before>square|sq\.?|cubic|cu\.?)\s+)?(?P<name>°?\s?[^\W\d_]+|[°$€£¥₹¢])\.?"
    r"(?:\s*\^\s*\{?(?P<power>-?[1-4])\}?|\s+(?P<after>squared|cubed))?"
)
_POWERS = {"square": 2, "sq": 2, "cubic": 3, "cu": 3, "squared": 2, "cubed": 3}


@dataclass(frozen=True)
class Unit:
    """`factor` times the base units of `dimensions`; a noun that no table knows is a dimension of its own."""

    factor: Fraction
    dimensions: tuple[tuple[str, int], ...]
    sure: bool = field(default=True, compare=False)
    """False for a single letter, which may be a name as well."""


def _known() -> dict[str, tuple[str, Fraction]]:
    found: dict[str, tuple[str, Fraction]] = {}
    for entry in _TABLE.replace("\n", "|").split("|"):
        dimension, factor, *names = entry.split() or ("", "1")
        found |= {name: (dimension, Fraction(factor)) for name in names}
    return found


_KNOWN = _known()


def scaled(tail: str) -> tuple[Fraction, str]:
    """What number words at its beginning multiply by, and the rest.

    >>> scaled("thousands"), scaled("hundred thousand dollars"), scaled("tenths"), scaled("apples")
    ((Fraction(1000, 1), ''), (Fraction(100000, 1), 'dollars'), (Fraction(1, 10), ''), (Fraction(1, 1), 'apples'))
    """
    scale, words = Fraction(1), tail.split()
    while words:
        word = words[0].lower()
        if word in _PARTS and scale == 1:
            return Fraction(1, _PARTS[word]), " ".join(words[1:])
        number = _SCALES.get(word.removesuffix("s"))
        if number is None:
            break
        scale *= number
        words.pop(0)
    return scale, " ".join(words)


def unit_of(text: str, spaced: bool = True) -> Unit | None:
    """The unit that a text names, or None: a known one (`km/h`, `square feet`, `cm^2`), or a plural noun of up to three
    words. A single letter right behind a number is a name, and no unit.

    >>> unit_of("minutes") == unit_of("hours"), unit_of("minutes").dimensions == unit_of("hours").dimensions
    (False, True)
    >>> unit_of("is wrong"), unit_of("x"), unit_of("apples").dimensions
    (None, None, (('apple', 1),))
    """
    text = _BEHIND.sub("", f" {text.strip()}").strip()
    text = re.sub(r"^(?:degrees?|deg\.?|°)\s(?=celsius$|fahrenheit$)", "", text, flags=re.IGNORECASE)
    sides = re.split(r"\s*/\s*|\s+per\s+", text)
    if len(sides) > 2 or not all(sides):
        return None
    if sides[0].lower() in ("mph", "kph") and len(sides) == 1:
        sides = ["miles" if sides[0].lower() == "mph" else "km", "hour"]
    factor = Fraction(1)
    dimensions: dict[str, int] = {}
    for sign, side in zip((1, -1), sides, strict=False):
        found = _side(side, spaced)
        if found is None:
            return None
        dimension, size, power = found
        factor *= size ** (sign * power)
        dimensions[dimension] = dimensions.get(dimension, 0) + sign * power
    left = tuple(sorted((name, power) for name, power in dimensions.items() if power))
    return Unit(factor, left, not re.fullmatch(r"[A-Za-z](?:\s*\^\s*\{?\d\}?)?", text))


def known_unit(name: str) -> bool:
    """Whether the table of units has a word or symbol."""
    return _named(name) is not None


def counts_nothing(text: str) -> bool:
    """Whether words behind a number name nothing: `in total`."""
    return _BEHIND.fullmatch(f" {text}") is not None


def _side(text: str, spaced: bool) -> tuple[str, Fraction, int] | None:
    match = _SIDE.fullmatch(text)
    if match is not None:
        name = match["name"].replace(" ", "")
        known = ("unit", Fraction(1)) if match["before"] and name in ("unit", "units") else _named(name)
        word = (match["before"] or match["after"] or "").rstrip(".")
        if known is not None and (spaced or len(name) > 1 or not name.isalpha()):
            return *known, _POWERS.get(word, int(match["power"] or 1))
    return _noun(text)


def _named(name: str) -> tuple[str, Fraction] | None:
    """Symbols as they are written, words in any case and number."""
    if name in _KNOWN:
        return _KNOWN[name]
    low = name.lower()
    for form in (low, low.removesuffix("s"), low.removesuffix("es")):
        if len(form) > 2 and form in _KNOWN:
            return _KNOWN[form]
    return None


def _noun(text: str) -> tuple[str, Fraction, int] | None:
    words = text.lower().split()
    if not 1 <= len(words) <= 3 or not all(re.fullmatch(r"[^\W\d_]+(?:[-'][^\W\d_]+)*", word) for word in words):
        return None
    head = words[-1]
    plural = len(head) > 3 and head.endswith("s") and not head.endswith(("ss", "us", "is"))
    known = _named(head)
    if not (plural or known) or not _NO_NOUNS.isdisjoint(words) or (known is None and head[:-1] in _SCALES):
        return None
    stem = known[0] if known else head.removesuffix("s")
    if known is not None and len(words) > 1:
        stem = head  # "red kilograms" are no kilograms that are converted
    return " ".join([*words[:-1], stem]), Fraction(1), 1
