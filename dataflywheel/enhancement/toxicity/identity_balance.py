"""Identity balance: the same row about another group of people, with the same label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from pydantic import Field, PrivateAttr, model_validator

from dataflywheel.contracts import Card
from dataflywheel.enhancement.toxicity.changed import changed
from dataflywheel.enhancement.toxicity.identity_forms import Term, kinds_of
from dataflywheel.enhancement.toxicity.identity_swap import UNSURE, doubt, exchanged, found_in
from dataflywheel.proposing.asking import without
from dataflywheel.proposing.kinds import Demand, NamedGate, Proposal, Proposer
from dataflywheel.proposing.labelled_texts import Place, place_of
from dataflywheel.rows.schema import Row
from dataflywheel.rows.text import beside, spoken
from dataflywheel.signals.wording.negation_words import denials_of

NONE, NO_OTHER = "no term for a group of people", "every other term was taken"
FOREIGN = "not in English, whose grammar the swap knows"
OF_LABEL = "its label names a term"


@dataclass(frozen=True)
class _Spoken:
    """What a row says of people: the kind of its terms, which of them, and why it is not swapped."""

    kind: str
    terms: tuple[int, ...]
    why: str = ""


class IdentityBalance(Proposer):
    """New rows beside the old: each row that speaks of a group of people once more about another group of the same
    kind, in every form of the word, with its label. A kind with one term in the row is swapped; where there are
    several kinds, the first by their order. Both terms change places where the row has both. Of the other terms that
    one is taken which rows of this label have least often; each visit goes on to the next.

    Words within other words, names (`the White House`), code, links and quoted titles stay. Left out, for that reason,
    are rows whose grammar leaves open which form is meant ("a Muslim came": a Jew, or a Jewish?), sentences with a
    name or a year, which may be facts, and words that go with one term alone (`mosque`, `pregnant`). `careful: false`
    takes the last two as well. No model is asked; English alone.
    """

    card: ClassVar[Card] = Card(
        title="Counterfactual Fairness in Text Classification through Robustness",
        authors="Garg et al.",
        year=2018,
        paper="1809.10610",
        category="enhancement",
        subcategory="toxicity",
        summary="Rows about a group of people once more about another group, with the same label; no model is asked.",
        checked="swapping twice gives 1,000 sentences back; gaps of a classifier between groups, before and after",
        pays="Labels that go along with a group in your rows and must not: toxicity, sentiment, ratings of people.",
        fails="Rows that state facts about a group; groups that your list lacks; languages other than English.",
        evidence="Here, on planted remarks of which insults name one group: the gap between groups of a classifier's "
        "mean score on kind remarks fell from 0.74 to 0.00. Of 326 real lines with terms, 323 are swapped.",
    )
    gates: ClassVar[tuple[NamedGate, ...]] = (
        {"format_and_length": {"answer": (0, 1_000_000), "prompt": (0, 1_000_000), "complete": False}},
    )

    terms: dict[str, list[str | list[str]]] = Field(default={})
    """Terms by kind in place of those built in: `{religion: [Muslim, Hindu, [Jew, Jews, Jewish]]}`, each one word, or
    noun, plural and adjective ("" where it has none). Built in: religion, origin, orientation, colour, disability, and
    gender with its pronouns."""
    kinds: tuple[str, ...] = ()
    """The kinds that are swapped, in their order; empty: all."""
    careful: bool = True
    """Whether rows stay out whose sentence has a name or a year, or a word that goes with one term alone."""

    _kinds: dict[str, list[Term]] = PrivateAttr(default_factory=dict)
    _counts: dict[str, Counter[str]] = PrivateAttr(default_factory=dict)
    _planned: tuple[tuple[str, ...], dict[str, _Spoken], dict[str, list[int]]] = PrivateAttr(default=((), {}, {}))

    @model_validator(mode="after")
    def _known(self) -> Self:
        known = kinds_of(self.terms or None)
        unknown = next((name for name in self.kinds if name not in known), "")
        if unknown:
            raise ValueError(f"kinds: there is no kind {unknown!r}; there are {', '.join(known)}")
        self._kinds = {name: known[name] for name in self.kinds or known}
        return self

    def propose(self, demand: Demand) -> list[Proposal]:
        every = {row["id"]: row for row in demand.every or demand.seeds}
        if self._planned[0] != tuple(every):
            said = {id: self._spoken(every[id]) for id in sorted(every)}
            self._counts = _counted(self._kinds, [(one, label_of(every[id])) for id, one in said.items()])
            self._planned = tuple(every), said, self._targets(every, said)
        _, said, targets = self._planned
        return [
            self._proposal(row, said[row["id"]], targets.get(row["id"], []), turn)
            for row, turn in zip(demand.seeds, demand.turns, strict=True)
        ]

    def _spoken(self, row: Row) -> _Spoken:
        texts = list(_texts(row))
        for kind, terms in self._kinds.items():
            there = {found.term for text in texts for found in found_in(text, kind, terms)}
            if not there:
                continue
            why = FOREIGN if any(denials_of(text) is not None for text in texts) else ""
            label = row["label"] or ""
            why = why or (OF_LABEL if found_in(label, kind, terms) else "")
            if self.careful and not why:
                why = next((found for text in texts if (found := doubt(text, kind, terms))), "")
            return _Spoken(kind, tuple(sorted(there)), why)
        return _Spoken("", (), NONE)

    def _targets(self, every: Mapping[str, Row], spoken: Mapping[str, _Spoken]) -> dict[str, list[int]]:
        """The terms that each row is to speak of, in turn: that first which rows of its label have least often, rows
        that were made in this way before among them."""
        counts = {kind: Counter[tuple[int, str]]() for kind in self._kinds}
        for id, one in spoken.items():
            for term in one.terms:
                counts[one.kind][term, label_of(every[id])] += 1
        found: dict[str, list[int]] = {}
        for id, one in spoken.items():
            if one.why:
                continue
            label, terms = label_of(every[id]), self._kinds[one.kind]
            others = [i for i in range(len(terms)) if i not in one.terms[:1]]
            others = [i for i in others if self._sure(every[id], one, i)]
            others.sort(key=lambda i: (counts[one.kind][i, label], i))
            found[id] = others
            if others:
                counts[one.kind][others[0], label] += 1
        return found

    def _sure(self, row: Row, one: _Spoken, to: int) -> bool:
        """Whether the grammar of every text says which form of the other term is meant."""
        terms, first = self._kinds[one.kind], one.terms[0]
        return all(exchanged(text, one.kind, terms, first, to) is not None for text in _texts(row))

    def _proposal(self, row: Row, one: _Spoken, targets: Sequence[int], turn: int) -> Proposal:
        if one.why or turn >= len(targets):
            return without(one.why or (NO_OTHER if targets else UNSURE), row)
        terms, first, to = self._kinds[one.kind], one.terms[0], targets[turn]

        def about(text: str) -> str:
            return exchanged(text, one.kind, terms, first, to) or text

        made: Row = {**changed(row, self.name, about, everything=True), "copies": 1}
        facts = {"kind": one.kind, "from": terms[first].name, "to": terms[to].name}
        return Proposal((row["id"],), made, facts=facts)

    def told_of(self, came: Sequence[tuple[Proposal, str]]) -> dict[str, Any]:
        """Of each kind how many rows speak of each term, by label, before and after."""
        after = {kind: Counter(counts) for kind, counts in self._counts.items()}
        for proposal, why in came:
            if not why and proposal.row is not None and "kind" in proposal.facts:
                kind = str(proposal.facts["kind"])
                spoken = self._spoken(proposal.row)
                for term in spoken.terms if spoken.kind == kind else ():
                    after[kind][f"{self._kinds[kind][term].name}: {label_of(proposal.row)}"] += 1
        return {
            "terms": {
                kind: {name: {"before": self._counts[kind][name], "after": after[kind][name]} for name in sorted(of)}
                for kind, of in after.items()
                if of
            }
        }


def label_of(row: Row) -> str:
    """The label of a row, or its answer where that is a short one; "" where there is none."""
    place = place_of(row)
    return place.label if isinstance(place, Place) else row["label"] or ""


def _texts(row: Row) -> Iterator[str]:
    """Everything that the row says."""
    yield from (spoken(turn) for turn in row["messages"])
    if held := beside(row):
        yield held


def _counted(kinds: Mapping[str, Sequence[Term]], spoken: Sequence[tuple[_Spoken, str]]) -> dict[str, Counter[str]]:
    found = {kind: Counter[str]() for kind in kinds}
    for one, label in spoken:
        for term in one.terms:
            found[one.kind][f"{kinds[one.kind][term].name}: {label}"] += 1
    return found
