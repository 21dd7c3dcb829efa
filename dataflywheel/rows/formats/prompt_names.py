"""The names under which data sets hold what belongs to a prompt, and may be left over beside it."""

from __future__ import annotations

DOCUMENTS = (
    "context", "passage", "contexts", "document", "documents", "passages", "article", "background", "evidence",
    "retrieved_documents", "retrieved_contexts", "retrieved_context", "retrieval_context", "retrieved_docs",
    "retrieved_passages", "retrieved_chunks", "search_results", "context_docs", "context_documents", "context_text",
    "reference_documents", "additional_context", "extra_context", "input_context", "background_context",
)  # fmt: skip
"""Names of what a chat may be about, where the model would not see it."""
HISTORY = (
    "history", "chat_history", "conversation_history", "dialog_history", "dialogue_history", "message_history",
    "messages_history", "previous_turns", "previous_messages", "previous_conversation", "prior_turns", "prior_messages",
    "past_messages", "past_turns", "conversation_so_far",
)  # fmt: skip
"""Names of the turns before a prompt."""
UNPLACED = (
    *DOCUMENTS[2:], *HISTORY, "paragraphs", "body", "story", "inputs", "answers", "text", "options", "choices",
    "instructions", "task_instruction", "task_instructions", "tool_calls", "function_calls", "function_call",
    "initial_reason_steps", "starter_code", "sql_context", "db_schema", "table", "tables", "premise",
)  # fmt: skip
"""Names of what may belong to the prompt or the answer, nobody knows where; a context and a passage have a place."""
