"""Where keys are kept: privately, durably, and said plainly."""

import os
import stat
import sys
from pathlib import Path

import pytest

from tests.open_umask import open_umask
from tests.transport.faults import full_disk
from transport import keystore
from transport.disk import NotPrivate
from transport.keystore import HOLD, FileKeystore, KeyringKeystore, Keystore, KeystoreError, choose

FAKE_RING = """
import json, pathlib
STORE = pathlib.Path({store!r})
class Ring:
    priority = {priority}
    def _all(self): return json.loads(STORE.read_text()) if STORE.exists() else {{}}
    def get_password(self, service, name): return self._all().get(service + name)
    def set_password(self, service, name, text): STORE.write_text(json.dumps(self._all() | {{service + name: text}}))
    def delete_password(self, service, name):
        left = self._all(); del left[service + name]; STORE.write_text(json.dumps(left))
def get_keyring(): return Ring()
"""


@pytest.fixture
def ring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A keyring module of our own in front of the real one, in the child only."""
    modules = tmp_path / "modules"
    modules.mkdir()
    (modules / "keyring.py").write_text(FAKE_RING.format(store=str(tmp_path / "ring.json"), priority=5))
    monkeypatch.setattr(keystore, "_CHILD", f"import sys; sys.path.insert(0, {str(modules)!r})\n" + keystore._CHILD)
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
    return modules / "keyring.py"


@pytest.fixture(params=["file", "keyring"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Keystore:
    """Each keystore in turn: one suite for both."""
    if request.param == "file":
        return FileKeystore(tmp_path / "keys")
    request.getfixturevalue("ring")
    return KeyringKeystore(tmp_path / "keys")


def test_a_secret_is_kept_replaced_and_destroyed(store: Keystore) -> None:
    """What was put is got, the newest wins, and what was deleted is not there; deleting twice does no harm."""
    assert store.get(HOLD) is None
    store.put(HOLD, b"a" * 32)
    store.put(HOLD, b"b" * 32)
    assert store.get(HOLD) == b"b" * 32
    store.delete(HOLD)
    store.delete(HOLD)
    assert store.get(HOLD) is None


def test_only_whole_keys_under_plain_names_are_kept(store: Keystore) -> None:
    """A secret of another length, or a name that could be a path, is refused."""
    with pytest.raises(KeystoreError):
        store.put(HOLD, b"short")
    with pytest.raises(KeystoreError):
        store.put("../hold", b"a" * 32)


def test_a_file_is_private_and_its_old_key_is_overwritten(tmp_path: Path) -> None:
    """0600 in 0700; the inode of a replaced or deleted key holds zeros."""
    store = FileKeystore(tmp_path / "keys")
    path = tmp_path / "keys" / "hold.key"
    for end in ("replaced", "deleted"):
        with open_umask():
            store.put(HOLD, b"a" * 32)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        os.link(path, tmp_path / end)
        store.put(HOLD, b"b" * 32) if end == "replaced" else store.delete(HOLD)
        assert (tmp_path / end).read_bytes() == bytes(32)
        store.delete(HOLD)


def test_a_key_that_others_could_read_is_refused(tmp_path: Path) -> None:
    """The message names the command that mends it."""
    store = FileKeystore(tmp_path / "keys")
    store.put(HOLD, b"a" * 32)
    (tmp_path / "keys" / "hold.key").chmod(0o644)
    with pytest.raises(NotPrivate, match="chmod 600"):
        store.get(HOLD)
    (tmp_path / "keys").chmod(0o750)
    with pytest.raises(NotPrivate, match="chmod 700"):
        FileKeystore(tmp_path / "keys")


def test_a_damaged_key_is_an_error_and_not_a_key(tmp_path: Path) -> None:
    """A file of another length is reported, never used and never replaced silently."""
    store = FileKeystore(tmp_path / "keys")
    store.put(HOLD, b"a" * 32)
    (tmp_path / "keys" / "hold.key").write_bytes(b"a" * 31)
    with pytest.raises(KeystoreError, match="damaged"):
        store.get(HOLD)


def test_on_a_full_disk_a_key_stays_as_it_was_and_can_be_destroyed(tmp_path: Path) -> None:
    """A replacement that finds no room leaves the old key whole; deleting needs no room."""
    store = FileKeystore(tmp_path / "keys")
    store.put(HOLD, b"a" * 32)
    with full_disk(), pytest.raises(KeystoreError, match="room"):
        store.put(HOLD, b"b" * 32)
    assert store.get(HOLD) == b"a" * 32
    with full_disk():
        store.delete(HOLD)
    assert store.get(HOLD) is None


def test_a_keyring_is_chosen_where_one_works_and_the_choice_stays(tmp_path: Path, ring: Path) -> None:
    """The keyring first; and still the keyring when it later refuses, rather than a search in the wrong place."""
    chosen = choose(tmp_path / "keys")
    assert chosen.where == "keyring"
    chosen.put(HOLD, b"a" * 32)
    assert not list((tmp_path / "keys").glob("*.key"))
    ring.write_text("def get_keyring(): raise RuntimeError('locked')")
    again = choose(tmp_path / "keys")
    assert again.where == "keyring"
    with pytest.raises(KeystoreError, match="unlock"):
        again.get(HOLD)


def test_without_a_working_keyring_files_are_chosen(tmp_path: Path, ring: Path) -> None:
    """A keyring that keeps nothing safely (priority below 1) is not used, and `where` says file."""
    ring.write_text(FAKE_RING.format(store=str(tmp_path / "ring.json"), priority=0))
    assert choose(tmp_path / "keys").where == "file"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems have their keyring without a bus")
def test_without_a_session_bus_no_child_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine without a desktop the choice is immediate."""
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    monkeypatch.setattr(keystore, "_CHILD", "raise SystemExit('must not be started')")
    assert choose(tmp_path / "keys").where == "file"


def test_two_state_folders_do_not_share_a_key_in_the_keyring(tmp_path: Path, ring: Path) -> None:
    """A trial beside the real thing has keys of its own."""
    KeyringKeystore(tmp_path / "one").put(HOLD, b"a" * 32)
    assert KeyringKeystore(tmp_path / "two").get(HOLD) is None


def test_a_keyring_that_does_not_answer_is_given_up(tmp_path: Path, ring: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ring that waits for ever ends at the time limit with one clear line."""
    ring.write_text("import time; time.sleep(60)")
    monkeypatch.setattr(keystore, "KEYRING_TIMEOUT_S", 0.3)
    with pytest.raises(KeystoreError, match="does not answer"):
        KeyringKeystore(tmp_path / "keys").get(HOLD)
