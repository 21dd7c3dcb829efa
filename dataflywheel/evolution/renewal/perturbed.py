"""Perturbations: evaluation rows in other letters or another grammar by rules, each kind scored apart."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from dataflywheel.contracts import Card
from dataflywheel.evolution.renewal.denied import denied
from dataflywheel.evolution.renewal.dialect_rules import dialect
from dataflywheel.evolution.renewal.noised import kept, misspelt
from dataflywheel.evolution.renewal.variant import Renews, asked_anew, unfit
from dataflywheel.proposing.kinds import Demand, Proposal
from dataflywheel.proposing.labelled_texts import Place, place_of, relabelled
from dataflywheel.proposing.rewritten import exchange_of, replaced, unchanged
from dataflywheel.rows.schema import Row
from dataflywheel.rows.text import split_answer
from dataflywheel.signals.wording.negation_words import denials_of

Kind = Literal["typos", "case", "spacing", "homoglyphs", "dialect", "negation"]
KINDS: tuple[Kind, ...] = ("typos", "case", "spacing", "homoglyphs", "dialect", "negation")
LOOKS = "aceopxyiASEOPCTXBHKM"
CYRILLIC = (
    "\u0430\u0441\u0435\u043e\u0440\u0445\u0443\u0456\u0410\u0405"
    "\u0415\u041e\u0420\u0421\u0422\u0425\u0412\u041d\u041a\u041c"
)
ALIKE = dict(zip(LOOKS, CYRILLIC, strict=True))
"""Latin letters with letters of Cyrillic that look the same."""
_WORD = re.compile(r"(?<![\w@/.\\-])[^\W\d_]{3,}(?![\w@/\\-]|\.\w)")
_ANY = re.compile(r"(?<![\w@/.\\-])[^\W\d_]+(?![\w@/\\-]|\.\w)")
_BLANK = re.compile(r"(?<=[^\W\d_]) (?=[^\W\d_])|(?<=[^\W\d_],) (?=[^\W\d_])")
NOTHING = "nothing to change by rules"
FOREIGN = "not in English, whose grammar the rules know"
NO_LABEL = "no rule says surely which label its denial has"


class Perturbed(Renews):
    """Variants of evaluation rows by rules, of one kind:

    - `typos`: slips of the keyboard in a `share` of the words;
    - `case`: small letters alone, but for names of several capitals;
    - `spacing`: blanks doubled or missing between words and behind commas, at a `share` of places;
    - `homoglyphs`: letters of Cyrillic that look the same, in a `share` of the words;
    - `dialect`: features of English dialects that keep what is said: `he don't`, `them books`, `you was`;
    - `negation`: one denial, and the other label, where it is sure: of a statement that is true or false, and of one
      sentence that praises.

    Code, formulas, links, quotations, options and numbers stay to the letter. No variant is verified by a model. The
    same row gets the same variant. Paraphrases are written by `reworded`.
    """

    version: ClassVar[int] = 1
    card: ClassVar[Card] = Card(
        title="Beyond Accuracy: Behavioral Testing of NLP Models with CheckList",
        authors="Ribeiro et al.",
        year=2020,
        paper="10.18653/v1/2020.acl-main.442",
        category="evolution",
        subcategory="renewal",
        summary="Evaluation rows with typos, other case, spacing or letters, in dialect, or denied, by rules.",
        needs=("target",),
        checked="features of dialects beside forms that linguists list; what must stay in questions of real sets",
        pays="To see what a model loses on the same questions as people type them, by kind, with an interval.",
        fails="Questions about spelling, case or spacing itself; dialect and negation in other languages than English.",
        evidence="Here, 18 of the 20 dialect rules give a form that linguists list for a sentence of theirs; of 444 "
        "praising lines of film reviews none was sure enough to be denied: negation is for statements.",
    )

    kind: Kind = "typos"
    """What is done."""
    share: float = Field(default=0.2, gt=0, le=1)
    """Of the words or places that may be changed, those that are, by typos, spacing and homoglyphs; at least one."""
    max_chars: int = Field(default=24_000, ge=100)
    """Longer rows have no variant."""

    @classmethod
    def called(cls, given: Mapping[str, Any]) -> str:
        return f"{cls.name}_{given.get('kind', cls.model_fields['kind'].default)}"

    def propose(self, demand: Demand) -> list[Proposal]:
        return [self._variant(row, turn) for row, turn in zip(demand.seeds, demand.turns, strict=True)]

    def _variant(self, row: Row, turn: int) -> Proposal:
        why = unfit(row, self.max_chars)
        if why and (split_answer(row["messages"])[1] or "reference" not in why):
            return unchanged(row, why)
        before = exchange_of(row).instruction
        if self.kind in ("dialect", "negation") and denials_of(before) is not None:
            return unchanged(row, FOREIGN)
        if self.kind == "negation":
            return self._denied(row, before)
        rng = np.random.default_rng([int(row["id"][:12], 16), turn])
        text, facts = self._text(before, rng)
        if text == before:
            return unchanged(row, NOTHING)
        return replaced(row, asked_anew(row, self.name, text), facts={"kind": self.kind, **facts})

    def _text(self, text: str, rng: np.random.Generator) -> tuple[str, dict[str, Any]]:
        if self.kind == "typos":
            return misspelt(text, self.share, rng), {}
        if self.kind == "case":
            return outside(text, lambda piece: _ANY.sub(_small, piece)), {}
        if self.kind == "dialect":
            features: list[str] = []

            def spoken(piece: str) -> str:
                new, found = dialect(piece)
                features.extend(found)
                return new

            return outside(text, spoken), {"features": [*dict.fromkeys(features)]}
        change = _spaced if self.kind == "spacing" else _alike
        places = _places(text, _BLANK if self.kind == "spacing" else _WORD)
        return _changed(text, places, self.share, rng, change), {}

    def _denied(self, row: Row, before: str) -> Proposal:
        place = place_of(row)
        found = denied(before, place.label) if isinstance(place, Place) else None
        if found is None or not isinstance(place, Place):
            return unchanged(row, NO_LABEL)
        text, label = found
        made: Row = {**relabelled(row, place, text, label, self.name), "copies": row["copies"]}
        return replaced(row, made, facts={"kind": self.kind, "from": place.label, "to": label})


def outside(text: str, change: Callable[[str], str]) -> str:
    """The text changed but for what must stay to the letter."""
    pieces, at = [], 0
    for start, end in kept(text):
        if start >= at:
            pieces += [change(text[at:start]), text[start:end]]
            at = end
    return "".join([*pieces, change(text[at:])])


def _places(text: str, pattern: re.Pattern[str]) -> list[tuple[int, int]]:
    """Where the pattern stands outside of what must stay."""
    spans = kept(text)
    found = [match.span() for match in pattern.finditer(text)]
    return [(a, b) for a, b in found if not any(start < b and a < end for start, end in spans)]


def _changed(
    text: str,
    places: Sequence[tuple[int, int]],
    share: float,
    rng: np.random.Generator,
    change: Callable[[str, np.random.Generator], str],
) -> str:
    """The text with a share of the places changed; at least one."""
    if not places:
        return text
    chosen = sorted(rng.choice(len(places), max(1, round(share * len(places))), replace=False).tolist())
    pieces, at = [], 0
    for number in chosen:
        start, end = places[number]
        pieces += [text[at:start], change(text[start:end], rng)]
        at = end
    return "".join([*pieces, text[at:]])


def _spaced(blank: str, rng: np.random.Generator) -> str:
    return ("  ", "", "   ")[int(rng.integers(3))]


def _alike(word: str, rng: np.random.Generator) -> str:
    """The word with one letter in Cyrillic; as it is where no letter has one that looks the same."""
    places = [i for i, letter in enumerate(word) if letter in ALIKE]
    if not places:
        return word
    at = places[int(rng.integers(len(places)))]
    return f"{word[:at]}{ALIKE[word[at]]}{word[at + 1 :]}"


def _small(match: re.Match[str]) -> str:
    """Small letters; a word with several capitals is a name of its own."""
    return match[0] if sum(letter.isupper() for letter in match[0]) > 1 else match[0].lower()
