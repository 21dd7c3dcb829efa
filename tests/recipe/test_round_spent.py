"""Tokens count for the step that made a row, whatever rewrote it later."""

from __future__ import annotations

from pathlib import Path

from dataflywheel.recipe.rounds.round_spent import spent
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.parts import PartWriter
from dataflywheel.rows.schema import Row, table


def row(text: str, *parents: Row) -> Row:
    made = prompt_answer_row(f"what is {text}", text)
    made["parents"] = [parent["id"] for parent in parents] or None
    return made


def write(folder: Path, *rows: Row) -> Path:
    with PartWriter(folder) as writer:
        writer.write(table(list(rows)))
    return folder


def test_a_row_counts_for_its_maker_through_two_rewrites_and_all_others_for_the_choice(tmp_path: Path) -> None:
    chosen, document = row("chosen"), row("document")
    made, other = row("made", document), row("other", document)
    once, changed = row("made, once", made), row("chosen, changed", chosen)
    twice, left_out = row("made, twice", once), row("left out", document)
    written = [
        write(tmp_path / "generate", chosen, made, other, left_out),
        write(tmp_path / "first", changed, once, other),
        write(tmp_path / "second", changed, twice, other),
    ]
    new = write(tmp_path / "new", changed, twice, other, left_out)
    tokens = {changed["id"]: 1000, twice["id"]: 200, other["id"]: 30}
    by = {"04-generate": {made["id"], left_out["id"]}, "05-generate": {other["id"]}}
    found = spent(tokens, new, written, by, "03-select")
    assert found == {"04-generate": 0.2, "05-generate": 0.03, "03-select": 1.0}
    assert spent(tokens, new, written, by, "") == {"04-generate": 0.2, "05-generate": 0.03}
