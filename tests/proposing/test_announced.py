"""Answers that tell of having been revised, as models write them; and answers that tell of nothing of the kind."""

from __future__ import annotations

import pytest

from dataflywheel.proposing.announced import announced

DRAFT = "Water boils at 90 degrees. Keep the lid on."
BETTER = "Water boils at 100 degrees. Keep the lid on."


@pytest.mark.parametrize(
    "said",
    [
        "Here's the corrected answer:\n\n{}",
        "Sure! Here is the revised version:\n{}",
        "Certainly, here\u2019s my revision: {}",
        "**Improved answer:** {}",
        "Corrected: {}",
        "Hier ist die korrigierte Antwort:\n{}",
        "Voici la r\u00e9ponse corrig\u00e9e :\n{}",
        "Aqu\u00ed est\u00e1 la respuesta corregida: {}",
        "\u4fee\u6b63\u540e\u7684\u56de\u7b54\uff1a{}",
        "{}\n\n(Changes: 90 to 100)",
        "{}\n\nNote: the original answer had the wrong temperature.",
        "Unlike the previous answer said, {}",
        "Answer: {}",
        "**Final answer:**\n{}",
        "Antwort: {}",
        "```\n{}\n```",
        "```text\n{}\n```\n",
        "{}\n\nI corrected the temperature.",
        "{}\n\n*Note: I've changed 90 to 100.*",
        "{}\n(The mistake has been fixed.)",
    ],
)
def test_what_tells_of_a_revision_is_no_answer(said: str) -> None:
    text = said.format(BETTER)
    assert announced(text, DRAFT)
    assert announced(text, text) == ""


@pytest.mark.parametrize(
    "text",
    [
        BETTER,
        "Here is the recipe: {water}",
        "The final solution: heat it to 100 degrees.",
        "Sure! It boils at 100 degrees.",
        "An answer to the first question: 100 degrees.",
        "Hier ist die Antwort: 100 Grad.",
        "The revised text of the law is in force since 1990.",
        "Answers differ: at sea level it boils at 100 degrees.",
        "Run this:\n```\nboil --degrees 100\n```",
        "```\nboil\n```\nand then\n```\npour\n```",
        "Dear all,\n\nI have changed the date of the meeting to Monday.\n\nYours, Ann",
    ],
)
def test_what_does_not_is_one(text: str) -> None:
    assert announced(text, DRAFT) == ""
