"""Signers' keys: sealed, private, never written over; what is no key is refused in one line."""

import json
import os
import pty
import select
import signal
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from receiver import policy_keys
from receiver.errors import ReceiverError
from tests.receiver.stand import COMMAND, ENVIRONMENT

PASSPHRASE = "correct horse battery"


def refused(act: Callable[[], Any], because: str) -> None:
    with pytest.raises(ReceiverError, match=because) as caught:
        act()
    assert "\n" not in str(caught.value)
    assert PASSPHRASE not in str(caught.value)


def test_a_key_opens_with_its_passphrase_only(tmp_path: Path) -> None:
    """0600, sealed: the secret is nowhere in the file; a wrong passphrase opens nothing."""
    private, public, signer = policy_keys.make(tmp_path / "keys", "ada", "privacy-officer", PASSPHRASE)
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert policy_keys.read_public(public) == signer
    found = policy_keys.read_private(private)
    key = found.open(PASSPHRASE)
    assert key.public_key().public_bytes_raw() == signer.public
    assert key.private_bytes_raw().hex() not in private.read_text()
    refused(lambda: found.open("wrong horse battery"), "passphrase does not open")
    refused(lambda: found.open(None), "passphrase does not open")


@pytest.mark.parametrize(("field", "value"), [("name", "eve"), ("group", "employees-representative"), ("public", "00" * 32)])
def test_a_sealed_key_is_bound_to_who_it_is_of(tmp_path: Path, field: str, value: str) -> None:
    """Another name, group or public key in the file: it opens nothing."""
    private, _, _ = policy_keys.make(tmp_path, "ada", "privacy-officer", PASSPHRASE)
    private.write_text(json.dumps(json.loads(private.read_text()) | {field: value}))
    refused(lambda: policy_keys.read_private(private).open(PASSPHRASE), "passphrase does not open")


def test_no_key_is_written_over(tmp_path: Path) -> None:
    """Neither a private nor a public one; if one is there, the other is not made."""
    private, public, _ = policy_keys.make(tmp_path, "ada", "privacy-officer", None)
    before = private.read_bytes(), public.read_bytes()
    refused(lambda: policy_keys.make(tmp_path, "ada", "privacy-officer", None), "is not written over")
    assert (private.read_bytes(), public.read_bytes()) == before
    public.unlink()
    refused(lambda: policy_keys.make(tmp_path, "ada", "privacy-officer", None), "is not written over")
    assert (private.read_bytes(), public.exists()) == (before[0], False)


@pytest.mark.parametrize(
    ("name", "group"), [("", "a"), ("../ada", "a"), ("Ada", "a"), ("a" * 64, "a"), ("ada", ""), ("ada", "a b"), ("ada", "a/b")]
)
def test_names_are_plain(tmp_path: Path, name: str, group: str) -> None:
    """A name becomes a file's, and is shown to those who sign."""
    refused(lambda: policy_keys.make(tmp_path, name, group, None), "name has")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("raw", [b"", b"{}", b"[]", b"null", b"\xff", b'{"a":' * 5000, b"x" * 20_000])
def test_what_is_no_key_is_refused(tmp_path: Path, raw: bytes) -> None:
    """Any file: one line; so are a folder, a link, a pipe, and nothing at all."""
    path = tmp_path / "x.key"
    path.write_bytes(raw)
    path.chmod(0o600)
    refused(lambda: policy_keys.read_private(path), "is no signing key")
    refused(lambda: policy_keys.read_public(path), "is no signing key")
    (tmp_path / "link").symlink_to(path)
    os.mkfifo(tmp_path / "pipe", 0o600)
    for other in (tmp_path, tmp_path / "link", tmp_path / "pipe", tmp_path / "nowhere"):
        refused(lambda other=other: policy_keys.read_private(other), "; ")
        refused(lambda other=other: policy_keys.read_public(other), "; ")


def test_a_private_key_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    """Who could have read it could have signed with it."""
    private, _, _ = policy_keys.make(tmp_path, "ada", "privacy-officer", None)
    private.chmod(0o640)
    refused(lambda: policy_keys.read_private(private), "can be reached by others")


def test_a_guessable_passphrase_is_refused() -> None:
    """Eleven characters are too few."""
    policy_keys.check_passphrase("x" * 12)
    refused(lambda: policy_keys.check_passphrase("x" * 11), "at least 12")


def on_a_terminal(words: list[str], typed: list[bytes]) -> tuple[int, str]:
    """The command on a terminal of its own, where these are typed when something is asked; its exit code and all that was shown."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(sys.executable, [*COMMAND, *words], ENVIRONMENT)
    shown, waiting = b"", list(typed)
    while select.select([fd], [], [], 20)[0]:
        try:
            shown += os.read(fd, 4096)
        except OSError:  # it has ended
            break
        if waiting and shown.endswith((b": ", b"? ")):  # only now is what is typed read: what came before is flushed
            os.write(fd, waiting.pop(0) + b"\n")
    else:
        os.kill(pid, signal.SIGKILL)
    os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode()


def test_a_passphrase_is_asked_on_the_terminal_and_not_shown(tmp_path: Path) -> None:
    """keygen asks twice; what was typed is neither shown nor in a file as it is, and opens the key."""
    words = ["policy", "keygen", "ada", "--group", "privacy-officer", "--out", str(tmp_path)]
    code, shown = on_a_terminal(words, [b"short", b"short"])
    assert (code, "at least 12 characters" in shown, list(tmp_path.iterdir())) == (1, True, [])
    code, shown = on_a_terminal(words, [PASSPHRASE.encode(), PASSPHRASE.encode()])
    assert (code, PASSPHRASE in shown) == (0, False), shown
    policy_keys.read_private(tmp_path / "ada.key").open(PASSPHRASE)
