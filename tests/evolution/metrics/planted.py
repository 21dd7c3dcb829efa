"""A model that repeats two words, and rows whose right answer it knows."""

from __future__ import annotations

from functools import lru_cache

import pyarrow as pa

from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.spec import ModelSpec
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import table
from tests.models.copy_skill import copy_model, copy_rows

ROWS = 24


@lru_cache(maxsize=1)
def copier() -> LanguageModel:
    return LanguageModel.load(ModelSpec(hf=str(copy_model())))


def rows(choices: bool = False) -> pa.Table:
    made = []
    for right, wrong in zip(copy_rows(ROWS, seed=5), copy_rows(ROWS, seed=6), strict=True):
        options = [wrong[1]["content"], right[1]["content"]]
        made.append(make_row(right, extra={"choices": options} if choices else {}))
    return table(made)
