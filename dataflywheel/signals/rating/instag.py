"""InsTag: what a question asks for, as open tags."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import ClassVar

import pyarrow as pa
from pydantic import Field

from dataflywheel.contracts import Card
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.failure import failure
from dataflywheel.models.endpoint.form import words
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.structured import Asks, Form, ask_for
from dataflywheel.signals.rating.rating import COST_COLUMNS, Asked, Rated, Rating

INSTRUCTIONS = (
    "The material is what a user asked an assistant. Name its intentions as tags: the task, the subject, the skills it "
    "takes and the constraints it sets, each in one to three plain English words, most important first."
)
ASK = "List the `tags` of the question, each with `tag` and `explanation`, which says in a few words why it applies."
MOST_CHARS = 60
"""Of a tag: a longer one is a sentence and no tag."""


class Tag(Form):
    tag: str = words(80)
    explanation: str = words(160)


class Tags(Form):
    tags: list[Tag] = Field(json_schema_extra={"maxItems": 30})


class InsTag(Instructed, Rating):
    """Column `tags`: the tags of the row's questions in lower case, most important first, each once.

    `count` is their number, the paper's measure of complexity. Tags are open: no list is given to the model. What is
    the same tag in other words is for `merge_tags`, over all rows.
    """

    name: ClassVar[str] = "instag"
    version: ClassVar[int] = 2
    card: ClassVar[Card] = Card(
        title="#InsTag: Instruction Tagging for Analyzing Supervised Fine-tuning of Large Language Models",
        authors="Lu et al.",
        year=2023,
        paper="2308.07074",
        category="signals",
        subcategory="tags",
        summary="Open tags for the intentions of each question.",
        needs=("endpoint",),
        cost="$",
        checked="planted tags through a tagger that spells some of them otherwise",
        pays="An account of what a pool asks for, to read, to balance by, or to cover by `tag_coverage`.",
        fails="Open tags have many spellings, and a small model lists until it is cut off: let `tag_coverage` merge "
        "them and drop rare ones, or ask a better model.",
        evidence="The paper: 6k rows chosen by such tags gave MT-Bench 6.44 and 6.55 at 13 B; here "
        "(`benchmarks/real_model.md`): 135 M parameters, 2 of 4 rows read.",
    )
    answered_in: ClassVar[type[Form] | None] = Tags
    columns: ClassVar[dict[str, pa.DataType]] = {"tags": pa.list_(pa.string()), "count": pa.int32(), **COST_COLUMNS}
    answer_tokens: ClassVar[int] = 150

    most: int = Field(default=20, ge=1)
    """Tags kept of each row."""
    instructions: Instructions = INSTRUCTIONS
    """What the model is told to do."""

    def rate(self, client: Asks, rows: Sequence[Asked]) -> list[Rated]:
        asked = [question(self.instructions, {"question": row.prompt}, ASK) for row in rows]
        rated = []
        for answer in ask_for(client, asked, Tags):
            tags = clean_tags([tag.tag for tag in answer.value.tags])[: self.most] if answer.value else []
            if answer.value is None:
                rated.append(Rated(None, failure(answer), answer.replies))
            elif not tags:
                rated.append(Rated(None, "malformed: no tag among the answer's tags", answer.replies))
            else:
                rated.append(Rated({"tags": tags, "count": len(tags)}, "", answer.replies))
        return rated

    def can_ask(self, row: Asked) -> bool:
        return bool(row.prompt.strip())


def clean_tags(tags: Sequence[str]) -> list[str]:
    """Tags in lower case with single blanks between words, without punctuation; each once, in order.

    >>> clean_tags([" Creative-Writing.", "#creative writing", "C++", "???"])
    ['creative writing', 'c++']
    """
    found = (spelling(tag) for tag in tags)
    return list(dict.fromkeys(tag for tag in found if tag and len(tag) <= MOST_CHARS))


def spelling(tag: str) -> str:
    """One tag as `clean_tags` writes it; "+" and "#" count at the end of a word only, as in the names of languages."""
    text = unicodedata.normalize("NFKC", tag).casefold()
    return " ".join(re.sub(r"[^\w+#]|_|(?<![^\W_])(?<![+#])[+#]+", " ", text).split())
