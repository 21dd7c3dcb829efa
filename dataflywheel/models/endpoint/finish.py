"""Why an answer ended, in the words that endpoints have for it. The list is closed: any other word is a failure."""

from __future__ import annotations

from dataflywheel.models.endpoint.request import Outcome

WORDS = {
    Outcome.ANSWERED: (
        *("stop", "eos", "eos_token", "end_turn", "stop_sequence", "stop_token"),
        *("complete", "completed", "finish", "finished", "done"),
        *("tool_calls", "tool_call", "tool_use", "function_call"),
    ),
    Outcome.TRUNCATED: (
        *("length", "max_length", "model_length", "context_length", "token_limit", "incomplete"),
        *("max_tokens", "max_output_tokens", "max_completion_tokens", "max_new_tokens"),
        *("model_context_window_exceeded", "context_window_exceeded", "max_tokens_reached"),
    ),
    Outcome.FILTERED: (
        *("content_filter", "content_filtered", "sensitive", "moderation", "guardrail_intervened", "error_toxic"),
        *("safety", "image_safety", "recitation", "blocklist", "prohibited_content", "spii"),
    ),
    Outcome.REFUSED: ("refusal", "refused"),
}
"""OpenAI, vLLM, llama.cpp, TGI, Anthropic, Gemini, Cohere, Mistral, Bedrock, Zhipu; in the spelling of `outcome_of`."""
_OUTCOMES = {word: outcome for outcome, words in WORDS.items() for word in words}


def outcome_of(finish: str) -> Outcome | None:
    """What the word says of the answer; None for a word that is not known.

    >>> outcome_of("FINISH_REASON_STOP"), outcome_of("max-tokens"), outcome_of("error")
    (<Outcome.ANSWERED: 'answered'>, <Outcome.TRUNCATED: 'truncated'>, None)
    """
    word = finish.strip().lower().replace("-", "_").replace(" ", "_")
    return _OUTCOMES.get(word.removeprefix("finish_reason_").removeprefix("finishreason."))
