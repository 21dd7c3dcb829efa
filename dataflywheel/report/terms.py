"""Words of the report, explained under the section in which they stand."""

from __future__ import annotations

import re

from dataflywheel.report.drawing.markup import esc

TERMS: dict[str, tuple[str, str]] = {
    "bits per byte": (
        r"bits per byte",
        "how many bits the model needs for a byte of the reference answers, given the question; less is better. "
        "Models with different tokenizers can be compared by it, and texts of any length.",
    ),
    "answer loss": (
        r"answer loss",
        "mean of -log p over the tokens of the reference answers, in nats; less is better.",
    ),
    "95% interval": (
        r"95% interval|95%",
        "were all of it done again many times, 19 of 20 such intervals would hold the true value. Where it "
        "includes zero (for a difference), nothing is shown.",
    ),
    "seed": (
        r"paired by seed|\bseeds?\b",
        "one repetition of a training with other random numbers. Paired by seed: each training is held "
        "against the other one with the same numbers, which leaves out luck that both share.",
    ),
    "training tokens": (
        r"training tokens|tokens read in training",
        "what the student read in training, prompts too, each as often as it was read: the cost of a "
        "training. A token is about four characters of English.",
    ),
    "random": (
        r"random rows|minus random|a random choice",
        "rows drawn at random from the same cleaned pool, trained and scored in the same way: the simple "
        "choice that a method must beat.",
    ),
    "random_raw": (
        r"raw pool|random_raw",
        "rows drawn at random from the pool as it came, without any cleaning; only rows that hold text of the"
        " target are left out.",
    ),
    "full": (
        r"\bfull\b",
        "the whole cleaned pool, each row seen less often, for the same training tokens.",
    ),
    "one round": (
        r"one round|one_round",
        "the same selection with the whole budget at once, without rounds and feedback.",
    ),
    "steer tier": (
        r"steer(ing)? tier|\bsteer\b",
        "the part of the target that may be looked at: budgets follow its scores, and selection and writing "
        "may read it.",
    ),
    "select tier": (
        r"select tier",
        "the part of the target that decides whether a round is kept; nothing is chosen or written by it.",
    ),
    "sealed": (
        r"\bsealed\b",
        "the part of the target that neither rows nor models were chosen by, looked at once, at the end: its "
        "score is the honest one.",
    ),
    "untrained": (
        r"\buntrained\b",
        "the student before any training: what it scores by itself.",
    ),
    "slice": (
        r"\bslices?\b",
        "a part of the target: a skill, a source or a tag, as the recipe divides it.",
    ),
    "passes": (
        r"(forward|backward) passes|\bpasses\b",
        "rows that went through a model, each as often as it did: forwards to be read or scored, backwards to"
        " be learned from.",
    ),
    "offer": (
        r"\boffer\b",
        "the cleaned rows that no round has taken yet: what the next one chooses from.",
    ),
    "accumulate": (
        r"\baccumulate\b",
        "all rows of kept rounds and of this one together: what the round trains on.",
    ),
    "taken back": (
        r"taken back",
        "the model came out worse on the select tier, so the round's rows are not in the data set.",
    ),
    "real": (
        r"\breal\b",
        "rows of the pool, which no model or rule of this run wrote.",
    ),
    "distinct 2, distinct 3": (
        r"distinct [23]",
        "different pairs (or threes) of words over all pairs; falls when texts repeat each other.",
    ),
    "incompressible": (
        r"\bincompressible\b",
        "size of the texts compressed over their size; falls when they repeat themselves.",
    ),
    "mean length": (
        r"mean length",
        "words of a text; not an alarm by itself.",
    ),
    "tail": (
        r"\btail\b",
        "share of words that are rare in the first round; falls when a model forgets what is rare.",
    ),
    "novelty": (
        r"\bnovelty\b",
        "share of word groups of four that the first round lacks.",
    ),
    "vendi": (
        r"\bvendi\b",
        "how many really different texts there are, by their meaning.",
    ),
    "answer length": (
        r"answer length",
        "mean length of the chosen answers over that of the pool: 1 is as long.",
    ),
    "overlap": (
        r"\boverlap\b",
        "rows that two choices share, over the rows in either.",
    ),
    "Jaccard": (
        r"Jaccard",
        "share of word groups that two texts have in common: 1 is the same text.",
    ),
    "gate": (
        r"\bgates?\b",
        "a check that each written row must pass before it becomes a row.",
    ),
    "surplus": (
        r"\bsurplus\b",
        "good, but no more rows of its kind were wanted.",
    ),
    "left": (
        r"\bleft\b(?=[^.]*\bproposed|.*surplus)",
        "the writer saw no reason to change the row, or must not.",
    ),
    "yield": (
        r"\byield\b",
        "accepted proposals over all of them.",
    ),
    "nats a token": (
        r"nats a token",
        "mean of -log p over the tokens that are learned: 0 is certain, 0.69 is one of two, 2.3 one of ten.",
    ),
    "learning rate": (
        r"learning rate",
        "how far a step moves the weights, at its peak.",
    ),
    "LoRA": (
        r"\bLoRA\b",
        "only small added matrices are trained, and merged into the weights at the end.",
    ),
    "threshold": (
        r"\bthreshold\b",
        "the value at which rows were cut off.",
    ),
    "quarantine": (
        r"\bquarantine\b",
        "lines of the input that could not be read, set aside with their reason in quarantine.jsonl; and the step that "
        "holds rows apart with their reason, in the folder quarantine of the run.",
    ),
}
"""By name: where it stands, as a pattern, and what it means."""
SILENT = ("examples", "recipe", "use")
"""Sections that show texts of others."""
_TAG = re.compile(r"<[^>]*>")
_PASSAGE = re.compile(r'<div class="text".*?</div>|<circle.*?</circle>|<code>.*?</code>', re.DOTALL)


def terms_in(html: str) -> dict[str, str]:
    """The terms that a reader of this part of the page meets, with what they mean; texts of rows are not looked at."""
    seen = _TAG.sub(" ", _PASSAGE.sub(" ", html))
    return {name: said for name, (pattern, said) in TERMS.items() if re.search(pattern, seen)}


def with_terms(key: str, html: str) -> str:
    """The part with its terms explained at its end; as it is where it has none."""
    found = terms_in(html) if html and key not in SILENT else {}
    if not found:
        return html
    lines = "".join(f"<dt>{esc(name)}</dt><dd>{esc(said)}</dd>" for name, said in found.items())
    words = ", ".join(found)
    told = f'<details class="terms"><summary>Words here: {esc(words)}</summary><dl>{lines}</dl></details>'
    before, end, after = html.rpartition("</section>")
    return f"{before}{told}\n{end}{after}" if end else f"{html}\n{told}"
