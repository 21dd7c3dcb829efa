"""Formats in and out, as the reference shows them."""

from __future__ import annotations

from dataflywheel.rows.containers.sniff import PACKED, SUFFIXES
from dataflywheel.rows.formats import SHAPES
from dataflywheel.rows.schema import ROW_SCHEMA
from dataflywheel.rows.trainers import TRAINERS
from docs.fields import one_line, table

KEYS = {
    "canonical": "the columns of a row, see below",
    "oasst_tree": "`message_tree_id`, `prompt` with its tree of replies",
    "self_instruct": "`instruction`, `instances`",
    "sharegpt": "`conversations` of `from` and `value`",
    "messages": "`messages` of `role` and `content`, with tool calls",
    "alpaca": "`instruction`, `input`, `output`",
    "transcript": "`chosen`, `rejected` as one text with speakers",
    "chat": "`conversation`, `dialogue`, `data`, ...: turns, pairs or texts",
    "columns": "other names of prompt, answer, system, thoughts, context; two answers with a verdict",
    "spoken_text": "`chat` or `conversation` as one text with `USER:` and `ASSISTANT:`",
    "ranked": "a prompt with `completions`, `answers` or `generations` that have scores or ranks",
    "span": "attributes of a trace: `gen_ai.*`, `llm.input_messages`",
    "tool_answers": "`query`, `tools`, `answers`: calls as JSON",
    "log": "`request` and `response`, batches, `contents`, `input` and `preferred_output`",
    "turns_preference": "`prompt`, `chosen`, `rejected` as lists of turns",
    "implicit_preference": "`chosen`, `rejected` as lists of turns, the prompt in both",
    "preference": "`prompt`, `chosen`, `rejected` as texts",
    "prompt_completion": "`prompt`, `completion`, perhaps `label`",
    "turns_completion": "`prompt`, `completion` as lists of turns",
    "prompt_response": "`prompt`, `response`",
    "dolly": "`instruction`, `context`, `response`",
    "question_answer": "`question`, `answer`",
    "query_response": "`query`, `response`",
    "prompt": "`prompt`",
    "text": "`text`",
    "table": "`format: table` alone; every column is a cell",
}
TRAINER_FILES = {
    "trl": "conversational records; nothing beside them",
    "llamafactory": "ShareGPT records, and their entry in `dataset_info.json`",
    "llamafactory_alpaca": "Alpaca records, and their entry in `dataset_info.json`",
    "axolotl": "chat_template records, and `<name>.axolotl.yaml` to paste into the configuration",
}
COLUMNS = {
    "id": "digest of messages, rejected, tools, label, media and cells: equal content, equal id",
    "messages": "turns with role, content, reasoning, tool_calls, tool_call_id, name, learn: prompt and good answer",
    "rejected": "the same with the worse answer, for preference rows",
    "tools": "tool specifications as JSON text",
    "label": "class or KTO label",
    "source": "where the row came from; quotas and slices use it",
    "tags": "task, skill, domain",
    "copies": "identical rows are merged on reading and counted here",
    "extra": "every other field of the input, as JSON text",
    "parents": "rows that this one was made from",
    "made_by": "the method that made it, empty for rows that were read",
    "round": "the round in which it appeared",
    "media": "images, videos and sounds that the text points at, each with its path or address",
    "cells": "the columns of a table's row, as JSON text",
    "weight": "how much it counts where it is learned, 1 where it is null; only ratios matter; no part of the identity",
}


def formats() -> list[str]:
    """Record shapes, trainers, containers, and the columns of a row."""
    packed = ", ".join(f"`{suffix}`" for suffix in PACKED)
    suffixes = ", ".join(f"`{suffix}`" for suffix in SUFFIXES)
    lines = [
        "The format of a file is told from its content; `format:` in a pool entry overrules it.",
        "A line that cannot be read is set aside with its file, line and reason, and the rest goes on.",
        f"Containers: {suffixes}, packed or not ({packed}); a `datasets` directory; a data set of the hub as",
        "`owner/name` or `hf:owner/name#split`.",
        "",
        "JSON may be one record a line, an array, records in a row or over many lines, records under a key (`data`,",
        "`rows`, ...), by split, or by column as pandas and the hub's viewer write them. `path#name` asks for one",
        "split of a folder, a data set or a document, or for the records under that key.",
        "A folder means the data files below it, links followed, each once. Splits of one data set are never mixed:",
        "the files to train on are read (named `train`, or without a split's name where there is none), and",
        "`convert`, `profile`, `plan` and `run` say what was not read, with the reason.",
        "Tables of text: comma, tab, semicolon or bar; quotes doubled or behind a backslash. A record that loses its",
        "place is set aside with all lines that may belong to it. Of a damaged archive all that stands before the",
        "damage is read.",
        "",
        "### Records that are read and written",
        "",
        *table(["name", "told by", "note"], [[f"`{s.name}`", KEYS[s.name], one_line(type(s).__doc__)] for s in SHAPES]),
        "### What trainers read",
        "",
        *table(["name", "what is written"], [[f"`{name}`", TRAINER_FILES[name]] for name in TRAINERS]),
        "### The row",
        "",
    ]
    rows = [[f"`{field.name}`", f"`{_kind(str(field.type))}`", COLUMNS[field.name]] for field in ROW_SCHEMA]
    return lines + table(["column", "type", "meaning"], rows)


def _kind(kind: str) -> str:
    """Arrow's name of a type; lists without the name that they give their elements."""
    return "list of messages" if "struct" in kind else kind.replace("item: ", "").replace("element: ", "")
