"""The receiver's access log as everybody can read it: in order, verified, and held to what was seen of it before."""

import json
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agent.senders import Sender, click, elsewhere
from tests.commands import LONGEST_S, Place, argv
from tests.receiver import stand
from tests.receiver.stand import Service


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with stand.serving(stand.make(tmp_path / "receiver")) as running:
        yield running


def opens(service: Service, reason: str, *batches: str) -> None:
    """Custodians state an access, as volens-custody does before it opens anything."""
    stated = {"purpose": stand.PURPOSE, "reason": reason, "batches": sorted(batches)}
    assert service.client.post("/v1/access", json=stated).status_code == 201


def look(place: Place, service: Service, *words: str) -> "subprocess.CompletedProcess[str]":
    command = argv(["volens", "access", *words, "--receiver", service.url])
    return subprocess.run(command, cwd=place.folder, env=place.env(), capture_output=True, text=True, timeout=LONGEST_S, check=False)


def change(service: Service, sql: str) -> None:
    with sqlite3.connect(service.directory / "volens.db") as database:
        database.execute(sql)


def test_everybody_can_read_who_opened_what_and_what_for(service: Service, tmp_path: Path) -> None:
    """From a machine without any state: nothing yet; then each opening with its reason, in words and as JSON, the oldest first."""
    place = elsewhere(tmp_path, "other")
    assert look(place, service).stdout == "Nobody has opened anything.\n"
    one, other = (Sender().send(service, [click(hours)]) for hours in (5, 3))
    opens(service, "first set", one)
    opens(service, "second set", one, other)
    words = look(place, service)
    assert (words.returncode, words.stderr) == (0, "")
    assert [line.split(":")[-1].strip() for line in words.stdout.splitlines()] == ["1 batch", "first set", "2 batches", "second set"]
    rows = [json.loads(line) for line in look(place, service, "--json").stdout.splitlines()]
    assert [(row["id"], row["reason"], len(row["batches"]), row["mine"]) for row in rows] == [
        (1, "first set", 1, 0),
        (2, "second set", 2, 0),
    ]
    assert not place.state.exists()


@pytest.mark.parametrize("sql", ["update access set reason = 'another' where id = 1", "delete from access where id = 1"])
def test_a_log_that_was_changed_is_named(service: Service, tmp_path: Path, sql: str) -> None:
    """A reason that was written anew, a record that is gone: one line on stderr, exit 1, nothing shown as if it held."""
    batch = Sender().send(service, [click(5)])
    opens(service, "first set", batch)
    opens(service, "second set", batch)
    change(service, sql)
    said = look(elsewhere(tmp_path, "other"), service)
    assert (said.returncode, said.stdout) == (1, "")
    assert "the log was changed; ask why" in said.stderr


def test_a_log_that_was_cut_short_is_noticed_by_whoever_has_seen_more_of_it(service: Service, tmp_path: Path) -> None:
    """The last record taken away: the rest still follows from itself, but not for a machine that has read further."""
    place = elsewhere(tmp_path, "mine")
    batch = Sender().send(service, [click(5)])
    opens(service, "first set", batch)
    opens(service, "second set", batch)
    (place.state / "volens").mkdir(parents=True, mode=0o700)
    assert look(place, service).returncode == 0
    change(service, "delete from access where id = 2")
    said = look(place, service)
    assert (said.returncode, said.stdout) == (1, "")
    assert "record 2 of the access log is not the one that this machine has seen" in said.stderr
    assert look(elsewhere(tmp_path, "other"), service).returncode == 0
