"""A planted skill: the answer repeats the prompt's words, so a trained model knows every right answer."""

from __future__ import annotations

import os
import random
import re
import shutil
from pathlib import Path

from dataflywheel.models.language.pool_tokenizer import pool_tokenizer, rows_digest
from dataflywheel.models.training.tiny import init_tiny
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.models.training.training import train_sft
from dataflywheel.rows.schema import Message, message

HEADS = ("am", "bas", "ced", "del", "fj", "gr", "haz", "jad")
WORDS = [head + tail for head in HEADS for tail in ("ber", "il", "ar", "ta")]


def conversation(prompt: str, answer: str) -> list[Message]:
    return [message("user", prompt), message("assistant", answer)]


def copy_rows(count: int, seed: int) -> list[list[Message]]:
    draw = random.Random(seed)
    texts = [" ".join(draw.sample(WORDS, 2)) for _ in range(count)]
    return [conversation(f"repeat {text}", text) for text in texts]


def copy_model() -> Path:
    """A model that has learnt to repeat two words, and what answers look like on their own; made once, then cached.

    Its name follows from what it is trained from, so that a cache of earlier code is never taken for it.
    """
    cache = Path(os.environ["FLYWHEEL_CACHE"])
    rows = copy_rows(3000, seed=1)
    rows += [row[1:] for row in rows[:300]]
    start = init_tiny(pool_tokenizer(rows, cache_dir=cache), "1m", cache_dir=cache)
    settings = TrainSettings(max_steps=160, batch_size=64, learning_rate=2e-3, dtype="float32")
    folder = cache / f"copy-skill-{start.name}-{settings.version}"
    if not folder.is_dir():
        train_sft(rows, start, folder, settings)
    return folder


def without_tools(model: Path, folder: Path) -> Path:
    """A copy of a model in `folder`, whose chat template leaves out the tools."""
    shutil.copytree(model, folder)
    template = folder / "chat_template.jinja"
    shown = template.read_text(encoding="utf-8")
    hidden = re.sub(r"{% if tools %}.*?{% endif %}", "", shown)
    assert hidden != shown
    template.write_text(hidden, encoding="utf-8")
    return folder


def two_way_model(guess: str) -> Path:
    """The copy model once it has learnt as well to name, after two words and `guess`, the request that they answer;
    made once, then cached."""
    cache = Path(os.environ["FLYWHEEL_CACHE"])
    plain, others = copy_rows(2000, seed=2), copy_rows(4000, seed=3)
    turned = [conversation(f"{said['content']}\n\n{guess}", asked["content"]) for asked, said in others]
    rows = [*plain, *turned, *(row[1:] for row in [*plain[:200], *turned[:400]])]
    settings = TrainSettings(max_steps=60, batch_size=64, learning_rate=2e-3, dtype="float32")
    start = copy_model()
    folder = cache / f"two-way-{rows_digest(rows, start.name, settings.model_dump_json())}"
    if not folder.is_dir():
        train_sft(rows, start, folder, settings)
    return folder
