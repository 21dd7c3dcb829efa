"""A finished run's data set and model with their cards, to the Hugging Face hub."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, Protocol

from dataflywheel.contracts import UsageError
from dataflywheel.models.files import PATTERNS
from dataflywheel.report.card.card import write_card
from dataflywheel.report.card.model_card import write_model_cards
from dataflywheel.report.rundir import Run, load_run
from dataflywheel.store.lock import only_here
from dataflywheel.store.run import DATASET, PARTIAL, names_damage

What = Literal["all", "dataset", "model"]
Kind = Literal["dataset", "model"]
NAME = re.compile(r"(?:\w[\w.-]*/)?\w[\w.-]{0,95}", re.ASCII)
DATA = ("*.jsonl", "*.json", "*.parquet", "README.md")
OURS: Final[Mapping[Kind, tuple[str, ...]]] = {
    "dataset": ("train.jsonl", "train.*.jsonl"),
    "model": ("model*.safetensors", "model.safetensors.index.json"),
}
"""Files of an earlier push that go from the repository where this one has none of that name: rows and weights would
stand there twice."""
LEFT = "nothing that a reader of the hub needs; it may name places on this machine"


class Hub(Protocol):
    """What is asked of the hub: `huggingface_hub.HfApi`."""

    def whoami(self) -> Any: ...

    def repo_info(self, repo_id: str, *, repo_type: str) -> Any: ...

    def create_repo(self, repo_id: str, *, repo_type: str, private: bool, exist_ok: bool) -> Any: ...

    def upload_folder(
        self,
        *,
        repo_id: str,
        repo_type: str,
        folder_path: str,
        allow_patterns: list[str],
        delete_patterns: list[str],
        commit_message: str,
    ) -> Any: ...


@dataclass(frozen=True)
class Part:
    """What goes into one repository: names of files in a folder with their bytes, and files that stay here."""

    kind: Kind
    folder: Path
    files: dict[str, int]
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        return sum(self.files.values())


@dataclass(frozen=True)
class Pushed:
    """What went to the hub, or with `dry_run` what would; `urls` by kind, `private` as the repositories are."""

    run: Path
    repo: str
    parts: tuple[Part, ...]
    dry_run: bool
    private: dict[str, bool] = field(default_factory=dict)
    urls: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        parts = [
            {"kind": p.kind, "folder": str(p.folder), "files": p.files, "bytes": p.bytes, "left_out": p.left_out}
            for p in self.parts
        ]
        told = {"dry_run": self.dry_run, "private": self.private, "urls": self.urls, "parts": parts}
        return {"run": str(self.run), "repo": self.repo, **told}


@names_damage
def push(
    run: str | Path,
    repo: str,
    *,
    what: What = "all",
    model: str = "",
    public: bool = False,
    dry_run: bool = False,
    hub: Hub | None = None,
) -> Pushed:
    """Push the data set and the model of a finished run, with their cards, to the hub's repository `repo`.

    A new repository is private unless `public`. The token is that of the environment (`HF_TOKEN`) or of the hub's own
    login, and is never written or shown. The same push again replaces the files that it made.

    Args:
        run: the run's directory.
        repo: `name`, or `owner/name`; data set and model are two repositories of that name.
        what: `dataset`, `model`, or `all` that there is.
        model: which of the models in `models/`, where there are several; else the last one that was trained.
        dry_run: only say what would be pushed; nothing is asked of the hub.
        hub: whom to ask in place of the hub.

    Raises:
        UsageError: the run is not finished or has nothing to push, the name cannot be one, there is no token, or the
            repository is public and `public` was not said.
        FlywheelError: the hub cannot be reached, or refuses.
    """
    path = Path(run)
    if not NAME.fullmatch(repo):
        raise UsageError(f"{repo!r} is no name of a repository; write NAME or OWNER/NAME, of letters and digits")
    if not path.is_dir():
        raise UsageError(f"{path}: no run is here; give a directory under runs/")
    with only_here(path):
        read = load_run(path)
        _check_finished(read)
        if not (path / DATASET / "README.md").is_file():
            write_card(path)
        write_model_cards(path, missing=True)
        parts = parts_of(read, what, model)
        if dry_run:
            return Pushed(path, repo, parts, dry_run=True)
        return _pushed(path, repo, parts, public, hub)


def _check_finished(run: Run) -> None:
    """Raises UsageError: the run did not come to its end, or what it left is not its result."""
    again = f"run its recipe again, which goes on, and then push {run.directory}"
    if run.stopped:
        raise UsageError(f"{run.directory}: stopped: {run.stopped}; {again}")
    kinds = [event.get("event") for event in run.events]
    if "finished" not in kinds or "started" in kinds[len(kinds) - kinds[::-1].index("finished") :]:
        raise UsageError(f"{run.directory}: it did not come to its end; {again}")
    if (run.directory / PARTIAL).is_dir() or not (run.directory / DATASET).is_dir():
        raise UsageError(f"{run.directory}: no data set is here, or a part of one alone; {again}")
    if run.missing:
        raise UsageError(f"{run.directory}: {', '.join(run.missing)} not done; {again}")


def parts_of(run: Run, what: What, model: str = "") -> tuple[Part, ...]:
    """The files of data set and model.

    Raises:
        UsageError: there is no such model, or nothing to push.
    """
    found = [_part("dataset", run.directory / DATASET, DATA)] if what != "model" else []
    folder = _model(run, model) if what != "dataset" else None
    if folder is not None:
        found.append(_part("model", folder, (*PATTERNS, "README.md")))
    elif what == "model":
        raise UsageError(f"{run.directory}: no model was trained here; push the data set, `--what dataset`")
    return tuple(found)


def _model(run: Run, name: str) -> Path | None:
    folders = {path.name: path for path in (run.directory / "models").glob("*") if (path / "config.json").is_file()}
    if name and name not in folders:
        raise UsageError(
            f"{run.directory}: there is no model {name!r}; there is {', '.join(sorted(folders)) or 'none'}"
        )
    trained = [Path(str(step.details["model"])).name for step in run.steps if step.details.get("model")]
    last = "student" if "student" in folders else trained[-1] if trained else ""
    return folders.get(name or last)


def _part(kind: Kind, folder: Path, patterns: Sequence[str]) -> Part:
    there = {path.name for path in folder.iterdir()}
    wanted = {path.name for pattern in patterns for path in folder.glob(pattern) if path.is_file()}
    sizes = {name: (folder / name).stat().st_size for name in sorted(wanted)}
    return Part(kind, folder, sizes, dict.fromkeys(sorted(there - wanted), LEFT))


def _pushed(run: Path, repo: str, parts: Sequence[Part], public: bool, hub: Hub | None) -> Pushed:
    from dataflywheel.report.hub_errors import told_by_hub

    if importlib.util.find_spec("huggingface_hub") is None:
        raise UsageError("pushing needs the package huggingface_hub: pip install 'dataflywheel[lm]'")
    done = Pushed(run, repo, tuple(parts), dry_run=False)
    with told_by_hub(repo, done.urls):
        client = hub if hub is not None else _client()
        owned = repo if "/" in repo else f"{client.whoami()['name']}/{repo}"
        for part in parts:
            done.private[part.kind] = _repository(client, owned, part.kind, public)
        for part in parts:
            client.upload_folder(
                repo_id=owned,
                repo_type=part.kind,
                folder_path=str(part.folder),
                allow_patterns=[*part.files],
                delete_patterns=[*OURS[part.kind]],
                commit_message=f"flywheel push of {run.name}",
            )
            done.urls[part.kind] = f"{_address(client)}/{'datasets/' if part.kind == 'dataset' else ''}{owned}"
    return done


def _client() -> Hub:
    """Raises UsageError: nobody is logged in."""
    from huggingface_hub import HfApi, get_token

    if not get_token():
        raise UsageError(
            "no token for the hub: `hf auth login` once, or set the environment variable HF_TOKEN to one that may write"
        )
    client: Hub = HfApi()
    return client


def _address(client: Hub) -> str:
    return str(getattr(client, "endpoint", "https://huggingface.co")).rstrip("/")


def _repository(client: Hub, repo: str, kind: Kind, public: bool) -> bool:
    """Make the repository where it is not there; gives whether it is private.

    Raises:
        UsageError: it is there and public, and nobody said that this may be.
    """
    from huggingface_hub.errors import RepositoryNotFoundError

    try:
        private = bool(client.repo_info(repo, repo_type=kind).private)
    except RepositoryNotFoundError:
        client.create_repo(repo, repo_type=kind, private=not public, exist_ok=True)
        return not public
    if not private and not public:
        raise UsageError(
            f"the {kind} {repo} is there already and public; say `--public` to push to it all the same, or name another"
        )
    return private
