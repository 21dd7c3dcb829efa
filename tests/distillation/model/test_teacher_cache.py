"""The cache: exact round trips, rows found by what they are and never by order, refusals of another teacher."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from dataflywheel.contracts import FlywheelError
from dataflywheel.distillation.model.teacher import answer_states, tokenizer_digest
from dataflywheel.distillation.model.teacher_cache import Identity, TeacherCache
from tests.distillation.model.support import IDS, ROWS, loaded, untrained
from tests.models.copy_skill import copy_model


def filled(home: Path, k: int | None, ids: list[str] = IDS, rows: Any = ROWS, teacher: Path | None = None) -> Any:
    model = loaded(teacher or untrained(0))
    cache = TeacherCache.at(home, Identity.of(model, model, k, 1.0, 1024))
    return cache, cache.fill(model, ids, model.encode(rows))


def test_what_is_kept_is_what_the_teacher_said(tmp_path: Path) -> None:
    cache, count = filled(tmp_path, 5)
    assert count == len(ROWS)
    model = loaded(untrained(0))
    encoded = model.encode(ROWS)
    logits = model.model.get_output_embeddings()(answer_states(model, encoded)).detach().double()
    logprobs = logits.log_softmax(dim=1)
    with pytest.warns(UserWarning, match="likeliest tokens hold"):
        taught = cache.load(IDS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cache.load(IDS, 0.0)
    best = logprobs.topk(5, dim=1)
    assert taught.top.dtype == np.uint16
    np.testing.assert_array_equal(taught.top, best.indices.numpy())
    np.testing.assert_allclose(taught.logprobs[:, :5], best.values.numpy(), rtol=1e-3)
    rest = 1 - best.values.exp().sum(dim=1)
    np.testing.assert_allclose(taught.logprobs[:, 5], rest.log().numpy(), atol=1e-3)
    assert taught.tokens.tolist() == [t for row in encoded for t in row.ids[row.start :]]
    assert taught.captured() == pytest.approx(float(1 - rest.mean()), abs=1e-3)
    everything = filled(tmp_path, None)[0].load(IDS)
    np.testing.assert_allclose(everything.logprobs, logprobs.numpy(), rtol=1e-3)
    assert everything.captured() == pytest.approx(1, abs=1e-3)


def test_order_and_parts_change_no_row(tmp_path: Path) -> None:
    warnings.simplefilter("ignore")
    whole, _ = filled(tmp_path / "a", 4)
    half, first = filled(tmp_path / "b", 4, IDS[12:][::-1], ROWS[12:][::-1])
    assert first == 12
    assert filled(tmp_path / "b", 4)[1] == 12, "rows that are there are not computed again"
    assert filled(tmp_path / "b", 4)[1] == 0
    shuffled = [IDS[i] for i in np.random.default_rng(0).permutation(len(IDS))]
    a, b = whole.load(IDS), half.load(shuffled)
    for place, id in enumerate(shuffled):
        mine, theirs = a.starts[IDS.index(id)], b.starts[place]
        n = [*b.starts.tolist(), len(b.tokens)][place + 1] - theirs
        np.testing.assert_array_equal(a.tokens[mine : mine + n], b.tokens[theirs : theirs + n])
        np.testing.assert_array_equal(a.top[mine : mine + n], b.top[theirs : theirs + n])
        np.testing.assert_array_equal(a.logprobs[mine : mine + n], b.logprobs[theirs : theirs + n])


def test_another_teacher_template_or_setting_is_another_folder(tmp_path: Path) -> None:
    model, other = loaded(untrained(0)), loaded(untrained(1))
    here = Identity.of(model, model, 4, 1.0, 1024)
    changed = [Identity.of(model, other, 4, 1.0, 1024), Identity.of(model, model, 8, 1.0, 1024)]
    changed += [Identity.of(model, model, 4, 2.0, 1024), Identity.of(model, model, 4, 1.0, 64)]
    before = tokenizer_digest(model)
    model.chat.template += " "
    assert tokenizer_digest(model) != before
    changed.append(Identity.of(model, model, 4, 1.0, 1024))
    assert len({one.key() for one in [here, *changed]}) == 6
    TeacherCache(tmp_path, here)
    TeacherCache(tmp_path, here)
    for one, named in zip(changed, ("teacher", "k", "temperature", "max_length", "tokenizer"), strict=True):
        with pytest.raises(FlywheelError, match=rf"under another {named}; give an empty folder"):
            TeacherCache(tmp_path, one)
    assert orjson.loads((tmp_path / "identity.json").read_bytes())["k"] == 4


def test_a_sure_teacher_gives_no_warning(tmp_path: Path) -> None:
    cache, _ = filled(tmp_path, 4, teacher=copy_model())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert cache.load(IDS).captured() > 0.9
    with pytest.raises(FlywheelError, match="nothing about any of 1 rows"):
        cache.load(["unknown"])
