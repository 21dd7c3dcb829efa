"""Gates of format, refusal, leaked prompts, grounding and contamination on rows that people wrote."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from gates_common import dolly, gsm8k, markdown, named, records, rejected

from dataflywheel.proposing.gates.contamination import Contamination
from dataflywheel.proposing.gates.format_and_length import FormatAndLength
from dataflywheel.proposing.gates.grounded import Grounded
from dataflywheel.proposing.gates.prompt_leak import PromptLeak
from dataflywheel.proposing.gates.refusal import Refusal
from dataflywheel.proposing.kinds import Gate, Proposal, Surroundings
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.parts import PartWriter
from dataflywheel.rows.schema import table


def clean_text(data: Path) -> str:
    """Rows that people wrote, which should pass."""
    lines = []
    seeds = tuple(r["instruction"] for r in records(data / "self_instruct" / "seed_tasks.jsonl"))
    gates: tuple[Gate, ...] = (FormatAndLength(), Refusal(), PromptLeak())
    for name, rows in (("dolly", dolly(data)), ("gsm8k", gsm8k(data)[:3000])):
        proposals = [Proposal((), prompt_answer_row(*row), shown=seeds) for row in rows]
        for gate in gates:
            share, reasons = rejected(gate, proposals)
            lines.append((f"{gate.name}, {name}", len(rows), share, named(reasons)))
    for language in ("en", "de", "zh"):
        passages = records(data / "xquad" / f"xquad.{language}.jsonl.gz")
        answers = [r["answers"][0] if isinstance(r["answers"][0], str) else r["answers"][0]["text"] for r in passages]
        for title, shift in (("own passage", 0), ("another passage: should be rejected", 400)):
            given = [*answers[shift:], *answers[:shift]]
            proposals = [
                Proposal((), prompt_answer_row(r["question"], answer), source=r["context"])
                for r, answer in zip(passages, given, strict=True)
            ]
            share, reasons = rejected(Grounded(), proposals)
            lines.append((f"grounded, xquad.{language}, {title}", len(passages), share, named(reasons)))
    shown = markdown(("gate, rows", "rows", "rejected", "reasons"), lines)
    return f"### Format, refusal, leak and grounding on text of people\n\n{shown}"


def contamination(data: Path) -> str:
    """Evaluation rows among proposals, as they are and in other case and spacing."""
    sets = {
        "gsm8k/test": [(r["question"], r["answer"]) for r in records(data / "gsm8k" / "test.jsonl.gz")],
        "math500": [(r["problem"], r["solution"]) for r in records(data / "math500" / "math500.jsonl.gz")],
        "bbh": [(r["input"], r["target"]) for r in records(data / "bbh" / "bbh.jsonl.gz")],
        "mt_bench": [(r["turns"][0], "") for r in records(data / "mt_bench" / "question.jsonl")],
        "self_instruct": [
            ("\n\n".join(filter(None, (r["instruction"], i["input"]))), i["output"])
            for r in records(data / "self_instruct" / "user_oriented_instructions.jsonl")
            for i in r["instances"]
        ],
    }
    changes: dict[str, Callable[[str], str]] = {
        "as it is": str,
        "upper case": str.upper,
        "other spacing": lambda text: re.sub(r"\s+", " \n\t ", text),
    }
    clean = pq.read_table(data / "alpaca_pool" / "alpaca_pool.parquet").slice(0, 5000).to_pylist()
    clean_rows = [(f"{r['instruction']}\n\n{r['input']}".strip(), r["output"]) for r in clean]
    lines = []
    for name, rows in sets.items():
        with tempfile.TemporaryDirectory() as folder:
            with PartWriter(Path(folder)) as writer:
                writer.write(table([prompt_answer_row(*row) for row in rows]))
            around, gate, shares = Surroundings(target=Path(folder)), Contamination(semantic=None), []
            for change in changes.values():
                checks = gate.check([Proposal((), prompt_answer_row(change(p), change(a))) for p, a in rows], around)
                shares.append(float(np.mean([not check.passed for check in checks])))
            alarms = gate.check([Proposal((), prompt_answer_row(*row)) for row in clean_rows], around)
            lines.append((name, len(rows), *shares, sum(not check.passed for check in alarms)))
    head = ("target", "rows", *changes, f"alarms in {len(clean_rows):,} clean rows")
    return f"### Contamination by words: recall of planted evaluation rows\n\n{markdown(head, lines)}"
