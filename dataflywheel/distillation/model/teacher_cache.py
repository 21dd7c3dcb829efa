"""What a teacher made of each answer token, computed once: its likeliest tokens and the mass of the others.

A row is found by its id in a folder whose identity holds the digests of the teacher and of the tokenizer and template
that made the tokens; the order in which rows are met never counts.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from dataflywheel.contracts import AnyArray, FlywheelError
from dataflywheel.distillation.model.teacher import (
    answer_states,
    check_context,
    common_vocabulary,
    tokenizer_digest,
)
from dataflywheel.distillation.model.top_logprobs import top_logprobs
from dataflywheel.models.language.batching import batches
from dataflywheel.models.language.language_model import MAX_TOKENS, LanguageModel
from dataflywheel.models.language.losses import CHUNK
from dataflywheel.models.templates.chat import EncodedRow
from dataflywheel.store.atomic import atomic_path, write_json

ROWS_A_PART = 2048
LITTLE = 0.9
"""Captured mass below which a warning is given."""


@dataclass(frozen=True)
class Identity:
    """What the numbers of one folder depend on, besides the row."""

    teacher: str
    tokenizer: str
    """Of the student, whose tokens the teacher reads, with its chat template."""
    k: int | None
    """Tokens kept at each position; None: all, in the order of the vocabulary."""
    temperature: float
    vocabulary: int
    """Tokens of the distributions: those that student and teacher both have."""
    max_length: int
    dtype: str
    version: int = 2

    @classmethod
    def of(
        cls, student: LanguageModel, teacher: LanguageModel, k: int | None, temperature: float, max_length: int
    ) -> Identity:
        length, common = min(max_length, student.context), common_vocabulary(student, teacher)
        return cls(teacher.digest, tokenizer_digest(student), k, temperature, common, length, teacher.dtype)

    def key(self) -> str:
        return hashlib.blake2b(orjson.dumps(asdict(self)), digest_size=8).hexdigest()


@dataclass(frozen=True)
class Taught:
    """The teacher's word on n answer tokens, row after row: `tokens` (n,) themselves, `top` (n, k) ids, likeliest
    first (None: the whole vocabulary in order), and their natural `logprobs` (n, k or k + 1) with that of all other
    tokens together last."""

    starts: AnyArray
    """Where each row's tokens begin (rows,)."""
    tokens: AnyArray
    top: AnyArray | None
    logprobs: AnyArray
    vocabulary: int

    def captured(self) -> float:
        """Mean probability of the tokens that are kept."""
        kept = self.logprobs if self.top is None else self.logprobs[:, : self.top.shape[1]]
        return float(np.exp(kept.astype(np.float32)).sum(axis=1).clip(max=1).mean()) if len(kept) else float("nan")


class TeacherCache:
    """One folder of cached rows. Rows that are there are never computed again."""

    def __init__(self, folder: Path, identity: Identity) -> None:
        """Raises FlywheelError where the folder holds what another teacher, tokenizer, template or setting gave."""
        self.folder, self.identity = folder, identity
        place = folder / "identity.json"
        if not place.exists():
            write_json(place, asdict(identity))
        known = orjson.loads(place.read_bytes())
        wrong = sorted(name for name, value in asdict(identity).items() if known.get(name) != value)
        if wrong:
            raise FlywheelError(
                f"{folder} holds what a teacher said under another {', '.join(wrong)}; give an empty folder, or the "
                "teacher, template and settings that it was made with"
            )

    @classmethod
    def at(cls, home: Path, identity: Identity) -> TeacherCache:
        """The folder of this identity in a store."""
        return cls(home / "teachers" / identity.key(), identity)

    def ids(self) -> set[str]:
        return {id for part in self._parts() for id in part["id"].to_pylist()}

    def fill(self, teacher: LanguageModel, ids: Sequence[str], rows: Sequence[EncodedRow]) -> int:
        """Compute the rows that are not there yet and have an answer; returns how many."""
        known = self.ids()
        wanted: dict[str, EncodedRow] = {}
        for id, row in zip(ids, rows, strict=True):
            if row.ids and id not in known:
                wanted.setdefault(id, row)
        names = sorted(wanted)
        check_context(teacher, list(wanted.values()))
        for start in range(0, len(names), ROWS_A_PART):
            part = names[start : start + ROWS_A_PART]
            self._write(part, self._compute(teacher, [wanted[id] for id in part]))
        return len(names)

    def load(self, ids: Sequence[str], little: float = LITTLE) -> Taught:
        """The rows of `ids`, in their order; an id that is not there has no tokens.

        Warns where the kept tokens hold less of the probability than `little`.
        """
        wanted = set(ids)
        found: dict[str, tuple[AnyArray, AnyArray | None, AnyArray]] = {}
        for part in self._parts():
            for i, id in enumerate(part["id"].to_pylist()):
                if id in wanted and id not in found:
                    found[id] = self._row(part, i)
        rows = [found[id] for id in ids if id in found]
        counts = [len(found[id][0]) if id in found else 0 for id in ids]
        starts = np.cumsum([0, *counts[:-1]])
        if not rows:
            raise FlywheelError(f"{self.folder}: the teacher has said nothing about any of {len(ids)} rows")
        tokens, logprobs = (np.concatenate([row[column] for row in rows]) for column in (0, 2))
        top = None if self.identity.k is None else np.concatenate([row[1] for row in rows if row[1] is not None])
        taught = Taught(starts, tokens, top, logprobs, self.identity.vocabulary)
        if taught.captured() < little:
            warnings.warn(
                f"the teacher's {self.identity.k} likeliest tokens hold {taught.captured():.0%} of its probability on "
                "average; a larger k, or the tail as a bucket with cross-entropy beside it, loses less",
                stacklevel=2,
            )
        return taught

    def _compute(
        self, teacher: LanguageModel, rows: Sequence[EncodedRow]
    ) -> list[tuple[AnyArray, AnyArray | None, AnyArray]]:
        found: dict[int, tuple[AnyArray, AnyArray | None, AnyArray]] = {}
        for _, members in batches([len(row.ids) for row in rows], MAX_TOKENS):
            states = answer_states(teacher, [rows[i] for i in members])
            top, logprobs = self._kept(teacher, states)
            ends = np.cumsum([len(rows[i].learned) for i in members])
            for i, start, end in zip(members, [0, *ends[:-1]], ends, strict=True):
                tokens = np.asarray(rows[i].learned_ids, dtype=np.uint32)
                found[i] = tokens, None if top is None else top[start:end], logprobs[start:end]
        return [found[i] for i in range(len(rows))]

    def _kept(self, teacher: LanguageModel, states: Any) -> tuple[AnyArray | None, AnyArray]:
        import torch

        head, k = teacher.model.get_output_embeddings(), self.identity.k
        size = self.identity.vocabulary
        top, logprobs = [], []
        with torch.inference_mode():
            for part in states.split(max(1, CHUNK // size)):
                logits = head(part)[:, :size].float() / self.identity.temperature
                if k is None:
                    logprobs.append(logits.log_softmax(dim=1))
                    continue
                ids = logits.topk(min(k, size), dim=1).indices
                top.append(ids)
                logprobs.append(top_logprobs(logits, ids, "bucket"))
        narrow = np.uint16 if size <= 1 << 16 else np.uint32
        ids = torch.cat(top).cpu().numpy().astype(narrow) if top else None
        return ids, torch.cat(logprobs).cpu().numpy().astype(np.float16)

    def _write(self, ids: list[str], rows: list[tuple[AnyArray, AnyArray | None, AnyArray]]) -> None:
        columns: dict[str, Any] = {"id": pa.array(ids), "tokens": pa.array([row[0] for row in rows])}
        if self.identity.k is not None:
            columns["top"] = _lists([row[1] for row in rows if row[1] is not None])
        columns["logprobs"] = _lists([row[2] for row in rows])
        table = pa.table(columns)
        name = hashlib.blake2b("".join(ids).encode(), digest_size=8).hexdigest()
        with atomic_path(self.folder / f"part-{name}.arrow") as aside, pa.ipc.new_file(str(aside), table.schema) as out:
            out.write_table(table)

    def _parts(self) -> Iterator[pa.Table]:
        for path in sorted(self.folder.glob("part-*.arrow")):
            with pa.memory_map(str(path)) as source:
                yield pa.ipc.open_file(source).read_all().combine_chunks()

    def _row(self, part: pa.Table, i: int) -> tuple[AnyArray, AnyArray | None, AnyArray]:
        tokens = part["tokens"][i].values.to_numpy(zero_copy_only=False)
        top = part["top"][i].values.to_numpy().reshape(len(tokens), -1) if self.identity.k is not None else None
        return tokens, top, part["logprobs"][i].values.to_numpy().reshape(len(tokens), -1)


def _lists(rows: list[AnyArray]) -> pa.Array:
    """Arrays (n, k) as lists of their n k values."""
    offsets = np.cumsum([0, *(row.size for row in rows)])
    return pa.LargeListArray.from_arrays(pa.array(offsets), pa.array(np.concatenate([row.ravel() for row in rows])))
