from __future__ import annotations

from pathlib import Path

from dataflywheel.report.rundir import Step
from dataflywheel.report.sections.leak_settings import leak_settings
from dataflywheel.store.record import StepRecord
from tests.report.page_check import PageCheck


def test_other_settings_stand_in_a_folded_table() -> None:
    settings = [{"setting": "any 8-gram", "rows": 12, "kept_now": 9, "let_through": 1}]
    page = leak_settings(
        Step(
            1,
            1,
            "decontaminate",
            Path("01-decontaminate"),
            StepRecord.model_validate({"details": {"settings": settings}}),
        )
    )
    assert PageCheck(page).faults == []
    assert [cell in page for cell in (">any 8-gram<", ">12<", ">9<", ">1<")] == [True] * 4
    assert leak_settings(Step(1, 1, "filter", Path("01-filter"), StepRecord.model_validate({"details": {}}))) == ""
