"""Pruned models: what is left says what the whole says with the rest switched off, loads, and is of the size that was
asked for; the measures agree with slow ones, and find what was planted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dataflywheel.contracts import UsageError
from dataflywheel.distillation.joint.blocks import Shape, blocks_of
from dataflywheel.distillation.joint.depth import turns
from dataflywheel.distillation.joint.importance import importance
from dataflywheel.distillation.joint.pruning import least_lost, prune
from dataflywheel.distillation.joint.shapes import even, fitting
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.language.pool_tokenizer import pool_tokenizer
from dataflywheel.models.spec import ModelSpec
from tests.models.copy_skill import copy_rows

KINDS = ("Llama", "Qwen2", "Qwen3", "Mistral", "Gemma", "Gemma2")
SIZES = {
    "hidden_size": 48, "intermediate_size": 96, "num_hidden_layers": 4, "num_attention_heads": 6,
    "num_key_value_heads": 3, "head_dim": 8, "max_position_embeddings": 256,
}  # fmt: skip


@pytest.fixture(scope="module")
def tokenizer() -> Path:
    return pool_tokenizer(copy_rows(200, 0))


def made(kind: str, tokenizer: Path, folder: Path, seed: int = 0, **more: Any) -> LanguageModel:
    """An untrained model of an architecture, saved and loaded."""
    import transformers

    loaded = transformers.AutoTokenizer.from_pretrained(tokenizer)
    config = getattr(transformers, f"{kind}Config")(
        **SIZES, vocab_size=len(loaded), pad_token_id=loaded.pad_token_id, bos_token_id=loaded.bos_token_id,
        eos_token_id=loaded.eos_token_id, **more,
    )  # fmt: skip
    torch.manual_seed(seed)
    model = getattr(transformers, f"{kind}ForCausalLM")(config)
    for weight in model.parameters():  # biases too, and larger than at the start of a training
        weight.data += 0.1 * torch.randn_like(weight)
    model.save_pretrained(folder)
    loaded.save_pretrained(folder)
    return LanguageModel.load(ModelSpec(hf=str(folder)))


def logits(base: LanguageModel, rows: list[Any]) -> Any:
    with torch.inference_mode():
        return [base.model(input_ids=torch.tensor([one.ids])).logits for one in base.examples(rows[:4])]


def switched_off(base: LanguageModel, kept: Any, by: str, rows: Any, after: Shape) -> None:
    """The whole model with zeros in the columns of what goes."""
    blocks = blocks_of(base.model)
    found = importance(base, blocks, rows, by, 0)  # type: ignore[arg-type]
    for place, layer in enumerate(base.model.model.layers):
        channels = np.argsort(-found.channels[place], kind="stable")[after.channels :]
        groups = np.argsort(-found.groups[place], kind="stable")[after.groups :]
        wide = blocks.head * blocks.queries
        layer.mlp.down_proj.weight.data[:, channels] = 0
        for group in groups:
            layer.self_attn.o_proj.weight.data[:, group * wide : (group + 1) * wide] = 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("by", ["taylor", "activation"])
def test_what_is_left_says_what_the_whole_says_without_the_rest(
    kind: str, by: str, tokenizer: Path, tmp_path: Path
) -> None:
    base = made(kind, tokenizer, tmp_path / "whole", tie_word_embeddings=kind != "Mistral")
    rows = copy_rows(24, 1)
    done = prune(base, 0.75, tmp_path / "pruned", base.examples(rows), by=by)  # type: ignore[arg-type]
    small = LanguageModel.load(ModelSpec(hf=str(done.folder)))
    assert small.parameters == done.weights_after
    assert base.parameters == done.weights_before
    assert done.share <= 0.75
    assert done.after.groups < 3 or done.after.channels < 96
    switched_off(base, None, by, base.examples(rows), done.after)
    for one, other in zip(logits(base, rows), logits(small, rows), strict=True):
        assert torch.allclose(one, other, atol=2e-4)
    assert json.loads((done.folder / "pruned.json").read_text())["by"] == by


@pytest.mark.parametrize("kind", ["Llama", "Qwen2", "Gemma2"])
def test_blocks_that_do_nothing_go_first(kind: str, tokenizer: Path, tmp_path: Path) -> None:
    base = made(kind, tokenizer, tmp_path / "whole")
    for place in (1, 2):
        layer = base.model.model.layers[place]
        layer.mlp.down_proj.weight.data.zero_()
        layer.self_attn.o_proj.weight.data.zero_()
        for name in ("post_attention_layernorm", "post_feedforward_layernorm"):
            if kind == "Gemma2":
                getattr(layer, name).weight.data.fill_(-1.0)  # 1 + w of a norm behind the part
    rows = base.examples(copy_rows(12, 1))
    before = logits(base, copy_rows(12, 1))
    angles = turns(base, blocks_of(base.model), rows, 2)
    assert angles.argmin() == 1
    assert angles[1] < 1e-3 < angles[0]
    blocks = blocks_of(base.model)
    share = blocks.weights(Shape(2, 96, 3)) / base.parameters + 1e-6
    done = prune(base, share, tmp_path / "pruned", rows, layers=2)
    assert done.kept_layers == (0, 3)
    assert done.after == Shape(2, 96, 3)
    after = logits(LanguageModel.load(ModelSpec(hf=str(done.folder))), copy_rows(12, 1))
    assert all(torch.allclose(one, other, atol=1e-4) for one, other in zip(before, after, strict=True))
    assert len(base.model.model.layers) == 4, "the model that was given stays whole"
    assert [layer.self_attn.layer_idx for layer in base.model.model.layers] == [0, 1, 2, 3]


def test_the_measures_agree_with_slow_ones(tokenizer: Path, tmp_path: Path) -> None:
    base = made("Qwen2", tokenizer, tmp_path / "whole")
    rows = base.examples(copy_rows(9, 1))
    blocks = blocks_of(base.model)
    loss = sum(
        -torch.log_softmax(base.model(input_ids=torch.tensor([one.ids])).logits[0], 1)[
            [place - 1 for place in one.learned], one.learned_ids
        ].sum()
        for one in rows
    ) / sum(len(one.learned) for one in rows)
    base.model.zero_grad()
    loss.backward()  # type: ignore[union-attr]
    layer = base.model.model.layers[2]
    gate, up, down = (one.weight for one in (layer.mlp.gate_proj, layer.mlp.up_proj, layer.mlp.down_proj))
    parts = [[w[7] * w.grad[7] for w in (gate, up)], [down[:, 7] * down.grad[:, 7]]]
    each = torch.cat([part for side in parts for part in side]).double()
    q, k, v, o = (getattr(layer.self_attn, f"{name}_proj").weight for name in "qkvo")
    wide = [(w * w.grad)[at].double().flatten() for w, at in ((q, slice(16, 32)), (k, slice(8, 16)), (v, slice(8, 16)))]
    heads = torch.cat([*wide, (o * o.grad)[:, 16:32].double().flatten()])
    each, heads = each.detach(), heads.detach()
    taylor, summed = (importance(base, blocks, rows, by) for by in ("taylor", "taylor_summed"))
    assert np.isclose(taylor.channels[2, 7], float(each.abs().sum()), rtol=1e-4)
    assert np.isclose(summed.channels[2, 7], float(each.sum().abs()), rtol=1e-3, atol=1e-9)
    assert np.isclose(taylor.groups[2, 1], float(heads.abs().sum()), rtol=1e-4)
    assert np.isclose(summed.groups[2, 1], float(heads.sum().abs()), rtol=1e-3, atol=1e-9)
    magnitude = importance(base, blocks, (), "magnitude")
    gate, up, down = (one.detach().double() ** 2 for one in (gate, up, down))
    weights = sum(float(w[7].sum()) for w in (gate, up)) + float(down[:, 7].sum())
    assert np.isclose(magnitude.channels[2, 7], weights, rtol=1e-5)
    seen: list[Any] = []
    hook = layer.mlp.down_proj.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0][0, :, 7].abs()))
    with torch.inference_mode():
        for one in rows:
            base.model(input_ids=torch.tensor([one.ids]))
    hook.remove()
    activation = importance(base, blocks, rows, "activation")
    assert np.isclose(activation.channels[2, 7], float(torch.cat(seen).double().mean()), rtol=1e-4)


@pytest.mark.parametrize("share", [0.9, 0.6, 0.4, 0.3])
def test_no_shape_is_nearer(share: float, tokenizer: Path, tmp_path: Path) -> None:
    base = made("Llama", tokenizer, tmp_path / "whole")
    blocks = blocks_of(base.model)
    try:
        fit = fitting(blocks, share)
    except UsageError as error:
        assert "cannot be had" in str(error)  # noqa: PT017
        assert blocks.weights(Shape(4, 8, 1)) > share * base.parameters
        return
    for found in fit:
        assert blocks.weights(found) <= share * base.parameters
        wider = Shape(found.layers, found.channels + 8, found.groups)
        assert found.channels == 96 or blocks.weights(wider) > share * base.parameters
    counts = importance(base, blocks, base.examples(copy_rows(6, 1)), "taylor")
    best = least_lost(counts, fit)
    lost = {
        one: sum(
            float(np.sort(row)[: len(row) - n].sum())
            for rows, n in ((counts.channels, one.channels), (counts.groups, one.groups))
            for row in rows
        )
        for one in fit
    }
    assert lost[best] == min(lost.values())
    assert even(blocks, fit) in fit


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"to": 0.0}, "between 0 and 1"),
        ({"to": 1.0}, "between 0 and 1"),
        ({"to": 0.01}, "cannot be had"),
        ({"to": 0.7, "rows": []}, "no row to measure on"),
        ({"to": 0.7, "layers": 9}, "9 blocks are to be left of 4"),
        ({"to": 0.7, "layers": 2, "rows": [], "by": "magnitude"}, "`layers` needs rows"),
    ],
)
def test_what_cannot_be_done_is_said(given: dict[str, Any], why: str, tokenizer: Path, tmp_path: Path) -> None:
    base = made("Llama", tokenizer, tmp_path / "whole")
    rows = given.pop("rows", base.examples(copy_rows(4, 1)))
    with pytest.raises(UsageError, match=why):
        prune(base, given.pop("to"), tmp_path / "pruned", rows, **given)
    assert not (tmp_path / "pruned").exists()


def test_other_architectures_are_refused_by_name(tokenizer: Path, tmp_path: Path) -> None:
    import transformers

    gpt = transformers.GPT2LMHeadModel(transformers.GPT2Config(n_layer=1, n_embd=8, n_head=1, vocab_size=50))
    with pytest.raises(UsageError, match=r"GPT2LMHeadModel has no `model\.layers`"):
        blocks_of(gpt)
    sizes = {**SIZES, "vocab_size": 50, "pad_token_id": 0, "num_local_experts": 2}
    experts = transformers.MixtralForCausalLM(transformers.MixtralConfig(**sizes))
    with pytest.raises(UsageError, match=r"block 0 of MixtralForCausalLM has no linear layer mlp\.gate_proj"):
        blocks_of(experts)


def test_the_same_call_gives_the_same_bytes(tokenizer: Path, tmp_path: Path) -> None:
    base = made("Llama", tokenizer, tmp_path / "whole")
    rows = base.examples(copy_rows(8, 1))
    for name in ("a", "b"):
        prune(base, 0.7, tmp_path / name, rows, by="taylor")
    assert (tmp_path / "a/model.safetensors").read_bytes() == (tmp_path / "b/model.safetensors").read_bytes()
