"""The profile of a pool as one page in the look of the report."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dataflywheel import __version__
from dataflywheel.report.drawing.beside import beside
from dataflywheel.report.drawing.charts import histogram
from dataflywheel.report.drawing.markup import esc, note, section, table, tile
from dataflywheel.report.drawing.numbers import count, number, percent, plural, short
from dataflywheel.report.drawing.page import page
from dataflywheel.report.profile.pool_profile import EXACT, LENGTHS, NEAR, Profile
from dataflywheel.report.profile.profile_bars import bars, shown_rows, sources, turns
from dataflywheel.store.atomic import write_text

LENGTH_NAMES = {
    "tokens_prompt": "prompt, tokens (estimated)",
    "tokens_answer": "answer, tokens (estimated)",
    "chars_prompt": "prompt, characters",
    "chars_answer": "answer, characters",
}


def length_names(found: Profile) -> dict[str, str]:
    """The lengths that were measured, as they are told."""
    mine = Path(found.tokenizer or "").name
    exact = {f"exact_{name}": f"{shown}, tokens of {mine}" for name, shown in EXACT.items()}
    return {**LENGTH_NAMES, **(exact if found.tokenizer else {})}


SECTIONS = {
    "files": "Files",
    "lengths": "Lengths",
    "kinds": "Kinds of rows",
    "rows": "Rows to look at",
    "faults": "Copies and faults",
    "personal": "Personal data",
    "limits": "Not measured",
}


def write_profile_page(found: Profile, path: Path) -> Path:
    """Write the page of a profile: self-contained, no script, no request."""
    parts = [
        _hero(found),
        "<!--contents-->",
        _files(found),
        _lengths(found),
        _kinds(found),
        section("rows", SECTIONS["rows"], shown_rows(found), "Of each source, by chance; the beginnings."),
        _faults(found),
        _personal(found),
        _limits(found),
    ]
    footer = esc(f"Written by dataflywheel {__version__} from {found.pool}.")
    write_text(path, page(f"What is in {found.pool}", "\n".join(parts), list(SECTIONS.items()), footer))
    return path


def findings(found: Profile) -> list[str]:
    """What deserves a look, the most rows first; empty for a clean pool."""
    personal = found.facts.personal
    candidates = [
        (found.merged, f"{plural(found.merged, 'identical copy')} merged"),
        (found.near_copies, plural(found.near_copies, "near-copy")),
        (found.quarantined, f"{plural(found.quarantined, 'unreadable entry')}"),
        (sum(found.facts.answers.values()), f"{plural(sum(found.facts.answers.values()), 'empty or refused answer')}"),
        (personal, f"{plural(personal, 'row')} with what looks like personal data"),
        (
            sum((found.leaks or {}).values()),
            f"{plural(sum((found.leaks or {}).values()), 'row')} that match the target",
        ),
    ]
    return [text for n, text in sorted(candidates, key=lambda item: -item[0]) if n]


def headline(found: Profile) -> str:
    """The pool in one sentence."""
    told = findings(found)
    size = f"{plural(found.rows, 'distinct row')} in {plural(len(found.files), 'file')}"
    return f"{size}: {', '.join(told[:3])}." if told else f"{size}, and nothing that stands out."


def _hero(found: Profile) -> str:
    read = found.rows + found.merged + found.quarantined
    answer = found.lengths["tokens_answer"]
    spoken = ", ".join(f"{code} {percent(share)}" for code, share in list(found.languages.items())[:3])
    near = f"{count(found.near_copies)} rows at Jaccard {NEAR}"
    language, _, others = spoken.partition(", ") if spoken else ("not measured", "", "needs dataflywheel[language]")
    others = others or f"of {plural(found.language_rows, 'sampled row')}"
    tiles = [
        tile("Rows", count(found.rows), f"of {count(read)} read; {count(found.quarantined)} could not be"),
        tile("Answer", f"{short(answer.get('p50'))} tokens", f"median; 95% are under {short(answer.get('p95'))}"),
        tile("Near-copies", percent(found.near_copies / max(found.near_rows, 1)), near),
        tile("Languages", language, others),
    ]
    lead = "Read and measured; nothing was changed."
    return (
        f'<header class="hero"><p class="kicker">{esc(found.pool)}</p><h1>{esc(headline(found))}</h1>'
        f'<p class="detail">{esc(lead)}</p></header><dl class="tiles">{"".join(tiles)}</dl>'
    )


def _files(found: Profile) -> str:
    rows = [
        [
            f"<code>{esc(file['path'])}</code>",
            esc(file["format"]),
            esc(count(file["rows"])),
            esc(count(file["quarantined"])),
        ]
        for file in found.files
    ]
    body = table("Input files", ["file", "format", "rows", "unreadable"], rows, numeric=(2, 3), css="stack")
    if found.quarantine_reasons:
        reasons = [[esc(reason), esc(count(n))] for reason, n in found.quarantine_reasons.items()]
        body += table("Entries that could not be read", ["reason", "entries"], reasons, numeric=(1,))
    if found.unread:
        unread = [[f"<code>{esc(path)}</code>", esc(reason)] for path, reason in found.unread]
        body += table("Beside them, and not read", ["what", "reason"], unread, css="stack")
    return section("files", SECTIONS["files"], body)


def _lengths(found: Profile) -> str:
    charts = []
    for name in LENGTHS[:2]:
        values = found.facts.numbers[name]
        values = values[np.isfinite(values) & (values > 0)]
        if len(values):
            drawing = histogram(name, LENGTH_NAMES[name], values, np.zeros(0))
            charts.append(
                f'<figure class="plot"><figcaption><b>{esc(LENGTH_NAMES[name])}</b></figcaption>{drawing}</figure>'
            )
    columns = ["p5", "p25", "p50", "p75", "p95", "p99", "mean", "max"]
    names = {name: shown for name, shown in length_names(found).items() if found.lengths[name]}
    rows = [[esc(shown), *(esc(short(found.lengths[n].get(c))) for c in columns)] for n, shown in names.items()]
    head = ["length of", "5%", "25%", "median", "75%", "95%", "99%", "mean", "longest"]
    spread = table("Percentiles", head, rows, numeric=range(1, 9), css="stack")
    return section("lengths", SECTIONS["lengths"], f'<div class="plots">{"".join(charts)}</div>{spread}')


def _kinds(found: Profile) -> str:
    facts, rows = found.facts, found.rows
    messages = sum(facts.roles.values())
    body = turns(found)
    body += bars("Roles", "role", dict(facts.roles.most_common()), messages, "messages")
    kinds = dict(facts.kinds.most_common())
    body += bars("What rows carry", "kind", kinds, rows) or note("No preference pairs, tools, labels or plain texts.")
    if len(facts.sources) > 1:
        body += sources(found)
    body += bars("Tags", "tag", dict(facts.tags.most_common()), rows)
    spoken = {code: round(share * found.language_rows) for code, share in found.languages.items()}
    caption = f"Languages of {plural(found.language_rows, 'sampled row')}"
    body += bars(caption, "language", spoken, found.language_rows) or note("The languages were not measured.")
    return section("kinds", SECTIONS["kinds"], body)


def _faults(found: Profile) -> str:
    near = f"near-copies (Jaccard {NEAR} or more; of {count(found.near_rows)} rows looked at)"
    faults = {
        "identical rows, merged on reading": found.merged,
        near: found.near_copies,
        "the same prompt again with another answer": found.same_prompt,
        **dict(found.facts.answers.most_common()),
        **found.outliers,
        **{f"leak: {name}": n for name, n in (found.leaks or {}).items()},
    }
    body = bars("What may be wrong, in rows", "what", faults, found.rows) or note("Nothing was found.")
    if found.leaks is not None and not found.leaks:
        body += note("No row matches the target.")
    cards = "".join(
        f'<article class="example"><h4>similarity {esc(number(similarity))}</h4><div class="pair">'
        f'<div class="row"><h5>copy</h5>{shown[0]}</div>'
        f'<div class="row"><h5>of this row</h5>{shown[1]}</div>'
        f"</div></article>"
        for copy, original, similarity in found.near_examples
        for shown in [beside(copy, original)]
    )
    if cards:
        body += f"<h3>Near-copies side by side</h3><p>What differs is marked.</p>{cards}"
    return section("faults", SECTIONS["faults"], body)


def _personal(found: Profile) -> str:
    rows = [
        [esc(kind), esc(count(hints.rows)), esc(count(hints.hits)), esc(", ".join(hints.examples))]
        for kind, hints in found.facts.hints.items()
    ]
    head = ["kind", "rows", "hits", "examples, masked"]
    lead = "Found by form: an invented address looks like a real one. Look before you publish."
    body = table("Hints", head, rows, numeric=(1, 2), css="stack")
    toxic = toxicity_line(found)
    body += f"<h3>Toxicity</h3><p>{esc(toxic)}</p>" if toxic else ""
    return section("personal", SECTIONS["personal"], body, lead)


def toxicity_line(found: Profile) -> str:
    """What was measured of toxicity, "" where nothing was."""
    if found.toxicity is None:
        return ""
    measured = found.toxicity
    share = percent(measured["toxic"] / max(measured["rows"], 1))
    alarms = ", ".join(f"{name} {percent(value)}" for name, value in measured["false_alarms"].items())
    return (
        f"{count(measured['toxic'])} of {count(measured['rows'])} rows ({share}) are toxic to a classifier trained on "
        f"{measured['labels']}, which calls {percent(measured['false_positive_rate'])} of texts of their kind so that "
        f"are not, and of sentences that only look hateful: {alarms}."
        f"{' Worse answers of pairs were not read.' if found.facts.kinds['preference pairs'] else ''}"
    )


def _limits(found: Profile) -> str:
    lines = "".join(f"<li><b>{esc(what)}</b>: {esc(why)}</li>" for what, why in found.not_measured.items())
    return section("limits", SECTIONS["limits"], f"<ul>{lines}</ul>")
