"""CLLM: a model writes rows like 20 to 100 real ones, and those stay whose label a model of the real ones learns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from math import ceil
from typing import Any, ClassVar, Literal

import orjson
from pydantic import Field, PrivateAttr

from dataflywheel.contracts import REGISTRY, Card, Cost, PoolStatistics
from dataflywheel.enhancement.tables.column_order import determinants_first
from dataflywheel.enhancement.tables.columns import columns_of, text_of
from dataflywheel.enhancement.tables.fitting import Fitting
from dataflywheel.enhancement.tables.leakage import leakage
from dataflywheel.enhancement.tables.learning_dynamics import Learned
from dataflywheel.enhancement.tables.mended import cells
from dataflywheel.enhancement.tables.real_lines import RealLines
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.instructions import Instructions, filled
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Request
from dataflywheel.models.endpoint.structured import Answer, Asks, Form, ask_for
from dataflywheel.proposing.asking import AskingProposer, failed, without
from dataflywheel.proposing.kinds import Demand, Proposal
from dataflywheel.rows.formats.table import cells_text, told
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import Row, message

INSTRUCTIONS = (
    "You write records for a table of which there are few. The material is its columns, and real rows as lists, each "
    "value at the place of its column. Write new rows that could stand in the same table: what goes together in the "
    "real rows goes together in yours, above all with the last column, which the others foretell. Use what you know of "
    "the subject for values between and beside those shown. Spread over all values of the last column, copy no row, "
    "and write values as the columns do and in their language."
)
ASK = "Write {count} new rows as `rows`, each a list with {columns} texts, one for each column in the order shown."
NO_CELLS, MADE = "no cells, it comes from no table", "written by a model, and only real rows are shown"
NO_LABEL = "no label"
NO_CLASSES = "the label has no few values of which two or more stand there"
FEWER, COPY = "fewer rows than asked for", "a copy of a row that is there"
HARD, AMBIGUOUS = (
    "hard, what the real rows teach contradicts its label",
    "ambiguous, the real rows do not teach its label",
)
QUESTION_TOKENS = 300
"""Of one question beside the rows that it shows: for the estimate."""


class Lines(Form):
    """What one reply holds."""

    rows: list[list[str]] = Field(min_length=1)


class Cllm(Instructed, AskingProposer):
    """Each question shows `shown` real rows and asks for as many new ones; all real rows are shown before one is again,
    and none is ever drawn from what was drawn or written before, as the published program does.

    Of a new row every value must be of its column's kind. A classifier learns the label from the real rows; over its
    rounds the mean probability p of a new row's label is its confidence, and the mean of p(1-p) its aleatoric
    uncertainty. A row with .8 or more of the first and .2 or less of the second is easy and stays; one with .2 or less
    of both is hard and goes; all others are ambiguous. Boosted trees of scikit-learn stand in the place of XGBoost.
    Columns stand behind those that determine them (Xu et al., 2406.14541), which is no part of the published method.
    """

    card: ClassVar[Card] = Card(
        title="Curated LLM: Synergy of LLMs and Data Curation for tabular augmentation in low-data regimes",
        authors="Seedat et al.",
        year=2023,
        paper="2312.12112",
        category="enhancement",
        subcategory="tables",
        summary="A model writes table rows like 20 to 100 real ones; those stay whose label the real rows teach.",
        needs=("endpoint",),
        cost="$",
        checked="tables with 30 % planted label flips: the hard group is richer in flips in 10 of 10 seeds; every real "
        "row is shown before one is again",
        pays="Some dozens of labelled rows of a subject that the model knows, for a small classifier.",
        fails="With 20 rows, of which a classifier learns too little to judge others; with hundreds, which are enough.",
        evidence="Here, a script that flips 30 % of the labels it writes, 100 real lines of two tables: AUC 0.76 and "
        "0.69 curated, 0.72 and 0.68 raw, 0.75 and 0.70 of the real alone; 20 lines: no gain (benchmarks/tables.md).",
    )
    version: ClassVar[int] = 2
    writes_from: ClassVar[Literal["rows", "documents", "nothing", "tables"]] = "tables"
    revisits: ClassVar[bool] = True
    fewest_seeds: ClassVar[int] = 10

    label: str = ""
    """The column that the others foretell; the last one where none is named."""
    shown: int = Field(default=20, ge=2, le=100)
    """Real rows in one question, which asks for as many new ones."""
    order: Literal["dependencies", "table"] = "dependencies"
    """Order in which the values of a row are shown and written: a column that others determine, as a zip code its town,
    behind these, so that what follows is written after what it follows from; or as the table has them. The label stands
    last in both."""
    ambiguous: bool = False
    """Whether rows that are neither easy nor hard stay as well."""
    temperature: float = Field(default=0.75, ge=0, le=2)
    """Of the model's draws."""
    max_tokens: int = Field(default=4096, ge=16)
    """Tokens of one reply, at most."""
    instructions: Instructions = INSTRUCTIONS
    """What the model is told to do."""

    _learned: dict[tuple[str, ...], Learned] = PrivateAttr(default_factory=dict)
    _shown_rows: dict[str, Mapping[str, Any]] = PrivateAttr(default_factory=dict)

    def unfit(self, seed: Row) -> str:
        if not cells(seed):
            return NO_CELLS
        kind = REGISTRY.get(seed["made_by"])
        return MADE if seed["made_by"] and not getattr(kind, "keeps_meaning", False) else ""

    def propose_with(self, client: Asks, demand: Demand) -> list[Proposal]:
        unfit = {i: why for i, seed in enumerate(demand.seeds) if (why := self.unfit(seed))}
        every = {row["id"]: row for row in demand.every or demand.seeds if not self.unfit(row)}
        real = self._real([*every.values()])
        there = set() if real is None else {row["id"] for row in real.rows}
        lacking = NO_CLASSES if real is None else NO_LABEL
        unfit |= {i: lacking for i, seed in enumerate(demand.seeds) if i not in unfit and seed["id"] not in there}
        if real is None:
            return [without(unfit[i], seed) for i, seed in enumerate(demand.seeds)]
        asked = [i for i in range(len(demand.seeds)) if i not in unfit]
        groups = [asked[at : at + self.shown] for at in range(0, len(asked), self.shown)]
        shown = [self._beside([demand.seeds[i] for i in group], real, demand) for group in groups]
        questions = [
            self._question(real, rows, len(group), max(demand.turns[i] for i in group))
            for group, rows in zip(groups, shown, strict=True)
        ]
        made: dict[int, Proposal] = {}
        for group, rows, answer in zip(groups, shown, ask_for(client, questions, Lines), strict=True):
            made |= zip(group, self._read(real, rows, len(group), answer), strict=True)
        return [made[i] if i in made else without(unfit[i], seed) for i, seed in enumerate(demand.seeds)]

    def _real(self, rows: Sequence[Row]) -> RealLines | None:
        """What the real rows are like; None where their label is none."""
        table = columns_of([cells(row) or {} for row in rows])
        label = self.label or next(reversed(table), "")
        if label not in table or len(table) < 2:
            return None
        rows = [row for row, gone in zip(rows, table[label].missing, strict=True) if not gone]
        table = columns_of([cells(row) or {} for row in rows])
        if not rows or not 2 <= len(table[label].firsts) <= len(rows) / 2:
            return None
        others = [name for name in table if name != label]
        names = [*(determinants_first(table, others) if self.order == "dependencies" else others), label]
        known = {tuple(table[name].texts[i] for name in names) for i in range(len(rows))}
        fits = {name: Fitting(one, name == label) for name, one in table.items()}
        ids = tuple(row["id"] for row in rows)
        self._shown_rows = {row["id"]: cells(row) or {} for row in rows}
        if ids not in self._learned:
            self._learned[ids] = Learned(table, label)
        return RealLines(rows, table, label, names, fits, self._learned[ids], known)

    def _beside(self, seeds: Sequence[Row], real: RealLines, demand: Demand) -> list[Row]:
        """The seeds and, where these are few, other real rows beside them, first those of no seed of this wave."""
        wave, own = {seed["id"] for seed in demand.seeds}, {seed["id"]: seed for seed in seeds}
        drawn = [real.rows[i] for i in demand.rng.permutation(len(real.rows)) if real.rows[i]["id"] not in own]
        drawn.sort(key=lambda row: row["id"] in wave)
        return [*own.values(), *drawn[: max(0, self.shown - len(own))]]

    def _question(self, real: RealLines, rows: Sequence[Row], count: int, turn: int) -> Request:
        material = {
            "columns": "\n".join(real.fits[name].told() for name in real.names),
            "rows": "\n".join(orjson.dumps(real.shown(row)).decode() for row in rows),
        }
        ask = filled(ASK, count=count, columns=len(real.names))
        return question(self.instructions, material, ask, self.sampling, turn)

    def _read(self, real: RealLines, rows: Sequence[Row], count: int, answer: Answer[Lines]) -> Iterator[Proposal]:
        """A proposal for each row that was asked for; the first of them has the bill."""
        if answer.value is None:
            yield failed(answer, *rows)
            yield from (without(FEWER, *rows) for _ in range(count - 1))
            return
        lines = [real.read(line) for line in answer.value.rows[:count]]
        good = [held for held, _ in lines if held is not None]
        found = iter(real.learned.dynamics(good, [text_of(held[real.label]) for held in good]))
        for k in range(count):
            bill = answer.replies if k == 0 else ()
            held, why = lines[k] if k < len(lines) else (None, FEWER)
            if held is None:
                yield without(why, *rows, replies=bill)
                continue
            said = next(found)
            facts = {"confidence": round(said.confidence, 4), "aleatoric": round(said.aleatoric, 4)}
            if said.group == "hard" or (said.group == "ambiguous" and not self.ambiguous):
                measured = f"confidence {said.confidence:.2f}, aleatoric {said.aleatoric:.2f}"
                yield without(f"{HARD if said.group == 'hard' else AMBIGUOUS}: {measured}", *rows, replies=bill)
                continue
            key = tuple(text_of(held[name]) for name in real.names)
            if key in real.known:
                yield without(COPY, *rows, replies=bill)
                continue
            real.known.add(key)
            yield Proposal(tuple(r["id"] for r in rows), self._row(held, rows[0], rows), facts=facts, replies=bill)

    def _row(self, held: Mapping[str, Any], seed: Row, rows: Sequence[Row]) -> Row:
        return make_row(
            [message("assistant", told(held))], source=seed["source"], tags=seed["tags"], cells=cells_text(held),
            parents=[row["id"] for row in rows], made_by=self.name, round=seed["round"],
        )  # fmt: skip

    def told_of(self, came: Sequence[tuple[Proposal, str]]) -> dict[str, Any]:
        """How near the rows that stay are to the real ones, beside how near these are to each other."""
        held = [line for one, why in came if not why and one.row and (line := cells(one.row))]
        if not held or len(self._shown_rows) < 2:
            return {}
        found = leakage(held, list(self._shown_rows.values()))
        told = {"of written rows": asdict(found.written), "of real rows": asdict(found.reference)}
        return {"distance to the closest real row": told, "written rows nearer than 95 % of real ones": found.nearer}

    def calls_a_seed(self) -> float:
        return 1 / self.shown

    def estimate(self, pool: PoolStatistics) -> Cost:
        """Each question reads so many rows, and brings as many; of these some do not stay, so it is the least."""
        calls, row = ceil(pool.rows / self.shown), pool.tokens / max(1, pool.rows)
        read = round(calls * (QUESTION_TOKENS + self.shown * row))
        written = round(min(pool.rows * row, calls * self.max_tokens))
        price = self.model.usd_per_mtok
        usd = (read * price.input + written * price.output) / 1e6 if price else 0.0
        return self.with_examples(Cost(calls=calls, tokens=read + written, usd=usd))
