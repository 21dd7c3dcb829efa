"""Gates of meaning, grounding, novelty, format, refusal and contamination on real data: what they find, what they lose.

Each function gives one Markdown section; `tables` all of them.
"""

from __future__ import annotations

import csv
import gzip
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from gates_clean import clean_text
from gates_common import Pair, dolly, gsm8k, markdown, named, records, rejected, rewrite
from gates_leaks import contamination
from gates_novelty import novelty
from mutations import BREAKING, KEEPING, Mutation

from dataflywheel.models.spec import EmbedderSpec
from dataflywheel.proposing.gates.meaning import Meaning
from dataflywheel.proposing.kinds import Proposal

ROWS = 500
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


def mutations(data: Path) -> str:
    """Meaning broken and kept by known changes of 1,000 rows."""
    maths, texts = gsm8k(data)[:ROWS], dolly(data)[:ROWS]
    plain, quiz = [*maths, *texts], with_options([*maths, *texts])
    paraphrase, revision = Meaning(least=None), Meaning(least=None, additions=True)
    out = []
    for title, group in (("Broken: recall", BREAKING), ("Kept: false rejects", KEEPING)):
        rows = []
        for name, mutation in group.items():
            proposals = changed(quiz if "option" in name else plain, mutation)
            share, reasons = rejected(paraphrase, proposals)
            rows.append((name, len(proposals), share, rejected(revision, proposals)[0], named(reasons)))
        head = ("change", "rows", "rejected", "rejected, additions allowed", "reasons")
        out.append(f"{title}\n\n{markdown(head, rows)}")
    return "### Meaning: planted changes in gsm8k and dolly (invariants alone)\n\n" + "\n\n".join(out)


def similarity_alone(data: Path) -> str:
    """How well a cosine ranks kept meanings above broken ones."""
    rows = [(prompt, "") for prompt, _ in gsm8k(data)[:200]]
    gate = Meaning(part="prompt", embedder=EmbedderSpec(builtin="minilm"))

    def cosines(mutation: Mutation) -> list[float]:
        pairs = [gate.texts(proposal) or ("", "") for proposal in changed(rows, mutation)]
        return gate.cosines(pairs) if pairs else []

    kept = [c for name in ("lower_case", "spelled_out", "sentences_turned") for c in cosines(KEEPING[name])]
    lines = []
    for name in ("negate", "swap_numbers", "change_number", "swap_names", "drop_unit"):
        broken = cosines(BREAKING[name])
        share = rejected(Meaning(part="prompt", least=None), changed(rows, BREAKING[name]))[0]
        lines.append((name, len(broken), float(np.median(broken)), auc(kept, broken), share))
    head = ("change", "rows", "median cosine", "AUC of the cosine, kept above broken", "found by invariants")
    return (
        f"### Similarity alone: all-MiniLM-L6-v2, questions of gsm8k (kept: {len(kept)}, median cosine "
        f"{np.median(kept):.3f})\n\n{markdown(head, lines)}"
    )


def auc(high: Sequence[float], low: Sequence[float]) -> float:
    """Chance that one of `high` is above one of `low`; ties count half."""
    a, b = np.asarray(high)[:, None], np.asarray(low)[None]
    return float(np.mean((a > b) + 0.5 * (a == b)))


def perturbations(data: Path) -> str:
    """Published transformations, by whether they keep the meaning."""
    rows = records(data / "perturbation_pairs" / "nl_augmenter_pairs.jsonl.gz")
    out = []
    for title, wanted in (("meant to keep the meaning", KEEPS), ("meant to change it", BREAKS)):
        total: Counter[str] = Counter()
        lines = []
        for name in wanted.split():
            proposals = [
                rewrite(("", r["sentence"]), ("", r["outputs"][0]))
                for r in rows
                if r["transformation"] == name and r["outputs"] and r["outputs"][0].split() != r["sentence"].split()
            ]
            if proposals:
                share, reasons = rejected(Meaning(part="answer"), proposals)
                total.update({"rows": len(proposals)} | {"rejected": reasons.total()})
                lines.append((name, len(proposals), share, named(reasons)))
        lines.append(("all", total["rows"], total["rejected"] / total["rows"], ""))
        out.append(f"{title}\n\n{markdown(('transformation', 'pairs', 'rejected', 'reasons'), lines)}")
    return "### Meaning: perturbation_pairs, the whole gate\n\n" + "\n\n".join(out)


def people(data: Path) -> str:
    """Texts that people changed: reviews with their label flipped, and expert revisions."""
    lines: list[tuple[object, ...]] = []
    with gzip.open(data / "counterfactual_imdb" / "dev_paired.tsv.gz", "rt", encoding="utf-8", newline="") as file:
        reviews = [(r["batch_id"], r["Text"]) for r in csv.DictReader(file, delimiter="\t")]
    pairs: dict[str, list[str]] = {}
    for id, text in reviews:
        pairs.setdefault(id, []).append(text)
    flipped = [rewrite(("", texts[0]), ("", texts[1])) for texts in pairs.values() if len(texts) == 2]
    for title, gate in (("invariants", Meaning(part="answer", least=None)), ("whole gate", Meaning(part="answer"))):
        share, reasons = rejected(gate, flipped)
        lines.append((f"counterfactual_imdb (label flipped), {title}", len(flipped), share, named(reasons, 4)))
    experts = records(data / "coachlm_revisions" / "expert_revisions.jsonl.gz")
    revised = [
        rewrite(
            (f"{r['Raw Instruction']}\n{r['Raw Input']}", r["Raw Response"]),
            (f"{r['Revised Instruction']}\n{r['Revised Input']}", r["Revised Response"]),
        )
        for r in experts
    ]
    for part in ("prompt", "answer"):
        share, reasons = rejected(Meaning(part=part, additions=True, least=None), revised)
        lines.append((f"coachlm_revisions, {part}, additions allowed", len(revised), share, named(reasons, 4)))
    head = ("pairs that people wrote", "pairs", "rejected", "reasons")
    return f"### Meaning: what people changed\n\n{markdown(head, lines)}"


def tables(data: Path) -> str:
    """All sections, each with the seconds that it took."""
    out = []
    for section in (mutations, similarity_alone, perturbations, people, clean_text, novelty, contamination):
        print(f"{section.__name__} ...", file=sys.stderr)
        start = time.perf_counter()
        out.append(f"{section(data)}\n\n{time.perf_counter() - start:.0f} s.")
    return "\n\n".join(out)
