"""Sums as evaluation questions: what rewords them, and what solves them."""

from __future__ import annotations

import json
import random
import re

from dataflywheel.models.endpoint.request import Request
from tests.enhancement.rewriting.support import shown
from tests.models.endpoint.fake import FakeClient, user_text


def total(text: str) -> int:
    a, b = re.findall(r"\d+", text)[:2]
    return int(a) + int(b)


def writer(slips: float, seed: int = 0) -> FakeClient:
    """Rewords sums, and changes a number with that probability."""
    draw = random.Random(seed)

    def reworded(request: Request) -> str:
        asked = shown(request, "question").replace("What is", "Tell me:")
        text = re.sub(r"\d+", lambda n: str(int(n[0]) + 1), asked, count=1) if draw.random() < slips else asked
        return json.dumps({"text": text})

    return FakeClient(reworded)


SOLVER = FakeClient(lambda request: f"#### {total(user_text(request))}")
