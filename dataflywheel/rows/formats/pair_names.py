"""The names under which data sets hold two answers to compare."""

from __future__ import annotations

VERSUS = (
    ("winner", "loser"), ("better", "worse"), ("response_j", "response_k"), ("better_response", "worse_response"),
    ("better_answer", "worse_answer"), ("good_response", "bad_response"), ("good_answer", "bad_answer"),
    ("winning_response", "losing_response"), ("response_w", "response_l"), ("y_w", "y_l"),
)  # fmt: skip
"""Names of a better and a worse answer, where both are there."""
PAIRS = (
    ("response_a", "response_b"), ("response_0", "response_1"), ("response1", "response2"),
    ("response_1", "response_2"), ("answer_a", "answer_b"), ("answer_0", "answer_1"), ("answer_1", "answer_2"),
    ("completion_a", "completion_b"), ("output_a", "output_b"), ("output_1", "output_2"),
    ("human_ref_a", "human_ref_b"), ("conversation_a", "conversation_b"),
)  # fmt: skip
"""Names of two answers of which another column says the better."""
