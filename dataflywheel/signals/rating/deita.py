"""DEITA's score: complexity times quality, summed over the turns of a row."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

import pyarrow as pa

from dataflywheel.contracts import Card
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.endpoint.structured import Asks
from dataflywheel.signals.rating.deita_complexity import INSTRUCTIONS as COMPLEXITY
from dataflywheel.signals.rating.deita_complexity import DeitaComplexity, complexity_request
from dataflywheel.signals.rating.deita_quality import INSTRUCTIONS as QUALITY
from dataflywheel.signals.rating.deita_quality import DeitaQuality, quality_request
from dataflywheel.signals.rating.rating import COST_COLUMNS, Asked, Rated, Rating
from dataflywheel.signals.rating.turn_scores import ask_turns


class Deita(Rating):
    """Column `score`: the sum over turns of complexity times quality, from 1 to 36 a turn; `complexity` and `quality`
    are the sums of each. What `deita_complexity` and `deita_quality` have asked is not asked again.
    """

    version: ClassVar[int] = 2
    card: ClassVar[Card] = DeitaComplexity.card.model_copy(
        update={
            "summary": "Complexity times quality, summed over turns.",
            "cost": "$$",
            "pays": "Some thousand rows for a general assistant out of a large pool, behind it `diverse_by_score`; two "
            "calls a turn.",
            "fails": "Long talks win by the sum over their turns, and a model that does not answer by digits gives no "
            "score: bound `turns`, or take `alpagasus`.",
            "evidence": "The authors, with trained scorers, MT-Bench: 7.32 with 10k rows, 5.89 with 10k random ones; "
            "here (`benchmarks/real_model.md`): 135 M parameters, 0 of 4 rows read.",
        }
    )
    columns: ClassVar[dict[str, pa.DataType]] = {
        "score": pa.float32(),
        "complexity": pa.float32(),
        "quality": pa.float32(),
        "turns": pa.int32(),
        "mass": pa.float32(),
        **COST_COLUMNS,
    }
    capabilities: ClassVar[tuple[str, ...]] = ("chat", "logprobs")
    answer_tokens: ClassVar[int] = 2

    complexity: Instructions = COMPLEXITY
    """What the model is told to do about the question."""
    quality: Instructions = QUALITY
    """What it is told to do about the answer."""

    def calls_a_row(self) -> int:
        return 2

    def rate(self, client: Asks, rows: Sequence[Asked]) -> list[Rated]:
        kinds = [partial(complexity_request, self.complexity), partial(quality_request, self.quality)]
        return [_product(turns) for turns in ask_turns(client, rows, kinds, self.name)]

    def can_ask(self, row: Asked) -> bool:
        return DeitaQuality.can_ask(self, row)  # type: ignore[arg-type]


def _product(turns: Rated) -> Rated:
    if turns.values is None:
        return turns
    complexity, quality = turns.values["scores"]
    score = sum(c * q for c, q in zip(complexity, quality, strict=True))
    sums = {"score": score, "complexity": sum(complexity), "quality": sum(quality)}
    return Rated({**turns.values, **sums}, "", turns.replies)
