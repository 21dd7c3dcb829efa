"""A few made-up rows on which a method can show what it asks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from dataflywheel.contracts import Case
from dataflywheel.rows.formats.table import Table
from dataflywheel.rows.identity import make_row, prompt_answer_row
from dataflywheel.rows.schema import Row, message

SMALL = (
    (
        "A box holds 12 eggs. How many eggs are in 3 boxes?",
        "Each box holds 12 eggs: 3 x 12 = 36.\n#### 36",
        "arithmetic",
    ),
    ("Why does bread rise?", "Yeast makes gas from the sugar in the dough, and the gas lifts it.", "cooking"),
    ("You stupid idiot, name the capital of France!", "The capital of France is Paris, you stupid idiot.", "geography"),
    ("Write a haiku about rain.", "Soft rain on the roof\nthe garden drinks in silence\na robin returns", "writing"),
    ("Which metal is liquid at room temperature?", "Mercury is liquid at room temperature.", "chemistry"),
    ("Name two uses of a paper clip.", "It holds sheets together, and it opens the tray of a phone.", "everyday"),
)
"""Prompt, answer and tag. The first has a result that can be checked, the third words that some methods look for."""
UNANSWERED = "How does a lock on a canal work?"
WORKED = (
    "A bag holds 4 pens and costs 6 dollars. What do 12 pens cost?",
    "12 pens are 12 / 4 = 3 bags.\n3 bags cost 3 x 6 = 18 dollars.\n#### 18",
)
"""A problem that is solved in two steps."""
FIELDS = {"formal_statement": "theorem made_up : 1 + 1 = 2 := by sorry"}
"""Values of fields that not every text can be."""
ANSWERED = {"query": "SELECT count(*) FROM questions"}
"""What a made-up answer holds in fields of its form that not every text can be, so that what follows is asked too."""
OTHER = "An answer that somebody else gave."
LABELLED = 60
"""Texts of each of two labels."""


def seeds(fields: Sequence[str] = ()) -> list[Row]:
    """Rows with an answer, one without, and one with a worked solution; all with these further `fields`."""
    extra = {name: FIELDS.get(name, f"made-up {name}") for name in fields}
    rows = [
        prompt_answer_row(prompt, answer, source="made up", tags=[tag], extra=extra) for prompt, answer, tag in SMALL
    ]
    worked = prompt_answer_row(*WORKED, source="made up", tags=["arithmetic"], extra=extra)
    return [*rows, make_row([message("user", UNANSWERED)], source="made up", extra=extra), worked]


def lines(pairs: Sequence[tuple[str, str, str]] = (*SMALL, (UNANSWERED, OTHER, ""))) -> list[Row]:
    """Prompt, answer and tag as lines of a table, of which the last lacks its topic, and two lines of another table."""
    kinds = ("to explain", "to do")
    cells = [
        {"question": prompt, "answer": answer, "topic": tag if i < len(pairs) - 1 else "", "kind": kinds[i % 2]}
        for i, (prompt, answer, tag) in enumerate(pairs)
    ]
    more = [{"question": f"Please tell me: {one['question']}", "topic": one["topic"]} for one in cells[:2]]
    held = [*((one, "made up") for one in cells), *((one, "another") for one in more)]
    return [row for one, source in held for row in Table().read(one, source)]


def answers() -> list[str]:
    """Another answer to each row."""
    return [OTHER for _ in SMALL]


def cases(of: int) -> list[Case]:
    """A question with so many answers, once without a reference and once with one."""
    (first, told, _), (second, said, _) = SMALL[:2]
    return [
        Case("0", second, (said, OTHER)[:of]),
        Case("1", first, (told, OTHER)[:of], reference=told),
    ]


def files(folder: Path) -> dict[str, str]:
    """Files that methods ask for, by the name of their parameter."""
    anchors, labels, table = folder / "anchors.jsonl", folder / "labels.jsonl", folder / "questions.jsonl"
    others = folder / "others.jsonl"
    pairs = [{"prompt": prompt, "completion": answer} for prompt, answer, _ in SMALL]
    bad = [{"text": f"you stupid idiot number {i}", "label": "toxic"} for i in range(LABELLED)]
    good = [{"text": f"a kind and useful remark number {i}", "label": "fine"} for i in range(LABELLED)]
    near = [{"prompt": f"{prompt} And why is that?", "completion": OTHER} for prompt, _, _ in SMALL]
    told = [{"question": prompt, "topic": topic, "words": len(answer.split())} for prompt, answer, topic in SMALL]
    for place, lines in ((anchors, pairs), (labels, bad + good), (table, told), (others, near)):
        place.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return {"anchors": str(anchors), "labels": str(labels), "database": str(table), "others": str(others)}
