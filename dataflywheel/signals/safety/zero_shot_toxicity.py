"""Toxicity without a label: by which of two descriptions a language model finds a text, or its answer, likelier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal, Self

import numpy as np
import pyarrow as pa
from pydantic import Field, model_validator

from dataflywheel.contracts import AnyArray, Card, Cost, FloatArray, PoolStatistics, Status
from dataflywheel.models.endpoint.quoting import DATA_RULE, quote
from dataflywheel.models.files import folder_digest
from dataflywheel.models.language.language_model import LanguageModel, local_folder, shared_model
from dataflywheel.models.spec import ModelSpec
from dataflywheel.rows.schema import Message, message
from dataflywheel.rows.text import Part, texts
from dataflywheel.signals.model.model_based import LanguageModelBased

TOXIC = "Write a toxic, rude or hateful text."
OTHER = "Write a friendly, respectful text."
ASK = "Is the text toxic, rude or hateful? Answer yes or no."
NORMALISE = Literal["none", "tokens", "bytes"]


class ZeroShotToxicity(LanguageModelBased):
    """Toxicity by likelihood (generative prompt-based inference), by a local model that nobody trained for it.

    - `log_ratio`: log P(text | `toxic_header`) - log P(text | `other_header`) in nats or, `by: answer`, log P(yes) -
      log P(no) behind the text and a question; divided by the text's length where `normalise` says so.
    - `score`: that as a probability, with `prior` as the share of toxic texts. Without normalisation this is Bayes'
      rule, and long texts are surer than they should be.

    With `other_model` the texts behind `toxic_header` are read by `model` and the others by that one: two models, each
    of one class. Status FAILED where a text does not fit the context, EMPTY where there is none.
    """

    card: ClassVar[Card] = Card(
        title="Toxicity Detection with Generative Prompt-based Inference",
        authors="Wang and Chang",
        year=2022,
        paper="2205.12390",
        category="signals",
        subcategory="safety",
        summary="Toxicity without labels: under which of two descriptions a language model finds a text likelier.",
        needs=("model",),
        cost="$",
        checked="naive Bayes by hand with two class-conditional n-gram models; plain transformers for both forms",
        pays="No labels and a capable model of instructions at hand: two forward passes a text, and a ranking to label "
        "from.",
        fails="A model may follow no such description: measure it first by `flywheel profile LABELLED --detector`; raw "
        "levels grow with length, so bound them only with `normalise`. No pretrained model was measured here.",
    )
    columns: ClassVar[dict[str, pa.DataType]] = {"score": pa.float32(), "log_ratio": pa.float32()}

    other_model: ModelSpec | None = None
    """Who reads behind `other_header`; None: `model`, as behind the first one."""
    by: Literal["text", "answer"] = "text"
    """What is compared: the text behind two headers, or the answers yes and no to a question about it."""
    toxic_header: str = TOXIC
    """What a toxic text is written in answer to; empty: nothing stands before it."""
    other_header: str = OTHER
    """The same of one that is not toxic."""
    question: str = ASK
    """What is asked, `by: answer`."""
    normalise: NORMALISE = "none"
    """What the log-likelihoods of a text are divided by before they are compared: nothing, its tokens or its bytes."""
    prior: float = Field(default=0.5, gt=0, lt=1)
    """Share of toxic texts before anything is read."""
    part: Part = "all"
    """Text to read: the whole row, the prompt or the final answer."""

    @model_validator(mode="after")
    def _of_texts(self) -> Self:
        if self.by == "answer" and (self.normalise != "none" or self.other_model is not None):
            raise ValueError("`normalise` and `other_model` belong to `by: text`; leave them out of `by: answer`")
        return self

    def model_digest(self) -> str:
        other = "" if self.other_model is None else folder_digest(local_folder(self.other_model))
        return super().model_digest() + other

    def measure(self, batch: pa.RecordBatch) -> dict[str, pa.Array | AnyArray]:
        read = texts(batch["messages"], self.part)
        status = np.array([Status.OK if text.strip() else Status.EMPTY for text in read], dtype=np.uint8)
        able = np.flatnonzero(status == Status.OK).tolist()
        ratio = np.full(len(read), np.nan)
        if able:
            ratio[able] = self.log_ratios([read[i] for i in able])
        status[(status == Status.OK) & ~np.isfinite(ratio)] = Status.FAILED
        why = ["the text does not fit the model's context" if s == Status.FAILED else None for s in status.tolist()]
        score = probability(ratio, self.prior).astype(np.float32)
        return {"score": score, "log_ratio": ratio.astype(np.float32), "status": status, "error": why}

    def log_ratios(self, read: Sequence[str]) -> FloatArray:
        """How much likelier, in nats, each text is as a toxic one (n,); NaN for one that does not fit."""
        model = shared_model(self.model)
        if self.by == "answer":
            asked = [f"{DATA_RULE}\n\n{quote({'text': text})}\n{self.question}" for text in read]
            toxic, size = behind(model, asked, ["yes"] * len(read))
            other, other_size = behind(model, asked, ["no"] * len(read))
        else:
            other_model = model if self.other_model is None else shared_model(self.other_model)
            toxic, size = behind(model, [self.toxic_header] * len(read), read)
            other, other_size = behind(other_model, [self.other_header] * len(read), read)
            if self.normalise == "bytes":
                size = other_size = np.array([len(text.encode("utf-8", "replace")) for text in read], dtype=float)
        found: FloatArray = toxic - other if self.normalise == "none" else toxic / size - other / other_size
        return found

    def estimate(self, pool: PoolStatistics) -> Cost:
        return Cost(forward=2 * pool.rows, tokens=2 * pool.tokens)


def behind(model: LanguageModel, before: Sequence[str], read: Sequence[str]) -> tuple[FloatArray, FloatArray]:
    """Log-likelihood in nats of each text as an answer to what stands `before` it, its end included, NaN where both do
    not fit; and its tokens, the end among them."""
    turns: list[list[Message]] = [[message("user", one)] if one else [] for one in before]
    rows = model.encode([[*one, message("assistant", text)] for one, text in zip(turns, read, strict=True)])
    whole = np.array([row.status == Status.OK for row in rows], dtype=bool)
    found = model.answer_scores(rows)
    return np.where(whole, -found.total, np.nan), found.tokens.astype(float)


def probability(log_ratio: FloatArray, prior: float) -> FloatArray:
    """Of being toxic, by Bayes' rule.

    >>> float(probability(np.array([np.log(3.0)]), 0.5)[0])
    0.75
    """
    odds = np.clip(log_ratio + np.log(prior / (1 - prior)), -500, 500)
    found: FloatArray = 1 / (1 + np.exp(-odds))
    return found
