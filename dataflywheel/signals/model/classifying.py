"""What the signal and the gate of a sequence classifier share: the model, what it reads, and whose score counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import numpy as np
import orjson
from pydantic import BaseModel, ConfigDict, Field, model_validator

from dataflywheel.contracts import AnyArray, FloatArray, Status, UsageError, nearest
from dataflywheel.models.files import folder_digest, resolve_folder
from dataflywheel.models.language.sequence_classifier import SequenceClassifier, sequence_classifier
from dataflywheel.rows.schema import Message
from dataflywheel.rows.text import part_of


@dataclass(frozen=True)
class Scores:
    """Of n conversations: the score (n,), NaN where there is nothing to read, the likeliest label, and what became of
    it as `Status` (n,)."""

    score: FloatArray
    label: list[str | None]
    status: AnyArray


class Classifying(BaseModel):
    """A classifier, and which of its labels is asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hf: str
    """A folder or hub name of a sequence classifier in safetensors, such as `unitary/toxic-bert`,
    `HuggingFaceFW/fineweb-edu-classifier` or a reward model."""
    label: str | int | None = None
    """The label whose probability is the score, by name or place; to be given unless the model has one output, which is
    the score as it is."""
    part: Literal["all", "prompt", "answer", "chat"] | None = None
    """What is read: the text of the whole row, of what stands before the final answer, of that answer, or the
    conversation as the model's chat template shows it. Not given: the conversation where there is a template."""
    max_length: int = Field(default=512, ge=8)
    """Tokens that are read; never more than the model's own context."""
    batch: int = Field(default=32, ge=1)
    """Texts that are read at once."""

    @model_validator(mode="after")
    def _there(self) -> Self:
        """What can be seen before anything runs: a folder that is not there, a label that it does not have."""
        folder = Path(self.hf).expanduser()
        if self.hf.startswith((".", "/", "~")) and not (folder / "config.json").exists():
            raise ValueError(f"hf: {self.hf} is not a model folder (no config.json); give a folder or a hub name")
        if (folder / "config.json").exists():
            try:
                place_of(self.label, names_in(folder / "config.json"), self.hf)
            except UsageError as error:
                raise ValueError(str(error)) from None
        return self

    def model_digest(self) -> str:
        return folder_digest(resolve_folder(self.hf))

    def classified(self, conversations: Sequence[Sequence[Message]]) -> Scores:
        """
        Raises:
            UsageError: the folder holds no classifier, it has no such label, or none is named of several.
        """
        model = sequence_classifier(self.hf)
        place = place_of(self.label, model.labels, self.hf)
        chats = self.part == "chat" or (self.part is None and model.reads_chats)
        if chats and not model.reads_chats:
            raise UsageError(f"part: chat, but {self.hf} has no chat template; give all, prompt or answer")
        texts = [self._text(model, messages, chats) for messages in conversations]
        able = [i for i, text in enumerate(texts) if text.strip()]
        read = model.read([texts[i] for i in able], None, self.max_length, self.batch, chats)
        score, status = np.full(len(texts), np.nan, np.float32), np.full(len(texts), Status.EMPTY, np.uint8)
        label: list[str | None] = [None] * len(texts)
        if able:
            score[able] = _scores(read.logits, model.independent)[:, place]
            good = np.isfinite(score[able])
            status[able] = np.where(good, np.where(read.cut, Status.TRUNCATED, Status.OK), Status.FAILED)
            names = model.labels
            if len(names) > 1:
                for i, best in zip(able, read.logits.argmax(axis=1).tolist(), strict=True):
                    label[i] = names[best]
        return Scores(score, label, status)

    def _text(self, model: SequenceClassifier, messages: Sequence[Message], chats: bool) -> str:
        if chats:
            return model.shown(messages) if part_of(messages, "all").strip() else ""
        return part_of(messages, "all" if self.part is None or self.part == "chat" else self.part)


def place_of(label: str | int | None, names: Sequence[str], model: str) -> int:
    """Which output of the model is the score.

    Raises:
        UsageError: it has no such label or several of that name, or none is named of several.
    """
    if len(names) == 1:
        if label not in (None, 0, names[0]):
            raise UsageError(f"label: {model} has one output, {names[0]!r}; leave `label` out")
        return 0
    if label is None:
        raise UsageError(f"label: {model} has several: {', '.join(names)}; name the one to score by")
    if isinstance(label, int) and 0 <= label < len(names):
        return label
    alike = [i for i, name in enumerate(names) if name.casefold() == str(label).casefold()]
    found = [i for i in alike if names[i] == label] or alike
    if not found:
        raise UsageError(f"label: {model} has no {label!r}{nearest(str(label), list(names))}")
    if len(found) > 1:
        places = " and ".join(map(str, found))
        raise UsageError(f"label: {model} has {len(found)} of the name {label!r}; name it by its place, {places}")
    return found[0]


def names_in(config: Path) -> list[str]:
    """Names of the outputs by a model's configuration; two with names of their own where it tells none."""
    told = orjson.loads(config.read_bytes()).get("id2label") or {"0": "LABEL_0", "1": "LABEL_1"}
    return [str(told[place]) for place in sorted(told, key=int)]


def _scores(logits: FloatArray, independent: bool) -> FloatArray:
    """Probabilities (n, labels); the one output of a model that has no other as it is."""
    if logits.shape[1] == 1:
        return logits
    if independent:
        sigmoid: FloatArray = 1 / (1 + np.exp(-logits))
        return sigmoid
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    softmax: FloatArray = powers / powers.sum(axis=1, keepdims=True)
    return softmax
