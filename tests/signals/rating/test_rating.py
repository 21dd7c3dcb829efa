"""What all ratings share: the catalogue, the estimate, the engine, the turns of a chat."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from dataflywheel import catalog
from dataflywheel.contracts import PoolStatistics, Signal, Status
from dataflywheel.models.spec import ModelSpec
from dataflywheel.rows.parts import PartWriter
from dataflywheel.rows.schema import message
from dataflywheel.signals.engine import Engine
from dataflywheel.signals.measure import measure
from dataflywheel.signals.measured_columns import columns
from dataflywheel.signals.rating.alpagasus import AlpaGasus
from dataflywheel.signals.rating.instag import InsTag
from dataflywheel.signals.rating.qurating import QuRating
from dataflywheel.signals.rating.rating import Rating, asked
from dataflywheel.store.signals import SignalStore
from tests.signals.rating.support import MODEL, asking, rows
from tests.support.endpoint import Endpoint

RATINGS = (
    "alpagasus", "deita_complexity", "deita_quality", "deita", "ask_llm", "qurating", "select_it", "instag",
    "clear_confidence", "ds2_rating",
)  # fmt: skip


def test_the_ratings_are_in_the_catalogue_with_their_cost(tmp_path: Path) -> None:
    anchors = tmp_path / "anchors.jsonl"
    anchors.write_text("".join(f'{{"prompt": "p{i}", "completion": "c{i}"}}\n' for i in range(5)), encoding="utf-8")
    assert set(RATINGS) <= set(catalog.names(Signal, ("signals",)))
    pool = PoolStatistics(rows=100, chars=40_000, tokens=10_000)
    spec = MODEL.model_copy(update={"usd_per_mtok": ModelSpec(endpoint="http://x", model="m").usd_per_mtok})
    for name in RATINGS:
        kind = catalog.get(name)
        assert issubclass(kind, Rating)
        assert {"calls", "tokens", "usd"} <= set(kind.columns)
        signal = kind(model=spec, **({"anchors": str(anchors)} if name == "qurating" else {}))
        cost = signal.estimate(pool)
        assert cost.calls >= 100
        assert cost.tokens > pool.tokens
        assert cost.usd == 0.0  # the price is not known
    priced = ModelSpec(endpoint="http://x", model="m", usd_per_mtok={"in": 1.0, "out": 10.0})
    cost = AlpaGasus(model=priced).estimate(pool)
    assert cost.usd == pytest.approx((100 * 300 + 10_000) / 1e6 + 10 * 100 * 40 / 1e6)
    assert QuRating(model=priced, anchors=str(anchors), comparisons=7).estimate(pool).calls == 1400 + 5 * 4


def test_through_the_engine_once_and_failures_again(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.configure(
        rules=[{"rule": "tagger", "match": "intent"}, {"rule": "rater", "template": "$score"}],
    )
    contents = rows(
        *(
            (f"Ask intent {i} [[tags:{','.join(['one', 'two'][: 1 + i % 2])}]]", f"[[truth:{i % 6}]]")
            for i in range(40)
        ),
        ("Ask [[fault:http_400*1]]", "[[truth:3]]"),
    )
    with PartWriter(tmp_path / "rows") as writer:
        writer.write(pa.Table.from_batches([contents]))
    store = SignalStore(tmp_path / "store")
    with asking(endpoint, tmp_path, capabilities={"json_schema": True}) as spec:
        signals: list[Signal] = [InsTag(model=spec)]
        measure(tmp_path / "rows", signals, store, Engine())
        found = columns(tmp_path / "rows", ["instag.tags", "instag.count", "instag.usd"], {"instag": signals[0]}, store)
        assert found["instag.tags"][:2].tolist() == [["one"], ["one", "two"]]
        assert found["instag.count"][:40].tolist() == [1 + i % 2 for i in range(40)]
        assert found["instag.status"][40] == Status.FAILED
        assert found["instag.tags"][40] is None
        assert np.isnan(found["instag.count"][40])
        paid = len(endpoint.bill().charged)
        assert measure(tmp_path / "rows", signals, store, Engine()) == {"instag": 1}
        assert len(endpoint.bill().charged) - paid <= 2


def test_turns_of_a_chat() -> None:
    chat = [message("system", "be kind"), message("user", "a"), message("assistant", "b"), message("user", "c")]
    row = asked("id", chat, 100)
    assert row.turns == (("system: be kind\n\nuser: a", "b"), ("c", ""))
    assert row.answer == ""
    assert row.prompt == "system: be kind\n\nuser: a\n\nassistant: b\n\nuser: c"
    cut = asked("id", [message("user", "x" * 200), message("assistant", "y")], 150)
    assert (len(cut.prompt), cut.cut, cut.answer) == (150, True, "y")
