"""Records as today's public sets hold them: what each becomes, and that writing its shape gives it back."""

from __future__ import annotations

from typing import Any

import pytest

from dataflywheel.rows.formats import ReadError, detect, shape_named
from dataflywheel.rows.schema import Row

S = {"role": "system", "content": "s"}
Q, A, B = ({"role": role, "content": text} for role, text in (("user", "q"), ("assistant", "a"), ("assistant", "b")))


def shown(row: Row) -> str:
    """A row in one line: roles by their first letter, thoughts in brackets, the worse answer after an exclamation."""

    def turns(messages: Any) -> str:
        return " ".join(
            f"{m['role'][0]}:" + (f"[{m['reasoning']}]" if m["reasoning"] else "") + m["content"] for m in messages
        )

    worse = f" ! {turns(row['rejected'])}" if row["rejected"] else ""
    return turns(row["messages"]) + worse + (f" = {row['label']}" if row["label"] else "")


def read(record: dict[str, Any]) -> Row:
    [row] = detect(record).read(record)
    return row


SETS: list[tuple[str, dict[str, Any], str]] = [
    ("distilabel", {"instruction": "q", "generation": "a", "model_name": "m"}, "u:q a:a"),
    ("OpenOrca", {"id": "1", "system_prompt": "s", "question": "q", "response": "a"}, "s:s u:q a:a"),
    ("Orca pairs", {"system": "s", "question": "q", "chosen": "a", "rejected": "b"}, "s:s u:q a:a ! a:b"),
    ("distilabel orca", {"system": "s", "input": "q", "chosen": "a", "rejected": "b"}, "s:s u:q a:a ! a:b"),
    ("argilla", {"instruction": "q", "chosen_response": "a", "rejected_response": "b"}, "u:q a:a ! a:b"),
    ("WildChat", {"model": "m", "conversation": [{**Q, "country": "x"}, {**A, "country": None}]}, "u:q a:a"),
    ("Capybara", {"source": "c", "conversation": [{"input": "q", "output": "a"}]}, "u:q a:a"),
    ("UltraChat", {"id": "0", "data": ["q", "a", "q2", "a2"]}, "u:q a:a u:q2 a:a2"),
    ("UltraChat 200k", {"prompt": "q", "prompt_id": "1", "messages": [Q, A]}, "u:q a:a"),
    ("UltraFeedback binarized", {"prompt": "q", "chosen": [Q, A], "rejected": [Q, B], "messages": [Q, A]},
     "u:q a:a ! a:b"),
    ("Tulu", {"id": "1", "messages": [Q, A], "source": "x"}, "u:q a:a"),
    ("HelpSteer", {"prompt": "q", "response": "a", "helpfulness": 4}, "u:q a:a"),
    ("HelpSteer2 preference", {"prompt": "q", "response_1": "b", "response_2": "a", "preference_strength": 2},
     "u:q a:a ! a:b"),
    ("HelpSteer3", {"context": [Q], "response1": "a", "response2": "b", "overall_preference": -1}, "u:q a:a ! a:b"),
    ("OpenThoughts", {"system": "s", "conversations": [{"from": "user", "value": "q"}]}, "s:s u:q"),
    ("OpenThoughts metadata", {"problem": "q", "deepseek_reasoning": "t", "deepseek_solution": "a",
                               "ground_truth_solution": "g"}, "u:q a:[t]a"),
    ("medical o1", {"Question": "q", "Complex_CoT": "t", "Response": "a"}, "u:q a:[t]a"),
    ("thinking in turns", {"developer": "s", "user": "q", "analysis": "t", "final": "a",
                           "messages": [{**Q, "thinking": None}, {**A, "thinking": "t"}]}, "u:q a:[t]a"),
    ("gpt-oss channels", {"messages": [Q, {**A, "content": "t", "channel": "analysis"}, {**A, "channel": "final"}]},
     "u:q a:[t]a"),
    ("NuminaMath", {"problem": "q", "solution": "a", "messages": [Q, A], "source": "x"}, "u:q a:a"),
    ("MATH", {"problem": "q", "solution": "a so 4", "answer": "4", "level": 3}, "u:q a:a so 4"),
    ("LIMO", {"question": "q", "solution": "long", "answer": "4"}, "u:q a:long"),
    ("GSM8K", {"question": "q", "answer": "a #### 4"}, "u:q a:a #### 4"),
    ("OpenMathReasoning", {"problem": "q", "generated_solution": "a", "expected_answer": "4"}, "u:q a:a"),
    ("Nemotron", {"input": [Q], "output": "a", "system_prompt": "s", "reasoning": "on"}, "s:s u:q a:a"),
    ("Hermes", {"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "<tool_call>x"}],
                "tools": "[]"}, "u:q a:<tool_call>x"),
    ("HH", {"chosen": "\n\nHuman: q\n\nAssistant: a", "rejected": "\n\nHuman: q\n\nAssistant: b"}, "u:q a:a ! a:b"),
    ("SHP", {"history": "q", "human_ref_A": "b", "human_ref_B": "a", "labels": 0}, "u:q a:a ! a:b"),
    ("SafeRLHF", {"prompt": "q", "response_0": "b", "response_1": "a", "better_response_id": 1}, "u:q a:a ! a:b"),
    ("arena", {"model_a": "x", "winner": "model_b", "conversation_a": [Q, B], "conversation_b": [Q, A]},
     "u:q a:a ! a:b"),
    ("AlpacaEval", {"instruction": "q", "output_1": "b", "output_2": "a", "preference": 2.0}, "u:q a:a ! a:b"),
    ("LLMBar", {"input": "q", "output_1": "a", "output_2": "b", "label": 1}, "u:q a:a ! a:b"),
    ("MT-bench", {"question_id": 81, "turns": ["q", "q2"]}, "u:q u:q2"),
    ("BIG-bench", {"task": "t", "input": "q", "target": "a"}, "u:q a:a"),
    ("FLAN", {"inputs": "q", "targets": "a", "task": "t"}, "u:q a:a"),
    ("passage", {"context": "c", "question": "q", "answer": "a"}, "u:c\n\nq a:a"),
    ("chat and answer", {"messages": [S, Q], "response": "a"}, "s:s u:q a:a"),
    ("chat and two answers", {"messages": [Q], "chosen": "a", "rejected": "b"}, "u:q a:a ! a:b"),
    ("turns and text", {"prompt": [Q], "response": "a"}, "u:q a:a"),
    ("turns and texts", {"prompt": [Q], "chosen": "a", "rejected": "b"}, "u:q a:a ! a:b"),
    ("arena 55k", {"prompt": '["q"]', "response_a": '["b"]', "response_b": '["a"]', "winner_model_a": 0,
                   "winner_model_b": 1, "winner_tie": 0}, "u:q a:a ! a:b"),
    ("choices in full", {"question": "q", "choices": ["a", "b"], "answer": "a"}, "u:q a:a"),
    ("empty chat of a joined set", {"messages": [], "prompt": "q", "completion": "a"}, "u:q a:a"),
    ("system turn beside", {"system": {"role": "system", "content": "s"}, "prompt": "q", "response": "a"},
     "s:s u:q a:a"),
    ("roles in conversations", {"conversations": [Q, A], "id": 1}, "u:q a:a"),
    ("capitals", {"Prompt": "q", "Completion": "a"}, "u:q a:a"),
    ("number", {"question": "q", "answer": 72}, "u:q a:72"),
    ("KTO", {"prompt": "q", "completion": "a", "kto_tag": "desirable"}, "u:q a:a = true"),
    ("KTO in text", {"messages": [Q, A], "label": "False"}, "u:q a:a = false"),
    ("a class", {"text": "a", "label": 1}, "a:a = 1"),
]  # fmt: skip


@pytest.mark.parametrize(("record", "row"), [(r, row) for _, r, row in SETS], ids=[name for name, _, _ in SETS])
def test_a_public_set_is_read_and_given_back(record: dict[str, Any], row: str) -> None:
    found = read(record)
    assert shown(found) == row
    written = shape_named(detect(record).name).write(found)
    if "messages" not in record or "response" in record:
        assert written == record
    else:
        assert read(written) == found


@pytest.mark.parametrize("record", [record for _, record, _ in SETS])
def test_null_columns_of_other_shapes_change_nothing(record: dict[str, Any]) -> None:
    joined = dict.fromkeys(("messages", "prompt", "completion", "chosen", "text", "system", "input", "label", "tools"))
    joined |= record
    found = read(joined)
    assert found["id"] == read(record)["id"]
    assert detect(joined).name == detect(record).name
    assert read(detect(joined).write(found)) == found


LEFT: list[tuple[dict[str, Any], str]] = [
    ({"prompt": "q", "completion": "a", "input": "the text to translate"}, "input: would be left out"),
    ({"prompt": "q", "chosen": "a"}, "chosen"),
    ({"prompt": "q", "completion": "a", "rejected": "b"}, "rejected"),
    ({"instruction": "q", "output": "a", "response": "b"}, "an answer beside"),
    ({"question": "q", "answer": "a", "documents": ["one long document", "another long document"]}, "documents"),
    ({"Body": "Tom has three red apples.", "Question": "q", "Answer": "3"}, "Body"),
    ({"prompt": "q", "text": "what the model is to say"}, "text"),
    ({"text": "a long text of news", "question": "q"}, "text"),
    ({"question": "q", "context": "c", "answers": {"text": ["a"], "answer_start": [0]}}, "answers"),
    ({"text": "a long text of news", "summary": "a short text of news"}, "summary"),
    ({"question": "q", "options": {"A": "red", "B": "blue"}, "answer": "B"}, "options"),
    ({"system": {"id": 1}, "prompt": "q", "response": "a"}, "system: expected a text"),
    ({"goal": "q", "target": "a"}, "no known shape has the keys goal, target"),
    ({"question": "q", "ground_truth": "the sum of four and four is eight"}, "ground_truth"),
    ({"prompt": "q", "response_a": "a", "response_b": "b"}, "which is better"),
    ({"prompt": "q", "response_a": "a", "response_b": "b", "winner": "tie"}, "a tie teaches no preference"),
    ({"system": "s", "messages": [{**S, "content": "other"}, Q, A]}, "system: another text"),
    ({"prompt": "q", "completion": "a", "kto_tag": "maybe"}, "kto_tag: expected true or false"),
    ({"messages": [{"role": "customer", "content": "q"}]}, "roles: {customer: user}"),
]


@pytest.mark.parametrize(("record", "reason"), LEFT)
def test_what_would_be_left_over_is_refused_by_name(record: dict[str, Any], reason: str) -> None:
    with pytest.raises(ReadError, match=reason.replace("{", "\\{")):
        read(record)
