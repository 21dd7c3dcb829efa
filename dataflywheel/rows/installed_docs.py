"""The documentation of the packages that are installed beside this one, as question-answer rows.

A pool as users have it: large, mixed, of many origins, with a target that is a small part of what it is about. The pool
is what the sources of all installed packages and of Python itself say of their public modules, classes, functions and
methods; the target is what one in five modules of the standard library says, none of which stands in the pool. Sources
are parsed, never imported, so that nothing runs and no package changes what another one says.
"""

from __future__ import annotations

import ast
import gc
import hashlib
import re
import sys
import sysconfig
import warnings
from collections.abc import Iterator
from functools import lru_cache
from importlib.metadata import Distribution, PackageMetadata, distributions
from itertools import islice
from pathlib import Path, PurePath
from typing import NamedTuple

from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.python_docs import NOT_IMPORTED, QUESTIONS, Split, held_out
from dataflywheel.rows.schema import Row

MOST = 150
"""Texts of one package, so that no large one is the pool, and reading takes seconds."""
LARGEST = 1_000_000
"""Bytes of a source file; larger ones were written by programs."""
OWN = "dataflywheel"
NOT_READ = NOT_IMPORTED | {"tests", "test", "testing", "_vendor", "vendor", "site-packages", "dist-packages"}
"""Folders of tests, and of copies of other packages."""
SHORT_LICENSE = 60
"""Characters; some packages have the whole licence where its name belongs."""


class Text(NamedTuple):
    package: str
    version: str
    license: str
    kind: str
    name: str
    text: str


def installed_docs(split: Split = "pool") -> Iterator[Row]:
    """Rows in a stable order. A row's source is its package, its tags are kind and package; `extra` has kind, module,
    package, version and licence, as the package's metadata has them.

    Of each package other than Python up to 150 texts, from files in an order that their names alone decide. The
    held-out split asks for each text once, and what it holds is not in the pool under another name either.
    """
    for found in _texts(split):
        question, parts = QUESTIONS[found.kind].format(name=found.name), found.name.split(".")
        facts = {"kind": found.kind, "module": parts[0], "package": found.package, "version": found.version}
        extra = {**facts, "license": found.license}
        tags = [found.kind, found.package]
        yield prompt_answer_row(question, found.text, source=found.package, tags=tags, extra=extra)


@lru_cache
def _texts(split: Split) -> tuple[Text, ...]:
    if split == "held_out":
        once = {found.text: found for found in reversed([f for f in _of_python() if _is_held_out(f.name)])}
        return tuple(sorted(once.values(), key=lambda found: found.name))
    asked = {_words(found.text) for found in _texts("held_out")}
    known = (f for f in (*_of_python(), *_of_packages()) if not _is_held_out(f.name))
    return tuple(found for found in known if _words(found.text) not in asked)


def _is_held_out(name: str) -> bool:
    """Whether the text belongs to a held-out module of the standard library, or to a package of the same name."""
    module = name.partition(".")[0]
    return module in sys.stdlib_module_names and held_out(module)


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


@lru_cache
def _of_python() -> tuple[Text, ...]:
    root, about = Path(sysconfig.get_paths()["stdlib"]), ("python", sysconfig.get_python_version(), "PSF-2.0")
    paths = [path.relative_to(root) for path in root.rglob("*.py")]
    read = sorted(path for path in paths if _is_read(path) and not path.parts[0].startswith("_"))
    return tuple(Text(*about, *found) for path in read for found in _documented(root / path, path))


def _of_packages() -> Iterator[Text]:
    paths = sysconfig.get_paths()
    found = distributions(path=sorted({paths["purelib"], paths["platlib"]}))
    for name, one in sorted({_name(one.metadata): one for one in found}.items()):
        if name != OWN:
            yield from _of_package(name, one)


def _of_package(name: str, one: Distribution) -> list[Text]:
    """Of its files in the order of their names' digests as many as give `MOST` texts; none without a list of files."""
    files = sorted((path for path in one.files or () if _is_read(path)), key=lambda path: _digest(path.as_posix()))
    about = (name, one.version, _license(one.metadata))
    texts = (Text(*about, *found) for path in files for found in _documented(Path(str(one.locate_file(path))), path))
    return sorted(islice(texts, MOST))


def _is_read(path: PurePath) -> bool:
    return path.suffix == ".py" and path.parts[0] != ".." and not NOT_READ & {*path.parts, path.stem}


def _documented(file: Path, path: PurePath) -> list[tuple[str, str, str]]:
    """(kind, qualified name, text) of what a source file documents; nothing of one that cannot be parsed."""
    module = ".".join(path.with_suffix("").parts).removesuffix(".__init__")
    try:
        if file.stat().st_size > LARGEST:
            return []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd escapes in other people's sources
            tree = _parsed(file.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    found = ((kind, name, (ast.get_docstring(node) or "").strip()) for kind, name, node in _members(tree, module))
    return [(kind, name, text) for kind, name, text in found if text]


def _parsed(source: bytes) -> ast.Module:
    """The syntax tree, made without the garbage collector: it would go through all nodes there are again and again,
    for cycles that trees do not have."""
    collects = gc.isenabled()
    gc.disable()
    try:
        return ast.parse(source)
    finally:
        if collects:
            gc.enable()


Node = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def _members(node: Node, name: str) -> Iterator[tuple[str, str, Node]]:
    """(kind, qualified name, node) of a module or class, and of the public classes and functions in it."""
    yield ("class" if isinstance(node, ast.ClassDef) else "module"), name, node
    for inner in node.body:
        if isinstance(inner, ast.ClassDef) and not inner.name.startswith("_"):
            yield from _members(inner, f"{name}.{inner.name}")
        elif isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef) and not inner.name.startswith("_"):
            yield ("method" if isinstance(node, ast.ClassDef) else "function"), f"{name}.{inner.name}", inner


def _name(metadata: PackageMetadata) -> str:
    """The package's name, in the one spelling that stands for all (PEP 503)."""
    return re.sub(r"[-_.]+", "-", metadata["Name"]).lower()


def _license(metadata: PackageMetadata) -> str:
    """The licence by its name: what the metadata calls it, else its classifier; "" where neither is there."""
    given = [metadata["License-Expression"], metadata["License"]] if metadata else []
    named = [text.strip() for text in given if text and "\n" not in text.strip() and len(text) <= SHORT_LICENSE]
    classified = [line.rpartition(" :: ")[2] for line in metadata.get_all("Classifier", []) if "License ::" in line]
    return next(iter([*named, *classified]), "")


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=8).digest()
