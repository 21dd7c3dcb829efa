# ruff: noqa: RUF001
from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dataflywheel.contracts import Columns, Decisions, UsageError
from dataflywheel.enhancement.preparation.decontaminate import Decontaminate
from dataflywheel.signals.text.text_statistics import TextStatistics
from tests.enhancement.columns import lookup, measured, target
from tests.signals.rows import Pair, alpaca, json_lines
from tests.signals.words import words

WORDS_ONLY = Decontaminate(semantic=None)


def evaluation_sets(data: Path) -> list[Pair]:
    rows = [
        ("\n\n".join(filter(None, (r["instruction"], i["input"]))), i["output"])
        for r in json_lines(data / "self_instruct" / "user_oriented_instructions.jsonl")
        for i in r["instances"]
    ]
    rows += [(r["question"], r["answer"]) for r in json_lines(data / "gsm8k" / "test.jsonl.gz")]
    rows += [(r["input"], r["target"]) for r in json_lines(data / "bbh" / "bbh.jsonl.gz")[::6]]
    rows += [(r["turns"][0], "") for r in json_lines(data / "mt_bench" / "question.jsonl")]
    rows += [(r["problem"], r["solution"]) for r in json_lines(data / "math500" / "math500.jsonl.gz")]
    rows += [
        (r["prompt"], r["canonical_solution"]) for r in json_lines(data / "human_eval_code" / "HumanEval.jsonl.gz")
    ]
    return rows


def decide(pool: list[Pair], evaluation: list[Pair], cleaner: Decontaminate = WORDS_ONLY) -> Decisions:
    return cleaner.decide(measured(pool, TextStatistics()), lookup(pool), target(evaluation))


def spaced(text: str) -> str:
    return re.sub(r"\s+", " \n\t ", text)


@pytest.mark.parametrize("change", [str, str.upper, spaced])
def test_planted_copies_are_all_found_and_clean_rows_stay(data: Path, change: Callable[[str], str]) -> None:
    evaluation, clean = evaluation_sets(data), alpaca(data)[:5000]
    pool = [*clean, *((change(prompt), change(answer)) for prompt, answer in evaluation)]
    found = decide(pool, evaluation)
    planted = np.arange(len(pool)) >= len(clean)
    gone = np.array([action == "dropped" for action in found.action])
    print(
        f"planted {planted.sum()}, recall {gone[planted].mean():.4f}, false alarms {gone[~planted].sum()}/{len(clean)}"
    )
    assert gone[planted].all()
    assert gone[~planted].mean() < 0.002
    named = [found.other[k] == f"t{k - len(clean):06d}" for k in np.flatnonzero(planted)]
    assert np.mean(named) > 0.95  # the rest are evaluation rows that repeat another one's wording


@pytest.mark.parametrize("change", [str, str.lower, spaced])
def test_prompts_inside_longer_rows_are_found(data: Path, change: Callable[[str], str]) -> None:
    evaluation = [pair for pair in evaluation_sets(data) if len(words(pair[0])) >= 5]
    carrier = alpaca(data)[: len(evaluation)]
    pool = [
        (f"{prompt} {change(leak)} Now go on.", answer)
        for (prompt, answer), (leak, _) in zip(carrier, evaluation, strict=True)
    ]
    assert set(decide(pool, evaluation).action) == {"dropped"}


def test_leaked_answer_is_found_under_another_prompt() -> None:
    answer = "She sells the remaining nine eggs at the market for two dollars each, which makes eighteen dollars a day."
    found = decide([("Tell me about eggs.", f"Well. {answer.upper()}")], [("How much does Janet make a day?", answer)])
    assert found.action == ["dropped"]
    assert found.reason == ["leak: holds 100% of the 13-grams of a target answer"]
    assert found.other == ["t000000"]
    assert found.score == [1.0]


def test_share_of_a_long_prompt_decides() -> None:
    prompt = " ".join(f"word{i}" for i in range(100))
    pool = [(" ".join(f"word{i}" for i in range(n)), "fine") for n in (12, 40, 60, 80)]
    assert decide(pool, [(prompt, "")]).action == ["kept", "dropped", "dropped", "dropped"]
    half = Decontaminate(semantic=None, share_13=0.5, share_8=None)
    assert decide(pool, [(prompt, "")], half).action == ["kept", "kept", "dropped", "dropped"]
    strict = Decontaminate(semantic=None, share_13=None, share_8=0.7)
    found = decide(pool, [(prompt, "")], strict)
    assert found.action == ["kept", "kept", "kept", "dropped"]
    assert found.score[3] == pytest.approx(73 / 93)


def sentence(first: int, words: int) -> str:
    return " ".join(f"w{i}" for i in range(first, first + words))


def test_a_piece_of_an_item_is_a_leak_where_it_is_not_common() -> None:
    evaluation = [(sentence(0, 64), "")]
    holding = [(f"{sentence(1000 * k, 20)} {sentence(10, 26)} {sentence(1000 * k + 50, 20)}", "") for k in range(1, 13)]
    others = [(sentence(100_000 + 1000 * k, 40), "") for k in range(20)]
    assert decide([*holding[:10], *others], evaluation).action == ["dropped"] * 10 + ["kept"] * 20
    assert decide([*holding, *others], evaluation).action == ["kept"] * 32
    assert (
        decide([*holding, *others], evaluation, Decontaminate(semantic=None, common=20)).action[:12] == ["dropped"] * 12
    )
    assert (
        decide([*holding, *others], evaluation, Decontaminate(semantic=None, common=None)).action[:12]
        == ["dropped"] * 12
    )


def test_many_copies_of_an_item_are_no_common_language() -> None:
    evaluation = [(sentence(0, 40), sentence(5000, 30))]
    answers = [(sentence(0, 40), f"answer {sentence(200 * k, 9)}") for k in range(16)]
    templates = [(f"{sentence(300 * k, 15)} {sentence(0, 40)} {sentence(300 * k + 20, 5)}", "") for k in range(1, 17)]
    partly = [(f"{sentence(0, 30)} {sentence(9000, 5)}", f"answer {k}") for k in range(16)]
    for pool in (answers, templates, partly):
        assert set(decide([*pool, ("other", "row")], evaluation).action[:-1]) == {"dropped"}


def test_a_template_of_the_target_is_no_trace_of_it() -> None:
    template = (
        "Below is an instruction that describes a task. Write a response that appropriately completes the request."
    )
    evaluation = [(f"{template}\n\n{sentence(100 * k, 12)}", "") for k in range(30)]
    pool = [(f"{template}\n\n{sentence(10_000 + 100 * k, 12)}", "") for k in range(5)]
    assert decide([*pool, evaluation[3]], evaluation).action == ["kept"] * 5 + ["dropped"]
    alone = [(f"{template}\n\n{sentence(10_000 + 100 * k, 12)}", "") for k in range(30)]
    found = decide([*alone, evaluation[0]], evaluation[:1])
    assert found.action == ["kept"] * 30 + ["dropped"]


def with_changes(text: str, every: int | None, rng: random.Random) -> str:
    """One word changed, or one in `every`."""
    parts = re.split(r"(\s+)", text)
    places = [k for k in range(0, len(parts), 2) if re.search(r"\w", parts[k])]
    for k in rng.sample(places, max(1, round(len(places) / every)) if every else 1):
        parts[k] = rng.choice(["river", "quickly", "seven", "paper", "often"])
    return "".join(parts)


@pytest.mark.parametrize("every", [None, 20])
def test_items_with_changed_words_are_found(data: Path, every: int | None) -> None:
    rng = random.Random(0)
    evaluation = [pair for pair in evaluation_sets(data)[::4] if len(set(words(pair[0]))) >= 12]
    clean = alpaca(data)[8000:10_000]
    planted = [(with_changes(prompt, every, rng), "None.") for prompt, _ in evaluation]
    found = decide([*clean, *planted], evaluation)
    gone = np.array([action == "dropped" for action in found.action])
    assert gone[len(clean) :].mean() > 0.98
    assert gone[: len(clean)].sum() <= 1


def test_what_a_near_copy_is() -> None:
    prompt = "Which two of the seven rivers in the north cross the border twice before the sea?"
    pool = [
        (f"Tell me. {prompt.replace('seven', 'nine')} Thank you.", ""),
        (prompt.replace("twice ", ""), ""),
        (prompt.replace("north cross", "cold north cross"), ""),
        (prompt.replace("seven rivers", "nine lakes").replace("north", "south"), ""),
        ("Which two of the seven", "rivers in the north cross"),
    ]
    found = decide(pool, [(prompt, "")])
    assert found.action == ["dropped"] * 3 + ["kept"] * 2
    assert found.reason[0] == "leak: holds a target prompt with 1 of 16 words changed"
    without = Decontaminate(semantic=None, changed=None)
    assert decide(pool[:3], [(prompt, "")], without).action == ["kept", "dropped", "kept"]  # half of the 8-grams
    short = [("Which of the capitals is largest of all?", "")]  # a word of eight may be what it is about
    assert decide([("Which of the rivers is largest of all?", "")], [("Which of them is largest?", "")]).action == [
        "kept"
    ]
    assert decide([("Which of the rivers is largest of all?", "")], short).action == ["dropped"]


def test_a_short_prompt_with_a_changed_word_is_known_by_its_answer() -> None:
    evaluation = [("Who wrote the novel Ulysses?", "James Joyce, an Irish writer"), ("Is it blue?", "yes")]
    pool = [
        ("Who wrote the book Ulysses?", "James Joyce, an Irish writer."),
        ("Who wrote the novel Emma?", "Jane Austen, an English writer."),
        ("Who wrote the novel?", "I do not know."),
        ("Is it green?", "yes"),
    ]
    found = decide(pool, evaluation)
    assert found.action == ["dropped", "kept", "kept", "kept"]
    assert found.reason[0] == "leak: holds a target row with 1 of 10 words changed"


CASES = {
    "en": (
        "good morning",
        ["Please write a letter that starts with good morning to a client.", "What does good morning mean?"],
    ),
    "th": ("สวัสดี", ["ช่วยเขียนจดหมายถึงลูกค้า เริ่มด้วยสวัสดีครับ", "แปลคำว่าสวัสดีเป็นภาษาอังกฤษ"]),
    "zh": ("请写一首诗", ["请写一首诗给我的妈妈，她明天过生日。", "帮我修改这封邮件：请写一首诗送给客户。"]),
    "ja": ("おはようございます", ["お客様におはようございますで始まる手紙を書いてください。"]),
    "my": ("မင်္ဂလာပါ", ["မင်္ဂလာပါ ဆိုတာ ဘာအဓိပ္ပာယ်လဲ"]),
}
ITEMS = {
    "en": ("Explain to a child why the sky is blue during the day", "{} and red in the evening."),
    "th": ("อธิบายให้เด็กฟังว่าทำไมท้องฟ้าจึงเป็นสีฟ้าในตอนกลางวัน", "ช่วยหน่อย {} ขอบคุณครับ"),
    "zh": ("请向孩子解释为什么白天的天空是蓝色的而傍晚是红色的", "请回答：{}。谢谢！"),
    "ja": ("なぜ昼間の空は青くて夕方は赤いのかを子供に説明してください", "質問：{}。ありがとう。"),
    "ko": ("낮에는 하늘이 왜 파랗고 저녁에는 왜 빨간지 아이에게 설명해 주세요", "질문: {} 고맙습니다."),
    "km": ("សូមពន្យល់ដល់កុមារថាហេតុអ្វីបានជាមេឃមានពណ៌ខៀវនៅពេលថ្ងៃ", "សំណួរ {} អរគុណ"),
    "ar": ("اشرح للطفل لماذا تكون السماء زرقاء في النهار وحمراء في المساء", "سؤال: {} شكرا"),
    "hi": ("बच्चे को समझाओ कि दिन में आकाश नीला और शाम को लाल क्यों होता है", "प्रश्न: {} धन्यवाद"),
}  # fmt: skip


@pytest.mark.parametrize("language", CASES)
def test_a_shared_greeting_is_no_leak_in_any_script(language: str) -> None:
    greeting, prompts = CASES[language]
    found = decide([(prompt, "ok") for prompt in [*prompts, greeting]], [(greeting, "ok")])
    assert found.action == ["kept"] * len(prompts) + ["dropped"]


@pytest.mark.parametrize("language", ITEMS)
def test_a_copied_item_is_a_leak_in_every_script(language: str) -> None:
    item, around = ITEMS[language]
    spelled = "\u200b".join(item.replace(" ", " \u00ad"))
    pool = [(item, ""), (around.format(item), ""), (around.format(spelled), ""), (around.format(""), ""), ("", item)]
    assert decide(pool, [(item, "ok")]).action == ["dropped", "dropped", "dropped", "kept", "dropped"]


def test_other_settings_are_counted() -> None:
    prompt = sentence(0, 64)
    pool = [(prompt, ""), (f"start {sentence(10, 26)} end", ""), (f"start {sentence(10, 9)} end", ""), ("clean", "row")]
    found = decide(pool, [(prompt, "")])
    settings = {
        entry["setting"]: (entry["rows"], entry["kept_now"], entry["let_through"]) for entry in found.notes["settings"]
    }
    assert found.action == ["dropped", "dropped", "kept", "kept"]
    assert settings["any 8-gram"] == (3, 1, 0)
    assert settings["any 13-gram, common ones too"] == (2, 0, 0)
    assert settings["half of the 13-grams"] == (1, 0, 1)


def test_the_order_of_rows_plays_no_part(data: Path) -> None:
    evaluation = evaluation_sets(data)[:200]
    pool = [
        *alpaca(data)[:300],
        *((f"{p} {q[: len(q) // 2]}", a) for (p, a), (q, _) in zip(alpaca(data)[300:500], evaluation, strict=True)),
    ]
    pool += [(f"{p} {evaluation[0][0][:90]}", a) for p, a in alpaca(data)[500:512]]
    order = random.Random(1).sample(range(len(pool)), len(pool))
    here, there = decide(pool, evaluation), decide([pool[k] for k in order], evaluation)
    assert [here.action[k] for k in order] == there.action
    assert [here.other[k] for k in order] == there.other
    assert "dropped" in here.action


@pytest.mark.parametrize("piece", ["7 ", "-", "\n", "a", "word ", "如", "w1 w2 w3 w4 w5 w6 w7 w8 w9 "])
def test_a_megabyte_of_odd_text_takes_linear_time(piece: str) -> None:
    evaluation = [(sentence(0, 40), sentence(50, 20)), ("w1 w2 w3 w4 w5 w6 w7 w8 w9 w10 w1", "7 7 7 7 7 7 7 7")]
    decide([("warm", "up")], evaluation)
    began = time.process_time()
    decide([(piece * (10**6 // len(piece)), piece)], [*evaluation, (piece * (10**5 // len(piece)), "")])
    assert time.process_time() - began < 10


def test_trivial_short_texts_are_no_leak() -> None:
    evaluation = [("Is the sky blue?", "yes"), ("", "yes"), ("Continue.", "no")]
    pool = [("Are you a model?", "yes"), ("yes", "no"), ("Please continue.", "no"), ("is  the sky BLUE", "of course")]
    found = decide(pool, evaluation)
    assert found.action == ["kept", "kept", "kept", "dropped"]
    assert found.reason[3] == "leak: equal to a target prompt"


def test_short_row_without_a_prompt_is_compared_as_a_whole() -> None:
    found = decide([("", "Is the sky blue? Yes!")], [("Is the sky blue?", "yes")])
    assert found.reason == ["leak: equal to a target row"]


def test_embeddings_catch_what_words_do_not() -> None:
    pool, evaluation = [("a b", "c"), ("d e", "f"), ("g h", "i")], [("x y", "z"), ("u v", "w")]
    columns, view = measured(pool, TextStatistics()), target(evaluation)
    columns.values["embedding.vector"] = np.array([[1, 0.1], [-1, 0], [np.nan, 0]], dtype=np.float32)
    view.columns.values["embedding.vector"] = np.array([[0, 1], [1, 0]], dtype=np.float32)
    found = Decontaminate().decide(columns, lookup(pool), view)
    assert found.action == ["dropped", "kept", "kept"]
    assert found.other[0] == "t000001"
    assert found.score[0] == pytest.approx(1 / np.sqrt(1.01), abs=1e-6)
    assert Decontaminate().needs() == ("text.prompt_key", "embedding.vector")
    assert WORDS_ONLY.needs() == ("text.prompt_key",)


def test_unicode_forms_do_not_hide_a_leak() -> None:
    prompt = "黑豹队的防守丢了多少分?这是一个测试问题。"
    full_width = prompt.replace("?", "\uff1f")
    assert decide([(f"请回答:{full_width}", "308")], [(prompt, "308")]).action == ["dropped"]


def test_no_target_is_an_error_and_an_empty_one_is_not() -> None:
    columns = Columns(np.array(["r000000"], dtype=object), {"text.prompt_key": np.array([None], dtype=object)})
    with pytest.raises(UsageError, match="add a target"):
        WORDS_ONLY.decide(columns, lookup([("a", "b")]), None)
    assert WORDS_ONLY.decide(columns, lookup([("a", "b")]), target([])).action == ["kept"]


def test_empty_texts_on_both_sides() -> None:
    assert decide([("", ""), ("?", "")], [("", ""), ("!", "")]).action == ["kept", "kept"]
