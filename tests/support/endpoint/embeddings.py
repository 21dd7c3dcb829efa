"""Embeddings that follow the words: texts that share words lie close."""

from __future__ import annotations

import base64
import re
from hashlib import blake2b

import numpy as np
import orjson

from tests.support.endpoint.question import Question

WIDTH = 64


def embeddings(question: Question) -> tuple[int, bytes]:
    """Tokens of the input and the body of the reply: unit vectors of length `dimensions` (64)."""
    given = question.body["input"]
    texts = [given] if isinstance(given, str) else [str(text) for text in given]
    width = int(question.body.get("dimensions") or WIDTH)
    packed = question.body.get("encoding_format") == "base64"
    data = []
    for i, text in enumerate(texts):
        vector = _vector(text, width)
        value = base64.b64encode(vector.tobytes()).decode() if packed else vector.tolist()
        data.append({"object": "embedding", "index": i, "embedding": value})
    tokens = sum(-(-len(text.encode()) // 4) for text in texts)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return tokens, orjson.dumps({"object": "list", "data": data, "model": question.model, "usage": usage})


def _vector(text: str, width: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    vector = np.zeros(width, dtype=np.float32)
    for word in re.findall(r"\w+", text.lower()) or [""]:
        digest = blake2b(word.encode(), digest_size=9).digest()
        vector[int.from_bytes(digest[:8], "big") % width] += 1 if digest[8] & 1 else -1
    length = float(np.linalg.norm(vector))
    vector[0] += length == 0
    return vector / (length or 1.0)
