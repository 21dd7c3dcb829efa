"""What generators that ask share: estimates by hand, gates that exist, no question without an account."""

from __future__ import annotations

import pytest

from dataflywheel import catalog
from dataflywheel.contracts import PoolStatistics, UsageError, build
from dataflywheel.models.spec import ModelSpec
from dataflywheel.proposing.asking import AskingProposer
from dataflywheel.proposing.kinds import Gate, Proposer
from dataflywheel.synthesis.instruction.generate_verify_keep import GenerateVerifyKeep
from tests.signals.rating.support import MODEL
from tests.synthesis.support import demand, seeds

METHODS = sorted(catalog.names(Proposer, rooms=("synthesis",)))
ASKING = [name for name in METHODS if catalog.get(name, Proposer).asks]


def test_the_room_holds_what_it_should() -> None:
    asking = {"blind_spots", "evol_instruct", "generate_verify_keep", "grounded_questions", "llm2llm", "magpie"}
    assert asking | {"self_instruct", "syn_po"} <= set(ASKING)
    assert "grounded_rules" in set(METHODS) - set(ASKING)


@pytest.mark.parametrize("name", catalog.names(Proposer))
def test_gates_that_a_method_names_can_be_built(name: str) -> None:
    for gate, parameters in catalog.get(name, Proposer).own_gates():
        kind = catalog.get(gate, Gate)
        asked = {"model": MODEL} if "model" in kind.model_fields else {}
        assert build(kind, {**asked, **parameters}).name == gate


@pytest.mark.parametrize("name", ASKING)
def test_nothing_is_asked_where_nobody_pays(name: str) -> None:
    kind = catalog.get(name, Proposer)
    assert issubclass(kind, AskingProposer)
    needed = {"database": "recipes/planets.csv"} if "database" in kind.model_fields else {}
    method = build(kind, {"model": MODEL, **needed})
    with pytest.raises(UsageError, match="nothing is set up to ask"):
        method.propose(demand(seeds(("q", "a"))))


def test_the_estimate_is_calls_times_texts() -> None:
    spec = ModelSpec(endpoint="http://localhost:1/v1", model="m", usd_per_mtok={"in": 1.0, "out": 10.0})
    cost = GenerateVerifyKeep(model=spec, samples=4, max_tokens=100).estimate(PoolStatistics(10, 4000, 1000))
    assert cost.calls == 40
    assert cost.tokens == 40 * 250 + 4 * 1000 + 40 * 100
    assert cost.usd == pytest.approx((14_000 * 1 + 4_000 * 10) / 1e6)
