"""Hidden states as a signal: those of plain transformers, null where there is nothing to read."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from dataflywheel.contracts import Status
from dataflywheel.models.spec import ModelSpec
from dataflywheel.signals.model.hidden_state import HiddenState
from tests.models.copy_skill import conversation, copy_model
from tests.signals.rows import batch_of

ROWS = [
    conversation("a prompt " * 200, "an answer"),
    conversation("no answer", ""),
    conversation("no answer", "b")[:1],
    conversation("one", "an answer longer than the window " * 60),
]


@pytest.fixture(scope="module")
def spec() -> ModelSpec:
    return ModelSpec(hf=str(copy_model()))


def test_hidden_states_are_null_where_there_is_no_answer(spec: ModelSpec) -> None:
    found = HiddenState(model=spec).measure(batch_of(ROWS))
    vectors = found["vector"]
    assert isinstance(vectors, pa.Array)
    assert vectors.is_null().to_pylist() == [False, True, True, False]
    assert len(vectors[0].as_py()) == 128


def test_vectors_are_pooled_states_of_plain_transformers(spec: ModelSpec) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer, model = (kind.from_pretrained(str(spec.hf)) for kind in (AutoTokenizer, AutoModelForCausalLM))
    row = conversation("say", "amber basil")
    ids = tokenizer.encode("<|begin|><|user|>say<|end|><|assistant|>amber basil<|end|>", add_special_tokens=False)
    with torch.no_grad():
        states = model(torch.tensor([ids]), output_hidden_states=True).hidden_states[-1][0].numpy()
    place = np.arange(1, len(ids) + 1)[:, None]
    expected = {"mean": states.mean(axis=0), "weighted": (place * states).sum(axis=0) / place.sum(), "last": states[-1]}
    for pooling, vector in expected.items():
        found = HiddenState(model=spec, pooling=pooling).measure(batch_of([*ROWS, row]))  # type: ignore[arg-type]
        np.testing.assert_allclose(found["vector"][4].as_py(), vector, atol=1e-4)
        assert found["status"][4] == Status.OK


def test_parameters_are_part_of_the_key(spec: ModelSpec) -> None:
    signals = [HiddenState(model=spec, pooling=p, max_length=n) for p in ("mean", "last") for n in (64, 1024)]  # type: ignore[arg-type]
    assert len({signal.key() for signal in signals}) == 4
