"""A person's own data on their own machine: exported whatever state is in; and a machine that joins, by the real commands."""

import json
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent import clock
from agent.own_machine import consents_of
from agent.places import Places
from agent.subject import Subject
from tests.agent.people import BOOT, clicks, keep, recording, say_yes, subject_in
from tests.agent.people import at as when
from tests.agent.senders import POLICY, rows
from tests.commands import LONGEST_S, Done, Place, argv, run, start
from tests.receiver import stand
from transport.recovery import RecoveryCode, parse
from transport.span import Everything

TODAY = datetime.now(UTC).date()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Somebody who said yes, with three clicks held, without a daemon."""
    made = Place(tmp_path)
    made.state.mkdir(mode=0o700, parents=True)
    places = Places(made.state, tmp_path / "run" / "volens")
    places.prepare()
    subject = Subject(places, BOOT, when(0))
    say_yes(subject, when(0))
    keep(subject, clicks(1, 5, 9), when(9))
    subject.close()
    return made


def test_a_pin_that_is_none_is_named_before_anybody_is_asked(place: Place) -> None:
    """Also where the receiver comes from agent.toml."""
    settings = place.state / "agent.toml"
    settings.write_text('receiver = "https://127.0.0.1:9"\n')
    settings.chmod(0o600)
    done = run(place, ["volens", "access", "--receiver-pin", "x"])
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("volens: --receiver-pin: receiver_pin is not 64 hexadecimal digits")
    assert done.err.count("\n") == 1


def test_what_is_held_is_exported_with_ledger_and_receipt(place: Place) -> None:
    """Events as `show --json` prints them, the ledger's very lines, the receipt in force; without a daemon."""
    shown = run(place, ["volens", "show", "--json"]).out
    done = run(place, ["volens", "export", "--to", "mine"])
    assert (done.code, done.out, done.err) == (0, "Exported to mine: 3 held events, 2 lines of the ledger.\n", "")
    folder = place.folder / "mine"
    assert (folder / "events.jsonl").read_text() == shown
    assert (folder / "ledger.jsonl").read_bytes() == (place.state / "ledger").read_bytes()
    assert json.loads((folder / "receipt.json").read_bytes()) == json.loads(run(place, ["volens", "consent", "receipt"]).out)


def test_with_a_daemon_the_export_is_the_same(place: Place) -> None:
    """Its hold is open in another process; nobody is ended for it."""
    daemon = start(place)
    try:
        assert run(place, ["volens", "export", "--to", "mine"]).out.startswith("Exported to mine: 3 held events,")
        assert daemon.poll() is None
    finally:
        daemon.terminate()
        daemon.wait(LONGEST_S)


def test_a_broken_ledger_hides_nothing_that_is_held(place: Place) -> None:
    """The chain is broken: the events are there all the same, and the ledger as it is."""
    ledger = place.state / "ledger"
    ledger.write_bytes(ledger.read_bytes().replace(b'"what":"consent', b'"what":"not_consent', 1))
    assert run(place, ["volens", "show"]).code == 0
    done = run(place, ["volens", "export", "--to", "mine"])
    assert (done.code, done.err) == (0, "")
    assert len(rows(place.folder / "mine" / "events.jsonl")) == 3
    assert (place.folder / "mine" / "ledger.jsonl").read_bytes() == ledger.read_bytes()
    assert not (place.folder / "mine" / "receipt.json").exists()


def test_state_that_others_can_reach_is_exported_all_the_same(place: Place) -> None:
    """It is taken back from them first, as for a no."""
    place.state.chmod(0o755)
    (place.state / "hold").chmod(0o755)
    done = run(place, ["volens", "export", "--to", "mine"])
    assert (done.code, len(rows(place.folder / "mine" / "events.jsonl"))) == (0, 3)


def test_without_the_key_the_rest_is_exported_and_what_is_missing_is_said(place: Place) -> None:
    """The hold key is gone: events cannot be read, the ledger and the receipt can."""
    (place.state / "keys" / "keystore").write_text("keyring")
    done = run(place, ["volens", "export", "--to", "mine"])
    assert (done.code, done.out) == (1, "Exported to mine: 0 held events, 2 lines of the ledger.\n")
    assert done.err.startswith("volens: the held events cannot be read (")
    assert len(done.err.splitlines()) == 1
    assert (place.folder / "mine" / "receipt.json").exists()


def test_where_there_is_nothing_nothing_is_exported_and_nothing_is_made(tmp_path: Path) -> None:
    """A fresh account: no refusal, and no state comes of it."""
    place = Place(tmp_path)
    done = run(place, ["volens", "export", "--to", "mine"])
    assert (done.code, done.out) == (0, "Exported to mine: 0 held events, 0 lines of the ledger.\n")
    assert not place.state.exists()


def test_on_its_own_machine_a_code_knows_its_consents_from_the_ledger(tmp_path: Path) -> None:
    """Two consents: two numbers to look for. Another code, or a machine without state: not known."""
    subject = subject_in(tmp_path)
    code = say_yes(subject, when(0))
    assert code is not None
    assert consents_of(subject.places, parse(code)) == 1
    subject.withdraw(when(1))
    subject.purge(when(1))
    say_yes(subject, when(2))
    assert consents_of(subject.places, parse(code)) == 2
    assert consents_of(subject.places, RecoveryCode(os.urandom(32))) is None
    assert consents_of(Places(tmp_path / "none", tmp_path / "none"), parse(code)) is None
    assert not (tmp_path / "none").exists()


def test_a_person_sees_and_erases_on_their_own_machine_without_naming_anything(tmp_path: Path) -> None:
    """What the agent itself sealed: the receiver is agent.toml's, the consents are the ledger's, the receipts go to the state."""
    (tmp_path / "receiver").mkdir()
    with stand.serving(stand.make(tmp_path / "receiver")) as service:
        place = Place(tmp_path)
        places = Places(place.state, tmp_path / "run" / "volens")
        place.state.mkdir(mode=0o700, parents=True)
        places.prepare()
        places.settings.touch(0o600)
        places.settings.write_text(f'receiver = "{service.url}"\n')
        subject = Subject(places, BOOT, when(0))
        code = say_yes(subject, when(0))
        keep(subject, clicks(1, 2), when(3))
        subject.seal(recording(), POLICY, clock.read(), span=Everything())
        (note,) = subject.outbox.waiting()
        assert service.client.put(f"/v1/batches/{note.id}", content=subject.outbox.read(note.id)).status_code == 201
        subject.close()
        done = _with_code(place, ["export", "--sent", "--to", "mine"], str(code))
        assert (done.code, done.out, done.err) == (0, "Exported to mine: 1 batch with 2 events.\n", "")
        done = _with_code(place, ["erase", "--all", "--yes"], str(code))
        assert (done.code, done.err) == (0, "")
        assert len(list(places.erasures.glob("*.receipt"))) == 1
        assert run(place, ["volens", "status"]).code == 7
        assert run(place, ["volens", "export", "--to", "held"]).code == 0
        assert len(rows(tmp_path / "held" / "erasure-receipts.jsonl")) == 1


@contextmanager
def _joining(folder: Path) -> Iterator[tuple[stand.Service, Place, str]]:
    """A receiver, a machine whose agent.toml names it, and a token that also lies in the file `token`."""
    (folder / "fleet").mkdir()
    directory, token = stand.make_fleet(folder / "fleet")
    with stand.serving(directory) as service:
        place = Place(folder)
        place.state.mkdir(mode=0o700, parents=True)
        settings = place.state / "agent.toml"
        settings.touch(0o600)
        settings.write_text(f'receiver = "{service.url}"\n')
        (folder / "token").write_text(token + "\n")
        yield service, place, token


def _days(service: stand.Service) -> list[str]:
    """The days that are registered."""
    with closing(sqlite3.connect(service.directory / "volens.db")) as rows_of:
        return [str(day) for (day,) in rows_of.execute("SELECT day FROM registration ORDER BY day")]


def test_after_a_no_a_start_registers_what_every_machine_registers_and_ends(tmp_path: Path) -> None:
    """Otherwise the no would be in the receiver's rows. Nothing else runs."""
    with _joining(tmp_path) as (service, place, _):
        assert run(place, ["volens", "enroll", "--token-file", "token"]).code == 0
        assert run(place, ["volens", "consent", "withdraw"]).code == 0
        assert run(place, ["volens", "run"]).err.startswith("volens: you said no, so nothing runs.")
        assert _days(service) == [str(TODAY), str(TODAY + timedelta(days=1))]


def test_a_machine_joins_by_the_command_and_registers_when_it_runs(tmp_path: Path) -> None:
    """Token from a file or piped in, never kept; the daemon registers today without any consent."""
    with _joining(tmp_path) as (service, place, token):
        done = run(place, ["volens", "enroll", "--token-file", "token"])
        assert (done.code, done.err) == (0, "")
        assert done.out == (
            f"This machine is enrolled with {service.url}. Nothing is collected by that: "
            "see what is asked of you with: volens consent show\n"
        )
        assert run(place, ["volens", "enroll"], said=f"{token}\n").code == 0
        said = b"".join(path.read_bytes() for path in place.state.rglob("*") if path.is_file())
        assert token.encode() not in said
        daemon = start(place)
        try:
            deadline = datetime.now(UTC) + timedelta(seconds=LONGEST_S)
            while not _days(service) and datetime.now(UTC) < deadline:
                subprocess.run(argv(["volens", "status"]), env=place.env(), capture_output=True, check=False)
            assert str(TODAY) in _days(service)
        finally:
            daemon.terminate()
            daemon.wait(LONGEST_S)


def _with_code(place: Place, words: list[str], code: str) -> Done:
    return run(place, ["volens", *words], said=f"{code}\n")
