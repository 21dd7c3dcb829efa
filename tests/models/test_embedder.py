from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from dataflywheel.models.embedding.minilm import minilm_folder
from dataflywheel.models.embedding.shared_embedder import embedder_digest, shared_embedder
from dataflywheel.models.embedding.static_embedder import StaticEmbedder, frequency_weights, principal, static_digest
from dataflywheel.models.spec import EmbedderSpec

MINILM = EmbedderSpec(builtin="minilm")


@pytest.fixture(scope="module")
def texts(data: Path) -> list[str]:
    rows = pq.read_table(data / "alpaca_pool" / "alpaca_pool.parquet").slice(500, 120).to_pylist()
    return [f"{row['instruction']}\n\n{row['output']}" for row in rows]


def test_minilm_is_what_sentence_transformers_makes_of_it(texts: list[str]) -> None:
    from sentence_transformers import SentenceTransformer

    texts = [*texts[:30], "long " * 600, "冰川 🧊", "x"]
    expected = SentenceTransformer(str(minilm_folder())).encode(texts, normalize_embeddings=True)
    vectors, truncated = shared_embedder(MINILM).embed(texts)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, expected, atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert truncated[30]
    assert not truncated[31:].any()


def test_no_batch_changes_a_vector(texts: list[str]) -> None:
    embedder = shared_embedder(MINILM)
    together = embedder.encode(texts[:24])
    order = np.random.default_rng(0).permutation(24)
    np.testing.assert_allclose(embedder.encode([texts[i] for i in order]), together[order], atol=1e-6)
    np.testing.assert_allclose(np.concatenate([embedder.encode([t]) for t in texts[:24]]), together, atol=1e-6)


def test_any_sentence_transformers_folder_serves(texts: list[str]) -> None:
    spec = EmbedderSpec(hf=str(minilm_folder()))
    embedder = shared_embedder(spec)
    vectors, truncated = embedder.embed([*texts[:5], "long " * 600])
    np.testing.assert_allclose(vectors[:5], shared_embedder(MINILM).encode(texts[:5]), atol=1e-4)
    assert truncated.tolist() == [False] * 5 + [True]
    assert embedder.dimension == 384
    assert embedder.digest == embedder_digest(spec) == embedder_digest(MINILM)


@pytest.mark.slow
def test_static_vectors_find_the_neighbours_that_minilm_finds(texts: list[str]) -> None:
    static = StaticEmbedder(Path(os.environ["FLYWHEEL_CACHE"]))
    assert static.digest == static_digest() != embedder_digest(MINILM)
    fast, exact = static.encode(texts), shared_embedder(MINILM).encode(texts)
    assert fast.shape == (len(texts), 256)
    np.testing.assert_allclose(np.linalg.norm(fast, axis=1), 1, atol=1e-5)
    upper = np.triu_indices(len(texts), 1)
    assert np.corrcoef((fast @ fast.T)[upper], (exact @ exact.T)[upper])[0, 1] > 0.4
    near = [np.argsort(-(v @ v.T - 2 * np.eye(len(v))), axis=1)[:, :10] for v in (fast, exact)]
    shared = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(*near, strict=True)])
    assert shared > 3 * 10 / len(texts)


@pytest.mark.parametrize("spec", [MINILM, EmbedderSpec(hf=str(minilm_folder())), EmbedderSpec(builtin="static")])
def test_special_tokens_that_a_text_spells_out_are_plain_text(spec: EmbedderSpec) -> None:
    # Punctuation is parted from words, so that blanks around it change nothing but the special tokens.
    spelled, plain = shared_embedder(spec).encode(["[MASK] of a [SEP] and [CLS]", "[ MASK ] of a [ SEP ] and [ CLS ]"])
    np.testing.assert_allclose(spelled, plain, atol=1e-6)


def test_principal_components_keep_distances_of_a_flat_cloud() -> None:
    rng = np.random.default_rng(0)
    flat = (rng.normal(size=(50, 3)) @ rng.normal(size=(3, 20)) + 5).astype(np.float32)
    reduced = principal(flat, 3)
    a, b = (np.linalg.norm(x[:, None] - x[None], axis=2) for x in (flat, reduced))
    np.testing.assert_allclose(a, b, atol=1e-3)
    np.testing.assert_allclose(reduced.mean(axis=0), 0, atol=1e-4)


def test_frequent_entries_weigh_little_and_special_ones_nothing() -> None:
    entries = ["[PAD]", "[unused1]", "冰", ".", "[", *("the", "of", "##ing"), *(f"word{i}" for i in range(5000))]
    weight = dict(zip(entries, frequency_weights(entries), strict=True))
    assert weight["[PAD]"] == weight["[unused1]"] == 0
    assert 0 < weight["."] < weight["["] < weight["the"] < weight["of"] < weight["word4999"] < weight["冰"] < 1
