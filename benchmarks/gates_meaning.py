"""The gate of meaning: planted changes of real rows, sentences of our own, transformations, what people changed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from gates_common import Line, Pair, Section, dolly, experts, gsm8k, markdown, records, rewrite, table, tried
from mutations import BREAKING, KEEPING, Mutation

from benchmarks.pairs import abroad, abroad_kept, forms, held_out, tuned
from benchmarks.pairs.lines import Pairs, every_second
from dataflywheel.models.spec import EmbedderSpec
from dataflywheel.proposing.gates.meaning import Meaning
from dataflywheel.proposing.kinds import Proposal

ROWS = 250
"""Rows of each of the two sets that are changed."""
CUT = "\n@@\n"
KEEPS = (
    "americanize_britishize_english back_translation change_char_case change_date_format contraction_expansions "
    "correct_common_misspellings country_state_abbreviation_transformation diacritic_removal emoji_icon_transformation "
    "filler_word_augmentation formality_change hashtagify lost_in_translation multilingual_back_translation "
    "noun_compound_paraphraser numeric_to_word propbank_srl_roles protaugment_diverse_paraphrase punctuation "
    "random_upper_transformation replace_abbreviation_and_acronyms sentence_reordering speech_disfluency_perturbation "
    "style_paraphraser synonym_substitution syntactically_diverse_paraphrase unit_converter use_acronyms "
    "weekday_month_abbreviation whitespace_perturbation"
)
BREAKS = (
    "adjectives_antonyms_switch auxiliary_negation_removal change_person_named_entities change_two_way_ne "
    "city_names_transformation color_transformation contextual_meaning_perturbation negate_strengthen "
    "random_deletion replace_financial_amounts replace_numerical_values subject_object_switch"
)
NOTE = """The invariants alone, but where a cosine is named. `additions`: new numbers, names and sentences may come
in, as a revision brings them. No data set holds denials and scope outside English, comparisons turned round, or
forms of clocks, units and lists: those pairs are our own. Other languages than English and these nine are not
measured; of a text in one that the gate does not know only numbers, names, code, links and the cosine are held."""


def meaning(data: Path) -> Section:
    alone, revising = Meaning(least=None), Meaning(least=None, additions=True)
    lines = [*planted(data, alone, revising), *own(alone), *transformed(data)]
    reviews: dict[str, list[str]] = {}
    for row in table(data / "counterfactual_imdb" / "dev_paired.tsv.gz", "\t"):
        reviews.setdefault(row["batch_id"], []).append(row["Text"])
    flipped = [rewrite(("", texts[0]), ("", texts[1])) for texts in reviews.values() if len(texts) == 2]
    revised = experts(data)
    lines += [
        tried("reviews rewritten to the other label (counterfactual_imdb)", "recall", alone, flipped),
        tried("expert revisions (coachlm), additions", "false alarms", revising, revised, seen="yes"),
        tried(
            "the first 300 of these, additions, cosine of 0.5",
            "false alarms",
            Meaning(additions=True),
            revised[:300],
            seen="yes",
        ),
    ]
    return Section("Meaning", NOTE, lines)


def planted(data: Path, alone: Meaning, revising: Meaning) -> list[Line]:
    """Real rows with one known change."""
    maths, texts = gsm8k(data)[:ROWS], dolly(data)[:ROWS]
    plain, quiz = [*maths, *texts], with_options([*maths, *texts])
    lines = []
    for measure, group in (("recall", BREAKING), ("false alarms", KEEPING)):
        for name, mutation in group.items():
            proposals = changed(quiz if "option" in name else plain, mutation)
            title = f"gsm8k and dolly: {name.replace('_', ' ')}"
            for gate, more in ((alone, ""), (revising, ", additions")):
                lines.append(tried(title + more, measure, gate, proposals, "published, changed by rule"))
    return lines


def own(gate: Meaning) -> list[Line]:
    lines = []
    for title, broken, kept, seen in (
        ("denial, opposites, scope, quantities", tuned.BROKEN, tuned.KEPT, "yes"),
        ("the same, other words", held_out.BROKEN, held_out.KEPT, "no"),
        *(
            (f"{title}, {half}", every_second(broken, first), every_second(kept, first), seen)
            for first, half, seen in ((0, "first half", "yes"), (1, "second half", "no"))
            for title, broken, kept in (
                ("comparisons, clocks, units, lists, initials", forms.BROKEN, forms.KEPT),
                ("denial and scope in nine languages", abroad.BROKEN, abroad_kept.KEPT),
            )
        ),
    ):
        for what, measure, given in (("broken", "recall", broken), ("kept", "false alarms", kept)):
            lines.append(tried(f"{title}: {what}", measure, gate, rewrites(given), "our own", seen))
    return lines


def rewrites(given: Pairs) -> list[Proposal]:
    return [rewrite(("Rewrite.", a), ("Rewrite.", b)) for some in given.values() for a, b in some]


def transformed(data: Path) -> list[Line]:
    """Published transformations, by whether they are meant to keep the meaning; the whole gate with its cosine."""
    rows = records(data / "perturbation_pairs" / "nl_augmenter_pairs.jsonl.gz")
    lines = []
    for title, measure, names in (("keep", "false alarms", KEEPS), ("change", "recall", BREAKS)):
        proposals = [
            rewrite(("", r["sentence"]), ("", r["outputs"][0]))
            for r in rows
            if r["transformation"] in names.split()
            and r["outputs"]
            and r["outputs"][0].split() != r["sentence"].split()
        ]
        text = f"transformations meant to {title} the meaning (perturbation_pairs), whole gate"
        lines.append(tried(text, measure, Meaning(part="answer"), proposals, seen="yes", most=4))
    return lines


def with_options(rows: Sequence[Pair]) -> list[Pair]:
    """Questions with four options each, made of the answers of other rows."""
    options = [answer.split("\n")[0][:60].strip() for _, answer in rows]
    return [
        (
            "\n".join([prompt, *(f"{c}) {options[(4 * i + k) % len(rows)]}" for k, c in enumerate("ABCD"))]),
            f"The answer is ({'ABCD'[i % 4]}).",
        )
        for i, (prompt, _) in enumerate(rows)
    ]


def changed(rows: Sequence[Pair], mutation: Mutation, seed: int = 0) -> list[Proposal]:
    """The rows that a mutation finds something to change in, as rewrites."""
    rng, found = random.Random(seed), []
    for prompt, answer in rows:
        text = mutation(f"{prompt}{CUT}{answer}", rng)
        if text is None or text == f"{prompt}{CUT}{answer}" or "@@" not in text:
            continue
        after = [side.strip("\n") for side in text.split("@@")]
        found.append(rewrite((prompt, answer), (after[0], after[1])))
    return found


def similarity(data: Path) -> Section:
    """How well a cosine ranks kept meanings above broken ones."""
    rows = [(prompt, "") for prompt, _ in gsm8k(data)[:100]]
    gate = Meaning(part="prompt", embedder=EmbedderSpec(builtin="minilm"))

    def cosines(mutation: Mutation) -> list[float]:
        pairs = [gate.texts(proposal) or ("", "") for proposal in changed(rows, mutation)]
        return gate.cosines(pairs) if pairs else []

    kept = [c for name in ("lower_case", "spelled_out", "sentences_turned") for c in cosines(KEEPING[name])]
    lines = []
    for name in ("negate", "swap_numbers", "change_number", "swap_names", "drop_unit"):
        broken = cosines(BREAKING[name])
        lines.append((name.replace("_", " "), len(broken), float(np.median(broken)), auc(kept, broken)))
    head = ("change", "rows", "median cosine", "AUC of the cosine, kept above broken")
    note = (
        f"Why invariants: the cosine of all-MiniLM-L6-v2 on questions of gsm8k. Of {len(kept)} rewrites that keep the "
        f"meaning the median is {np.median(kept):.3f}."
    )
    return Section("Similarity alone", note, [], markdown(head, lines))


def auc(high: Sequence[float], low: Sequence[float]) -> float:
    """Chance that one of `high` is above one of `low`; ties count half."""
    a, b = np.asarray(high)[:, None], np.asarray(low)[None]
    return float(np.mean((a > b) + 0.5 * (a == b)))
