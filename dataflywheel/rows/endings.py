"""Why a model's answer ended, in the words that endpoints have for it. The list is closed: others say nothing."""

from __future__ import annotations

import re
from enum import StrEnum


class Ending(StrEnum):
    """What a word says of an answer."""

    WHOLE = "whole"
    CUT = "cut"
    WITHHELD = "withheld"
    DECLINED = "declined"


WORDS = {
    Ending.WHOLE: (
        *("stop", "eos", "eos_token", "eos_found", "eot", "endoftext", "end_of_text", "end_of_turn", "end_turn", "end"),
        *("stop_sequence", "stop_sequence_reached", "stop_string_found", "stop_criteria_met", "stop_token"),
        *("complete", "completed", "finish", "finished", "done", "normal"),
        *("tool_calls", "tool_call", "tool_use", "function_call"),
    ),
    Ending.CUT: (
        *("length", "max_length", "model_length", "context_length", "token_limit", "incomplete", "limit", "context"),
        *("max_tokens", "max_output_tokens", "max_completion_tokens", "max_new_tokens", "maximum_tokens"),
        *("model_context_window_exceeded", "context_window_exceeded", "max_tokens_reached", "error_limit"),
        *("max_predicted_tokens_reached", "context_length_reached", "context_length_exceeded"),
    ),
    Ending.WITHHELD: (
        *("content_filter", "content_filtered", "sensitive", "moderation", "guardrail_intervened", "error_toxic"),
        *("safety", "recitation", "blocklist", "blocked", "prohibited_content", "spii", "model_armor", "jailbreak"),
        *("image_safety", "image_recitation", "image_prohibited_content"),
    ),
    Ending.DECLINED: ("refusal", "refused"),
}
"""OpenAI, vLLM, llama.cpp, TGI, LM Studio, Anthropic, Gemini, Cohere, Mistral, Bedrock, Zhipu, Baidu, Reka and others;
in the spelling of `ending_of`."""
_ENDINGS = {word: ending for ending, words in WORDS.items() for word in words}


def ending_of(word: str) -> Ending | None:
    """What the word says of the answer; None for a word that is not known.

    >>> ending_of("FINISH_REASON_STOP"), ending_of("max-tokens"), ending_of("eosFound"), ending_of("error")
    (<Ending.WHOLE: 'whole'>, <Ending.CUT: 'cut'>, <Ending.WHOLE: 'whole'>, None)
    """
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])|[- ]", "_", word[:80].strip()).lower()
    plain = plain.removeprefix("finish_reason_").removeprefix("finish_reason.")
    return _ENDINGS.get(plain) or _ENDINGS.get(plain.partition(":")[0])  # "content_filter: RECITATION"
