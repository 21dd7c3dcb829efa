"""One JSON value that holds many records: under a key, by split, by column, or by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dataflywheel.contracts import nearest
from dataflywheel.rows.containers.block import Bad, Left
from dataflywheel.rows.containers.splits import is_split, same_split, training
from dataflywheel.rows.formats import ReadError, detect
from dataflywheel.rows.formats.chats import CHATS
from dataflywheel.rows.formats.draft import texts_in
from dataflywheel.rows.formats.flat import WORDS
from dataflywheel.rows.formats.names import PROMPTS, SYSTEM, TASKS, folded
from dataflywheel.rows.formats.unnamed import NOTES, SENTENCE

KEYS = ("data", "rows", "records", "items", "examples", "instances", "entries", "results")
"""Keys that records stand under, by custom; any other does where it is the only one that holds objects."""
NESTED = ("self_instruct", "oasst_tree", "canonical")
"""Shapes whose records hold lists of objects that are no turns."""
TEXTS = frozenset({"text", "content", "document", "prompt"})
"""Names of a column that may stand alone; under others a list of texts is a chat or a list of labels."""
TURN = ({"role"}, {"from", "value"}, {"speaker", "text"}, {"human", "assistant"})
"""Keys that tell a turn of a chat from a record."""

DOCUMENTS = frozenset(
    (*KEYS, "documents", "docs", "texts", "articles", "pages", "corpus", "passages", "posts", "stories")
)
"""Keys under which objects of a text are documents; under others they are parts of one record, such as its segments."""
FURNITURE = frozenset((*NOTES, "citation", "info", "readme", "homepage", "title", "name", "about", "header", "source"))
"""Texts beside records that are about all of them."""

VIEWED = {"row_idx", "row", "truncated_cells"}
"""What the hub's viewer gives of a row."""

Lists = dict[str, Any]


def unwrapped(value: Any, name: str, part: str | None = None) -> Iterable[Any]:
    """The records of a value, `Left` for what stands beside them and was not read, `Bad` for what cannot be told.

    `part` is a split or a key of the value.

    Raises:
        KeyError: the value has no such part; the text says which it has.
    """
    if not isinstance(value, dict):
        if part is not None:
            raise KeyError(f"no part {part!r}; the document is not an object of parts")
        return value if isinstance(value, list) else [value]
    if part is not None:
        return part_of(value, name, part)
    if is_table(value):
        return by_position(value)
    if looks_like_record(value):
        return [value]
    splits = {key: held for key, held in value.items() if is_split(key) and holds_records(held)}
    if splits:
        return by_split(value, splits, name)
    columns = by_column(value)
    if columns is not None:
        return columns
    lists = {key: held for key, held in value.items() if holds_records(held) and known(key, held, value)}
    key = next((key for key in KEYS if key in lists), next(iter(lists)) if len(lists) == 1 else None)
    if key is not None:
        held = lists[key]
        if (task := task_beside(value, key)) is not None:
            return [Bad(f"{task} stands beside {key}, and belongs to each of them; write it into each record", value)]
        records = viewer_rows(held) if isinstance(held, list) else unwrapped(held, name)
        return [*beside(value, [key], name), *records]
    if lists:
        return [Bad(f"several lists of records: {shown(lists)}; name one of them, such as {name}#{next(iter(lists))}")]
    return by_name(value) or [value]


def wraps(value: Any) -> bool:
    """Whether an object is no training example and holds a list of them, or columns of one."""
    if not isinstance(value, dict) or looks_like_record(value):
        return False
    lists = [key for key, held in value.items() if holds_records(held) and (is_split(key) or known(key, held, value))]
    return bool(lists) or is_table(value) or by_column(value) is not None or bool(by_name(value))


def looks_like_record(value: Mapping[str, Any]) -> bool:
    """Whether an object is one training example: of a known shape, and not its columns."""
    if by_column(value) is not None:
        return False
    shape = shape_of(value)
    if shape is None:
        return False
    return shape in NESTED or not any(key in KEYS and holds_records(held) for key, held in value.items())


def holds_records(value: Any) -> bool:
    """Whether a value is a list of objects that are no turns of a chat, or wraps one."""
    if isinstance(value, Mapping):
        return any(holds_records(held) for held in value.values())
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict) and not is_turn(value[0])


def known(key: str, value: Any, wrapper: Mapping[str, Any]) -> bool:
    """Whether what stands under a key are records, and not the parts of the one that holds them.

    Objects of no known shape may be turns of a chat, objects of a text segments or choices, and whatever stands beside
    a text of its own belongs to it; under a key of `KEYS` all are records.
    """
    if key in KEYS:
        return True
    if isinstance(value, Mapping):
        return any(known(name, held, value) for name, held in value.items() if holds_records(held))
    beside = (held for name, held in wrapper.items() if name != key and not is_split(name) and name not in FURNITURE)
    if any(isinstance(held, str) and len(held.split(maxsplit=SENTENCE)) >= SENTENCE for held in beside):
        return False
    shape = shape_of(value[0]) if folded(key) not in CHATS else None
    return shape is not None and (shape != "text" or key in DOCUMENTS)


def is_turn(value: Any) -> bool:
    return isinstance(value, dict) and any(keys <= value.keys() for keys in TURN)


def part_of(value: Lists, name: str, part: str) -> Iterable[Any]:
    """The records of the part; a split also by another of its names.

    Raises:
        KeyError: there is none.
    """
    key = part if part in value else next((key for key in value if same_split(key, part)), None)
    if key is None:
        inner = next((held for held in value.values() if len(value) == 1 and isinstance(held, dict)), None)
        if inner is not None:
            return part_of(inner, name, part)
        raise KeyError(f"no part {part!r}{nearest(part, list(value))}; it has {shown(value)}")
    return unwrapped(value[key], f"{name}#{key}")


def by_split(value: Lists, splits: Lists, name: str) -> Iterable[Any]:
    """The split to train on; of several without one, none is taken unasked."""
    chosen = training(list(splits))
    if not chosen:
        return [Bad(f"the splits {shown(splits)}, and none to train on; name one, such as {name}#{next(iter(splits))}")]
    records = [record for key in chosen for record in unwrapped(splits[key], f"{name}#{key}")]
    return [*beside(value, chosen, name), *records]


def beside(value: Lists, taken: list[str], name: str) -> Iterator[Left]:
    """What stands beside the records."""
    for key in value:
        if key in taken:
            continue
        if is_split(key):
            yield Left(f"{name}#{key}", f"another split; name it as {name}#{key} to read it")
        else:
            yield Left(f"{name}#{key}", "stands beside the records")


def task_beside(value: Lists, taken: str) -> str | None:
    """The key of a text beside the records that says what is to be done in each (Natural Instructions)."""
    for key, held in value.items():
        words = max((len(text.split(maxsplit=WORDS)) for text in texts_in(held)), default=0)
        if key != taken and folded(key) in (*TASKS, *PROMPTS, *SYSTEM) and words >= WORDS:
            return key
    return None


def viewer_rows(records: list[Any]) -> Iterator[Any]:
    """Records as they are; of the rows that the hub's viewer gives, what each holds."""
    for record in records:
        if not (isinstance(record, dict) and isinstance(record.get("row"), dict) and record.keys() <= VIEWED):
            yield record
        elif record.get("truncated_cells"):
            yield Bad(f"the viewer cut these cells short: {', '.join(map(str, record['truncated_cells']))}", record)
        else:
            yield record["row"]


def is_table(value: Mapping[str, Any]) -> bool:
    return isinstance(value.get("columns"), list) and isinstance(value.get("data"), list)


def by_position(value: Lists) -> Iterable[Any]:
    """Records of names once and lists of values (`orient="split"` of pandas)."""
    names, data = value["columns"], value["data"]
    if len(set(map(str, names))) != len(names):
        return [Bad("a table that names a column twice", value)]
    return [
        dict(zip(map(str, names), held, strict=True))
        if isinstance(held, list) and len(held) == len(names)
        else Bad(f"expected {len(names)} values ({shown(dict.fromkeys(map(str, names)))})", held)
        for held in data
    ]


def by_column(value: Mapping[str, Any]) -> Iterable[Any] | None:
    """Records of lists or objects of values by column (`to_dict`, `orient="columns"`); None where they are not that."""
    columns = list(value.values())
    if not columns or not all(isinstance(held, list | dict) and held for held in columns):
        return None
    if all(isinstance(held, dict) for held in columns):
        index = columns[0].keys()
        if any(held.keys() != index for held in columns) or looks_named(columns[0]) or holds_records(value):
            return None
        if not numbered(index):
            return None
        return [{name: held[at] for name, held in value.items()} for at in index]
    if not all(isinstance(held, list) for held in columns) or len({len(held) for held in columns}) != 1:
        return None
    if len(value) == 1 and not (value.keys() <= TEXTS and isinstance(columns[0][0], str)):
        return None
    if any(is_turn(held[0]) for held in columns):
        return None
    if all(isinstance(held[0], dict) for held in columns):
        return None
    return [dict(zip(value, held, strict=True)) for held in zip(*columns, strict=True)]


def looks_named(record: Mapping[str, Any]) -> bool:
    """Whether an object under a name is a record by itself, so that the names are those of records, not of columns."""
    return shape_of(record) is not None


def shape_of(record: Mapping[str, Any]) -> str | None:
    """The name of the shape of an object, None where it is of none."""
    try:
        return detect(dict(record)).name
    except (ReadError, KeyError, TypeError, AttributeError):
        return None


def by_name(value: Lists) -> list[Any]:
    """Records by a name of their own (`orient="index"`), which becomes their `index` where it says more than order."""
    held = list(value.values())
    if len(held) < 2 or not all(isinstance(record, dict) for record in held):
        return []
    if not (numbered(value) or all(looks_named(record) for record in held)):
        return []
    if list(value) == [str(number) for number in range(len(held))]:
        return held
    return [record if "index" in record else {**record, "index": key} for key, record in value.items()]


def numbered(keys: Iterable[str]) -> bool:
    """Whether keys are numbers, as those of rows are."""
    return all(key.isdecimal() for key in keys)


def shown(value: Mapping[str, Any]) -> str:
    return ", ".join(list(value)[:12])
