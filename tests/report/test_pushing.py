"""What is pushed is what there is of a finished run, for those who may see it, and no token is left anywhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import HfApi
from typer.testing import CliRunner

import dataflywheel as fw
from dataflywheel.cli.main import app
from dataflywheel.contracts import FlywheelError, UsageError
from dataflywheel.report.pushing import push
from tests.report.hub import OWNER, TOKEN, Hub, running


@pytest.fixture
def hub() -> Iterator[Hub]:
    with running() as found:
        yield found


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A selection, and what a training would have left of a model beside it."""
    lines = [{"prompt": f"What is {n} and {n}?", "completion": f"It is {2 * n}."} for n in range(6)]
    pool = tmp_path / "pool.jsonl"
    pool.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    recipe = {"name": "small", "pool": {"path": str(pool)}, "steps": ["deduplicate"], "format": "axolotl"}
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
    return fw.run(tmp_path / "small.yaml", runs=tmp_path / "runs", home=tmp_path / "home").path


def with_model(run: Path) -> Path:
    folder = run / "models" / "student"
    folder.mkdir(parents=True)
    for name in ("config.json", "model.safetensors", "tokenizer.json", "chat_template.jinja", "README.md"):
        (folder / name).write_text(f"of {name}", encoding="utf-8")
    (folder / "optimizer.pt").write_text("state", encoding="utf-8")
    return folder


def client(hub: Hub, token: str = TOKEN) -> Any:
    return HfApi(endpoint=hub.url, token=token)


def test_a_dry_run_lists_all_files_and_asks_nobody(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_TOKEN", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("dataflywheel.report.pushing._client", lambda: pytest.fail("the hub was asked"))
    with_model(run)
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    found = json.loads(CliRunner().invoke(app, ["push", str(run), "jane/small", "--dry-run", "--json"]).stdout)
    sizes = {path.name: path.stat().st_size for path in (run / "dataset").iterdir()}
    data, model = found["parts"]
    assert data["files"] == {name: sizes[name] for name in ("README.md", "train.jsonl")}
    assert list(data["left_out"]) == ["train.axolotl.yaml"], "it names a place on this machine"
    kept = ["README.md", "chat_template.jinja", "config.json", "model.safetensors", "tokenizer.json"]
    assert sorted(model["files"]) == kept
    assert (list(model["left_out"]), model["bytes"]) == (["optimizer.pt"], sum(model["files"].values()))
    assert (found["dry_run"], found["urls"]) == (True, {})
    said = CliRunner().invoke(app, ["push", str(run), "jane/small", "--dry-run", "--what", "dataset"]).stdout
    assert "Would push" in said
    assert "train.jsonl" in said
    assert "model.safetensors" not in said
    assert said.splitlines()[-1].startswith("Nothing was sent. A new repository would be private")
    after = {path: path.read_bytes() for path in run.rglob("*") if path.is_file() and path.name != ".lock"}
    assert {path: text for path, text in before.items() if path.name != ".lock"} == after


def test_data_set_and_model_are_pushed_whole_and_private(run: Path, hub: Hub) -> None:
    folder = with_model(run)
    done = push(run, "small", hub=client(hub))
    data, model = f"datasets/{OWNER}/small", f"models/{OWNER}/small"
    assert hub.private == {data: True, model: True}
    assert {name: text for name, text in hub.files[data].items() if name != ".gitattributes"} == {
        name: (run / "dataset" / name).read_bytes() for name in ("README.md", "train.jsonl")
    }
    assert hub.files[model]["model.safetensors"] == (folder / "model.safetensors").read_bytes()
    assert "optimizer.pt" not in hub.files[model]
    assert done.urls == {"dataset": f"{hub.url}/{data}", "model": f"{hub.url}/{OWNER}/small"}
    assert done.private == {"dataset": True, "model": True}
    hub.files[data] |= {"train.chat.jsonl": b"of an earlier push", "theirs.jsonl": b"of somebody"}
    push(run, f"{OWNER}/small", what="dataset", hub=client(hub))
    assert "train.chat.jsonl" not in hub.files[data], "rows of an earlier push would stand there twice"
    assert "theirs.jsonl" in hub.files[data]


def test_nothing_private_goes_where_all_can_see_it(run: Path, hub: Hub) -> None:
    name = f"datasets/{OWNER}/small"
    hub.private[name], hub.files[name] = False, {}
    with pytest.raises(UsageError, match="there already and public; say `--public`"):
        push(run, f"{OWNER}/small", hub=client(hub))
    assert not hub.files[name]
    assert push(run, f"{OWNER}/small", public=True, hub=client(hub)).private == {"dataset": False}
    assert "train.jsonl" in hub.files[name]
    assert push(run, f"{OWNER}/other", public=True, hub=client(hub)).private == {"dataset": False}
    assert hub.private[f"datasets/{OWNER}/other"] is False


def test_runs_that_are_not_finished_are_refused(run: Path, tmp_path: Path) -> None:
    events = (run / "events.jsonl").read_text(encoding="utf-8")
    for more, why in (
        ({"event": "finished", "stopped": "02-x: the budget is used up"}, "stopped: 02-x: the budget"),
        ({"event": "started", "step": "01-deduplicate"}, "did not come to its end"),
    ):
        (run / "events.jsonl").write_text(events + json.dumps({"time": 0, **more}) + "\n", encoding="utf-8")
        with pytest.raises(UsageError, match=why):
            push(run, "small", dry_run=True)
    (run / "events.jsonl").write_text(events, encoding="utf-8")
    assert push(run, "small", dry_run=True).parts[0].kind == "dataset"
    (run / "dataset").rename(run / "dataset.partial")
    with pytest.raises(UsageError, match="no data set is here"):
        push(run, "small", dry_run=True)
    with pytest.raises(UsageError, match="no run is here"):
        push(tmp_path / "nowhere", "small", dry_run=True)


@pytest.mark.parametrize("name", ["a/b/c", "", "white space", "../up", "x" * 200])
def test_a_name_that_cannot_be_one_is_refused(run: Path, name: str) -> None:
    with pytest.raises(UsageError, match="no name of a repository"):
        push(run, name, dry_run=True)


def test_a_model_that_is_not_there_is_said(run: Path) -> None:
    with pytest.raises(UsageError, match="no model was trained here"):
        push(run, "small", what="model", dry_run=True)
    with_model(run)
    with pytest.raises(UsageError, match="no model 'studnet'; there is student"):
        push(run, "small", model="studnet", dry_run=True)


def test_without_a_token_or_a_network_the_way_out_is_said(
    run: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.get_token", lambda: None)
    with pytest.raises(UsageError, match=r"no token for the hub: `hf auth login`"):
        push(run, "small")
    with pytest.raises(UsageError, match=r"does not let this token write to jane/small \(401\)"):
        push(run, "jane/small", hub=client(hub, "hf_" + "y" * 34))
    hub.forbidden = True
    with pytest.raises(UsageError, match=r"does not let this token write to jane/small \(403\)"):
        push(run, "jane/small", hub=client(hub))

    class Away:
        def whoami(self) -> Any:
            raise ConnectionError(f"[Errno 111] Connection refused, with {TOKEN} in it")

    with pytest.raises(FlywheelError, match=r"cannot be reached .* once there is a network") as told:
        push(run, "small", hub=Away())  # type: ignore[arg-type]
    assert TOKEN not in str(told.value)
    assert "hf_***" in str(told.value)
    nobody = HfApi(endpoint="http://127.0.0.1:9", token=TOKEN)
    with pytest.raises(FlywheelError, match=r"cannot be reached \(ConnectError\)"):
        push(run, "small", hub=nobody)  # type: ignore[arg-type]
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert TOKEN.encode() not in written


def test_the_client_knows_what_is_asked_of_it() -> None:
    """The names of parameters that the fake hub of other versions would not notice."""
    import inspect

    from dataflywheel.report.pushing import Hub as Asked

    for name in ("whoami", "repo_info", "create_repo", "upload_folder"):
        ours = set(inspect.signature(getattr(Asked, name)).parameters)
        assert ours <= set(inspect.signature(getattr(HfApi, name)).parameters), name
