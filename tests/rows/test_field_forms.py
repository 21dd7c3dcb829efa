"""Records as servers, tracers, labelling tools and data sets write them: what each becomes, or why it does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from dataflywheel.cli.main import app
from dataflywheel.contracts import FlywheelError
from dataflywheel.rows.containers.block import Block
from dataflywheel.rows.convert import convert
from dataflywheel.rows.formats import CannotHold
from dataflywheel.rows.mapping import column_mapping
from dataflywheel.rows.parse import Parsed, parse_block
from dataflywheel.rows.reading import Input, open_input
from dataflywheel.rows.schema import Message, Row
from dataflywheel.rows.trainers import TRAINERS
from dataflywheel.rows.trainers.kind import kind_of

Q, A, B = "Why is the sky blue at noon?", "Because the air scatters blue light most.", "Nobody knows why it is blue."
S, T = "You answer in few words and kindly.", "They ask of the sky, so recall how light scatters."
FUNCTION = {"name": "f", "description": "d", "parameters": {"type": "object", "properties": {}}}
TOOL = {"type": "function", "function": FUNCTION}
USER, SAYS, WORSE = (
    {"role": role, "content": said} for role, said in (("user", Q), ("assistant", A), ("assistant", B))
)
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
CHAT = [USER, SAYS]


def dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def turn(said: Message) -> str:
    held = [f"[{said['reasoning']}]"] if said["reasoning"] is not None else []
    calls = [(call["function"], call.get("id", "")) for call in orjson.loads(said["tool_calls"] or "[]")]
    held += [f"<{call['name']} {dumped(call['arguments'])} {id}>" for call, id in calls]
    held += [f"#{said['tool_call_id']}"] if said["tool_call_id"] is not None else []
    held += ["-"] if said["learn"] is False else []
    text = said["content"]
    for name, known in (("Q", Q), ("A", A), ("B", B), ("S", S), ("T", T)):
        text, held = text.replace(known, name), [one.replace(known, name) for one in held]
    return f"{said['role'][0]}:{''.join(held)}{text}"


def shown(row: Row) -> str:
    """A row in one line: roles by letter, thoughts in brackets, calls in angles, what is not learned behind a minus."""
    parts = [" ".join(map(turn, row["messages"]))]
    if row["rejected"] is not None:
        parts.append("! " + " ".join(map(turn, row["rejected"])))
    if row["tools"] is not None:
        parts.append("T=" + ",".join(tool["function"]["name"] for tool in orjson.loads(row["tools"])))
    parts += [f"{medium['type']}={medium['ref']}" for medium in row["media"] or ()]
    return " ".join([*parts, *([f"= {row['label']}"] if row["label"] else [])])


def parsed(record: Any, **names: Any) -> Parsed:
    mapping = column_mapping(**names) if names else None
    return parse_block(Block("jsonl", 1, dumped(record).encode()), "rows.jsonl", "", mapping=mapping)


def otlp(key: str, value: str) -> dict[str, Any]:
    return {"key": key, "value": {"stringValue": value}}


SEMCONV = {
    "gen_ai.system_instructions": dumped([{"type": "text", "content": S}]),
    "gen_ai.input.messages": dumped([{"role": "user", "parts": [{"type": "text", "content": Q}]}]),
    "gen_ai.output.messages": dumped([{"role": "assistant", "finish_reason": "tool_call", "parts": [
        {"type": "reasoning", "content": T},
        {"type": "tool_call", "id": "c1", "name": "f", "arguments": {"a": 1}}]}]),
    "gen_ai.tool.definitions": dumped([TOOL]),
}  # fmt: skip
LANGCHAIN = [{"lc": 1, "type": "constructor", "id": ["langchain", "schema", "messages", f"{who}Message"],
              "kwargs": {"content": said}} for who, said in (("Human", Q), ("AI", A))]  # fmt: skip

CARRIED: list[tuple[str, Any, str]] = [
    # tools
    ("BFCL", {"id": "1", "question": [[USER]], "function": [FUNCTION]}, "u:Q T=f"),
    ("tau-bench", {"task_id": 0, "traj": [USER, {"role": "assistant", "content": None, "tool_calls": [CALL]},
                                          {"role": "tool", "tool_call_id": "c1", "content": "r"}, SAYS]},
     'u:Q a:<f {"a": 1} c1> t:#c1r a:A'),
    ("Toucan", {"messages": dumped(CHAT), "available_tools": dumped([TOOL])}, "u:Q a:A T=f"),
    ("other names of tools", {"messages": CHAT, "function_descriptions": [FUNCTION]}, "u:Q a:A T=f"),
    ("tools in Python's spelling", {"messages": CHAT, "tools": str([TOOL])}, "u:Q a:A T=f"),
    ("MCP", {"messages": CHAT, "tools": [{"name": "f", "inputSchema": {"type": "object"}}]}, "u:Q a:A T=f"),
    ("Gemini", {"contents": [{"role": "user", "parts": [{"text": Q}]}, {"role": "model", "parts": [{"text": A}]}],
                "tools": [{"functionDeclarations": [FUNCTION]}]}, "u:Q a:A T=f"),
    ("Bedrock", {"messages": CHAT, "toolConfig": {"tools": [{"toolSpec": {
        "name": "f", "description": "d", "inputSchema": {"json": {"type": "object"}}}}]}}, "u:Q a:A T=f"),
    ("calls beside a question", {"question": Q, "tool_calls": dumped([CALL]), "tools": dumped([TOOL])},
     'u:Q a:<f {"a": 1} c1> T=f'),
    ("one call", {"query": Q, "answers": dumped(CALL["function"]), "tools": dumped([TOOL])}, 'u:Q a:<f {"a": 1} > T=f'),
    ("calls in turns of their own", {"messages": [
        USER, {"role": "tool_call", "content": '{"name": "f", "arguments": {"a": 1}}'},
        {"role": "tool_call", "content": '{"name": "f", "arguments": {"a": 2}}'},
        {"role": "tool_response", "content": "r1"}, {"role": "tool_response", "content": "r2"}, SAYS]},
     'u:Q a:<f {"a": 1} ><f {"a": 2} > t:r1 t:r2 a:A'),
    ("a text and then a call", {"conversations": [
        {"from": "human", "value": Q}, {"from": "gpt", "value": B},
        {"from": "function_call", "value": '{"name": "f", "arguments": {"a": 1}}'}]}, 'u:Q a:<f {"a": 1} >B'),
    ("thoughts before a call", {"conversations": [
        {"from": "human", "value": Q},
        {"from": "function_call", "value": f'<think>\n{T}\n</think>\n\n{{"name": "f", "arguments": {{"a": 1}}}}'}]},
     'u:Q a:[T]<f {"a": 1} >'),
    ("SmolTalk 2", {"messages": CHAT, "chat_template_kwargs": {
        "custom_instructions": S, "enable_thinking": True, "python_tools": [], "xml_tools": [dumped(TOOL)]}},
     "s:S u:Q a:A T=f"),
    ("an empty result", {"messages": [USER, {"role": "assistant", "tool_calls": [CALL]},
                                      {"role": "tool", "tool_call_id": "c1", "content": None}, SAYS]},
     'u:Q a:<f {"a": 1} c1> t:#c1 a:A'),
    # media
    ("image_path", {"image_path": "a.jpg", "question": Q, "answer": A}, "u:Q a:A image=a.jpg"),
    ("img", {"img": "pictures/a.jpg", "messages": CHAT}, "u:Q a:A image=pictures/a.jpg"),
    ("image_url", {"image_url": "https://x.org/a", "prompt": Q, "response": A}, "u:Q a:A image=https://x.org/a"),
    ("images_path", {"images_path": ["a.jpg", "b.jpg"], "prompt": Q, "response": A},
     "u:Q a:A image=a.jpg image=b.jpg"),
    ("image_base64", {"image_base64": "aGk=", "instruction": Q, "output": A}, 'u:Q a:A image={"base64":"aGk="}'),
    ("numbered images", {"question": Q, "image_2": {"path": "b"}, "image_1": {"path": "a"}, "answer": A},
     'u:Q a:A image={"path":"a"} image={"path":"b"}'),
    ("the hub's folder of images", {"file_name": "train/a.PNG", "text": A}, "a:A image=train/a.PNG"),
    ("image_file_name", {"image_file_name": "a.png", "question": Q, "answer": A}, "u:Q a:A image=a.png"),
    ("a file of words", {"file_name": "a.txt", "text": A}, "a:A"),
    ("video_path", {"video_path": "v.mp4", "question": Q, "answer": A}, "u:Q a:A video=v.mp4"),
    ("audio_filepath", {"audio_filepath": "a.wav", "prompt": Q, "response": A}, "u:Q a:A audio=a.wav"),
    ("one image in three forms", {"image": {"bytes": "aGk="}, "image_path": "a.jpg", "question": Q, "answer": A},
     'u:Q a:A image={"bytes":"aGk="}'),
    ("no image at all", {"picture": "nice", "image_id": 7, "prompt": Q, "response": A}, "u:Q a:A"),
    # thoughts
    ("Magistral", {"messages": [USER, {"role": "assistant", "content": [
        {"type": "thinking", "thinking": [{"type": "text", "text": T}]}, {"type": "text", "text": A}]}]}, "u:Q a:[T]A"),
    ("thoughts beside a chat", {"messages": CHAT, "thinking": T}, "u:Q a:[T]A"),
    ("Dolphin R1", {"messages": [USER], "reasoning": T, "answer": A}, "u:Q a:[T]A"),
    ("thoughts that the answer says", {"messages": [USER, {**SAYS, "content": f"<think>{T}</think>{A}"}],
                                       "reasoning": T}, "u:Q a:<think>T</think>A"),
    ("a switch beside a chat", {"messages": CHAT, "reasoning": "on"}, "u:Q a:A"),
    ("thoughts of both answers", {"prompt": Q, "chosen": A, "rejected": B, "chosen_reasoning": T,
                                  "rejected_reasoning": S}, "u:Q a:[T]A ! a:[S]B"),
    ("think beside an answer", {"instruction": Q, "think": T, "answer": A}, "u:Q a:[T]A"),
    ("thoughts in an object", {"prompt": Q, "response": A, "reasoning": {"content": T}}, "u:Q a:[T]A"),
    ("Harmony", {"messages": [USER, {"author": {"role": "assistant"}, "channel": "analysis", "content": [
        {"type": "text", "text": T}]}, {"author": {"role": "assistant"}, "channel": "final", "content": A}]},
     "u:Q a:[T]A"),
    # marks
    ("torchtune", {"messages": [{**USER, "masked": True}, {**SAYS, "masked": True}, USER, {**WORSE, "masked": False}]},
     "u:Q a:-A u:Q a:B"),
    ("do_train", {"messages": [USER, {**SAYS, "do_train": False}, USER, WORSE]}, "u:Q a:-A u:Q a:B"),
    ("a mask for each turn", {"messages": [USER, SAYS, USER, WORSE], "loss_mask": [0, 0, 0, 1]}, "u:Q a:-A u:Q a:B"),
    ("weights of answers", {"messages": [USER, SAYS, USER, WORSE], "weights": [0, 1]}, "u:Q a:-A u:Q a:B"),
    ("NeMo", {"system": S, "mask": "User", "conversations": [{"from": "User", "value": Q},
                                                             {"from": "Assistant", "value": A}]}, "s:S u:Q a:A"),
    # logs
    ("LiteLLM", {"messages": [USER], "response": {"choices": [{"finish_reason": "stop", "message": SAYS}]}}, "u:Q a:A"),
    ("LiteLLM as text", {"messages": dumped([USER]), "response": dumped({"choices": [{"message": SAYS}]})}, "u:Q a:A"),
    ("stored completions", {"input": [USER], "choices": [{"message": SAYS, "finish_reason": "stop"}]}, "u:Q a:A"),
    ("Anthropic batches", {"custom_id": "r", "params": {"messages": [USER]}, "result": {
        "type": "succeeded", "message": {"role": "assistant", "content": [{"type": "text", "text": A}],
                                         "stop_reason": "end_turn"}}}, "u:Q a:A"),
    ("Gemini batches", {"request": {"contents": [{"role": "user", "parts": [{"text": Q}]}]},
                        "response": {"candidates": [{"finishReason": "STOP", "content": {
                            "role": "model", "parts": [{"text": T, "thought": True}, {"text": A}]}}]}}, "u:Q a:[T]A"),
    ("vLLM", {"prompt": Q, "outputs": [{"index": 0, "text": A, "finish_reason": "stop"}]}, "u:Q a:A"),
    ("Weave", {"inputs": {"messages": [USER]}, "output": {"choices": [{"message": SAYS}]}}, "u:Q a:A"),
    ("Braintrust", {"input": [USER], "output": [{"message": SAYS, "finish_reason": "stop"}]}, "u:Q a:A"),
    ("Langfuse items", {"input": {"question": Q}, "expectedOutput": {"answer": A}}, "u:Q a:A"),
    ("Langfuse as csv", {"input": dumped([USER]), "output": dumped(SAYS)}, "u:Q a:A"),
    ("LangSmith", {"inputs": {"messages": [LANGCHAIN[:1]]},
                   "outputs": {"generations": [[{"text": A, "message": LANGCHAIN[1]}]]}}, "u:Q a:A"),
    ("LangSmith examples", {"inputs": {"messages": [USER]}, "outputs": {"messages": [SAYS]}}, "u:Q a:A"),
    ("OpenTelemetry", {"name": "chat", "attributes": SEMCONV}, 's:S u:Q a:[T]<f {"a": 1} c1> T=f'),
    ("OpenTelemetry, flat", {f"attributes.{key}": value for key, value in SEMCONV.items()},
     's:S u:Q a:[T]<f {"a": 1} c1> T=f'),
    ("OTLP", {"attributes": [otlp("gen_ai.prompt.0.role", "user"), otlp("gen_ai.prompt.0.content", Q),
                             otlp("gen_ai.completion.0.role", "assistant"), otlp("gen_ai.completion.0.content", A),
                             otlp("gen_ai.completion.0.finish_reason", "stop")]}, "u:Q a:A"),
    ("Phoenix", {"attributes": {"llm": {
        "input_messages": [{"message": USER}], "tools": [{"tool": {"json_schema": dumped(TOOL)}}],
        "output_messages": [{"message": {"role": "assistant", "tool_calls": [
            {"tool_call": {"id": "c1", "function": {"name": "f", "arguments": "{}"}}}]}}]}}}, "u:Q a:<f {} c1> T=f"),
    # texts that are turns
    ("prompt as JSON", {"prompt": dumped([{"role": "system", "content": S}, USER]), "completion": A}, "s:S u:Q a:A"),
    ("pairs as JSON", {"chosen": dumped(CHAT), "rejected": dumped([USER, WORSE])}, "u:Q a:A ! a:B"),
    ("turns as NumPy shows them", {"messages": f"[{USER}\n {SAYS}]"}, "u:Q a:A"),
    ("an array as NumPy shows it", {"messages": f"array([{USER},\n       {SAYS}], dtype=object)"}, "u:Q a:A"),
    ("JSON that is data", {"prompt": Q, "completion": '[{"role": "admin"}]'}, 'u:Q a:[{"role": "admin"}]'),
    # labels
    ("a bad answer", {"prompt": Q, "response": A, "label": "bad"}, "u:Q a:A = false"),
    ("a thumb", {"messages": CHAT, "label": "\N{THUMBS UP SIGN}"}, "u:Q a:A = true"),
    ("KTO's own names", {"prompt": Q, "completion": A, "label": "no"}, "u:Q a:A = false"),
    ("a label in capitals", {"Prompt": Q, "Completion": A, "Label": False}, "u:Q a:A = false"),
    ("marks as text", {"messages": [USER, {**SAYS, "train": "false"}, *CHAT]}, "u:Q a:-A u:Q a:A"),
    ("turns in capitals", {"messages": [{"Role": "User", "Content": Q}, {"Role": "Assistant", "Content": A}]},
     "u:Q a:A"),
    ("sys", {"sys": S, "prompt": Q, "response": A}, "s:S u:Q a:A"),
    ("a class", {"question": Q, "answer": A, "label": "no"}, "u:Q a:A = no"),
    # chats under other names
    ("UltraInteract", {"trajectory": [{"from": "user", "value": Q}], "chosen": A, "rejected": B}, "u:Q a:A ! a:B"),
    ("a chat and its answer", {"conversation": [USER], "response": A}, "u:Q a:A"),
    ("thoughts beside such a chat", {"conversation": CHAT, "thinking": T}, "u:Q a:[T]A"),
    ("marks beside such a chat", {"dialogue": [*CHAT, USER, WORSE], "loss_mask": [0, 0, 0, 1]}, "u:Q a:-A u:Q a:B"),
    ("When2Call", {"messages": [USER], "chosen_response": SAYS, "rejected_response": WORSE, "tools": [dumped(TOOL)]},
     "u:Q a:A ! a:B T=f"),
    ("HH in two columns", {"prompt": f"\n\nHuman: {Q}\n\nAssistant: {B}\n\nHuman: {Q}\n\nAssistant:", "chosen": f" {A}",
                           "rejected": f" {B}"}, "u:Q a:B u:Q a:A ! a:B"),
    ("HH with one answer", {"prompt": f"\n\nHuman: {Q}\n\nAssistant:", "response": f" {A}"}, "u:Q a:A"),
    ("a chosen answer alone", {"messages": [USER], "chosen": A}, "u:Q a:A"),
    ("an answer in a list", {"messages": [USER], "answers": [A]}, "u:Q a:A"),
    ("Arena-Hard", {"question_id": "1", "turns": [{"content": Q}]}, "u:Q"),
    ("rounds", {"rounds": [{"prompt": Q, "response": A}, {"prompt": Q, "response": B}]}, "u:Q a:A u:Q a:B"),
    ("a system text in a block", {"system": {"type": "text", "text": S}, "messages": CHAT}, "s:S u:Q a:A"),
    # other names
    ("Cohere", {"chat_history": [{"role": "USER", "message": S}, {"role": "CHATBOT", "message": B}], "message": Q,
                "response": A}, "u:S a:B u:Q a:A"),
    ("Gemini's tuning", {"text_input": Q, "output": A}, "u:Q a:A"),
    ("Vertex's tuning", {"input_text": Q, "output_text": A}, "u:Q a:A"),
    ("llm_response", {"prompt": Q, "llm_response": A, "gold_standard_solution": B}, "u:Q a:A"),
    ("StackExchange paired", {"question": Q, "response_j": A, "response_k": B}, "u:Q a:A ! a:B"),
    ("Surge", {"Prompt": Q, "Response A": A, "Response B": B, "Preferred Response": "Response A"}, "u:Q a:A ! a:B"),
    ("the better one in full", {"prompt": Q, "response_1": A, "response_2": B, "chosen": B}, "u:Q a:B ! a:A"),
    ("WebGPT", {"question": {"dataset": "eli5", "full_text": Q}, "answer_0": A, "score_0": 1.0, "answer_1": B,
                "score_1": -1.0}, "u:Q a:A ! a:B"),
    ("stack preferences", {"question": Q, "answers": [{"text": A, "pm_score": 5}, {"text": B, "pm_score": 1}]},
     "u:Q a:A ! a:B"),
    ("lists of one answer", {"prompt": Q, "chosen": [A], "rejected": [B]}, "u:Q a:A ! a:B"),
    ("natural reasoning", {"question": Q, "reference_answer": B, "responses": [{"response_model": "m", "response": A}]},
     "u:Q a:A"),
    ("P3", {"inputs": [1, 2], "inputs_pretokenized": Q, "targets": [3], "targets_pretokenized": A}, "u:Q a:A"),
    ("instructions beside a chat", {"instructions": S, "messages": CHAT}, "s:S u:Q a:A"),
    # whole replies, and chats in texts
    ("a stored response", {"object": "response", "instructions": S, "input": Q, "status": "completed", "output": [
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": T}]},
        {"type": "message", "role": "assistant", "status": "completed", "content": [
            {"type": "output_text", "text": A}]}]}, "s:S u:Q a:[T]A"),
    ("Gemini's preferences", {"systemInstruction": {"parts": [{"text": S}]}, "contents": [
        {"role": "user", "parts": [{"text": Q}]}], "completions": [
        {"score": 0, "completion": {"role": "model", "parts": [{"text": B}]}},
        {"score": 1, "completion": {"role": "model", "parts": [{"text": A}]}}]}, "s:S u:Q a:A ! a:B"),
    ("Baize", {"topic": "sky", "input": f"{S}\n[|Human|] {Q}\n[|AI|] {A}\n[|Human|] "}, "s:S u:Q a:A"),
    ("Glaive", {"system": f"SYSTEM: {S}", "chat": f"USER: {Q}\n\n\nASSISTANT: {A} <|endoftext|>"}, "s:S u:Q a:A"),
    ("DashScope", {"messages": [{"role": "user", "content": [{"image": "a.png"}, {"text": Q}]},
                                {"role": "assistant", "content": [{"text": A}]}]}, "u:<image>Q a:A image=a.png"),
    # numbers, programs, short turns
    ("a number as completion", {"prompt": Q, "completion": 4}, "u:Q a:4"),
    ("nought as response", {"prompt": Q, "response": 0}, "u:Q a:0"),
    ("a number as answer", {"prompt": Q, "answer": 2.5}, "u:Q a:2.5"),
    ("a number as input", {"instruction": Q, "input": 21, "output": A}, "u:Q\n\n21 a:A"),
    ("numbers to compare", {"prompt": Q, "chosen": 4, "rejected": 5}, "u:Q a:4 ! a:5"),
    ("HumanEval", {"task_id": "H/0", "prompt": Q, "canonical_solution": A, "test": "assert f()"}, "u:Q a:A"),
    ("a short question beside its answers", {"trajectory": [{"from": "user", "value": "Why?"}], "chosen": "So.",
                                             "rejected": "No."}, "u:Why? a:So. ! a:No."),
    # thoughts of a turn under other names
    ("think_content", {"messages": [USER, {**SAYS, "think_content": T}]}, "u:Q a:[T]A"),
    ("internalThoughts", {"conversations": [{"from": "human", "value": Q},
                                            {"from": "gpt", "value": A, "internalThoughts": T}]}, "u:Q a:[T]A"),
    ("an effort", {"messages": [USER, {**SAYS, "reasoning_effort": "low", "reasoning_tokens": 7}]}, "u:Q a:A"),
    ("OLMo", {"messages": [
        {"role": "system", "content": S, "functions": dumped([FUNCTION])}, USER,
        {"role": "assistant", "content": None, "function_calls": "f(a=1)\nf(a=2)"},
        {"role": "environment", "content": "r"}, SAYS]}, 's:S u:Q a:<f {"a": 1} ><f {"a": 2} > t:r a:A T=f'),
    ("a result as output", {"messages": [USER, {"role": "assistant", "tool_calls": [CALL]},
                                         {"role": "tool", "tool_call_id": "c1", "output": {"t": 5}}, SAYS]},
     'u:Q a:<f {"a": 1} c1> t:#c1{"t": 5} a:A'),
    ("a tool that failed", {"messages": [USER, {"role": "assistant", "tool_calls": [CALL]},
                                         {"role": "tool", "tool_call_id": "c1", "error": "late"}, SAYS]},
     'u:Q a:<f {"a": 1} c1> t:#c1late a:A'),
    ("LangChain's further fields", {"messages": [
        {"type": "human", "data": {"content": Q}},
        {"type": "ai", "data": {"content": A, "additional_kwargs": {"reasoning_content": T, "refusal": None}}}]},
     "u:Q a:[T]A"),
    ("DSPy", {"inputs": {"question": Q}, "outputs": {"reasoning": T, "answer": A}}, "u:Q a:[T]A"),
    ("Vercel's SDK", {"messages": [USER, {"role": "assistant", "parts": [
        {"type": "step-start"}, {"type": "reasoning", "text": T}, {"type": "text", "text": A}]}]}, "u:Q a:[T]A"),
    ("turns before a prompt", {"previous_turns": [{"role": "user", "content": S}, {"role": "assistant", "content": B}],
                               "prompt": Q, "response": A}, "u:S a:B u:Q a:A"),
    ("a kind of reasoning", {"messages": CHAT, "reasoning_type": "multi hop over facts"}, "u:Q a:A"),
    ("thoughts that a turn says", {"messages": [USER, {**SAYS, "reasoning": T}], "r1_reasoning": T}, "u:Q a:[T]A"),
    ("constraints that are none", {"instruction": Q, "instances": [{"input": S, "constraints": "None.", "output": A}]},
     "u:Q\n\nS a:A"),
]  # fmt: skip


@pytest.mark.parametrize(("record", "expected"), [case[1:] for case in CARRIED], ids=[case[0] for case in CARRIED])
def test_what_a_record_holds_is_carried_and_written_again(record: Any, expected: str) -> None:
    found = parsed(record)
    assert [shown(row) for row in found.rows] == [expected], found.quarantined
    [shape] = found.shapes
    assert (
        parse_block(Block("jsonl", 1, orjson.dumps(again(shape, found.rows[0]))), "rows.jsonl", "").rows == found.rows
    )


def again(shape: str, row: Row) -> dict[str, Any]:
    from dataflywheel.rows.formats import shape_named

    return shape_named(shape).write(row)


REFUSED: list[tuple[str, Any, str]] = [
    ("images of the worse answer", {"messages": CHAT, "rejected_response": B, "images": ["a.png"],
                                    "rejected_images": ["b.png"]}, "rejected_images"),
    ("boxes in a column", {"messages": [{**USER, "content": "<image>find <bbox>"}, SAYS], "images": ["a.png"],
                           "objects": {"bbox": [[1, 2, 3, 4]]}}, "objects"),
    ("a mark of another medium", {"video": "v.mp4", "conversations": [{"from": "human", "value": "<image>\nq"},
                                                                      {"from": "gpt", "value": "a"}]}, "images"),
    ("a judge's reasons", {"prompt": Q, "response": A, "score": 4, "reasoning": T}, "reasoning"),
    ("a judge's reasons beside a chat", {"messages": CHAT, "score": 4, "reasoning": T}, "reasoning"),
    ("a rationale", {"question": Q, "rationale": T, "answer": A}, "rationale"),
    ("other thoughts", {"messages": [USER, {**SAYS, "reasoning_content": S}], "thinking": T}, "thinking"),
    ("a mask of either meaning", {"messages": [USER, {**SAYS, "mask": 1}]}, "messages[1].mask"),
    ("marks for other turns", {"messages": CHAT, "loss_mask": [1, 0, 1]}, "loss_mask"),
    ("marks of what the user says", {"messages": CHAT, "loss_mask": [1, 1]}, "messages[0].train"),
    ("NeMo's mask of the answer", {"mask": "Assistant", "conversations": CHAT}, "mask"),
    ("SteerLM", {"type": "TEXT_TO_VALUE", "conversations": [USER, {**SAYS, "label": "quality:4"}]}, "type"),
    ("an answer cut off", {"prompt": Q, "completion": A, "finish_reason": "length"}, "finish_reason"),
    ("a chat cut off", {"messages": CHAT, "stop_reason": "max_tokens"}, "stop_reason"),
    ("llama.cpp's limit", {"request": {"prompt": Q}, "response": {"content": A, "stop_type": "limit"}},
     "response.stop_type"),
    ("a cut completion of TGI", {"inputs": Q, "generated_text": A, "details": {"finish_reason": "length"}},
     "details.finish_reason"),
    ("a cut span", {"gen_ai.input.messages": [USER], "gen_ai.output.messages": [{**SAYS, "finish_reason": "length"}]},
     "finish_reason"),
    ("documents beside a chat", {"document": S, "messages": CHAT}, "document"),
    ("a label as long as an answer", {"input": Q, "label": A}, "label"),
    ("documents beside a conversation", {"document": S, "conversation": CHAT}, "document"),
    ("calls beside an answer", {"prompt": Q, "response": A, "tool_calls": [CALL]}, "tool_calls"),
    ("a history in words", {"messages": CHAT, "history": S}, "history"),
    ("several answers to a chat", {"messages": [USER], "answers": [A, B]}, "answers"),
    ("several solutions", {"question": Q, "solutions": dumped(["a = 1", "b = 2"])}, "solutions"),
    ("two conversations in one", {"messages": [CHAT, CHAT]}, "messages"),
    ("tools in Python", {"messages": CHAT, "chat_template_kwargs": {"python_tools": ["def f(): ..."]}},
     "chat_template_kwargs.python_tools"),
    ("a response cut off", {"input": Q, "status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"},
                            "output": [{"type": "message", "role": "assistant", "content": A}]},
     "incomplete_details"),
    ("a response called off", {"input": Q, "status": "cancelled", "output": [
        {"type": "message", "role": "assistant", "content": A}]}, "status"),
    ("an item that is not done", {"input": Q, "output": [
        {"type": "message", "role": "assistant", "status": "incomplete", "content": A}]}, "output[0].status"),
    ("Gemini's tie", {"contents": [{"role": "user", "parts": [{"text": Q}]}], "completions": [
        {"score": 1, "completion": {"parts": [{"text": A}]}}, {"score": 1, "completion": {"parts": [{"text": B}]}}]},
     "completions"),
    ("a completion cut off", {"prompt": Q, "completion": {"text": A, "finish_reason": "length"}},
     "completion.finish_reason"),
    ("a turn cut off", {"messages": [USER, {**SAYS, "finish_reason": "length"}]}, "messages[1].finish_reason"),
    ("a list of endings", {"prompt": Q, "responses": [A], "finish_reasons": ["length"]}, "finish_reasons"),
    ("a program beside a text", {"text": Q, "code": A, "test_list": []}, ""),
    ("yes as completion", {"prompt": Q, "completion": True}, "completion"),
    ("a file beside a question", {"messages": [{**USER, "attachments": [{"name": "a.txt", "content": S}]}, SAYS]},
     "messages[0].attachments"),
    ("a passage beside a question", {"messages": [{**USER, "context": S}, SAYS]}, "messages[0].context"),
    ("an analysis of either kind", {"messages": [USER, {**SAYS, "analysis": T}]}, "messages[1].analysis"),
    ("a worse answer within a turn", {"messages": [USER, {**SAYS, "rejected": B}]}, "messages[1].rejected"),
    ("another answer than the chat's", {"conversations": CHAT, "instruction": Q, "output": B}, "output"),
    ("a result within its call", {"messages": [USER, {**SAYS, "tool_calls": [{**CALL, "result": "r"}]}]},
     "messages[1].tool_calls[0].result"),
    ("a call that runs something", {"messages": [USER, {"role": "assistant", "function_calls": "f(a=open('x'))"}]},
     "messages[1].tool_calls"),
    ("LangChain's answer cut off", {"messages": [{"type": "human", "content": Q}, {
        "type": "ai", "content": A, "response_metadata": {"finish_reason": "length"}}]},
     "messages[1].response_metadata.finish_reason"),
    ("the first steps of an answer", {"prompt": Q, "initial_reason_steps": T, "chosen": A, "rejected": B},
     "initial_reason_steps"),
    ("thoughts of some model beside a chat", {"messages": CHAT, "r1_reasoning": T}, "r1_reasoning"),
    ("such beside a conversation", {"conversations": CHAT, "internalThoughts": T}, "internalThoughts"),
    ("such beside a comparison", {"prompt": Q, "chosen": A, "rejected": B, "model_cot": T}, "model_cot"),
    ("such beside a log", {"request": {"messages": [USER]}, "response": {"choices": [{"message": SAYS}]},
                           "thinking": T}, "thinking"),
    ("what was found for a question", {"prompt": Q, "response": A, "search_results": [{"snippet": S}]},
     "search_results"),
    ("what was found for a chat", {"messages": CHAT, "retrieved_docs": [S]}, "retrieved_docs"),
    ("a table beside a question", {"question": Q, "answer": A, "table": {"rows": [["1 2 3"]]}}, "table"),
    ("code to begin with", {"prompt": Q, "completion": A, "starter_code": "class Solution: def f(self): pass"},
     "starter_code"),
    ("constraints of an instance", {"instruction": Q, "instances": [{"input": T, "constraints": S, "output": A}]},
     "instances[0].constraints"),
    ("instructions beside another system text",
     {"instructions": S, "messages": [{"role": "system", "content": T}, *CHAT]}, "instructions"),
]  # fmt: skip


@pytest.mark.parametrize(("record", "field"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_what_would_be_lost_or_false_is_refused_by_name(record: Any, field: str) -> None:
    found = parsed(record)
    assert not found.rows
    assert [entry.field for entry in found.quarantined] == [field]


@pytest.mark.parametrize(
    ("record", "columns", "expected"),
    [
        ({"document": S, "messages": CHAT}, {"messages": "messages"}, "u:Q a:A"),
        ({"document": S, "messages": CHAT}, {"messages": "messages", "system": "document"}, "s:S u:Q a:A"),
        ({"model_cot": T, "messages": CHAT}, {"messages": "messages", "reasoning": "model_cot"}, "u:Q a:[T]A"),
        ({"w": [0, 1], "messages": [*CHAT, *CHAT]}, {"messages": "messages", "weight": "w"}, "u:Q a:-A u:Q a:A"),
        ({"prompt": Q, "response": A, "score": 4, "reasoning": T},
         {"prompt": "prompt", "answer": "response", "reasoning": "reasoning"}, "u:Q a:[T]A"),
        ({"prompt": Q, "response": A, "steps": [S, T]},
         {"prompt": "prompt", "answer": "response", "reasoning": "steps"}, "u:Q a:[S\n\nT]A"),
    ],
)  # fmt: skip
def test_a_mapping_says_what_stands_beside(record: Any, columns: dict[str, str], expected: str) -> None:
    assert [shown(row) for row in parsed(record, columns=columns).rows] == [expected]


@pytest.mark.parametrize(
    ("record", "proposed"),
    [
        ({"chat": {"title": S, "messages": CHAT}}, "columns: {messages: chat.messages}"),
        ({"call": {"messages": [USER], "model": "m"}, "reply": A, "id": 1},
         "columns: {messages: call.messages, answer: reply}"),
        ({"dialog": [{"speaker": "USER", "utterance": Q}, {"speaker": "SYSTEM", "utterance": A}]},
         "columns: {messages: dialog, role: speaker, content: utterance}; roles: {SYSTEM: assistant}"),
        ({"audio": "a.wav", "sentence": A}, "columns: {text: sentence}"),
        ({"text": Q, "answer": "accept", "spans": []}, "columns: {text: text}"),
        ({"data": {"prompt": Q, "answer1": A, "answer2": B}, "annotations": [{"result": []}]},
         "columns: {prompt: data.prompt, answer: data.answer1, rejected: data.answer2}"),
        ({"type": "user", "message": USER, "uuid": "1"}, "one turn, of the user"),
        ({"title": S, "mapping": {"r": {"message": None, "children": ["a"]}, "a": {"message": {
            "author": {"role": "user"}, "content": {"parts": [Q]}}, "children": []}}, "current_node": "a"},
         "mapping holds turns by name"),
        ({"meta_instruction": S, "chat": {"turn_1": {"Human": Q, "Inner Thoughts": "None", "MOSS": A}}},
         "chat holds turns by name"),
        ({"segments": [{"text": Q, "label": True}, {"text": A}]}, "no known shape has the keys segments"),
    ],
)  # fmt: skip
def test_a_mapping_is_proposed_that_loses_and_invents_nothing(record: Any, proposed: str) -> None:
    [entry] = parsed(record).quarantined
    assert proposed in entry.reason
    assert entry.reason.count("columns: {") == proposed.count("columns: {")


@pytest.mark.parametrize(
    ("record", "trainer", "why"),
    [
        ({"messages": [{**USER, "content": "<image> as a tag"}, SAYS]}, "llamafactory", "a mark <image>"),
        ({"messages": [USER, {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{a"}}]}]},
         "llamafactory", "arguments are not a JSON object"),
        ({"prompt": Q, "chosen": f" {A}", "rejected": B}, "axolotl", "blanks around it"),
        ({"prompt": Q, "chosen": A, "rejected": ""}, "axolotl", "is empty"),
    ],
)  # fmt: skip
def test_what_a_trainer_would_learn_otherwise_is_refused(record: Any, trainer: str, why: str) -> None:
    [row] = parsed(record).rows
    with pytest.raises(CannotHold, match=why):
        TRAINERS[trainer].record(kind_of(row), row)


def test_settings_of_the_template_reach_trl() -> None:
    [row] = parsed(
        {"messages": CHAT, "chat_template_kwargs": {"enable_thinking": False, "xml_tools": [dumped(TOOL)]}}
    ).rows
    record = TRAINERS["trl"].record("chat", row)
    assert (record["chat_template_kwargs"], record["tools"]) == ({"enable_thinking": False}, [TOOL])


def test_names_with_commas_are_mapped_on_the_command_line(tmp_path: Path) -> None:
    pool, out = tmp_path / "pool.jsonl", tmp_path / "out.jsonl"
    pool.write_text(dumped({"input, text": Q, "answer = gold": A}) + "\n")
    told = CliRunner().invoke(app, ["convert", str(pool), str(out), "--to", "trl"])
    proposed = str(told.exception).split("try ")[1]
    told = CliRunner().invoke(app, ["convert", str(pool), str(out), "--to", "trl", "--columns", proposed])
    assert told.exit_code == 0, told.exception
    assert json.loads(out.read_text())["messages"] == CHAT


def test_a_mapped_column_that_is_nowhere_is_said() -> None:
    [entry] = parsed({"messages": CHAT}, columns={"messages": "messages", "reasoning": "mind"}).quarantined
    assert entry.field == "mind"


@pytest.mark.parametrize(
    "record",
    [
        {"segments": [{"label": True, "text": f"<s>{Q}\n"}, {"label": False, "text": A}]},
        {"info": {"post": Q}, "summaries": [{"text": A, "policy": "x"}, {"text": B}], "choice": 1},
        {"text": Q, "options": [{"id": "A", "text": A}, {"id": "B", "text": B}], "accept": ["A"]},
        {"context": S + S, "qas": [{"question": Q, "answer": A}]},
    ],
)
def test_parts_of_one_record_are_not_taken_for_rows(tmp_path: Path, record: Any) -> None:
    file = tmp_path / "one.jsonl"
    file.write_text(dumped(record) + "\n")
    found = [parse_block(block, each.name, "") for each in open_input(Input(str(file), "")) for block in each.blocks]
    assert [len(one.rows) for one in found] == [0]
    assert [len(one.quarantined) for one in found] == [1]


def test_a_definition_beside_the_instances_is_not_left_out(tmp_path: Path) -> None:
    file = tmp_path / "task.json"
    file.write_text(
        dumped({"Definition": [S], "Instances": [{"input": Q, "output": [A]}, {"input": T, "output": [B]}]})
    )
    [found] = [parse_block(block, each.name, "") for each in open_input(Input(str(file), "")) for block in each.blocks]
    assert not found.rows
    assert "Definition stands beside Instances" in found.quarantined[0].reason


def test_a_file_without_a_row_says_in_which_line_and_field(tmp_path: Path) -> None:
    pool = tmp_path / "pool.jsonl"
    pool.write_text(dumped({"messages": [USER, {"role": "critic", "content": A}]}) + "\n")
    with pytest.raises(FlywheelError, match=r"pool.jsonl: no row could be read: line 1, messages\[1\].role: expected"):
        convert(str(pool), str(tmp_path / "out.jsonl"), "trl")
