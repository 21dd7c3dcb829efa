"""Gates of format, refusal, leaked prompts, grounding and contamination on rows that people wrote."""

from __future__ import annotations

from pathlib import Path

from gates_common import dolly, gsm8k, markdown, named, records, rejected

from dataflywheel.proposing.gates.format_and_length import FormatAndLength
from dataflywheel.proposing.gates.grounded import Grounded
from dataflywheel.proposing.gates.prompt_leak import PromptLeak
from dataflywheel.proposing.gates.refusal import Refusal
from dataflywheel.proposing.kinds import Gate, Proposal
from dataflywheel.rows.identity import prompt_answer_row


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
