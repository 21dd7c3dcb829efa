"""The tokens that end a turn, where a server shows them in the text, or does not stop at them."""

from __future__ import annotations

import re

from dataflywheel.rows.fences import fenced

ENDS = (
    "<|end|>",
    "<|return|>",
    "<|im_end|>",
    "<|eot_id|>",
    "<|END_OF_TURN_TOKEN|>",
    "<|endoftext|>",
    "<turn|>",
    "</s>",
)
_TURN = re.compile(
    r"(?:<\|im_end\|>|<\|eot_id\|>|<\|endoftext\|>|<end_of_turn>|<\|end\|>|</s>)\s{0,4}"
    r"(?:<\|im_start\|>|<\|start_header_id\|>|<start_of_turn>|<\|start\|>|<\|user\|>|<s>\s{0,2}\[INST\]|\[INST\])"
)
"""The end of a turn and the beginning of the next one."""
_HEADER = re.compile(r"<\|im_start\|>|<\|start_header_id\|>|<start_of_turn>|<\|start\|>|<\|user\|>|\[INST\]")


def ended(text: str) -> str:
    """The text without one token that ends a turn."""
    end = next((end for end in ENDS if text.rstrip().endswith(end)), "")
    return text.rstrip().removesuffix(end).rstrip() if end else text


def own_turn(text: str) -> str:
    """What a model said in its own turn: without the token behind it, and without turns that it wrote for others.

    A token that a sentence names (`ends with <|im_end|>`), and one in fenced code or behind the beginning of a turn, is
    talked about.

    >>> own_turn("Four.<|im_end|>\\n<|im_start|>user\\nAnd three?"), own_turn("Four.<|eot_id|>")
    ('Four.', 'Four.')
    >>> own_turn("ChatML ends a turn with <|im_end|>")
    'ChatML ends a turn with <|im_end|>'
    """
    found = _TURN.search(text)
    if found is not None:
        shown = any(block.start <= found.start() < block.end for block in fenced(text))
        if not shown and not _HEADER.search(text, 0, found.start()):
            return text[: found.start()].rstrip()
    cut = ended(text)
    if len(cut) == len(text) or "<s>" in cut[len("<s>") :]:  # HTML, struck through
        return text
    behind = text[len(cut) : len(cut) + 1]
    return text if behind in (" ", "\t", "`", '"') else cut
