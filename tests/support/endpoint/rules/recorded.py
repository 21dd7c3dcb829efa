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

    @property
    def size(self) -> int:
        """Characters of all its texts."""
        return sum(map(len, (*self.contains, *(self.answers or ()))))

    def turned(self, prompt: str) -> bool | None:
        """Whether the prompt shows the second answer first; None where it does not hold the entry's texts."""
        if not self.size or not all(text in prompt for text in self.contains):
            return None
        if self.answers is None:
            return False
        # Behind the question: an answer may repeat words of it.
        start = max((prompt.find(text) + len(text) for text in self.contains), default=0)
        longer, shorter = sorted(self.answers, key=len, reverse=True)
        at = _find(prompt, longer, start)
        other = _find(prompt, shorter, start)
        if at <= other < at + len(longer):
            # The shorter answer stands inside the longer one, too.
            other = _find(prompt, shorter, at + len(longer))
        if at < 0 or other < 0:
            return None
        first, second = (at, other) if longer == self.answers[0] else (other, at)
        return second < first


def _find(prompt: str, text: str, start: int) -> int:
    """Where a text stands: with lines of its own if it can be, else anywhere."""
    whole = f"{prompt}\n".find(f"\n{text}\n", start)
    return whole + 1 if whole >= 0 else prompt.find(text, start)


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
        found = [(entry, turned) for entry in entries if (turned := entry.turned(question.text)) is not None]
        # The one that explains most of the prompt: an answer of another entry may be a part of this one's.
        return max(found, key=lambda pair: (pair[0].size, not pair[1]), default=None)


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
                contains=[text for text in (str(pair["instruction"]), str(pair["input"])) if text],
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
