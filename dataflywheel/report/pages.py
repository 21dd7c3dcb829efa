"""The pages that a run leaves for people: its report and the data set's card."""

from __future__ import annotations

from pathlib import Path


def write_pages(run: Path) -> None:
    """Write `report.html`, the card beside the data set, and one into every model's folder."""
    from dataflywheel.report.card.card import write_card
    from dataflywheel.report.card.model_card import write_model_cards
    from dataflywheel.report.html import write_report

    write_card(run)
    write_model_cards(run)
    write_report(run)
