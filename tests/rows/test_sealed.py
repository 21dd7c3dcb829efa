"""What a secret seals only it opens; what says where a secret is never says the secret."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import orjson
import pytest

from dataflywheel.contracts import FlywheelError, UnshownError, UsageError
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.sealed import check_reference, is_sealed, seal, sealed_by, secret, unsealed, without_seals

ROW = prompt_answer_row("Who?", "J\u00e4ne Doe, 555-0100", extra={"a": [1, None]}, tags=["t"])
SECRET = "0123456789abcdef" * 4


@pytest.fixture
def installed() -> None:
    pytest.importorskip("cryptography", reason="not installed: pip install 'dataflywheel[keyed]'")


@pytest.mark.usefixtures("installed")
def test_a_row_comes_back_byte_for_byte(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ROW_KEY", SECRET)
    (tmp_path / "key").write_text(f"{SECRET}\n")
    by, by_file = secret("env:ROW_KEY"), secret(f"file:{tmp_path / 'key'}")
    sealed = seal(ROW, "abc", by)
    assert is_sealed(sealed)
    assert sealed_by(sealed) == by.digest
    back, became = unsealed(sealed, by_file)
    assert (orjson.dumps(back), became) == (orjson.dumps(ROW), "abc")
    assert seal(ROW, "abc", by_file) == sealed
    assert seal(ROW, "abd", by) != sealed


@pytest.mark.usefixtures("installed")
def test_a_new_row_does_not_hold_what_its_parent_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROW_KEY", SECRET)
    fields = {"a": [1, None], "sealed": "sealed1.no", "redacted": seal(ROW, "abc", secret("env:ROW_KEY"))}
    row = prompt_answer_row("Who?", "Nobody", extra=fields)
    assert orjson.loads(without_seals(row)["extra"]) == {"a": [1, None], "sealed": "sealed1.no"}
    assert {**without_seals(row), "extra": row["extra"]} == row
    assert without_seals(ROW) is ROW


@pytest.mark.usefixtures("installed")
def test_nothing_opens_without_the_secret_or_once_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROW_KEY", SECRET)
    by = secret("env:ROW_KEY")
    sealed = seal(ROW, "abc", by)
    monkeypatch.setenv("ROW_KEY", SECRET.replace("0", "1"))
    other = secret("env:ROW_KEY")
    assert other.of_row("a") != by.of_row("a")
    with pytest.raises(FlywheelError, match="another key"):
        unsealed(sealed, other)
    with pytest.raises(FlywheelError, match="changed since"):
        unsealed(sealed.replace(by.digest, other.digest), other)
    head, digest, body = sealed.split(".")
    closed = bytearray(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    for place in range(0, len(closed), 7):
        broken = bytes([*closed[:place], closed[place] ^ 1, *closed[place + 1 :]])
        with pytest.raises(FlywheelError, match="changed since"):
            unsealed(f"{head}.{digest}.{base64.urlsafe_b64encode(broken).decode().rstrip('=')}", by)


@pytest.mark.usefixtures("installed")
def test_the_cipher_is_aes_siv_of_the_derived_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the definition of RFC 5297: the first block is S2V of the text, a keyed digest, and no two texts share it."""
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

    key = bytes.fromhex("fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
    associated = bytes.fromhex("101112131415161718191a1b1c1d1e1f2021222324252627")
    closed = AESSIV(key).encrypt(bytes.fromhex("112233445566778899aabbccddee"), [associated])
    assert closed.hex() == "85632d07c6e8f37f950acd320a2ecc9340c02b9690c4dc04daef7f6afe5c"
    monkeypatch.setenv("ROW_KEY", SECRET)
    by = secret("env:ROW_KEY")
    assert (len(by.cipher), len(by.stand_ins), len(by.digest)) == (64, 32, 16)


@pytest.mark.usefixtures("installed")
def test_a_secret_is_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROW_KEY", SECRET)
    by = secret("env:ROW_KEY")
    for held in (SECRET, by.cipher.hex(), str(by.cipher), str(by.stand_ins)):
        assert held not in repr(by)


@pytest.mark.usefixtures("installed")
def test_what_is_no_secret_is_refused_with_a_way_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ROW_KEY", "hunter2")
    with pytest.raises(UsageError, match=r"variable ROW_KEY has fewer than 32 characters; .*openssl rand") as short:
        secret("env:ROW_KEY")
    assert "hunter2" not in str(short.value)
    monkeypatch.delenv("ROW_KEY")
    with pytest.raises(UsageError, match="variable ROW_KEY is not set or empty"):
        secret("env:ROW_KEY")
    with pytest.raises(UsageError, match="key is not set or empty"):
        secret(f"file:{tmp_path / 'key'}")


@pytest.mark.parametrize("given", [SECRET, "env:", "env:A B", "file:", 123, f"env:{SECRET}!", None])
def test_a_secret_in_the_place_of_its_name_is_not_repeated(given: object) -> None:
    with pytest.raises(UnshownError) as refused:
        check_reference(given)
    assert str(given) not in str(refused.value) or given in ("env:", "file:")


def test_without_the_package_the_way_out_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROW_KEY", SECRET)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install 'dataflywheel\[keyed\]'"):
        secret("env:ROW_KEY")
    assert os.environ["ROW_KEY"] == SECRET


@pytest.mark.usefixtures("installed")
def test_a_key_of_bytes_and_a_seal_cut_to_nothing_are_told_in_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "key").write_bytes(b"\xb5\xff" * 24)
    with pytest.raises(UsageError, match=r"key is no text; `openssl rand -hex 32 > key` makes one"):
        secret(f"file:{tmp_path / 'key'}")
    monkeypatch.setenv("ROW_KEY", SECRET)
    by = secret("env:ROW_KEY")
    for cut in ("A", "AA", "AAAAA"):
        with pytest.raises(FlywheelError, match="changed since"):
            unsealed(f"sealed1.{by.digest}.{cut}", by)
