"""The canary search is only worth something if it finds what was planted, in every form and every kind of file."""

import base64
import os
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.demo import canaries
from agent.demo.canaries import LONGEST, Canary, Net, forms, make
from agent.demo.search import PIECE_BYTES, Found, files_under, leftovers, search_files, search_processes

CANARY = make("allowed", bytes(range(8)))
KEYCODES = {character: 24 + place for place, character in enumerate("abcdefghijklmnopqrstuvwxyz0123456789")}
CODES = [KEYCODES[character] for character in CANARY.text]

LEAKS: dict[str, Callable[[str], bytes]] = {
    "plain": lambda text: text.encode(),
    "with Shift held": lambda text: text.upper().encode(),
    "base64 of a JSON line": lambda text: base64.b64encode(b'{"text": "' + text.encode() + b'"}'),
    "url-safe base64": lambda text: base64.urlsafe_b64encode(b"?>" + text.encode() + b"??>"),
    "hex dump": lambda text: (b"x" + text.encode()).hex().encode(),
    "upper-case hex": lambda text: text.encode().hex().upper().encode(),
    "UTF-16 as Windows writes it": lambda text: text.encode("utf-16"),
    "UTF-16 big endian": lambda text: text.encode("utf-16-be"),
    "typed backwards": lambda text: text[::-1].encode(),
    "bytes of keycodes": lambda _: bytes(CODES),
    "a JSON list of keycodes": lambda _: str(CODES).encode(),
    "keycodes with commas": lambda _: ",".join(map(str, CODES)).encode(),
}


def hits_in(folder: Path, net: Net) -> Found:
    found = Found()
    search_files(net, files_under(folder), lambda path: path.suffix, found)
    return found


@pytest.mark.parametrize("leak", LEAKS)
def test_a_planted_canary_is_found_in_every_form(leak: str, tmp_path: Path) -> None:
    """However a recorder would have stored the string, the file counts as a hit."""
    (tmp_path / "a.log").write_bytes(b"before " + LEAKS[leak](CANARY.text) + b" after")
    assert hits_in(tmp_path, Net([CANARY], KEYCODES)).hits[".log"] >= 1


@pytest.mark.parametrize("left_out", sorted(forms(CANARY.text, KEYCODES)))
def test_no_form_of_the_search_can_be_left_out(left_out: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each form finds something that no other form finds."""
    everything = forms(CANARY.text, KEYCODES)
    planted = everything[left_out]

    def fewer(text: str, keycodes: object = None) -> dict[str, bytes]:
        return {name: form for name, form in everything.items() if name != left_out and form != planted}

    monkeypatch.setattr(canaries, "forms", fewer)
    assert Net([CANARY], KEYCODES).hits(planted) == 0
    monkeypatch.undo()
    assert Net([CANARY], KEYCODES).hits(planted) == 1


@given(before=st.binary(max_size=9), after=st.binary(max_size=9), random=st.binary(min_size=8, max_size=8))
def test_base64_is_found_at_every_alignment(before: bytes, after: bytes, random: bytes) -> None:
    """Whatever bytes stand before and after, base64 of the whole contains one of the three forms."""
    canary = make("allowed", random)
    assert Net([canary]).hits(base64.b64encode(before + canary.text.encode() + after)) == 1
    assert Net([canary]).hits(base64.urlsafe_b64encode(before + canary.text.encode() + after)) == 1


@given(random=st.binary(min_size=8, max_size=8))
def test_no_form_is_longer_than_what_pieces_overlap(random: bytes) -> None:
    """A hit cannot hide on the seam between two pieces of a file."""
    assert (
        max(len(form) for form in forms(make("x", random).text, dict.fromkeys("abcdefghijklmnopqrstuvwxyz0123456789", 255)).values())
        <= LONGEST
    )


def test_a_canary_on_the_seam_of_two_pieces_is_found(tmp_path: Path) -> None:
    """A large file is searched in pieces without a blind spot."""
    (tmp_path / "large").write_bytes(bytes(PIECE_BYTES - 5) + CANARY.text.encode() + bytes(10))
    assert hits_in(tmp_path, Net([CANARY])).hits.total() >= 1


def test_a_canary_in_a_database_and_its_write_ahead_log_is_found(tmp_path: Path) -> None:
    """A row that was written, and one that is only in the -wal, are both seen."""
    database = sqlite3.connect(tmp_path / "rows.db")
    database.execute("pragma journal_mode=wal")
    database.execute("create table rows (words text)")
    database.execute("insert into rows values (?)", (CANARY.text,))
    database.commit()
    assert set(hits_in(tmp_path, Net([CANARY])).hits) == {".db-wal"}
    database.execute("pragma wal_checkpoint(truncate)")
    assert set(hits_in(tmp_path, Net([CANARY])).hits) == {".db"}
    database.close()


def test_a_canary_in_a_file_name_is_found(tmp_path: Path) -> None:
    """A name is written too."""
    (tmp_path / f"{CANARY.text}.tmp").touch()
    assert hits_in(tmp_path, Net([CANARY])).hits[".tmp"] == 1


def test_a_file_without_canaries_has_no_hits(tmp_path: Path) -> None:
    """Random bytes and other canaries do not count."""
    (tmp_path / "a").write_bytes(os.urandom(100_000) + make("other", b"otherrnd").text.encode())
    found = hits_in(tmp_path, Net([CANARY], KEYCODES))
    assert (found.hits.total(), found.files, found.unread) == (0, 1, 0)


def test_a_file_that_cannot_be_read_is_reported(tmp_path: Path) -> None:
    """What cannot be searched is not clean."""
    found = Found()
    search_files(Net([CANARY]), [tmp_path], str, found)  # a folder does not open as a file
    assert (found.files, found.unread) == (0, 1)


def test_leftovers_are_only_new_files_outside_the_stage(tmp_path: Path) -> None:
    """A file from before the demo, and the stage itself, are not left over."""
    stage = tmp_path / "stage"
    stage.mkdir()
    old, new = tmp_path / "old", tmp_path / "new"
    for path in (old, new, stage / "inside"):
        path.write_bytes(b"x")
    os.utime(old, (1000, 1000))
    assert list(leftovers(tmp_path, 2000.0, besides=stage)) == [new]


def test_a_canary_in_arguments_or_environment_of_a_process_is_found() -> None:
    """What stands in argv is readable by everyone on the machine."""
    for argv, env in ((["cat", "-", CANARY.text], {}), (["cat"], {"WORDS": CANARY.text})):
        child = subprocess.Popen(argv, env={**os.environ, **env}, stdin=subprocess.PIPE)
        found = Found()
        search_processes(Net([CANARY]), [psutil.Process(child.pid)], found)
        child.kill()
        child.communicate()
        assert found.hits["processes"] == 1


def test_a_canary_never_shows_itself() -> None:
    """A repr ends up in logs and tracebacks."""
    assert CANARY.text not in repr(CANARY)
    assert CANARY.text not in repr(Net([CANARY]).__dict__.keys())
    assert isinstance(CANARY, Canary)
