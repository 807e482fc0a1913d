"""State that others can reach is refused, with what to do about it."""

import os
from pathlib import Path

import pytest

from agent.errors import AlreadyRunning, StateUnsafe
from agent.lock import Lock, take_over
from agent.places import Places
from agent.settings import Settings, SettingsWrong, read


def places(folder: Path) -> Places:
    made = Places(folder / "state", folder / "run")
    made.prepare()
    return made


def test_folders_are_made_private(tmp_path: Path) -> None:
    """State, runtime, keys and policy are 0700 from the beginning."""
    made = places(tmp_path)
    assert {folder.stat().st_mode & 0o777 for folder in (made.state, made.runtime, made.keys, made.policy)} == {0o700}


@pytest.mark.parametrize("name", ["state", "state/keys", "state/ledger", "state/keys/ledger", "run"])
def test_what_others_may_read_is_refused_with_the_command_that_mends_it(tmp_path: Path, name: str) -> None:
    """A folder or file with a looser mode: one line that names it and chmod."""
    made = places(tmp_path)
    path = tmp_path / name
    if not path.exists():
        path.touch()
    path.chmod(0o755 if path.is_dir() else 0o640)
    with pytest.raises(StateUnsafe, match=r"chmod (700|600)"):
        made.prepare()


def test_what_belongs_to_another_account_is_refused(tmp_path: Path) -> None:
    """A real second owner."""
    if os.geteuid() != 0:
        pytest.skip("giving a file away needs root")
    made = places(tmp_path)
    made.ledger.touch(0o600)
    os.chown(made.ledger, 65534, 65534)
    with pytest.raises(StateUnsafe, match="belongs to somebody else"):
        made.prepare()


def test_a_link_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    """The ledger is a link to somewhere else: refused, not followed."""
    made = places(tmp_path)
    (tmp_path / "elsewhere").touch(0o600)
    made.ledger.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StateUnsafe, match="not a file"):
        made.prepare()


def test_a_second_daemon_is_refused_and_the_lock_ends_with_its_holder(tmp_path: Path) -> None:
    """One lock, one holder; after it is released another may have it."""
    first = Lock(tmp_path / "lock")
    with pytest.raises(AlreadyRunning, match=str(os.getpid())):
        Lock(tmp_path / "lock")
    first.release()
    Lock(tmp_path / "lock").release()


UNUSABLE = ("ftp://example", "http://example", "https://example/", "https://example/volens", "https://me:secret@example")
"""Receivers that nothing may be sent to, or that no policy could name."""


@pytest.mark.parametrize(
    "text",
    [
        "hidden = true",
        "receiver = 5",
        "trial = 1",
        "= 1",
        "trial = true",
        'receiver = "https://example"\ntrial = true',
        *(f'receiver = "{url}"' for url in UNUSABLE),
    ],
)
def test_settings_with_anything_unknown_are_refused(tmp_path: Path, text: str) -> None:
    """No key but the documented ones, no wrong types, no trial beyond loopback, no receiver in the clear."""
    path = tmp_path / "agent.toml"
    path.write_text(text)
    with pytest.raises(SettingsWrong):
        read(path)


def test_without_settings_there_is_no_receiver(tmp_path: Path) -> None:
    """The default is nothing."""
    assert read(tmp_path / "agent.toml") == Settings()


def test_a_pin_is_taken_with_an_encrypted_line_only(tmp_path: Path) -> None:
    """64 hexadecimal digits beside an https:// receiver; anything else is said, not ignored."""
    path, pin = tmp_path / "agent.toml", "ab" * 32
    path.write_text(f'receiver = "https://volens.example"\nreceiver_pin = "{pin}"')
    assert read(path) == Settings("https://volens.example", pin)
    for text in (f'receiver_pin = "{pin}"', f'receiver = "http://127.0.0.1:9"\nreceiver_pin = "{pin}"'):
        path.write_text(text)
        with pytest.raises(SettingsWrong):
            read(path)
    for wrong in (pin.upper(), pin[1:], "", f"sha256:{pin}"):
        path.write_text(f'receiver = "https://volens.example"\nreceiver_pin = "{wrong}"')
        with pytest.raises(SettingsWrong):
            read(path)


@pytest.mark.parametrize("url", ["https://volens.example", "https://volens.example:8443", "http://127.0.0.1:9"])
def test_a_receiver_is_an_encrypted_line_or_this_machine(tmp_path: Path, url: str) -> None:
    """The addresses that a policy can name are the addresses that are accepted."""
    (tmp_path / "agent.toml").write_text(f'receiver = "{url}"')
    assert read(tmp_path / "agent.toml") == Settings(url)


@pytest.mark.parametrize("written", ["0", "-1", "1", "nonsense", ""])
def test_a_lock_that_names_no_process_ends_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    """kill(0) and kill(-1) would end the caller, or everything of the account: a damaged lock file must not."""
    holder = Lock(tmp_path / "lock")
    (tmp_path / "lock").write_text(written)
    ended: list[int] = []
    monkeypatch.setattr("agent.lock.os.kill", lambda pid, _: ended.append(pid))
    monkeypatch.setattr("agent.lock._TRIES", 1)
    with pytest.raises(AlreadyRunning):
        take_over(tmp_path / "lock")
    assert ended == []
    holder.release()
