"""DS2's four scores through a server that misbehaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataflywheel.contracts import Status
from dataflywheel.signals.rating.ds2_rating import DS2Rating
from tests.signals.rating.support import asking, plain, rows
from tests.support.endpoint import Endpoint


@pytest.mark.parametrize("native", [True, False])
def test_scores_survive_a_server_that_misbehaves(endpoint: Endpoint, tmp_path: Path, native: bool) -> None:
    faults = {"fenced": 0.1, "prose": 0.1, "two_values": 0.1, "unicode": 0.1, "cut": 0.1, "wrong_ids": 0.1}
    faults |= {"wrong_enum": 0.1, "empty": 0.1}
    rater = {"rule": "rater", "low": 1, "high": 10}
    endpoint.configure(rules=[rater], faults=faults)
    batch = rows(*((f"Question {i}", f"Answer [[truth:{1 + i % 10}]]") for i in range(200)))
    with asking(endpoint, tmp_path, capabilities={"json_schema": native}) as spec:
        found = plain(DS2Rating(model=spec).measure(batch))
    read = [i for i, status in enumerate(found["status"]) if status == Status.OK]
    assert 85 < len(read) < 185  # a reply with two values is none
    for i in range(200):
        expected = [1 + i % 10] * 4 if i in read else [None] * 4
        assert [found[name][i] for name in ("rarity", "complexity", "informativeness", "overall")] == expected
        assert (found["error"][i] is None) == (i in read)
