"""The forms in which model families write their thoughts."""

from __future__ import annotations

import re

from dataflywheel.rows.turn_ends import ended

NAMES = (
    "think|thinking|thought|thoughts|reasoning|scratchpad|reflection|thought_process|thinking_process|inner_thoughts|"
    "inner_monologue|redacted_thinking|chain_of_thought|seed:think|mm:think|longcat_think|ant_?thinking|antml:thinking"
)
"""Tags in angle brackets: DeepSeek, Qwen, GLM, Phi, MiniMax; Claude; EXAONE, Gemini, Marco; Reka; Seed; LongCat."""
PAIRS = {
    "mistral": (r"\[THINK\]", r"\[/THINK\]"),
    "cohere": (r"<\|START_THINKING\|>", r"<\|END_THINKING\|>"),
    "kimi": ("◁think▷", "◁/think▷"),
    "gemma": (r"<\|channel>(?:thought\b)?", r"<channel\|>"),
    "medgemma": (r"<unused94>(?:thought\b)?", "<unused95>"),
    "pangu": (r"\[unused16\]", r"\[unused17\]"),
    "apertus": (r"<\|inner_prefix\|>", r"<\|inner_suffix\|>"),
    "openthoughts": (r"<\|begin_of_thought\|>", r"<\|end_of_thought\|>"),
    "bars": (r"<\|(?:begin_of_)?think(?:ing)?\|>", r"<\|(?:/think(?:ing)?|end_of_think(?:ing)?)\|>"),
    "details": (r"<details type=\"reasoning\"[^<>\n]{0,200}>", "</details>"),
    "colons": (r":(?m:(?<=^:)::thinking[ \t]*$)", r":(?m:(?<=^:)::[ \t]*$)"),
}
"""Other tags, opening and closing, by who writes them; the last two come from exports of chat programs."""
NEVER_ALONE = frozenset({"details", "colons"})
"""Forms whose closing tag has other uses: it ends nothing that was not opened."""


def _named(name: str, tag: str) -> str:
    """The pattern with its first character before the group: a regex whose ways all begin with a plain character is
    looked for fifty times as fast."""
    first = tag[: 1 + tag.startswith("\\")]
    return f"{first}(?P<{name}>{tag[len(first) :]})"


TAG = re.compile(
    rf"<(?P<angle>/?)\s{{0,2}}(?P<name>{NAMES})\s{{0,2}}>|"
    + "|".join(
        f"{_named(f'{name}_opens', opening)}|{_named(f'{name}_closes', closing)}"
        for name, (opening, closing) in PAIRS.items()
    ),
    re.IGNORECASE,
)
LEAD = re.compile(r"(?:\s|\ufeff|\u200b|<\|im_start\|>(?:assistant)?|<\|assistant\|>|<s>)*")
"""What may stand before an opening tag that begins a text."""
QUOTES_OPEN, QUOTES_CLOSE = tuple("\u201c\u2018\u00ab\u300c"), tuple("\u201d\u2019\u00bb\u300d")
SENTENCE_ENDS = frozenset(".!?\u2026\u3002\uff01\uff1f:;)]}\"'`*\u300d\u201d")
_WRAPS = (
    ("<answer>", "</answer>"),
    ("<response>", "</response>"),
    ("<output>", "</output>"),
    ("<solution>", "</solution>"),
    ("<final_answer>", "</final_answer>"),
    ("<|begin_of_solution|>", "<|end_of_solution|>"),
    ("<|START_RESPONSE|>", "<|END_RESPONSE|>"),
    ("<|START_TEXT|>", "<|END_TEXT|>"),
    ("<|begin_of_box|>", "<|end_of_box|>"),
)
_CHANNEL = re.compile(
    r"(?P<start><\|start\|>(?:assistant)?)?<\|channel\|>\s{0,3}(?P<name>\w{1,20})[^<\n]{0,200}"
    r"(?:<\|constrain\|>[^<\n]{0,40})?<\|message\|>"
)
_STRIPPED = re.compile(r"analysis(?=[A-Z\"'(])")
"""How a channel begins where the special tokens around its name were removed."""
_SPOKEN = (
    ("here is my thought process:", "here is my response:", ""),
    ("here's my thought process:", "here's my response:", ""),
    ("here are my reasoning steps:", "[begin final response]", "[end final response]"),
    ("thinking...\n", "\n...done thinking.", ""),
)
"""Granite, Apriel and Ollama's terminal say it in words: how thoughts begin, how the answer does, and what ends it."""


def form_of(found: re.Match[str]) -> tuple[str, bool]:
    """Which form a tag belongs to, and whether it opens."""
    if found["name"]:
        return found["name"].lower(), not found["angle"]
    name, _, kind = (found.lastgroup or "").rpartition("_")
    return name, kind == "opens"


def unwrapped(answer: str) -> str:
    """An answer without the tags around all of it, and without the tokens that end a turn."""
    whole = ended(answer)
    for opening, closing in _WRAPS:
        if whole[: len(opening)].lower() == opening.lower():
            inner = whole[len(opening) :].rstrip()
            if inner[-len(closing) :].lower() == closing.lower():
                return inner[: -len(closing)].strip()
    return whole


def channels(text: str) -> tuple[str, str] | None:
    """(thoughts, answer) of messages in channels, as gpt-oss writes them: without one in `final` there is no answer."""
    if "<|channel|>" not in text:
        if not _STRIPPED.match(text):
            return None
        thought, _, answer = text.removeprefix("analysis").partition("assistantfinal")
        return thought.strip(), answer.strip()
    found = list(_CHANNEL.finditer(text))
    if not found:
        return None
    lead = text[: found[0].start()]
    if not LEAD.fullmatch(lead) and not lead.rstrip().endswith("<|end|>"):
        return None
    thoughts = [_body(lead)] if lead.strip() else []
    answers: list[str] = []
    for i, header in enumerate(found):
        body = _body(text[header.end() : found[i + 1].start() if i + 1 < len(found) else len(text)])
        (answers if header["name"] == "final" else thoughts).append(body)
    return "\n\n".join(filter(None, thoughts)), "\n\n".join(answers)


def _body(text: str) -> str:
    return ended(text.strip().removesuffix("<|call|>")).strip()


def spoken(text: str) -> tuple[str, str] | None:
    """(thoughts, answer) where both are announced in words, at the beginning of the text and of the answer."""
    start = text.lstrip()
    lowered = start[:40].lower()
    for begins, answers, ends in _SPOKEN:
        found = re.search(re.escape(answers), start, re.IGNORECASE) if lowered.startswith(begins) else None
        if found is not None:
            answer = start[found.end() :].strip()
            if ends and (end := answer.lower().rfind(ends)) >= 0:
                answer = answer[:end].rstrip()
            return start[len(begins) : found.start()].strip(), answer
    return None
