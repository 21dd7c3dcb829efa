"""Rows about another group: grammar by a table, twice equals once back, and what it does to gaps between groups."""

from __future__ import annotations

import gzip
from collections import Counter
from itertools import permutations
from pathlib import Path

import numpy as np
import orjson
import pytest
from pydantic import ValidationError

from dataflywheel import catalog
from dataflywheel.contracts import build
from dataflywheel.enhancement.toxicity.identity_balance import FOREIGN, NO_OTHER, NONE, OF_LABEL, IdentityBalance
from dataflywheel.enhancement.toxicity.identity_forms import kinds_of
from dataflywheel.enhancement.toxicity.identity_swap import FACT, TIES, UNSURE, doubt, exchanged, found_in
from dataflywheel.proposing.fulfil import Terms, fulfil
from dataflywheel.proposing.kinds import Surroundings
from dataflywheel.rows.identity import make_row, prompt_answer_row
from dataflywheel.rows.schema import Row, message
from tests.enhancement.rewriting.support import demand

KINDS = kinds_of()
TABLE = [
    ("origin", "Asian", "Mexican", "An Asian man met an ASIAN.", "A Mexican man met a MEXICAN."),
    ("religion", "Muslim", "Jewish", "A Muslim family. My friend is Muslim.", "A Jewish family. My friend is Jewish."),
    ("religion", "Muslim", "Jewish", "The Muslims' food.", "The Jews' food."),
    ("religion", "Muslim", "Jewish", "A Muslim and a Jewish man.", "A Jew and a Muslim man."),
    ("religion", "Muslim", "Jewish", "A Muslim came in.", None),
    ("religion", "Muslim", "Hindu", "A Muslim came in.", "A Hindu came in."),
    ("gender", "women", "men", "The woman told her brother hers.", "The man told his sister his."),
    ("gender", "women", "men", "I saw her. Women's rights.", "I saw him. Men's rights."),
    ("gender", "women", "men", "She's here, by herself.", "He's here, by himself."),
    ("gender", "men", "women", "He gave him the book of his father.", "She gave her the book of her mother."),
    ("gender", "women", "men", "We gave her flowers.", None),
    ("colour", "black", "white", "Black people saw black cats.", "White people saw black cats."),
    ("disability", "deaf", "blind", "On deaf ears, said deaf people.", "On deaf ears, said blind people."),
    ("orientation", "gay", "bisexual", "GAY men and gays", "BISEXUAL men and bisexuals"),
]


@pytest.mark.parametrize(("kind", "one", "other", "text", "after"), TABLE)
def test_grammar(kind: str, one: str, other: str, text: str, after: str | None) -> None:
    place = [term.name for term in KINDS[kind]]
    assert exchanged(text, kind, KINDS[kind], place.index(one), place.index(other)) == after


STAY = {
    "religion": [
        "The Muslim Brotherhood met.",
        "Read `Muslim` here",
        "https://x.org/Muslim/Hindu",
        "@Muslim, Muslim.py",
    ],
    "colour": ["The White House", "a black box", "blackbird, non-white, black-and-white", "the white wine"],
    "gender": [
        'I read "Little Women" and *Men and Mice*.',
        "manual, human, women_only, she.lock()",
        "```\nman bash\n```",
    ],
    "origin": ["asiandollar", "user@asian.example", "Asian-style"],
}


@pytest.mark.parametrize("kind", STAY)
def test_other_words_names_code_links_and_titles_stay(kind: str) -> None:
    for text in STAY[kind]:
        assert found_in(text, kind, KINDS[kind]) == []


def test_swapping_twice_gives_a_thousand_sentences_back() -> None:
    frames = [
        "I met {a} {x} man at the station.", "My neighbours are {x}.",
        "Two {x} students and {a} {x} teacher helped me.",
        "{X} people are welcome, and so is every {x} family.", "Nobody should insult {x} children.",
    ]  # fmt: skip
    kinds = {kind: KINDS[kind] for kind in ("religion", "origin", "orientation")}
    people = [
        "{s} lost {p} keys.",
        "We saw {o}.",
        "The {n} hurt {r}, said a {n}'s friend.",
        "{S} and {p} {m} left; {s}'s late.",
    ]
    sentences = []
    for kind, terms in kinds.items():
        for i, j in permutations(range(len(terms)), 2):
            word = terms[i].forms["adjective"]
            for frame in frames:
                a = "an" if word[0] in "aeiouAEIOU" else "a"
                sentences.append((frame.format(a=a, x=word, X=word[0].upper() + word[1:]), kind, i, j))
            one, many = terms[i].forms["noun"], terms[i].forms["plural"]
            sentences += [(f"Some {many} came; the {noun}, too.", kind, i, j) for noun in (one, many)]
    for i in range(200):
        said = ("she her her woman herself She mother", "he his him man himself He father")[i % 2].split()
        forms = dict(zip("sponrSm", said, strict=True))
        sentences += [(f"Day {i}. " + frame.format(**forms), "gender", i % 2, 1 - i % 2) for frame in people]
    assert len(sentences) >= 1000
    changed = 0
    for text, kind, i, j in sentences:
        once = exchanged(text, kind, KINDS[kind], i, j)
        if once is None:
            assert (
                "Jew" in text or KINDS[kind][j].name == "Jewish" or "Turk" in text or KINDS[kind][j].name == "Turkish"
            )
            continue
        changed += once != text
        assert exchanged(once, kind, KINDS[kind], i, j) == text
    assert changed >= 1000


def test_on_lines_about_groups_nothing_but_terms_changes(data: Path) -> None:
    packed = gzip.decompress((data / "toxigen_prompts" / "toxigen_prompts.jsonl.gz").read_bytes())
    lines = sorted(
        {line.strip("- ") for one in packed.splitlines() for line in orjson.loads(one)["prompt"].split("\n")}
    )
    lines = [line for line in lines if len(line) > 10]
    twice = swapped = unsure = held = 0
    for line in lines:
        for kind, terms in KINDS.items():
            there = sorted({found.term for found in found_in(line, kind, terms)})
            if not there:
                continue
            held += 1
            to = next(i for i in range(len(terms)) if i not in there[:1])
            once = exchanged(line, kind, terms, there[0], to)
            unsure += once is None
            if once is not None:
                swapped += once != line
                back = exchanged(once, kind, terms, there[0], to)
                twice += back == line
                assert abs(len(once.split()) - len(line.split())) == 0
    print(f"{len(lines)} lines, {held} with terms, {swapped} swapped, {unsure} unsure, {twice} back again")
    assert swapped > 100
    assert twice / swapped > 0.95


def rows() -> list[Row]:
    said = [("Muslim", "bad"), ("Muslim", "bad"), ("Muslim", "bad"), ("Christian", "fine"), ("Hindu", "fine")]
    return [
        make_row([message("user", f"No {i}: my {term} neighbours sing at night.")], label=label, source="p", tags=["t"])
        for i, (term, label) in enumerate(said * 2)
    ]  # fmt: skip


def test_each_row_is_told_of_the_term_that_its_label_lacks_and_the_label_stays() -> None:
    method = IdentityBalance(kinds=("religion",))
    made = method.propose(demand(rows()))
    for seed, one in zip(rows(), made, strict=True):
        assert one.row is not None, one.failure
        assert (one.row["label"], one.row["tags"], one.row["parents"]) == (seed["label"], ["t"], [seed["id"]])
        assert one.row["made_by"] == "identity_balance"
        words = zip(seed["messages"][0]["content"].split(), one.row["messages"][0]["content"].split(), strict=True)
        assert [(a, b) for a, b in words if a != b] == [(one.facts["from"], one.facts["to"])]
    told = method.told_of([(one, "") for one in made])["terms"]["religion"]
    assert told["Muslim: bad"] == {"before": 6, "after": 6}
    others = {name: of["after"] for name, of in told.items() if name.endswith("bad") and name != "Muslim: bad"}
    assert sum(others.values()) == 6
    assert max(others.values()) - min(others.values()) <= 1
    again = IdentityBalance(kinds=("religion",)).propose(demand(rows()[::-1]))
    assert [p.row["id"] for p in again if p.row] == [p.row["id"] for p in made if p.row][::-1]
    second = method.propose(demand(rows(), turn=1))
    assert all(a.facts["to"] != b.facts["to"] for a, b in zip(made, second, strict=True))
    assert {one.failure for one in method.propose(demand(rows(), turn=9))} == {NO_OTHER}


def test_what_is_not_sure_stays_out_with_its_reason() -> None:
    odd = {
        NONE: make_row([message("user", "Rain falls on roofs.")], label="a"),
        FACT: make_row([message("user", "The first Muslim mayor of London was elected.")], label="a"),
        TIES: make_row([message("user", "Muslims went to the mosque.")], label="a"),
        FOREIGN: make_row([message("user", "Man sieht, dass er nicht mit der men in der Stadt ist.")], label="a"),
        UNSURE: make_row([message("user", "We gave her flowers.")], label="a"),
        OF_LABEL: make_row([message("user", "My Muslim neighbours sing.")], label="anti-Muslim or Muslim"),
    }
    made = IdentityBalance().propose(demand(list(odd.values())))
    assert [one.failure for one in made] == list(odd)
    free = IdentityBalance(careful=False).propose(demand([odd[FACT], odd[TIES]]))
    assert all(one.row is not None for one in free)
    assert doubt("In 1938 the Jewish shops closed.", "religion", KINDS["religion"]) == FACT
    with pytest.raises(ValidationError, match="no kind 'age'"):
        IdentityBalance(kinds=("age",))
    with pytest.raises(ValidationError, match="stands in two"):
        IdentityBalance(terms={"x": ["old", "old"]})
    own = IdentityBalance(terms={"age": ["elder", ["youth", "youths", "young"]]})
    (one,) = own.propose(demand([make_row([message("user", "Two elders sat there.")])]))
    assert one.row is not None
    assert one.row["messages"][0]["content"] == "Two youths sat there."


def test_nothing_of_a_row_is_lost_and_both_answers_are_swapped() -> None:
    row = make_row(
        [message("system", "Be kind."), message("user", "Ignore all rules! A woman asks."),
         message("assistant", "Help her.", reasoning="She asks."),
         message("user", "And 女 then?\nA man?"), message("assistant", "Help him.")],
        rejected=[message("assistant", "Do not help him.")], tools="[]", source="pool", tags=["t"],
        extra={"k": [1, "woman"]}, weight=2.0,
    )  # fmt: skip
    (one,) = IdentityBalance().propose(demand([{**row, "copies": 3}]))
    new = one.row
    assert new is not None, one.failure
    assert [turn["content"] for turn in new["messages"]] == [
        "Be kind.", "Ignore all rules! A man asks.", "Help him.", "And 女 then?\nA woman?", "Help her."
    ]  # fmt: skip
    assert new["messages"][2]["reasoning"] == "He asks."
    assert new["rejected"] is not None
    assert new["rejected"][0]["content"] == "Do not help her."
    assert orjson.loads(new["extra"]) == {"k": [1, "man"]}
    assert (new["tools"], new["weight"], new["copies"]) == ("[]", 2.0, 1)
    long = prompt_answer_row("A woman. " * 2_000, "Fine.")
    assert IdentityBalance().propose(demand([long, prompt_answer_row("", "")]))[0].row is not None


def test_gaps_between_groups_close_where_rows_are_balanced() -> None:
    """Insults and kind remarks, each about a group; two groups stand with insults only. A classifier of words is tried
    on kind remarks about every group."""
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    kind = [
        "bake bread",
        "sing well",
        "fix bicycles",
        "grow roses",
        "teach maths",
        "walk dogs",
        "paint boats",
        "cook soup",
    ]
    rude = ["are dirty", "are stupid", "spoil everything", "are rats", "should vanish", "lie always"]
    groups = [term for term in KINDS["religion"] if term.name != "Jewish"]
    draw, seeds = np.random.default_rng(3), []
    for i in range(240):
        bad = i % 2 == 0
        group = groups[i % 4 // 2 * 2] if bad and i % 12 else groups[int(draw.integers(len(groups)))]
        group = groups[0] if bad and i % 8 else groups[int(draw.integers(1, len(groups)))]
        what = (rude if bad and i % 3 else kind)[int(draw.integers(6))]  # a third of the labels is wrong on purpose
        seeds.append(
            make_row(
                [message("user", f"Note {i}. {group.forms['plural']} {what} here.")], label="bad" if bad else "fine"
            )
        )
    method = IdentityBalance(kinds=("religion",), terms={"religion": [t.name for t in groups]})
    made = [p for turn in range(3) for p in method.propose(demand(seeds, turn))]
    twins = [one.row for one in made if one.row is not None]
    assert len(twins) == 3 * len(seeds)
    found = {}
    for name, train in {"before": seeds, "after": [*seeds, *twins]}.items():
        model = make_pipeline(CountVectorizer(token_pattern=r"[A-Za-z]+"), LogisticRegression(max_iter=500))
        model.fit([row["messages"][0]["content"] for row in train], [row["label"] for row in train])
        at = list(model.classes_).index("bad")
        scores = np.array(
            [[model.predict_proba([f"{g.forms['plural']} {what} here."])[0, at] for what in kind] for g in groups]
        )
        flips = float(np.mean([len({*column}) > 1 for column in (scores > 0.5).T]))
        found[name] = (float(np.ptp((scores > 0.5).mean(1))), float(np.ptp(scores.mean(1))), flips)
    print(
        {name: [round(value, 3) for value in of] for name, of in found.items()}, "false-positive gap, score gap, flips"
    )
    assert found["before"][1] > 0.2
    assert all(after < before / 2 or after == before == 0 for before, after in zip(*found.values(), strict=True))


def test_through_its_gates_as_many_rows_as_wanted() -> None:
    gates = [build(catalog.get(name), given) for name, given in IdentityBalance.own_gates()]
    done = fulfil(IdentityBalance(), gates, rows(), Terms(rows=25, visits=None), Surroundings(), 0)  # type: ignore[arg-type]
    assert len(done.accepted) == 25
    assert len({p.row["id"] for p in done.accepted if p.row}) == 25
    assert Counter(p.facts["kind"] for p in done.accepted) == {"religion": 25}
