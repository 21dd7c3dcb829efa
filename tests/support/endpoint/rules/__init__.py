"""Who answers: rules with a settable accuracy, bias and noise, recorded judgements, or a small true model."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tests.support.endpoint.rules.clerk import Clerk
from tests.support.endpoint.rules.echo import Echo
from tests.support.endpoint.rules.editor import Editor
from tests.support.endpoint.rules.inventor import Inventor
from tests.support.endpoint.rules.judge import Judge
from tests.support.endpoint.rules.librarian import Librarian
from tests.support.endpoint.rules.rater import Rater
from tests.support.endpoint.rules.recorded import Recorded
from tests.support.endpoint.rules.solver import Solver
from tests.support.endpoint.rules.tagger import Tagger
from tests.support.endpoint.rules.tiny import Tiny
from tests.support.endpoint.rules.writer import Writer

Rule = Annotated[
    Clerk | Echo | Editor | Inventor | Judge | Librarian | Rater | Recorded | Solver | Tagger | Tiny | Writer,
    Field(discriminator="rule"),
]
