"""What the student's chat template makes of the pool's rows, found before anything is trained."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataflywheel.contracts import UsageError
from dataflywheel.models.packaged import packaged, packaged_folder
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.templates.encoded import EncodedRow
from dataflywheel.models.training.trainer import Trainer
from dataflywheel.recipe.schema import Recipe
from dataflywheel.rows.schema import Row
from dataflywheel.store.plan import Shown, ShownAnswers

if TYPE_CHECKING:
    from dataflywheel.models.templates.chat import ChatFormat

PAIR = "it is a pair, which `prefer` learns"
"""Why a training that leaves pairs alone does not learn a row."""
Encode = Callable[["ChatFormat", Sequence[Row], int], list[EncodedRow]]
"""What a training makes of rows: chat format, rows and the longest sequence in, examples out."""
TURN = re.compile(r"turn \d+")
SYSTEM = re.compile(r"refuses it: |leaves out the text of turn 1 \(system\)")
"""What a template may do with a system text that it has no place for; many say that roles must alternate."""
LOOKED_AT = 1000
"""Rows of each source, its first."""
MERGE_HINT = (
    "; `models: {student: {..., system: merge}}` puts a system text that has no place in the template before the first "
    "question"
)


def shown_rows(
    recipe: Recipe, longest: int, encode: Encode, first: Sequence[Sequence[Row]], rewritten: bool = False
) -> Shown:
    """Of the `first` rows of every source: how many are looked at, which will not be trained and which are changed by
    the template, each by reason, how many are cut at `max_length`, and how many are shown without an end of turn;
    or why none could be looked at (`unseen`). `rewritten`: a step before the training writes rows, or answers those of
    the pool, so that these need not be what is trained.

    Raises:
        UsageError: none of them can be trained, and nothing else will be there.
    """
    rows = {row["id"]: row for held in first for row in held[:LOOKED_AT]}
    if not rows:
        return Shown()
    ids = list(rows)
    tokenizer = _tokenizer(recipe.models.student, list(rows.values()))
    if tokenizer is None:
        return Shown(unseen=f"the tokenizer of {recipe.models.student.hf} is not on this machine yet")
    found = encode(*_format(tokenizer, rows, longest, recipe.models.student))
    left_out = {ids[one.row]: one.reason for one in found if not one.ids}
    left_out |= {id: left_out[id] + MERGE_HINT for id in _helped(recipe, longest, encode, rows, left_out)}
    changed = {ids[one.row]: one.changed for one in found if one.changed}
    if len(left_out) == len(rows) and not rewritten and PAIR not in left_out.values():
        reasons = "; ".join(f"{n:,}: {reason}" for reason, n in list(_kinds(left_out).items())[:3])
        raise UsageError(f"train: none of the first {len(rows):,} rows can be trained: {reasons}")
    return Shown(
        rows=len(rows),
        rewritten=rewritten,
        not_trained=_kinds(left_out),
        changed=_kinds(changed),
        cut=len({one.row for one in found if one.cut}),
        without_end=len({one.row for one in found if one.ids and not one.cut and not one.ended}),
    )


def _format(
    tokenizer: Any, rows: Mapping[str, Row], longest: int, student: ModelSpec
) -> tuple[ChatFormat, list[Row], int]:
    from dataflywheel.models.templates.chat import ChatFormat

    return ChatFormat(tokenizer), list(rows.values()), min(longest, _context(student))


def shown_answers(
    recipe: Recipe, longest: int, by: Trainer, encode: Encode, first: Sequence[Sequence[Row]]
) -> ShownAnswers:
    """Of the rows among the `first` that this trainer learns from: how many are looked at, which will not be learned,
    by reason, and what there is to say of the others together."""
    rows = {row["id"]: row for held in first for row in held[:LOOKED_AT] if by.takes(row)}
    tokenizer = _tokenizer(recipe.models.student, list(rows.values())) if rows else None
    if tokenizer is None:
        return ShownAnswers()
    found = encode(*_format(tokenizer, rows, longest, recipe.models.student))
    ids = list(rows)
    left_out = {ids[one.row]: one.reason for one in found if not one.ids}
    remarks = by.remarks([row for id, row in rows.items() if id not in left_out])
    counted = {"pairs" if by.learns == "pairs" else "answers": len(rows)}
    told = {**counted, "not_trained": _kinds(left_out), **({"remarks": remarks} if remarks else {})}
    return ShownAnswers.model_validate(told)


def _context(student: ModelSpec) -> int:
    """The longest sequence that the student was built for, in tokens."""
    from dataflywheel.models.language.pool_tokenizer import CONTEXT

    if student.builtin is not None:
        return CONTEXT
    from transformers import AutoConfig

    try:
        config = AutoConfig.from_pretrained(_folder(student), trust_remote_code=False).get_text_config()
    except (OSError, ValueError):
        return 1 << 20  # what is wrong with the model is said where it is loaded
    return int(getattr(config, "max_position_embeddings", 1 << 20))


def _folder(student: ModelSpec) -> Path | None:
    """Where the student's files lie; None for a model on the hub that was never fetched."""
    from huggingface_hub import try_to_load_from_cache

    if packaged(student.hf):
        return packaged_folder(str(student.hf))
    folder = Path(str(student.hf)).expanduser()
    if folder.is_dir():
        return folder
    held = try_to_load_from_cache(str(student.hf), "tokenizer_config.json")
    return Path(held).parent if isinstance(held, str) else None


def _tokenizer(student: ModelSpec, rows: Sequence[Row]) -> Any:
    """The student's, or one that the built-in student could have: their chat template is the same. Nothing is
    fetched; None for a model on the hub that was never fetched."""
    from dataflywheel.models.language.pool_tokenizer import load_tokenizer, train_tokenizer
    from dataflywheel.models.templates.chat_template import merge_system

    if student.builtin is not None:
        return train_tokenizer([row["messages"] for row in rows[:100]])
    folder = _folder(student)
    if folder is None:
        return None
    tokenizer = load_tokenizer(folder)
    if student.system == "merge":
        merge_system(tokenizer)
    return tokenizer


def _kinds(told: dict[str, str]) -> dict[str, int]:
    """Rows by kind of reason, the most frequent first; which turn it is about is left out."""
    found = Counter(TURN.sub("an answer" if "writes" in reason else "a turn", reason) for reason in told.values())
    return dict(found.most_common())


def _helped(
    recipe: Recipe, longest: int, encode: Encode, rows: Mapping[str, Row], left_out: Mapping[str, str]
) -> list[str]:
    """Rows that would be trained if their system text stood before the first question."""
    from dataflywheel.models.templates.chat_template import merge_system

    first = {id: rows[id]["messages"][:1] for id, reason in left_out.items() if SYSTEM.search(reason)}
    able = [id for id, turns in first.items() if turns and turns[0]["role"] == "system"]
    if not able or recipe.models.student.system == "merge":
        return []
    tokenizer = _tokenizer(recipe.models.student, list(rows.values()))
    if not merge_system(tokenizer):
        return []
    found = encode(*_format(tokenizer, {id: rows[id] for id in able}, longest, recipe.models.student))
    return sorted({able[one.row] for one in found if one.ids})
