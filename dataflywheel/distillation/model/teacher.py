"""The teacher at work: its last hidden states where a student predicts its answers, and what both must share."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from dataflywheel.contracts import AnswerPositions, UsageError
from dataflywheel.models.language.language_model import LanguageModel, shared_model
from dataflywheel.models.language.scoring import autocast, last_hidden, pad_batch
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.templates.chat import EncodedRow


def load_teacher(spec: ModelSpec) -> LanguageModel:
    """The teacher, once a process.

    Raises:
        UsageError: it is no local model, or its logits are not its output embedding times its states.
    """
    model = shared_model(spec)
    if not model.linear:
        raise UsageError(f"{model.folder}: a teacher's logits must be its output embedding times its last states")
    return model


def tokenizer_digest(model: LanguageModel) -> str:
    """16 hex digits over the tokenizer (vocabulary, merges, normaliser) and the chat template."""
    chat = model.chat
    text = "\0".join((chat.backend.to_str(), chat.template, chat.taught, chat.with_tools.taught))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def check_same_vocabulary(student: LanguageModel, teacher: LanguageModel) -> None:
    """Refuse two models whose token ids mean different things; one may have more rows of padding than the other.

    Raises:
        UsageError: some id below both sizes stands for different tokens.
    """
    check_same_tokens(student.tokenizer.get_vocab(), teacher.tokenizer.get_vocab())


def check_same_tokens(student: Mapping[str, int], teacher: Mapping[str, int]) -> None:
    """`check_same_vocabulary` of ids by token.

    Raises:
        UsageError: some id below both sizes stands for different tokens.
    """
    ours, theirs = ({i: token for token, i in held.items()} for held in (student, teacher))
    size = min(len(ours), len(theirs))
    different = next((i for i in range(size) if ours.get(i) != theirs.get(i)), None)
    if different is not None or abs(len(ours) - len(theirs)) > size // 100:
        where = "" if different is None else f" (token {different} differs)"
        raise UsageError(
            f"student and teacher have vocabularies of {len(ours)} and {len(theirs)} tokens that are not the same"
            f"{where}; use aligned_vocabulary or uld, which distil between tokenizers"
        )


def common_vocabulary(student: LanguageModel, teacher: LanguageModel) -> int:
    """Tokens that both can predict, the padding of the larger left out."""
    return min(len(model.model.get_output_embeddings().weight) for model in (student, teacher))


def check_context(teacher: LanguageModel, rows: Sequence[EncodedRow]) -> None:
    """Raises UsageError where a row is longer than what the teacher can read."""
    longest = max((len(row.ids) for row in rows), default=0)
    if longest > teacher.context:
        raise UsageError(
            f"a row has {longest} tokens and the teacher reads {teacher.context}; set max_length to that or less"
        )


def answer_states(model: LanguageModel, rows: Sequence[EncodedRow]) -> Any:
    """Last hidden states (n, d) that predict the tokens of `rows` that are learned, row after row."""
    import torch

    width = max(1, *(len(row.ids) for row in rows))
    with torch.no_grad(), autocast(model.model, model.dtype):
        ids = pad_batch([row.ids for row in rows], width, model.pad_id, model.model.device)
        states = last_hidden(model.model, ids).float()
    places = [torch.tensor(row.learned, device=states.device, dtype=torch.long) - 1 for row in rows]
    return torch.cat([states[i, place] for i, place in enumerate(places)])


class OnlineTeacher:
    """A teacher that reads the rows of each batch as the student does; nothing is kept."""

    def __init__(self, model: LanguageModel, rows: Sequence[EncodedRow]) -> None:
        check_context(model, rows)
        self.model, self.rows = model, rows

    def states(self, at: AnswerPositions) -> tuple[Any, Any]:
        """States (n, d) of all answer tokens of the rows in `at`, and of each position in `at` where its row begins
        among them (m,)."""
        import torch

        found, which = torch.unique(at.rows, return_inverse=True)
        rows = [self.rows[i] for i in found.tolist()]
        starts = torch.tensor([0, *(len(row.learned) for row in rows[:-1])], device=at.rows.device).cumsum(0)
        return answer_states(self.model, rows), starts[which]

    def logits(self, states: Any) -> Any:
        import torch

        with torch.no_grad():
            return self.model.model.get_output_embeddings()(states).float()
