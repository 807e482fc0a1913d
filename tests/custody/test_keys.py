"""Key and purpose files: written closed, read back, and refused when they are open to others or not what they should be."""

import json
import os
from pathlib import Path

import pytest

from custody.errors import CustodyError, KeyFileRefused
from custody.keys import read_private, read_public, read_purpose, write_key_pair, write_purpose
from custody.quorum import Custodian, split
from transport.xwing import ReadingKey

SEED = b"a" * 32


def test_a_key_pair_is_read_back_and_its_private_half_is_closed(tmp_path: Path) -> None:
    """0600 in a 0700 folder, and the public file names the same key."""
    private, public = write_key_pair(tmp_path / "keys", "ada", SEED)
    assert read_private(private).public == read_public(public).public == ReadingKey.from_seed(SEED).public
    assert private.stat().st_mode & 0o777 == 0o600
    assert private.parent.stat().st_mode & 0o777 == 0o700
    assert json.loads(public.read_text()).keys() == {"schema", "name", "public", "key_id"}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610])
def test_a_key_file_open_to_others_is_refused_in_one_line(tmp_path: Path, mode: int) -> None:
    """Any bit for group or others refuses it, with what to do."""
    private, _ = write_key_pair(tmp_path, "ada", SEED)
    private.chmod(mode)
    with pytest.raises(KeyFileRefused, match=r"open to others .* chmod 600") as caught:
        read_private(private)
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give a file away")
def test_a_key_file_of_another_account_is_refused(tmp_path: Path) -> None:
    """Even where reading it is possible."""
    private, _ = write_key_pair(tmp_path, "ada", SEED)
    os.chown(private, 12345, 12345)
    with pytest.raises(KeyFileRefused, match="another account"):
        read_private(private)


def test_a_link_or_folder_or_missing_file_is_no_key(tmp_path: Path) -> None:
    """A link could be exchanged between check and use."""
    private, _ = write_key_pair(tmp_path, "ada", SEED)
    link = tmp_path / "link.key"
    link.symlink_to(private)
    for path in (link, tmp_path, tmp_path / "none.key"):
        with pytest.raises(KeyFileRefused, match=str(path)):
            read_private(path)


def test_a_fifo_does_not_block(tmp_path: Path) -> None:
    """Something that is no file is refused, not waited for."""
    path = tmp_path / "pipe.key"
    os.mkfifo(path, 0o600)
    with pytest.raises(KeyFileRefused, match="not a file"):
        read_private(path)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"schema":"volens-custodian-key/2","name":"ada","seed":""}',
        b'{"schema":"volens-custodian-key/1","name":"ada","seed":"AAAA"}',
        b'{"schema":"volens-custodian-key/1","name":"../ada","seed":"AAAA"}',
        b'{"schema":"volens-custodian-key/1","name":"ada","seed":"AAAA","more":1}',
        b"\xff\xfe",
        b"x" * (5 * 1024 * 1024),
    ],
)
def test_bytes_that_are_no_key_file_are_refused_with_the_files_name(tmp_path: Path, raw: bytes) -> None:
    """One line that names the file, and none of its content."""
    path = tmp_path / "ada.key"
    path.write_bytes(raw)
    path.chmod(0o600)
    with pytest.raises(KeyFileRefused, match=r"ada\.key") as caught:
        read_private(path)
    assert len(str(caught.value)) < 400


def test_an_error_about_a_key_file_does_not_hold_the_key(tmp_path: Path) -> None:
    """A seed of wrong length is not quoted."""
    path = tmp_path / "ada.key"
    path.write_text('{"schema":"volens-custodian-key/1","name":"ada","seed":"Y2FuYXJ5"}')
    path.chmod(0o600)
    with pytest.raises(KeyFileRefused) as caught:
        read_private(path)
    assert "canary" not in str(caught.value)
    assert "Y2FuYXJ5" not in str(caught.value)


def test_no_key_is_written_over(tmp_path: Path) -> None:
    """A second keygen of the same name changes nothing."""
    private, public = write_key_pair(tmp_path, "ada", SEED)
    before = private.read_bytes(), public.read_bytes()
    with pytest.raises(CustodyError, match="there already"):
        write_key_pair(tmp_path, "ada", b"b" * 32)
    assert (private.read_bytes(), public.read_bytes()) == before


def test_a_public_key_without_its_private_half_is_not_left_behind(tmp_path: Path) -> None:
    """What is sealed to it would be lost."""
    (tmp_path / "ada.key").write_text("older")
    with pytest.raises(CustodyError, match="there already"):
        write_key_pair(tmp_path, "ada", SEED)
    assert not (tmp_path / "ada.pub").exists()


@pytest.mark.parametrize("name", ["", "Ada", "../ada", "a/b", "a" * 65, ".key"])
def test_a_name_is_a_plain_word(tmp_path: Path, name: str) -> None:
    """It becomes a file's name and is shown to people."""
    with pytest.raises(KeyFileRefused):
        write_key_pair(tmp_path, name, SEED)
    assert list(tmp_path.iterdir()) == []


def test_a_public_file_whose_id_is_not_its_keys_is_refused(tmp_path: Path) -> None:
    """The id is what people compare."""
    _, public = write_key_pair(tmp_path, "ada", SEED)
    public.write_text(public.read_text().replace('"key_id":"', '"key_id":"0'))
    with pytest.raises(KeyFileRefused, match="not the one its id names"):
        read_public(public)


def test_a_purpose_is_read_back_as_it_was(tmp_path: Path) -> None:
    """Shares, order and quorum survive the file."""
    key = ReadingKey.from_seed(SEED)
    made = split(b"p" * 32, purpose="training", quorum=1, custodians=[Custodian("ada", key.public)], random_bytes=bytes)
    write_purpose(tmp_path / "training", made)
    assert read_purpose(tmp_path / "training") == made
    with pytest.raises(CustodyError, match="there already"):
        write_purpose(tmp_path / "training", made)


def test_a_purpose_that_contradicts_itself_is_refused(tmp_path: Path) -> None:
    """A quorum beyond its custodians, or a wrong key id, is found when it is read."""
    key = ReadingKey.from_seed(SEED)
    made = split(b"p" * 32, purpose="training", quorum=1, custodians=[Custodian("ada", key.public)], random_bytes=bytes)
    path = write_purpose(tmp_path, made)
    good = path.read_text()
    for old, new in (
        ('"quorum":1', '"quorum":2'),
        ('"quorum":1', '"quorum":0'),
        ('"purpose":"training"', '"purpose":"T"'),
        (made.public.key_id.hex(), "00"),
    ):
        path.write_text(good.replace(old, new, 1))
        with pytest.raises(KeyFileRefused, match=r"purpose\.json"):
            read_purpose(tmp_path)
