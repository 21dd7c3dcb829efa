"""Pictures of a report for the documentation, taken by whatever Chromium there is."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import pytest

from dataflywheel.report.html import write_report
from docs import images
from tests.report.comparison import comparison
from tests.report.fixture import build_run


def size(picture: Path) -> tuple[int, int]:
    """Width and height of a PNG file, as its header says."""
    width, height = struct.unpack(">II", picture.read_bytes()[16:24])
    return int(width), int(height)


@pytest.mark.skipif(not any(map(shutil.which, images.BROWSERS)), reason="no browser is on the PATH")
def test_the_pictures_are_as_wide_as_what_they_stand_for(tmp_path: Path) -> None:
    run = build_run(tmp_path / "a <run>", compare=comparison())
    write_report(run)
    found = images.take(run, tmp_path / "pictures")
    assert [size(path) for path in found] == [
        (shot.width * shot.scale, shot.height * shot.scale) for shot in images.SHOTS
    ]
    assert len({path.read_bytes() for path in found}) == len(images.SHOTS)


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit, match="no browser is on the PATH; wanted is one of chromium"):
        images.take(tmp_path)
    monkeypatch.setattr(images, "browser", lambda: "true")
    with pytest.raises(SystemExit, match=r"report\.html: no report is there; give a directory under runs/"):
        images.take(tmp_path)


def test_the_pictures_of_the_documentation_are_there() -> None:
    for shot in images.SHOTS:
        assert size(images.HERE / "images" / shot.file) == (shot.width * shot.scale, shot.height * shot.scale)
