"""Pictures of a run's report for the documentation: `python -m docs.images RUN`, with any Chromium on the machine.

Writes `report.png` (desktop), `report-dark.png` and `report-phone.png` (390 pixels wide) into `docs/images`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from html import escape
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
SECONDS = 120
SCALE = 2
"""Pixels of the phone's picture to one of the page, as phones have."""


class Shot(NamedTuple):
    """A picture: its file, the width and height of the page in CSS pixels, and whether it is dark."""

    file: str
    width: int
    height: int
    dark: bool = False
    scale: int = 1


SHOTS = (
    Shot("report.png", 1100, 1280),
    Shot("report-dark.png", 1100, 1280, dark=True),
    Shot("report-phone.png", 390, 1100, scale=SCALE),
)


def browser() -> str:
    """The first browser of `BROWSERS` on the path.

    Raises:
        SystemExit: there is none.
    """
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        raise SystemExit(f"no browser is on the PATH; wanted is one of {', '.join(BROWSERS)}")
    return found


def command(program: str, shot: Shot, page: Path, output: Path) -> list[str]:
    """What takes the picture of `page`."""
    given = [program, "--headless", "--disable-gpu", "--hide-scrollbars", f"--force-device-scale-factor={shot.scale}"]
    given += ["--no-sandbox"] if os.geteuid() == 0 else []  # a browser that root starts has no other way
    given += ["--blink-settings=preferredColorScheme=0"] if shot.dark else []
    return [*given, f"--window-size={shot.width},{shot.height}", f"--screenshot={output}", page.as_uri()]


def framed(report: Path, shot: Shot) -> str:
    """A page that holds the report at the picture's width: windows are no narrower than 500 pixels, frames are."""
    style = f"border:0;display:block;width:{shot.width}px;height:{shot.height}px"
    page = f'<iframe src="{escape(report.resolve().as_uri())}" style="{style}" scrolling="no"></iframe>'
    return f'<!DOCTYPE html><meta charset="utf-8"><body style="margin:0;overflow:hidden">{page}</body>'


def take(run: Path, output: Path = HERE / "images") -> list[Path]:
    """All pictures of the report of a run, as paths.

    Raises:
        SystemExit: there is no report, no browser, or it gave no picture.
    """
    report, program = run / "report.html", browser()
    if not report.is_file():
        raise SystemExit(f"{report}: no report is there; give a directory under runs/")
    output.mkdir(parents=True, exist_ok=True)
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for shot in SHOTS:
            page, picture = Path(folder) / "page.html", output / shot.file
            page.write_text(framed(report, shot), encoding="utf-8")
            picture.unlink(missing_ok=True)
            done = subprocess.run(
                command(program, shot, page, picture.resolve()), capture_output=True, text=True, timeout=SECONDS
            )
            if not picture.is_file():
                raise SystemExit(f"{program} gave no picture of {report}: {done.stderr.strip()[-500:]}")
            found.append(picture)
    return found


def main() -> None:
    if len(sys.argv) not in (2, 3):
        raise SystemExit("python -m docs.images RUN [FOLDER]")
    for path in take(*map(Path, sys.argv[1:])):
        print(path)


if __name__ == "__main__":
    main()
