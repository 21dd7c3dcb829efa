"""Distillation between tokenizers: dense where they are one, 0 for equal models, blind to how the vocabulary is
numbered."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dataflywheel.contracts import FlywheelError
from dataflywheel.distillation.model.aligned_vocabulary import AlignedVocabulary
from dataflywheel.distillation.model.dense_distillation import DenseDistillation
from dataflywheel.distillation.model.uld import Uld
from tests.distillation.model.support import ROWS, loaded, positions, table_of, taught, untrained, value
from tests.models.copy_skill import copy_rows

ALL = range(len(ROWS))


def other(seed: int = 1) -> Path:
    """A model with a smaller vocabulary of its own."""
    return untrained(seed, text=copy_rows(4, 1))


def renumbered(folder: Path, into: Path) -> Path:
    """The same model with the ids of its plain tokens turned round, in tokenizer and weights alike."""
    import torch

    shutil.copytree(folder, into)
    described = json.loads((into / "tokenizer.json").read_text())
    vocabulary = described["model"]["vocab"]
    fixed = {token["id"] for token in described["added_tokens"]}
    plain = [i for i in sorted(vocabulary.values()) if i not in fixed]
    place = dict(zip(plain, plain[::-1], strict=True))
    described["model"]["vocab"] = {token: place.get(i, i) for token, i in vocabulary.items()}
    (into / "tokenizer.json").write_text(json.dumps(described))
    model = loaded(folder).model
    table = model.get_input_embeddings().weight
    turned = torch.tensor([place.get(i, i) for i in range(len(table))])
    with torch.no_grad():
        table[turned] = table.clone()
    model.save_pretrained(into)
    return into


def test_one_tokenizer_makes_it_dense_distillation(tmp_path: Path) -> None:
    student, teacher = loaded(untrained(0)), untrained(1)
    found = value(taught(AlignedVocabulary(weight=1), student, teacher, tmp_path), student, ALL)
    dense = value(taught(DenseDistillation(alpha=0.5), student, teacher, tmp_path), student, ALL)
    # Special tokens other than the end of turn are not shared: six entries of some hundred.
    assert found / 2 == pytest.approx(dense, rel=1e-3)


def test_zero_for_equal_models_however_numbered(tmp_path: Path) -> None:
    student = loaded(untrained(0))
    surprise = value(taught(DenseDistillation(alpha=0), student, untrained(0), tmp_path), student, ALL)
    turned = renumbered(untrained(0), tmp_path / "turned")
    for teacher in (untrained(0), turned):
        for made in (AlignedVocabulary(), Uld(), Uld(positions="aligned")):
            assert value(taught(made, student, teacher, tmp_path), student, ALL) == pytest.approx(surprise, rel=1e-5)


def test_the_value_is_that_on_shared_strings_at_aligned_places(tmp_path: Path) -> None:
    import torch

    from dataflywheel.distillation.model.token_bytes import token_bytes

    student, teacher = loaded(untrained(0)), loaded(other())
    objective: Any = taught(AlignedVocabulary(temperature=2), student, other(), tmp_path)
    spelled = [token_bytes(m.tokenizer) for m in (student, teacher)]
    names = [{p: i for i, p in enumerate(s) if p is not None} for s in spelled]
    common = sorted(set(names[0]) & set(names[1]))
    expected, heard = 0.0, 0
    for row in ROWS[:6]:
        sides = []
        for model, table in zip((student, teacher), spelled, strict=True):
            one = model.encode([row])[0]
            with torch.no_grad():
                logits = model.model(input_ids=torch.tensor([one.ids])).logits[0, one.start - 1 : -1].double()
            pieces = [table[i] or b"" for i in one.ids[one.start :]]
            sides.append({b"".join(pieces[:j]): logits[j] for j in range(len(pieces))})
        for text in set(sides[0]) & set(sides[1]):
            logs = [
                (side[text][[name[p] for p in common]] / 2).log_softmax(0)
                for side, name in zip(sides, names, strict=True)
            ]
            expected += 4 * float((logs[1].exp() * (logs[1] - logs[0])).sum())
            heard += 1
    surprise = value(taught(DenseDistillation(alpha=0), student, untrained(0), tmp_path), student, range(6))
    assert heard >= 12
    assert value(objective, student, range(6)) - surprise == pytest.approx(expected, rel=1e-3)
    assert 0 < objective.bound.share() <= 1


def test_gradients_are_finite_between_vocabularies_of_any_size(tmp_path: Path) -> None:
    import torch

    for student, teacher in ((untrained(0), other()), (other(0), untrained(1))):
        model = loaded(student)
        for made in (AlignedVocabulary(), AlignedVocabulary(divergence="reverse_kl"), Uld(), Uld(positions="aligned")):
            at, table = positions(model, ROWS, [0, 1, 2]), table_of(model)
            loss = taught(made, model, teacher, tmp_path).loss(at, table)
            gradients = torch.autograd.grad(loss, (at.states, table))
            assert all(torch.isfinite(g).all() and float(g.abs().max()) > 0 for g in gradients)


def test_batches_change_nothing_and_strangers_are_refused(tmp_path: Path) -> None:
    student = loaded(untrained(0))
    objective = taught(AlignedVocabulary(), student, other(), tmp_path)
    whole = value(objective, student, ALL)
    assert sum(value(objective, student, [i]) for i in ALL) == pytest.approx(whole, rel=1e-5)
    assert value(objective, student, np.random.default_rng(1).permutation(len(ROWS)).tolist()) == pytest.approx(whole)
    with pytest.raises(FlywheelError, match="none of 1 rows can be learned"):
        taught(AlignedVocabulary(), student, other(), tmp_path, [ROWS[0][:1]])


def test_a_mixture_that_float32_cannot_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="float32 cannot hold"):
        AlignedVocabulary(divergence="jensen_shannon", beta=0.001)
