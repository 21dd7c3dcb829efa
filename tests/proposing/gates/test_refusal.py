# ruff: noqa: RUF001
from __future__ import annotations

import csv
import gzip
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.damage import CHOICES, REFUSALS
from benchmarks.pairs.refusals import ANSWERS
from benchmarks.pairs.refusals import REFUSALS as SAID
from dataflywheel.proposing.gates.refusal import Refusal
from dataflywheel.proposing.kinds import Surroundings
from tests.proposing.gates.proposals import check, new
from tests.signals.rows import json_lines


@pytest.mark.parametrize(
    "answer",
    [
        "I'm sorry, but I can't help with that.",
        "I am unable to provide medical advice.",
        "As an AI language model, I do not have feelings.",
        "Unfortunately, I cannot answer this question.",
        "Sorry, this is not something that I can do.",
        "I apologize, but I won't be able to share that.",
        "No input provided.",
        "*I cannot create that image.*",
    ],
)
def test_refusals_are_found(answer: str) -> None:
    found = check(Refusal(), new("Do it.", answer))
    assert (found.passed, found.reason) == (False, "refusal")


@pytest.mark.parametrize(
    "answer",
    [
        "Lo siento, pero no puedo ayudar con eso.",
        "Je suis désolé, mais je ne peux pas répondre à cette demande.",
        "Es tut mir leid, aber dabei kann ich nicht helfen.",
        "Mi dispiace, ma non posso fornire queste informazioni.",
        "Desculpe, mas não posso ajudar com isso.",
        "Извините, но я не могу помочь с этим запросом.",
        "很抱歉，我无法提供这方面的帮助。",
        "申し訳ありませんが、そのご要望にはお答えできません。",
        "죄송하지만 그 요청은 도와드릴 수 없습니다.",
        "عذرًا، لا أستطيع المساعدة في ذلك.",
        "क्षमा करें, मैं इसमें मदद नहीं कर सकता।",
        "Üzgünüm, bu konuda yardımcı olamam.",
        "Xin lỗi, tôi không thể giúp việc này.",
        "Maaf, saya tidak dapat membantu permintaan itu.",
        "I'm sorry, but I can't help with that. " + "It would harm people who did nothing to deserve it. " * 20,
        "It is not appropriate to discuss ways to hurt somebody. It is important to treat all people with respect.",
    ],
)
def test_refusals_in_other_languages_and_at_length_are_found(answer: str) -> None:
    assert not check(Refusal(), new("Do it.", answer)).passed


def test_two_people_called_them_refusals(data: Path) -> None:
    seen: Counter[tuple[str, bool]] = Counter()
    for model in ("gpt4", "mistralguard"):
        with gzip.open(data / "xstest" / f"xstest_v2_completions_{model}.csv.gz", "rt", newline="") as file:
            for row in csv.DictReader(file):
                seen[row["final_label"][0], check(Refusal(), new("Do it.", row["completion"])).passed] += 1
    assert seen["2", False] / (seen["2", False] + seen["2", True]) > 0.85
    assert seen["1", False] / (seen["1", False] + seen["1", True]) < 0.05


def test_refusals_of_every_wording_are_found() -> None:
    texts = [
        template.format(cannot=cannot, help=help, this=this)
        for template in REFUSALS
        for cannot in CHOICES["cannot"]
        for help in CHOICES["help"]
        for this in CHOICES["this"]
    ]
    checks = Refusal().check([new("Do it.", text) for text in [*texts, *map(str.lower, texts)]], Surroundings())
    assert not any(found.passed for found in checks)


@pytest.mark.parametrize(
    "answer",
    [
        "He said: I'm sorry, but I can't help you.",
        "Sorry is a word of apology.",
        "I can help with that.",
        "I cannot stand the rain, wrote the poet.",
        "As a teacher, you may begin with a story.",
        "I'm sorry, but I'm unable to come into work today since I am ill.",
        "As an AI, I have no opinions. However, I can tell you that the law differs. " + "It says this and that. " * 20,
        "It is not appropriate to wear jeans to a wedding.",
        "I'm sorry, but I can't help with that. " + "Still, here is how it goes. " * 20,
    ],
)
def test_answers_pass(answer: str) -> None:
    assert check(Refusal(), new("Do it.", answer)).passed


def test_rows_that_people_wrote_pass(data: Path) -> None:
    rows = json_lines(data / "dolly" / "dolly_pool.jsonl.gz")
    checks = Refusal().check([new(r["instruction"], r["output"]) for r in rows], Surroundings())
    assert sum(not found.passed for found in checks) < 0.002 * len(rows)


@pytest.mark.parametrize(
    "answer",
    [
        "I won't be able to help with this.",
        "I am unable to browse the internet.",
        "I'd rather not discuss this topic.",
        "I'm not comfortable helping with that.",
        "It would be unethical for me to provide that information.",
        "That's not something I can help with.",
        "I don't feel comfortable writing this.",
        "This request violates my guidelines, so I can't complete it.",
        "I do not have access to real-time data.",
        "I refuse to answer.",
        "Thank you for asking, but I can't share that.",
        "I appreciate your question, however I cannot provide legal advice on evading taxes.",
        "Hmm, I don't think I can help with that one.",
        "While I understand your curiosity, I cannot provide instructions for picking locks.",
        "Regrettably, I am not permitted to share such details.",
        "I have to decline.",
        "As an AI language model, it is not possible for me to feel.",
    ],
)
def test_refusals_in_other_words_are_found(answer: str) -> None:
    assert not check(Refusal(), new("Do it.", answer)).passed


@pytest.mark.parametrize(
    "answer",
    [
        "I cannot recommend this book highly enough.",
        '"I can\'t help falling in love" is a song by Elvis Presley.',
        "As an AI researcher, Yann LeCun worked on CNNs.",
        "I refuse to believe that the earth is flat.",
        "Thank you for your help. I can open the file now.",
        "I have to decline your invitation, since I am away.",
        "I don't have a dog, but two cats.",
        "While I was asleep, nobody could help him.",
    ],
)
def test_what_only_sounds_like_a_refusal_passes(answer: str) -> None:
    assert check(Refusal(), new("Do it.", answer)).passed


def test_refusals_of_one_sentence_are_found_in_any_words_and_what_sounds_like_one_is_none() -> None:
    gate = Refusal()
    assert [text for text in SAID if gate.one(text).passed] == ["I'm not the right tool for this."]
    told = [text for text in ANSWERS if not gate.one(text).passed]
    assert told == ["We can't help you with that bag at this counter; please go to gate 4."]


def test_a_disclaimer_that_turns_to_the_answer_is_none() -> None:
    said = "As an AI, I don't have personal opinions. However, I can tell you that storms cannot be tried in court."
    assert Refusal().one(said).passed
    assert not Refusal().one(said.partition(" However")[0]).passed
