"""What a folder means: its data, once, the split to train on; and what was not read is said."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dataflywheel.contracts import FlywheelError
from dataflywheel.rows.containers.find import find, find_files, with_part
from dataflywheel.rows.fingerprint import fingerprint
from dataflywheel.rows.ingest import Input, ingest
from dataflywheel.rows.peek import peek
from dataflywheel.rows.reading import iter_parsed, read_file
from dataflywheel.rows.unread import unread_lines


def put(folder: Path, *names: str) -> Path:
    """Files whose one row says which file it is of."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".parquet":
            pq.write_table(pa.table({"text": [name]}), path)
        elif path.suffix in (".json", ".jsonl"):
            path.write_text(json.dumps({"text": name}) + "\n")
        else:
            path.write_text("text\n" + name + "\n")
    return folder


def names(folder: Path, part: str = "") -> list[str]:
    return [file.relative_to(folder).as_posix() for file in find_files(f"{folder}{part}")]


TRAIN, TEST = "data/train-00000-of-00001.parquet", "data/test-00000-of-00001.parquet"


def test_train_is_read_and_the_other_split_is_said(tmp_path: Path) -> None:
    repo = put(tmp_path / "repo", TRAIN, TEST, "README.md", "dataset_infos.json", ".gitattributes", "load.py")
    result = ingest([Input(str(repo))], tmp_path / "rows")
    assert result.rows == 1
    said = {Path(path).name: reason for path, reason in result.unread}
    assert said.keys() == {Path(TEST).name, "README.md", "dataset_infos.json", ".gitattributes", "load.py"}
    assert said[Path(TEST).name] == f"of the split test; name it as {repo}#test to read it"
    assert peek(Input(str(repo))).unread == tuple(result.unread)
    assert "not read: README.md, load.py (no data, by its name)" in unread_lines(result.unread)
    [turns] = read_file(f"{repo}#test")[0]["messages"].to_pylist()
    assert turns[0]["content"] == TEST
    assert fingerprint([Input(str(repo))]) != fingerprint([Input(f"{repo}#test")])


@pytest.mark.parametrize(
    ("files", "taken"),
    [
        (["train.jsonl", "valid.jsonl", "test.jsonl"], ["train.jsonl"]),
        (["training.csv", "testing.csv"], ["training.csv"]),
        (["train/a.jsonl", "train/b.jsonl", "dev/a.jsonl"], ["train/a.jsonl", "train/b.jsonl"]),
        (["alpaca_train.json", "alpaca_val.json"], ["alpaca_train.json"]),
        (["en/train.csv", "en/test.csv", "de/train.csv"], ["de/train.csv", "en/train.csv"]),
        (["train-00000-of-00002.parquet", "train-00001-of-00002.parquet", "eval-00000-of-00001.parquet"],
         ["train-00000-of-00002.parquet", "train-00001-of-00002.parquet"]),
        (["train_sft-00000-of-00001.parquet", "test_sft-00000-of-00001.parquet", "train_gen-00000-of-00001.parquet"],
         ["train_sft-00000-of-00001.parquet"]),
        (["train_math.jsonl", "train_code.jsonl", "test_math.jsonl"], ["train_code.jsonl", "train_math.jsonl"]),
        (["alpaca.jsonl", "dolly.jsonl", "held/test.jsonl"], ["alpaca.jsonl", "dolly.jsonl"]),
        (["a.jsonl", "b.jsonl", "test.jsonl"], ["a.jsonl", "b.jsonl"]),
        (["train.jsonl", "test.jsonl", "all.jsonl"], ["train.jsonl"]),
        (["gsm8k_test.jsonl", "math_test.jsonl"], ["gsm8k_test.jsonl", "math_test.jsonl"]),
        (["default/train/0000.parquet", "default/test/0000.parquet"], ["default/train/0000.parquet"]),
        (["latest.jsonl", "contest.jsonl", "devices.jsonl", "values.jsonl"],
         ["contest.jsonl", "devices.jsonl", "latest.jsonl", "values.jsonl"]),
    ],
)  # fmt: skip
def test_splits_are_never_mixed_unasked(tmp_path: Path, files: list[str], taken: list[str]) -> None:
    put(tmp_path, *files)
    assert names(tmp_path) == taken
    found = find(str(tmp_path))
    assert len(found.files) + len(found.unread) == len(files)
    if not any("/" in file for file in files):
        assert names(tmp_path, f"/*{Path(files[0]).suffix}") == taken


def test_a_split_is_named_after_the_path(tmp_path: Path) -> None:
    put(tmp_path, "train_sft.jsonl", "test_sft.jsonl", "train_gen.jsonl", "dev.jsonl")
    assert names(tmp_path, "#train_gen") == ["train_gen.jsonl"]
    assert names(tmp_path, "#test") == ["test_sft.jsonl"]
    assert names(tmp_path, "#validation") == ["dev.jsonl"]
    with pytest.raises(FlywheelError, match=r"no split 'train\[:10%\]'; it has dev, test_sft, train_gen, train_sft"):
        find(f"{tmp_path}#train[:10%]")
    (tmp_path / "odd#name.jsonl").write_text('{"text": "a"}\n')
    assert with_part(str(tmp_path / "odd#name.jsonl"))[1] is None


def test_several_splits_without_one_to_train_on_are_refused(tmp_path: Path) -> None:
    put(tmp_path, "dev.jsonl", "test.jsonl")
    with pytest.raises(FlywheelError, match=r"none to train on; name one of .*#dev, .*#test"):
        find(str(tmp_path))


def test_the_card_of_a_data_set_says_which_file_is_which(tmp_path: Path) -> None:
    put(tmp_path, "data/one.jsonl", "data/two.jsonl", "data/bench.jsonl", "extra.jsonl")
    (tmp_path / "README.md").write_text(
        "---\nlicense: mit\nconfigs:\n- config_name: default\n  data_files:\n  - split: train\n"
        "    path: [data/one.jsonl, 'data/tw*']\n  - {split: test, path: data/bench.jsonl}\n"
        "  - {split: dev, path: ../../etc/passwd}\n---\n# Data\n"
    )
    assert names(tmp_path) == ["data/one.jsonl", "data/two.jsonl"]
    said = {Path(left.path).name: left.reason for left in find(str(tmp_path)).unread}
    assert said["bench.jsonl"] == f"of the split test; name it as {tmp_path}#test to read it"
    assert said["extra.jsonl"].startswith("not among the files that README.md declares")
    assert names(tmp_path, "#test") == ["data/bench.jsonl"]
    (tmp_path / "README.md").write_text("---\nconfigs: [data_files: {train: [}\n---\n")
    assert len(names(tmp_path)) == 4


def test_configurations_of_a_data_set_are_never_mixed_unasked(tmp_path: Path) -> None:
    put(tmp_path, "en/train.jsonl", "en/test.jsonl", "de/train.jsonl")
    assert names(tmp_path) == ["de/train.jsonl", "en/train.jsonl"]  # folders of somebody's own
    card = "---\nconfigs:\n" + "".join(
        f"- config_name: {name}\n  data_files:\n  - {{split: train, path: '{name}/train*'}}\n"
        f"  - {{split: test, path: '{name}/test*'}}\n" for name in ("en", "de")
    )  # fmt: skip
    (tmp_path / "README.md").write_text(card + "---\n")
    with pytest.raises(
        FlywheelError, match=r"several configurations.* name one of .*#de, .*#en, or several as entries"
    ):
        find(str(tmp_path))
    assert names(tmp_path, "#de") == ["de/train.jsonl"]
    assert names(tmp_path, "#en") == ["en/train.jsonl"]
    assert names(tmp_path, "#test") == ["en/test.jsonl"]
    said = {Path(left.path).parent.name: left.reason for left in find(f"{tmp_path}#en").unread if "de" in left.path}
    assert said["de"] == f"of the configuration de; name it as {tmp_path}#de to read it"
    (tmp_path / "README.md").write_text(
        card.replace("- config_name: de", "- default: true\n  config_name: de") + "---\n"
    )
    assert names(tmp_path) == ["de/train.jsonl"]
    assert names(tmp_path, "#en") == ["en/train.jsonl"]
    (tmp_path / "README.md").write_text(card.replace("config_name: de", "config_name: default") + "---\n")
    assert names(tmp_path) == ["de/train.jsonl"]


def test_files_beside_rows_in_parts_are_said(tmp_path: Path) -> None:
    put(tmp_path, "part-00000.parquet", "part-00001.parquet", "more.jsonl")
    found = find(str(tmp_path))
    assert ([file.name for file in found.files], [Path(left.path).name for left in found.unread]) == (
        ["part-00000.parquet", "part-00001.parquet"],
        ["more.jsonl"],
    )


def test_a_saved_dictionary_of_splits(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    of = {name: datasets.Dataset.from_list([{"text": name}]) for name in ("train", "test")}
    datasets.DatasetDict(of).save_to_disk(tmp_path / "d")
    result = ingest([Input(str(tmp_path / "d"))], tmp_path / "rows")
    assert result.rows == 1
    assert [Path(path).name for path, _ in result.unread] == ["test"]
    [turns] = read_file(f"{tmp_path / 'd'}#test")[0]["messages"].to_pylist()
    assert turns[0]["content"] == "test"
    with pytest.raises(FlywheelError, match="no split 'dev'"):
        find(f"{tmp_path / 'd'}#dev")


def test_splits_of_the_hub_are_not_mixed_either(monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets")
    names = ("test_sft", "train_gen", "train_sft")
    held = datasets.DatasetDict({name: datasets.Dataset.from_list([{"text": name}]) for name in names})
    monkeypatch.setattr(datasets, "load_dataset", lambda name: held)
    found = list(iter_parsed(Input("hf:owner/ultrachat")))
    assert [row["messages"][0]["content"] for parsed in found for row in parsed.rows] == ["train_sft"]
    assert [what for parsed in found for what, _ in parsed.unread] == [
        "owner/ultrachat#test_sft",
        "owner/ultrachat#train_gen",
    ]
    [turns] = read_file("hf:owner/ultrachat#test")[0]["messages"].to_pylist()
    assert turns[0]["content"] == "test_sft"
    with pytest.raises(FlywheelError, match="no split 'dev'"):
        read_file("hf:owner/ultrachat#dev")


def test_links_are_followed_once(tmp_path: Path) -> None:
    real = put(tmp_path / "elsewhere", "blob.jsonl", "more/c.jsonl")
    pool = put(tmp_path / "pool", "a.jsonl")
    (pool / "b.jsonl").symlink_to(real / "blob.jsonl")
    (pool / "linked").symlink_to(real / "more")
    (pool / "again").symlink_to(real / "more")
    (pool / "up").symlink_to(pool)
    (pool / "gone.jsonl").symlink_to(real / "never.jsonl")
    (pool / "self.jsonl").symlink_to(pool / "self.jsonl")
    os.mkfifo(pool / "pipe.jsonl")
    found = find(str(pool))
    assert [file.name for file in found.files] == ["a.jsonl", "c.jsonl", "b.jsonl"]
    said = {Path(left.path).name: left.reason for left in found.unread}
    assert said == {
        "linked": "the same as one that is read already",
        "up": "the same as one that is read already",
        "gone.jsonl": "a link that leads nowhere",
        "self.jsonl": "a link that leads nowhere",
        "pipe.jsonl": "not a regular file",
    }
    with pytest.raises(FlywheelError, match=r"gone\.jsonl: a link to .*never\.jsonl, which is not there"):
        find(str(pool / "gone.jsonl"))
    with pytest.raises(FlywheelError, match="a link that leads to itself"):
        find(str(pool / "self.jsonl"))


def test_what_lies_beside_data_by_custom_is_not_learned(tmp_path: Path) -> None:
    data = put(
        tmp_path, "pool.jsonl", "LICENSE.txt", "requirements-dev.txt", "README.txt", "tokenizer_config.json",
        "package.json", "model.safetensors.index.json", ".cache/huggingface/x.json", ".hidden.jsonl", "x.jsonl.lock",
        "cache-1f.arrow", "more.zip", "table.xlsx", "quarantine.jsonl", "script.py", "LICENSE",
    )  # fmt: skip
    found = find(str(data))
    assert [file.name for file in found.files] == ["pool.jsonl"]
    assert {".cache", "x.jsonl.lock", "LICENSE", "package.json"} <= {Path(left.path).name for left in found.unread}
    said = {Path(left.path).name: left.reason for left in found.unread}
    assert said["more.zip"].startswith("an archive; unpack it")
    assert said["table.xlsx"].startswith("a workbook; save it as .csv")
    assert len(find_files(str(put(tmp_path / "docs", "notes.txt", "chapter.txt")))) == 2
    for number in range(200):
        (data / f"{number}.png").touch()
    assert [left.path for left in find(str(data)).unread if ".png" in left.path] == [f"{data}: 200 of *.png"]


def test_a_run_is_its_data_set_whatever_kinds_it_holds(tmp_path: Path) -> None:
    run = tmp_path / "run"
    put(run, "compare.json", "round-1/00-pool/rows/part-00000.parquet")
    put(run, "dataset/train.chat.jsonl", "dataset/train.preference.jsonl")
    configs = [("a", "train.chat.jsonl"), ("b", "train.preference.jsonl")]
    declared = "".join(f"- config_name: {name}\n  data_files: {file}\n" for name, file in configs)
    (run / "dataset" / "README.md").write_text(f"---\nconfigs:\n{declared}---\n")
    for name in ("recipe.yaml", "plan.json"):
        (run / name).write_text("{}")
    found = find(str(run))
    assert [file.name for file in found.files] == ["train.chat.jsonl", "train.preference.jsonl"]
    assert found.unread == []
    assert [file.name for file in find(f"{run}#b").files] == ["train.preference.jsonl"]
