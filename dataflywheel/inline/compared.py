"""What is in rows, and what changed between two sets of them, of rows of any kind in one line of Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dataflywheel.contracts import UsageError
from dataflywheel.inline.given import Names, given
from dataflywheel.report.profile import profile as profiles
from dataflywheel.report.profile.pool_profile import Profile
from dataflywheel.rows import diff as differences
from dataflywheel.rows.diff import Diff


def profile(
    pool: object, *, columns: Names = None, roles: Names = None, home: str | Path = ".flywheel", **options: Any
) -> Profile:
    """What is in a pool: `fw.profile(rows).lengths`. Rows that Python holds are written to `home`, by their content.

    Args:
        pool: rows in any form that `select` takes, or paths, patterns and data set names.
        options: `output`, `target`, `toxicity` and `tokenizer`, as of `dataflywheel.report.profile.profile`.

    Raises:
        UsageError: rows in no form that is known, or an option that makes no sense.
        FlywheelError: the pool names nothing, or no row of it can be read.
    """
    return profiles.profile(list(given(pool, Path(home)).paths), columns=columns, roles=roles, **options)


def diff(a: object, b: object, *, home: str | Path = ".flywheel") -> Diff:
    """Compare two files, folders of rows or runs, or rows that Python holds, which are written to `home`.

    Raises:
        UsageError: rows in no form that is known, or several paths where one is compared.
        FlywheelError: a path names nothing.
    """
    (first,), (second,) = (_one(rows, Path(home)) for rows in (a, b))
    return differences.diff(first, second)


def _one(rows: object, home: Path) -> tuple[str, ...]:
    paths = given(rows, home).paths
    if len(paths) != 1:
        raise UsageError(f"diff: one of the two is {len(paths)} paths; name a folder, or one file")
    return paths
