"""Recorded judgements, played back by what a prompt holds."""

from __future__ import annotations

import gzip
from functools import lru_cache
from pathlib import Path
from typing import Literal

import orjson
from pydantic import BaseModel, ConfigDict

from tests.support.endpoint.draws import unit
from tests.support.endpoint.faults import REFUSAL
from tests.support.endpoint.question import Question
from tests.support.endpoint.rules.phrasing import Answer, Belief, RuleBase, phrase

Verdict = Literal["", "first", "second", "tie"]


class Entry(BaseModel):
    """One recorded judgement. It belongs to prompts with [[record:key]], or to those that hold all its texts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str = ""
    contains: list[str] = []
    answers: tuple[str, str] | None = None
    """The two answers that were compared; where the prompt shows them the other way round, the verdict is turned."""
    verdict: Verdict = ""
    scores: list[float] = []
    """One a sample."""
    text: str | None = None
    """Said as it is, whatever form was asked for: an unreadable verdict, for instance."""
    reason: str = ""

    def turned(self, prompt: str) -> bool | None:
        """Whether the prompt shows the second answer first; None where it does not hold the entry's texts."""
        if not all(text in prompt for text in self.contains):
            return None
        if self.answers is None:
            return False
        longer, shorter = sorted(self.answers, key=len, reverse=True)
        at = prompt.find(longer)
        if at < 0:
            return None
        # The shorter answer may also stand inside the longer one.
        other = prompt.find(shorter) if prompt.find(shorter) < at else prompt.find(shorter, at + len(longer))
        if other < 0:
            return None
        first, second = (at, other) if longer == self.answers[0] else (other, at)
        return second < first


class Recorded(RuleBase):
    """Says what was recorded for this prompt, and refuses where nothing was."""

    rule: Literal["recorded"]
    file: Path
    """A JSON list of entries."""
    labels: tuple[str, str, str] = ("A", "B", "tie")
    template: str = "$verdict$score"

    def answer(self, question: Question, choice: int) -> Answer:
        found = self._entry(question)
        if found is None:
            return Answer(REFUSAL)
        entry, turned = found
        if entry.text is not None:
            return Answer(entry.text)
        verdict = entry.verdict
        if turned and verdict != "tie":
            verdict = "second" if verdict == "first" else "first"
        draw = int(unit(*question.salt(choice)) * len(entry.scores))
        score = entry.scores[draw] if entry.scores else None
        name = question.ids[0] if question.ids else ""
        belief = Belief(name, score, verdict, reason=entry.reason or Belief.reason)
        return Answer(phrase(question, [belief], self.template, self.labels))

    def _entry(self, question: Question) -> tuple[Entry, bool] | None:
        entries = _entries(self.file)
        marked = question.marked("record")
        if marked:
            return next(((entry, False) for entry in entries if entry.key == marked[0]), None)
        for entry in entries:
            if (entry.contains or entry.answers) and (turned := entry.turned(question.text)) is not None:
                return entry, turned
        return None


@lru_cache(maxsize=8)
def _entries(file: Path) -> list[Entry]:
    return [Entry(**entry) for entry in orjson.loads(file.read_bytes())]


def pandalm_entries(data: Path, judge: Literal["gpt-3.5-turbo", "pandalm-7b"]) -> list[Entry]:
    """The verdicts of a recorded judge on PandaLM's 999 pairs, with the row's number as key."""
    pairs = orjson.loads(gzip.decompress((data / "pandalm" / "testset-v1.json.gz").read_bytes()))
    said = orjson.loads(gzip.decompress((data / "pandalm" / f"{judge}-testset-v1.json.gz").read_bytes()))
    name = "gpt" if judge.startswith("gpt") else "pandalm"
    verdicts: dict[str, Verdict] = {"1": "first", "2": "second", "0": "tie", "Tie": "tie"}
    entries = []
    for pair, one in zip(pairs, said, strict=True):
        verdict = verdicts.get(str(one[f"{name}_result"]))
        entries.append(
            Entry(
                key=str(pair["idx"]),
                contains=[str(pair["instruction"])],
                answers=(str(pair["response1"]), str(pair["response2"])),
                verdict=verdict or "",
                text=None if verdict else str(one[f"{name}_result"]),
                reason=str(one[f"{name}_reason"]),
            )
        )
    return entries


def rubric_entries(data: Path) -> list[Entry]:
    """GPT-4's three scores for each of 320 rubric prompts, with the line's number as key."""
    lines = gzip.decompress((data / "rubric_scores" / "vicuna_eval.jsonl.gz").read_bytes()).splitlines()
    entries = []
    for i, line in enumerate(lines):
        row = orjson.loads(line)
        feedback = str(row["gpt4_feedback"][0])
        entries.append(Entry(key=str(i), contains=[row["instruction"]], scores=row["gpt4_score"], reason=feedback))
    return entries


def write_entries(entries: list[Entry], file: Path) -> Path:
    """The file that the rule reads."""
    file.write_bytes(orjson.dumps([entry.model_dump() for entry in entries]))
    return file
