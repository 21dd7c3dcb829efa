"""A copy of a user's tables as one SQLite database in memory: from a database file, or from files that are tables."""

from __future__ import annotations

import hashlib
import re
import shutil
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import orjson
from pydantic import AfterValidator, BeforeValidator, Field

from dataflywheel.contracts import FlywheelError, UsageError, UserPath
from dataflywheel.rows.containers.sniff import bare_stem
from dataflywheel.rows.gaps import is_number
from dataflywheel.rows.reading import Input, iter_parsed

MAGIC = b"SQLite format 3\x00"
LACKS = "is no file that is there; give a SQLite file, or files that are tables"
MOST_BYTES = 256 << 20
"""Of a copy: it is held in memory, and written once for each batch of queries."""
SHOWN_VALUES, SHOWN_CHARS = 3, 40
"""Values of a column that a schema shows, and characters of each."""
_NO_NAME = re.compile(r"\W+")
_CODE = re.compile(r"[-+]?0\d")
"""How texts begin that look like numbers and are none: a postcode, a telephone number."""

TABLES = (
    "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite~_%' ESCAPE '~' "
    "ORDER BY rowid"
)


def _listed(given: Any) -> Any:
    return [given] if isinstance(given, str | Path) else given


def _there(files: list[Path]) -> list[Path]:
    lacking = next((path for path in files if not path.is_file()), None)
    if lacking is not None:
        raise ValueError(f"{lacking} {LACKS}")
    return files


DatabaseFiles = Annotated[list[UserPath], BeforeValidator(_listed), Field(min_length=1), AfterValidator(_there)]
"""One SQLite file, or files that are tables (csv, jsonl, parquet and what else is read as one), each named after its
file."""


@dataclass(frozen=True)
class Table:
    """A table or view as a query sees it."""

    name: str
    columns: tuple[tuple[str, str], ...]
    """Name and declared type of each."""
    rows: int
    told: str
    """Its columns with a few values of each."""
    links: tuple[str, ...] = ()
    """Tables whose rows its own rows name."""


@dataclass(frozen=True)
class Copied:
    """The copy: a whole SQLite file, and what it holds."""

    data: bytes
    tables: tuple[Table, ...]

    @property
    def schema(self) -> str:
        """The tables with their columns and a few values of each, for who writes queries."""
        return "\n\n".join(table.told for table in self.tables)


def copied(files: Sequence[Path]) -> Copied:
    """The copy of these files as they are now. They are read and never opened as a database.

    Raises:
        UsageError: one does not exist, cannot be read, or they are no one database and no tables.
    """
    return _copied(tuple(files), tuple(_stamp(path) for path in files))


def lines_of(database: Copied, places: Sequence[tuple[str, int]], count: int) -> list[list[tuple[Any, ...]]]:
    """So many lines of each of these tables, from a place on."""
    with closing(sqlite3.connect(":memory:")) as open_:
        open_.deserialize(database.data)
        open_.text_factory = lambda raw: raw.decode("utf-8", "replace")
        asked = "SELECT * FROM {} LIMIT ? OFFSET ?"
        return [open_.execute(asked.format(quoted(name)), (count, begin)).fetchall() for name, begin in places]


def contents(files: Iterable[Path]) -> str:
    """Identity of what the files hold; "" where one does not exist."""
    state = hashlib.blake2b(digest_size=8)
    for path in files:
        if not path.is_file():
            return ""
        for part in (path, _beside(path)):
            if part.is_file():
                with part.open("rb") as file:
                    state.update(path.name.encode() + hashlib.file_digest(file, "blake2b").digest())
    return state.hexdigest()


def _beside(path: Path) -> Path:
    """The file of what a database was given last and does not hold itself yet."""
    return path.with_name(f"{path.name}-wal")


def _stamp(path: Path) -> tuple[int, ...]:
    if not path.is_file():
        raise UsageError(f"database: {path} {LACKS}")
    held = [part.stat() for part in (path, _beside(path)) if part.is_file()]
    return tuple(number for one in held for number in (one.st_mtime_ns, one.st_size))


@lru_cache(maxsize=4)
def _copied(files: tuple[Path, ...], stamps: tuple[tuple[int, ...], ...]) -> Copied:
    """Read once a process; `stamps` make changed files a new entry."""
    ready = [path for path in files if _is_database(path)]
    if ready and len(files) > 1:
        raise UsageError(f"database: {ready[0]} is a database, and stands among other files; give one database alone")
    with TemporaryDirectory(prefix="copied-") as folder:
        place = Path(folder) / "copy"
        if ready:
            shutil.copyfile(ready[0], place)
            if _beside(ready[0]).is_file():
                shutil.copyfile(_beside(ready[0]), _beside(place))
        else:
            _filled(place, files)
        try:
            return _read(place)
        except sqlite3.Error as error:
            raise UsageError(f"database: {files[0]} cannot be read: {error}") from None


def _is_database(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def _filled(place: Path, files: Sequence[Path]) -> None:
    names = [_NO_NAME.sub("_", bare_stem(path)).strip("_") or "rows" for path in files]
    twice = next((name for name in names if [n.casefold() for n in names].count(name.casefold()) > 1), "")
    if twice:
        raise UsageError(f"database: two files are named {twice!r}, and a table is named after its file; rename one")
    with closing(sqlite3.connect(place)) as database, database:
        for name, path in zip(names, files, strict=True):
            _table(database, name, _lines(path))


def _lines(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    try:
        for parsed in iter_parsed(Input(str(path), format="table")):
            if parsed.quarantined:
                bad = parsed.quarantined[0]
                raise UsageError(f"database: {path}, line {bad.line}: {bad.reason}; mend the file")
            found += [orjson.loads(row["cells"] or "{}") for row in parsed.rows]
    except UsageError:
        raise
    except FlywheelError as error:
        raise UsageError(f"database: {path} is neither a SQLite file nor a table: {error}") from None
    return found


def _table(database: sqlite3.Connection, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Columns whose values are numbers throughout become numbers; blank cells become NULL."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    if not columns:
        raise UsageError(f"database: the table {name!r} has no line with a value")
    low = [column.casefold() for column in columns]
    if len(set(low)) < len(low):
        raise UsageError(f"database: two columns of {name!r} differ by capitals alone, as SQL does not tell them apart")
    kinds = {column: _kind([row.get(column) for row in rows]) for column in columns}
    told = ", ".join(f"{quoted(column)} {kinds[column]}" for column in columns)
    database.execute(f"CREATE TABLE {quoted(name)} ({told})")
    places = ", ".join("?" * len(columns))
    cells = ([_cell(row.get(column), kinds[column]) for column in columns] for row in rows)
    database.executemany(f"INSERT INTO {quoted(name)} VALUES ({places})", cells)


def quoted(name: str) -> str:
    """A name as SQL writes any name.

    >>> print(quoted('the "best" one'))
    "the ""best"" one"
    """
    return '"' + name.replace('"', '""') + '"'


def _kind(values: Sequence[Any]) -> str:
    """The type of a column: a number where every value that stands there is one."""
    held = [value for value in values if not _blank(value)]
    texts = [str(value).strip() for value in held]
    if not held or not all(isinstance(v, bool | int | float) or is_number(t) for v, t in zip(held, texts, strict=True)):
        return "TEXT"
    if any(isinstance(v, str) and (_CODE.match(t) or "," in t) for v, t in zip(held, texts, strict=True)):
        return "TEXT"
    return "INTEGER" if all(re.fullmatch(r"[-+]?\d{1,18}|True|False", text) for text in texts) else "REAL"


def _blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _cell(value: Any, kind: str) -> Any:
    if _blank(value):
        return None
    if kind == "TEXT":
        text = value if isinstance(value, str) else orjson.dumps(value).decode()
        return text.strip()
    return int(value) if kind == "INTEGER" else float(value)


def _read(place: Path) -> Copied:
    """The file as bytes, with its tables."""
    with closing(sqlite3.connect(place)) as database:
        database.text_factory = lambda raw: raw.decode("utf-8", "replace")
        database.execute("PRAGMA journal_mode = DELETE").fetchall()
        tables = [_seen(database, str(name)) for (name,) in database.execute(TABLES).fetchall()]
    if not tables:
        raise UsageError("database: it holds no table")
    if place.stat().st_size > MOST_BYTES:
        raise UsageError(f"database: larger than {MOST_BYTES >> 20} MiB; give a part of it")
    return Copied(place.read_bytes(), tuple(tables))


def _seen(database: sqlite3.Connection, name: str) -> Table:
    columns = tuple((str(c[1]), str(c[2])) for c in database.execute(f"PRAGMA table_info({quoted(name)})").fetchall())
    (rows,) = database.execute(f"SELECT count(*) FROM {quoted(name)}").fetchone()
    lines = [f"{quoted(name)}, {rows} rows"]
    for column, kind in columns:
        asked = f"SELECT DISTINCT {quoted(column)} FROM {quoted(name)} WHERE {quoted(column)} IS NOT NULL LIMIT ?"
        values = [one for (one,) in database.execute(asked, (SHOWN_VALUES,)) if not isinstance(one, bytes)]
        shown = ", ".join(repr(one[:SHOWN_CHARS] if isinstance(one, str) else one) for one in values)
        lines.append(f"  {quoted(column)} {kind}".rstrip() + (f", such as {shown}" if shown else ""))
    keys = database.execute(f"PRAGMA foreign_key_list({quoted(name)})").fetchall()
    lines += [f"  {quoted(str(key[3]))} names a row of {quoted(str(key[2]))}" for key in keys]
    return Table(name, columns, int(rows), "\n".join(lines), tuple(dict.fromkeys(str(key[2]) for key in keys)))
