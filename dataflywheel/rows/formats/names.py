"""The names under which data sets hold prompts, answers and what stands beside them, and what those of a record say."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import lru_cache

from dataflywheel.rows.formats.pair_names import PAIRS, VERSUS
from dataflywheel.rows.formats.prompt_names import HISTORY, UNPLACED

PROMPTS = (
    "prompt", "instruction", "question", "query", "problem", "input", "inputs", "user_prompt", "user_query",
    "user_question", "user_message", "user_input", "prompt_text", "text_input", "input_text", "user", "human",
    "inputs_pretokenized",
)  # fmt: skip
"""Names of a prompt, the surest first."""
CONTEXTS = ("input", "context", "passage", "paragraph")
"""Names of a text that belongs to the prompt beside it."""
JUDGED = frozenset((
    "score", "scores", "rating", "ratings", "grade", "verdict", "judgement", "judgment", "critique", "feedback",
    "winner", "preference", "judge", "chosen", "rejected",
))  # fmt: skip
"""Names of columns that say what somebody found of the answer, and may give reasons."""
TASKS = frozenset({"task", "definition", "task_definition", "task_description", "task_prompt"})
"""Names of what is to be done with an `input`: with no other prompt they belong to it."""
LISTS = ("completions", "responses", "generations", "candidates", "answers", "solutions", "outputs", "rollouts")
"""Names of a list of answers to one prompt."""
OF_A_TEXT = ("summary", "highlights", "translation", "paraphrase", "headline", "simplified", "code")
"""Names of an answer of which a text beside it is the prompt."""
COMPLETIONS = (
    "completion", "response", "output", "generation", "assistant", "gpt", "assistant_response", "model_response",
    "model_output", "model_answer", "generated_text", "generated_response", "generated_answer", "response_text",
    "deepseek_solution", "bot", "output_text", "text_output", "llm_response", "llm_output", "ai_response",
    "assistant_message", "assistant_output", "bot_response", "chatbot_response", "gpt_response", "agent_response",
    "model_completion",
)  # fmt: skip
SOLUTIONS = ("generated_solution", "solution", "canonical_solution")
LESS = ("answer", "target", "targets", "targets_pretokenized", "reply")
"""Names of an answer that beside a completion or a solution are no more than what to check it by."""
CHOSEN = (
    "chosen", "chosen_response", "chosen_answer", "chosen_output", "chosen_completion", "chosen_text", "accepted",
    "accepted_response", "preferred_response", "preferred_answer", "preferred_output", "preferred",
)  # fmt: skip
REJECTED = (
    "rejected", "rejected_response", "rejected_answer", "rejected_output", "rejected_completion", "rejected_text",
    "dispreferred_response", "dispreferred_answer", "non_preferred_output", "dispreferred",
)  # fmt: skip
THOUGHTS = (
    "reasoning_content", "reasoning", "thinking", "thoughts", "thought", "deepseek_reasoning", "chain_of_thought",
    "cot", "complex_cot", "reasoning_trace", "think", "thinking_content", "thinking_process", "thought_process",
    "reasoning_process", "thinking_trace", "scratchpad", "inner_monologue", "internal_monologue",
)  # fmt: skip
SYSTEM = (
    "system", "system_prompt", "system_message", "system_instruction", "system_instructions", "system_text",
    "system_msg", "sys_prompt", "sys_msg", "sys",
)  # fmt: skip
LABELS = (
    "kto_tag",
    "kto_label",
    "desirable",
    "is_desirable",
    "thumbs_up",
    "is_good",
)  # whether the answer is wanted, all of them
REPLIES = frozenset({"response", "completion", "output", "reply"})  # last words of an answer's name, whoever gave it
THINKING = frozenset({"thinking", "thought", "thoughts", "cot", "reasoning", "think", "scratchpad", "monologue"})
VERDICTS = frozenset((
    "judge", "judgement", "judgment", "score", "scores", "quality", "critic", "critique", "eval",
    "evaluation", "rating", "grade", "review", "reward", "label", "annotation", "safety", "difficulty", "filter",
    "classification", "rejected", "preference", "comparison", "winner",
))  # fmt: skip
"""Words in the names of columns that speak about the row, though they may give reasons."""
YAML = frozenset("[]{},:#&*'\"\\")
"""Signs of YAML that a name within braces has only in quotes."""
WORDS = re.compile(r"[\s\-./]+|(?<=[a-z])(?=[A-Z][a-z])")
ANSWERS = frozenset((*COMPLETIONS, *SOLUTIONS, *LESS))
FLAT = frozenset(
    (*PROMPTS, *CONTEXTS, *UNPLACED, *ANSWERS, *CHOSEN, *REJECTED, *THOUGHTS, *(name for two in PAIRS for name in two))
)


@lru_cache(maxsize=16384)
def folded(name: str) -> str:
    """A column's name without its case, spaces and hyphens.

    >>> folded(" System Prompt"), folded("systemPrompt"), folded("Complex_CoT")
    ('system_prompt', 'system_prompt', 'complex_cot')
    """
    return WORDS.sub("_", name.strip()[:64]).lower()


@lru_cache(maxsize=4096)
def by_name(keys: frozenset[str]) -> dict[str, str]:
    """The keys of a record by their folded names; of two alike, the one that is spelled so."""
    return {folded(key): key for key in sorted(keys, key=lambda key: (key == folded(key), key))}


def quoted(path: str) -> str:
    """A column's name or path as YAML holds it within braces.

    >>> quoted("question"), quoted("answers[0].text"), quoted("input, text")
    ('question', "'answers[0].text'", "'input, text'")
    """
    plain = path == path.strip() and YAML.isdisjoint(path) and path[:1] not in ("-", "?", "!", "%", "@", "`", "|", ">")
    return path if plain and path else "'" + path.replace("'", "''") + "'"


def first(names: dict[str, str], wanted: tuple[str, ...]) -> str | None:
    """The key of the first wanted name that is there."""
    return next((names[name] for name in wanted if name in names), None)


@lru_cache(maxsize=4096)
def system_key(keys: frozenset[str]) -> str | None:
    """The key that holds the system text."""
    return first(by_name(keys), SYSTEM)


@lru_cache(maxsize=4096)
def label_key(keys: frozenset[str]) -> str | None:
    """The key that holds the label, where it is not `label`."""
    return first(by_name(keys), LABELS)


@dataclass(frozen=True)
class Found:
    """Which keys of a record hold what; `rivals` are two that claim the same place, `doubts` the others by name."""

    prompt: str | None = None
    history: str | None = None
    context: str | None = None
    answer: str | None = None
    rejected: str | None = None
    two: tuple[str, str] | None = None
    thoughts: str | None = None
    rivals: tuple[str, str] | None = None
    doubts: tuple[str, ...] = field(default=())

    def used(self) -> tuple[str, ...]:
        """The keys that the row is made of."""
        held = (self.prompt, self.history, self.context, self.answer, self.rejected, self.thoughts, *(self.two or ()))
        return tuple(key for key in held if key is not None)


def versus(names: dict[str, str]) -> tuple[str | None, str | None]:
    """The keys of the better and the worse answer."""
    chosen, rejected = first(names, CHOSEN), first(names, REJECTED)
    if chosen is None and rejected is None and not any(a in names and b in names for a, b in PAIRS):
        return next(((names[a], names[b]) for a, b in VERSUS if a in names and b in names), (None, None))
    return chosen, rejected


def thinks(name: str) -> bool:
    """Whether a folded name speaks of thoughts, and of no verdict on the row."""
    words = frozenset(name.split("_"))
    return not words.isdisjoint(THINKING) and words.isdisjoint(VERDICTS)


def thoughtful(name: str) -> bool:
    """Whether a folded name is one of thoughts, or of a rationale."""
    return thinks(name) or name == "rationale"


def reasons(names: dict[str, str]) -> set[str]:
    """The names that speak of thoughts; a rationale too, where nobody judged the answer: it is how that was found."""
    return {name for name in names if thinks(name) or (name == "rationale" and JUDGED.isdisjoint(names))}


@lru_cache(maxsize=4096)
def resolve(keys: frozenset[str]) -> Found | None:
    """What the keys of a flat record say, or None where none of them names a prompt or an answer."""
    names = by_name(keys)
    prompt = first(names, PROMPTS)
    chosen, rejected = versus(names)
    two = next(((names[a], names[b]) for a, b in PAIRS if a in names and b in names), None)
    answers = [names[name] for name in COMPLETIONS if name in names]
    answers = answers or [names[name] for name in SOLUTIONS if name in names][:1]
    answers = answers or [names[name] for name in LESS if name in names][:1]
    if prompt is None and answers and "message" in names:
        prompt = names["message"]  # Cohere
    if rejected is not None and chosen is None and answers and folded(rejected) == "rejected_response":
        chosen = answers[0]  # ms-swift: the answer that is learned is the better one
    if chosen is not None and rejected is not None:
        two, answers = None, [chosen]
    elif two is not None:
        answers, rejected = [], None
    if prompt is None and two is None and (rejected is None or chosen is None):
        return None
    # `input` is the second part of an instruction, and of nothing else.
    parts = CONTEXTS if prompt is not None and folded(prompt) == "instruction" else CONTEXTS[1:]
    parts = (*parts, "history", "post") if two and prompt is None else parts
    context = first(names, parts) if prompt is not None or two or chosen else None
    thoughts = first(names, THOUGHTS) if answers else None
    if thoughts is not None and folded(thoughts) == "reasoning" and not JUDGED.isdisjoint(names):
        thoughts = None  # a judge's reasons, it may be
    history = first(names, HISTORY) if prompt is not None else None
    found = Found(
        prompt, history, context, answers[0] if answers else None, rejected if chosen is not None else None, two,
        thoughts, (answers[0], answers[1]) if len(answers) > 1 else None,
    )  # fmt: skip
    less = frozenset(LESS) | frozenset(SOLUTIONS) if answers or two else frozenset()
    less |= frozenset(CHOSEN) if two else frozenset()  # which of them it is
    held = frozenset(found.used())
    doubted = FLAT & names.keys() - less
    if prompt is not None and folded(prompt) in ("input", "inputs"):
        doubted |= TASKS & names.keys()
    if answers and thoughts is None:
        doubted |= reasons(names)
    doubts = tuple(sorted(names[n] for n in doubted if names[n] not in held))
    return replace(found, doubts=doubts)


@lru_cache(maxsize=4096)
def others(keys: frozenset[str], own: frozenset[str]) -> tuple[str, ...]:
    """Keys beyond a shape's own that by their name hold a prompt, an answer, thoughts or what belongs to them."""
    names = by_name(keys)
    less: frozenset[str] = frozenset()
    lists = LISTS if own.isdisjoint((*COMPLETIONS, *SOLUTIONS, *LESS, "chosen")) else ()
    if own == {"text"}:
        lists = (*lists, *OF_A_TEXT)
    if own & {*COMPLETIONS, *SOLUTIONS, "chosen"}:
        less = frozenset(LESS) | frozenset(SOLUTIONS)
    doubted = FLAT.union(lists) & names.keys() - less
    if own == {"prompt"}:
        chosen, rejected = versus(names)
        doubted |= {folded(key) for key in (chosen, rejected) if chosen and rejected and key}
        doubted |= {name for name in names if name.rpartition("_")[2] in REPLIES and name != "expected_output"}
    if own & ANSWERS:
        doubted |= reasons(names)
    return tuple(sorted(names[n] for n in doubted if names[n] not in own))
