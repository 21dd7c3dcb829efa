"""What is told where the hub gives no model is ours, and names the way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataflywheel.contracts import FlywheelError
from dataflywheel.models.files import tokenizer_folder


class HfHubHTTPError(OSError):
    """As the library names its own."""


class RepositoryNotFoundError(HfHubHTTPError):
    """Likewise."""


class GatedRepoError(RepositoryNotFoundError):
    """Likewise."""


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ConnectionError("[Errno -2] Name or service not known"), "cannot be reached and no earlier copy is here"),
        (RepositoryNotFoundError("404 Client Error. (Request ID: x)\n\nmore"), "there is no such model"),
        (GatedRepoError("401 Client Error"), "accept its terms"),
        (HfHubHTTPError("503 Server Error: busy\nfor url"), r"the hub refused \(503 Server Error: busy\)$"),
        (OSError(28, "No space left on device", "/cache/x"), r"No space left on device \(/cache/x\)$"),
    ],
)
def test_a_hub_that_gives_nothing_is_told_in_our_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: Exception, told: str
) -> None:
    def refuse(*args: object, **more: object) -> str:
        raise error

    monkeypatch.setattr("huggingface_hub.snapshot_download", refuse)
    with pytest.raises(FlywheelError, match=told):
        tokenizer_folder("NOSUCH")
