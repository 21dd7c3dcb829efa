"""Every method that asks a model, tried on a real one: SmolLM2-135M-Instruct behind llama.cpp's server.

    python benchmarks/real_model.py [--rows 20] [--store FOLDER] [--only NAME ...]

Says of each method how many of its answers could be read, how many of its proposals passed its own gates, and why the
others did not; writes `real_model.md`, and the replies to the first four rows as a tape that the tests play back. It
takes some hours on two cores.
Replies are kept in the store, so that a broken-off run goes on. The rows are made up, so that the tape holds the
model's own words alone.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.real_server import served
from dataflywheel.contracts import FlywheelError
from dataflywheel.models.endpoint.account import account, client_for
from dataflywheel.models.endpoint.chat_model import Capabilities
from dataflywheel.models.endpoint.probe import found_of
from dataflywheel.models.endpoint.request import Reply
from dataflywheel.models.endpoint.structured import Asks
from dataflywheel.models.spec import ModelSpec
from dataflywheel.recipe.made_up_rows import files
from dataflywheel.store.answers import AnswerStore
from tests.support.small_rows import ROWS
from tests.support.tried import TOKENS, Taped, Tried, asking_methods, attempt, rows_of, write_tape

HERE = Path(__file__).parent
TAPE = HERE.parent / "tests" / "models" / "endpoint" / "smollm2.jsonl"
ON_TAPE = 4
"""Rows on the tape: about 600 replies are enough for the tests."""
Line = tuple[Tried, Sequence[Reply]]


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--rows", type=int, default=len(ROWS))
    given.add_argument("--store", type=Path, default=Path(".flywheel/real"))
    given.add_argument("--only", nargs="*", default=None)
    told = given.parse_args()
    told.store.mkdir(parents=True, exist_ok=True)
    with served() as address, account(AnswerStore(told.store / "answers.db")):
        spec = ModelSpec(
            endpoint=address, model="smollm2", capabilities={"logprobs": True, "completion": True}, concurrency=2,
            timeout=600,
        )  # fmt: skip
        client = client_for(spec)
        found = found_of(client)
        can = replace(client.model.capabilities, json_schema=found.schema, thinks=found.thinks)
        names = told.only or asking_methods()
        with TemporaryDirectory() as folder:
            made = files(Path(folder))
            lines = tried(names, told.rows, client, can, made)
            taped = tried(names, min(told.rows, ON_TAPE), client, can, made)
    if told.only is None:
        (HERE / "real_model.md").write_text(page(taped, lines, told.rows, can), encoding="utf-8")
        write_tape(TAPE, min(told.rows, ON_TAPE), taped, can)


def tried(names: Sequence[str], rows: int, client: Asks, can: Capabilities, made: Mapping[str, str]) -> list[Line]:
    """Each method on the first rows, and what the model said."""
    lines: list[Line] = []
    for name in names:
        tape = Taped(can, client.ask)
        try:
            found = attempt(name, rows_of(ROWS[:rows]), tape, made, gated=True)
        except FlywheelError as error:
            found = Tried(name, "not run")
            found.lost(str(error))
        lines.append((found, tape.replies))
        print(f"{name}: {found.read} of {found.items} read, {dict(found.why)}", flush=True)
        for text in found.shown[:10]:
            print(f"    {text[:300]!r}", flush=True)
    return lines


def page(taped: Sequence[Line], lines: Sequence[Line], rows: int, can: Capabilities) -> str:
    """The table of the rows on the tape, and that of all rows."""
    able = "obeys a JSON schema" if can.json_schema else "takes no JSON schema"
    head = f"""# Every method that asks, on a real model

Made by `make real`: SmolLM2-135M-Instruct (Apache-2.0, 4 bits) behind llama.cpp's server, which {able}; made-up rows,
answers of at most {TOKENS} tokens. *Read*: of the rows (or cases, or proposals), those of which every answer could be
read. *Accepted*: those of the proposals that passed the method's own gates. Judges see the row's answer beside one that
speaks of something else. So small a model shows whether questions are understood, not what a method is worth: it
repeats, loses the form after a line, and says the same grade of everything.
"""
    parts = [(ON_TAPE, taped, "whose replies the tests play back"), (rows, lines, "the same rows and more")]
    return head + "".join(_part(*one) for one in parts if one[1])


def _part(rows: int, lines: Sequence[Line], which: str) -> str:
    """The table of so many rows."""
    replies = sum(len(said) for _, said in lines)
    body = [
        f"\n## {rows} rows, {which}\n\n{len(lines)} methods, {replies:,} replies.\n\n"
        "| method | replies | read | accepted | why not |\n| --- | ---: | ---: | ---: | --- |\n"
    ]
    for tried, said in lines:
        why = "; ".join(f"{reason} ({n})" for reason, n in tried.why.most_common(3)).replace("|", "/")
        accepted = "" if tried.accepted is None else str(tried.accepted)
        read = f"{tried.read} of {tried.items}" if tried.items else "not run"
        body.append(f"| `{tried.name}` | {len(said)} | {read} | {accepted} | {why} |\n")
    return "".join(body)


if __name__ == "__main__":
    main()
