"""Whether a student and its teacher read the same tokens, as far as that can be seen without loading either."""

from __future__ import annotations

from pathlib import Path

from dataflywheel.contracts import UsageError
from dataflywheel.distillation.model.teacher import check_same_tokens
from dataflywheel.models.language.pool_tokenizer import VOCABULARY
from dataflywheel.models.packaged import packaged
from dataflywheel.models.spec import ModelSpec


def check_tokens(student: ModelSpec, teacher: ModelSpec, title: str) -> None:
    """
    Raises:
        UsageError: both have tokenizers that are known by now, and token ids mean different things. A built-in student
            has one that is learned from the pool, of which the size alone is known: a larger one is another.
    """
    if "tiny" in (student.builtin, teacher.builtin):
        other = teacher if student.builtin else student
        size = None if other.builtin else _size(other)
        if size is not None and size > 2 * VOCABULARY:
            raise UsageError(
                f"{title}: a tiny model's tokenizer is learned from the pool and has about {VOCABULARY:,} tokens, "
                f"that of {other.hf} {size:,}; use aligned_vocabulary or uld, which distil between tokenizers"
            )
        return
    ours, theirs = _vocabulary(student), _vocabulary(teacher)
    if ours and theirs:
        try:
            check_same_tokens(ours, theirs)
        except UsageError as error:
            raise UsageError(f"{title}: {error}") from None


def _size(spec: ModelSpec) -> int | None:
    known = packaged(spec.hf)
    return known.tokens if known else len(_vocabulary(spec)) or None


def _vocabulary(spec: ModelSpec) -> dict[str, int]:
    """Ids by token of a folder on this machine; empty where there is none to look into."""
    file = Path(spec.hf or "").expanduser() / "tokenizer.json"
    if not spec.hf or not file.is_file():
        return {}
    from tokenizers import Tokenizer

    try:
        found: dict[str, int] = Tokenizer.from_file(str(file)).get_vocab()
    except Exception:  # whoever loads the model says what is wrong with the file
        return {}
    return found
