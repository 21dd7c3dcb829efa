"""What stands before a user's turn in the chat formats of common model families, and what ends the turn."""

from __future__ import annotations

from dataclasses import dataclass

from dataflywheel.errors import UsageError
from dataflywheel.models.templates.chat import ChatFormat
from dataflywheel.rows.schema import message

_MARK = "\ue0f4\ue0f5\ue0f6"
"""Private-use characters, which stand where a turn's content goes."""
_NEXT = "\ue0f7\ue0f8\ue0f9"
SYSTEM = "{system}"


@dataclass(frozen=True)
class PreQueryTemplate:
    """A chat format around a user's first turn."""

    opening: str
    """All before the turn's content, without a system text."""
    with_system: str
    """The same with `{system}` where a system text goes; "" where the format has no place for one."""
    answer: str
    """All between the turn's content and the answer's."""
    stop: tuple[str, ...]
    """Texts that end the turn: its own end mark, and what would begin the next turn."""
    again: str
    """All between an answer's content and that of the user's next turn."""

    def before(self, system: str = "") -> str:
        """The prompt after which the model writes the user's turn.

        Raises:
            UsageError: a system text is asked for, and the format has no place for one.
        """
        if not system:
            return self.opening
        if not self.with_system:
            raise UsageError("this chat format has no place for a system text: leave `system` empty")
        return self.with_system.replace(SYSTEM, system)


def _headed(begin: str, role: str, end: str, stop: tuple[str, ...], answered: str = "") -> PreQueryTemplate:
    """A format in which each turn has a header with its role (`role` holds `{}`) and an end mark, answers another one
    where it is given as `answered`."""
    user = role.format("user")
    return PreQueryTemplate(
        begin + user,
        f"{begin}{role.format('system')}{SYSTEM}{end}{user}",
        end + role.format("assistant"),
        stop,
        (answered or end) + user,
    )


TEMPLATES: dict[str, PreQueryTemplate] = {
    "chatml": _headed("", "<|im_start|>{}\n", "<|im_end|>\n", ("<|im_end|>", "<|im_start|>", "<|endoftext|>")),
    "llama-3": _headed(
        "<|begin_of_text|>",
        "<|start_header_id|>{}<|end_header_id|>\n\n",
        "<|eot_id|>",
        ("<|eot_id|>", "<|end_of_text|>", "<|start_header_id|>", "<|begin_of_text|>"),
    ),
    "llama-2": PreQueryTemplate(
        "<s>[INST] ",
        f"<s>[INST] <<SYS>>\n{SYSTEM}\n<</SYS>>\n\n",
        " [/INST]",
        ("[/INST]", "[INST]", "</s>"),
        " </s><s>[INST] ",
    ),
    "mistral": PreQueryTemplate("<s>[INST] ", "", " [/INST]", ("[/INST]", "[INST]", "</s>"), "</s>[INST] "),
    "gemma": PreQueryTemplate(
        "<bos><start_of_turn>user\n",
        "",
        "<end_of_turn>\n<start_of_turn>model\n",
        ("<end_of_turn>", "<start_of_turn>", "<eos>"),
        "<end_of_turn>\n<start_of_turn>user\n",
    ),
    "phi-3": _headed("", "<|{}|>\n", "<|end|>\n", ("<|end|>", "<|assistant|>", "<|user|>", "<|endoftext|>")),
    "zephyr": _headed("", "<|{}|>\n", "</s>\n", ("</s>", "<|assistant|>", "<|user|>")),
    "tulu": _headed("", "<|{}|>\n", "\n", ("<|assistant|>", "<|user|>", "<|endoftext|>", "</s>"), "</s>\n"),
}
"""By family; Qwen, Yi and many fine-tunes speak chatml."""


def own_template(chat: ChatFormat) -> PreQueryTemplate:
    """The format of a local model, taken from its own chat template.

    Raises:
        UsageError: the template changes the turn's content, so that its place cannot be found.
    """
    turn = message("user", _MARK)
    text = chat.render([[turn]], add_generation_prompt=True)[0]
    before, mark, after = text.partition(_MARK)
    if not mark:
        raise UsageError("the model's chat template does not show the user's turn: name another model")
    try:
        system = chat.render([[message("system", SYSTEM), turn]], add_generation_prompt=True)[0]
    except Exception:  # templates refuse roles by errors of their own kinds
        system = ""
    with_system = system.partition(_MARK)[0] if SYSTEM in system else ""
    return PreQueryTemplate(before, with_system, after, _ends(after), _again(chat))


def _again(chat: ChatFormat) -> str:
    """What stands between an answer and the next turn; "" where the template does not show it."""
    talk = [message("user", "a"), message("assistant", _MARK), message("user", _NEXT)]
    try:
        text = chat.render([talk])[0]
    except Exception:  # templates refuse talks by errors of their own kinds
        return ""
    between, mark, _ = text.partition(_MARK)[2].partition(_NEXT)
    return between if mark else ""


def _ends(after: str) -> tuple[str, ...]:
    """The marks by which the turn's end shows in decoded text: the first line of what follows it, and the whole."""
    lines = [line.strip() for line in after.splitlines() if line.strip()]
    return tuple(dict.fromkeys(lines))
