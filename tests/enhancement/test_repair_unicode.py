"""Text that was decoded wrongly is repaired where a row was found broken, and the run tells of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dataflywheel.contracts import Columns, Status
from dataflywheel.enhancement.preparation.repair_unicode import BROKEN, RepairUnicode
from dataflywheel.recipe.execute import run
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.planning.plan import plan
from dataflywheel.report.card.card import write_card
from dataflywheel.report.html import write_report
from dataflywheel.report.why import as_text, why
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.parts import read_rows
from dataflywheel.rows.schema import message
from dataflywheel.store.record import StepRecord

BAD = "caf\u00c3\u00a9"
GOOD = "caf\u00e9"


def test_rows_with_broken_texts_are_changed_and_what_was_not_measured_stays() -> None:
    columns = Columns(
        np.array(["a", "b", "c"], dtype=object),
        {
            BROKEN: np.array([2.0, 0.0, np.nan], dtype=np.float32),
            "broken_unicode.status": np.array([Status.OK, Status.OK, Status.EMPTY], dtype=np.uint8),
        },
    )
    found = RepairUnicode().decide(columns, lambda ids: [], None)
    assert list(zip(found.ids, found.action, found.reason, found.score, strict=True)) == [
        ("a", "changed", "repaired: 2 of its texts", 2.0),
        ("b", "kept", "nothing to repair", None),
        ("c", "kept", f"unmeasured: {BROKEN} (empty)", None),
    ]


@pytest.mark.parametrize(("entities", "said"), [(False, f"{GOOD} &amp; `{BAD}`"), (True, f"{GOOD} & `{BAD}`")])
def test_all_texts_of_a_row_are_repaired_and_its_code_and_calls_are_not(entities: bool, said: str) -> None:
    text, calls = f"{BAD} &amp; `{BAD}`", f'[{{"function":{{"arguments":"{BAD}","name":"f"}}}}]'
    row = make_row(
        [message("user", text), message("assistant", text, calls, reasoning=text)],
        rejected=[message("assistant", text)],
        tools=calls,
    )
    made = RepairUnicode(entities=entities).change(row)
    question, answer = made["messages"]
    assert [question["content"], answer["content"], answer["reasoning"], made["rejected"][0]["content"]] == [said] * 4
    assert answer["tool_calls"] == calls
    assert made.get("tools", calls) == calls


def test_unicode_is_repaired_in_a_run_and_told_of(tmp_path: Path) -> None:
    answers = [f"The {BAD} number {i} is open" if i < 6 else f"Hill {i} is {i} metres high" for i in range(20)]
    pool = [{"prompt": f"What of {i}?", "completion": text} for i, text in enumerate(answers)]
    pool.append({"prompt": "What of 0?", "completion": answers[0].replace(BAD, GOOD)})
    (tmp_path / "pool.jsonl").write_text("\n".join(map(json.dumps, pool)), encoding="utf-8")
    recipe = recipe_from(
        {
            "name": "broken",
            "pool": [{"path": str(tmp_path / "pool.jsonl")}],
            "steps": ["repair_unicode", {"select": {"by": "longest", "keep": 15}}],
        }
    )
    assert plan(recipe)["steps"][0]["step"] == "repair_unicode"
    where: dict[str, Any] = {"runs": tmp_path / "runs", "home": tmp_path / "store"}
    path = run(recipe, **where).path
    step = path / "round-1" / "01-repair_unicode"
    record = StepRecord.model_validate_json((step / "metrics.json").read_bytes())
    assert (record.rows_in, record.rows_out) == (21, 20)
    assert record.counts == {
        "kept: nothing to repair": 15,
        "changed: repaired": 5,
        "dropped: identical to another row once changed": 1,
    }
    left = read_rows(step / "rows").to_pylist()
    assert BAD not in json.dumps([row["messages"] for row in left], ensure_ascii=False)
    assert sum(row["copies"] for row in left) == 21
    before = (step / "metrics.json").stat().st_mtime_ns
    assert run(recipe, **where).rows_out == 15
    assert (step / "metrics.json").stat().st_mtime_ns == before
    new = next(row for row in left if row["made_by"])
    told = as_text(why(path, new["id"], tmp_path / "store"))
    assert f"made from {new['parents'][0]}: What of" in told
    assert "pool.jsonl, line" in told
    assert "01-repair_unicode: made, repaired" in told
    old = as_text(why(path, new["parents"][0], tmp_path / "store"))
    assert f"rewritten as {new['id']}" in old.splitlines()[0]
    assert GOOD in old
    page = write_report(path).read_text(encoding="utf-8")
    assert "changed: </b>" in page or "changed: repaired" in page
    assert "identical to another row once changed" in page
    assert "ftfy" in write_card(path).read_text(encoding="utf-8")
