"""The ledger: what was said is on disk, in order, and nobody can quietly change it."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent.event import Clocks
from consent.history import Choice, fold
from consent.ledger import RESERVE_BYTES, TAIL, Ledger, LedgerError, LedgerUnwritable, inspect
from consent.pause import Pause
from consent.standing import Happening
from consent.vocabulary import State
from tests.disks import fill, small_disk

AT = Clocks(5, 6, 7)


def written(path: Path, *happenings: Happening) -> bytes:
    ledger = Ledger(path)
    for happening in happenings:
        ledger.append(happening.value, AT, "boot", {"receipt": "{}", "minutes": 30})
    ledger.close()
    return path.read_bytes()


YES_PAUSE_RESUME = (Happening.CONSENT_GIVEN, Happening.PAUSE_ASKED, Happening.RESUME_ASKED)


def test_what_was_appended_is_read_again_in_order(tmp_path: Path) -> None:
    """Reopening gives the same entries; the folded choice is what the last words were."""
    written(tmp_path / "ledger", *YES_PAUSE_RESUME, Happening.WITHDRAWN)
    ledger = Ledger(tmp_path / "ledger")
    assert [entry.what for entry in ledger.entries] == [*YES_PAUSE_RESUME, Happening.WITHDRAWN]
    choice = fold(ledger.entries)
    assert (choice.state, choice.receipt, choice.purge_owed, choice.consents) == (State.WITHDRAWN, None, True, 1)


_LINES = st.lists(
    st.tuples(
        st.sampled_from(["pause_asked", "sent", "counted", "Büro \\ \n"]),
        st.dictionaries(
            st.text(max_size=5), st.one_of(st.integers(-5, 2**40), st.text(max_size=9), st.none(), st.floats(0, 1)), max_size=3
        ),
    ),
    min_size=2,
    max_size=8,
)


def random_ledger(path: Path, lines: list[tuple[str, dict[str, object]]]) -> list[bytes]:
    ledger = Ledger(path)
    for what, data in lines:
        ledger.append(what, AT, "boot", data)
    ledger.close()
    return path.read_bytes().splitlines(keepends=True)


def broken(lines: list[bytes], data: st.DataObject) -> tuple[bytes, int]:
    """The lines with one thing wrong, and the number of the line that must be named."""
    first = data.draw(st.integers(0, len(lines) - 1))
    match data.draw(st.sampled_from(["flip", "remove", "swap", "double", "cut"])):
        case "flip":
            at = data.draw(st.integers(0, len(lines[first]) - 1))
            line = bytearray(lines[first])
            line[at] ^= 1 << data.draw(st.integers(0, 7))
            return b"".join([*lines[:first], bytes(line), *lines[first + 1 :]]), first + 1
        case "remove":
            return b"".join(lines[:first] + lines[first + 1 :]), first + 1
        case "swap":
            second = data.draw(st.integers(0, len(lines) - 1).filter(lambda other: other != first))
            lines[first], lines[second] = lines[second], lines[first]
            return b"".join(lines), min(first, second) + 1
        case "double":
            return b"".join([*lines[: first + 1], *lines[first:]]), first + 2
        case _:
            kept = data.draw(st.integers(0, len(lines[first]) - 1))
            return b"".join([*lines[:first], lines[first][:kept]]), first + 1


def every_fault_is_named(folder: Path, lines: list[tuple[str, dict[str, object]]], data: st.DataObject) -> None:
    path = folder / "ledger"
    for old in folder.iterdir():
        old.unlink()
    raw, line = broken(random_ledger(path, lines), data)
    tail = path.with_suffix(TAIL).read_bytes()
    path.write_bytes(raw)
    with pytest.raises(LedgerError, match=rf"^line {line} of the ledger"):
        inspect(raw, tail)
    with pytest.raises(LedgerError, match=rf"^line {line} of the ledger"):
        Ledger(path)
    assert path.read_bytes() == raw, "nothing was cut or mended"


@settings(max_examples=50, deadline=None)
@given(lines=_LINES, data=st.data())
def test_a_flipped_removed_moved_doubled_or_cut_line_is_named(
    tmp_path_factory: pytest.TempPathFactory, lines: list[tuple[str, dict[str, object]]], data: st.DataObject
) -> None:
    """Any one bit flipped, any line missing (the last one, too), two swapped, one twice, or the end cut off anywhere: it is refused, and
    the first line that is wrong is named."""
    every_fault_is_named(tmp_path_factory.mktemp("ledger"), lines, data)


@pytest.mark.soak
@settings(max_examples=5000, deadline=None)
@given(lines=_LINES, data=st.data())
def test_every_fault_of_a_line_is_named(
    tmp_path_factory: pytest.TempPathFactory, lines: list[tuple[str, dict[str, object]]], data: st.DataObject
) -> None:
    """The same, for long."""
    every_fault_is_named(tmp_path_factory.mktemp("ledger"), lines, data)


def test_a_no_that_is_cut_off_does_not_bring_the_yes_back(tmp_path: Path) -> None:
    """Without its last line the chain holds, and would tell of a consent: the tail beside it knows that there was more."""
    path = tmp_path / "ledger"
    raw = written(path, Happening.CONSENT_GIVEN, Happening.WITHDRAWN)
    path.write_bytes(raw.splitlines(keepends=True)[0])
    with pytest.raises(LedgerError, match="line 2 of the ledger was removed"):
        Ledger(path)
    path.unlink()
    with pytest.raises(LedgerError, match="line 1 of the ledger was removed"):
        Ledger(path)


def test_a_tail_that_a_crash_took_or_left_behind_is_no_fault(tmp_path: Path) -> None:
    """It is a bound from below and not durable: gone, empty or older, the ledger opens, and says that its end is not known."""
    path = tmp_path / "ledger"
    written(path, *YES_PAUSE_RESUME)
    raw, tail = path.read_bytes(), path.with_suffix(TAIL).read_bytes()
    written(tmp_path / "one", Happening.CONSENT_GIVEN)
    older = (tmp_path / "one").with_suffix(TAIL).read_bytes()
    assert [inspect(raw, each).whole for each in (tail, older, b"", None, b"{")] == [True, True, False, False, False]
    path.with_suffix(TAIL).write_bytes(b"")
    Ledger(path).close()


def count_until_full(ledger: Ledger) -> None:
    for _ in range(100):  # the last page of the file may have room for some
        ledger.append("counted", AT, "boot", {"seen": 1}, reserve=False)


def test_counts_leave_the_reserve_to_a_no(tmp_path: Path) -> None:
    """On a full disk what nobody said is not written, and the reserve is still there for what somebody says."""
    with small_disk(tmp_path, 256) as disk:
        ledger = Ledger(disk / "ledger")
        fill(disk)
        with pytest.raises(LedgerUnwritable):
            count_until_full(ledger)
        assert (disk / "ledger.reserve").exists()
        ledger.append(Happening.WITHDRAWN.value, AT, "boot")
        assert Ledger(disk / "ledger").entries[-1].what == Happening.WITHDRAWN


def test_a_torn_last_line_is_cut_and_the_next_entry_follows(tmp_path: Path) -> None:
    """A crash in mid-write leaves half a line that was never acknowledged: it is cut, and writing goes on."""
    path = tmp_path / "ledger"
    raw = written(path, *YES_PAUSE_RESUME)
    path.write_bytes(raw[:-20])
    with pytest.raises(LedgerError, match="line 3 of the ledger was removed"):
        Ledger(path)  # it was acknowledged: no crash did that
    written(tmp_path / "two", *YES_PAUSE_RESUME[:2])
    path.with_suffix(TAIL).write_bytes((tmp_path / "two").with_suffix(TAIL).read_bytes())  # as it is when the third was being written
    ledger = Ledger(path)
    assert [entry.what for entry in ledger.entries] == list(YES_PAUSE_RESUME[:2])
    ledger.append(Happening.WITHDRAWN.value, AT, "boot")
    assert fold(Ledger(path).entries).state is State.WITHDRAWN


def test_a_no_is_written_on_a_full_disk(tmp_path: Path) -> None:
    """The reserve is given up: on a disk without a free byte a withdrawal is still durable."""
    with small_disk(tmp_path, 256) as disk:
        ledger = Ledger(disk / "ledger")
        ledger.append(Happening.CONSENT_GIVEN.value, AT, "boot", {"receipt": "{}"})
        fill(disk)
        for _ in range(100):
            ledger.append(Happening.WITHDRAWN.value, AT, "boot")
        assert (disk / "ledger.reserve").stat().st_size < RESERVE_BYTES  # what was left of it is taken back with the next line
        ledger.close()
        again = Ledger(disk / "ledger")
        again.close()
        assert fold(again.entries).state is State.WITHDRAWN


def test_an_entry_is_synced_before_it_is_returned(tmp_path: Path) -> None:
    """INV-12: when fsync fails, append raises, and the half-written line is gone."""
    path = tmp_path / "ledger"
    ledger = Ledger(path)
    real, os.fsync = os.fsync, _failing  # a fault, put in by hand
    try:
        with pytest.raises(LedgerError, match="cannot be written"):
            ledger.append(Happening.CONSENT_GIVEN.value, AT, "boot")
    finally:
        os.fsync = real
    assert path.read_bytes() == b""
    assert ledger.entries == []


def _failing(_: int) -> None:
    raise OSError(5, "input/output error")


def test_files_are_private(tmp_path: Path) -> None:
    """Ledger and reserve are 0600."""
    Ledger(tmp_path / "ledger")
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_a_pause_promises_awake_time_only() -> None:
    """A suspend and a jump of the wall clock leave it as long as it was; a restart of the machine makes it whole again."""
    pause = Pause(30, Clocks(1000, 1000, 10**12), "boot")
    assert pause.left_s(Clocks(1000, 10**9, 0), "boot") == 30 * 60
    assert pause.left_s(Clocks(61_000, 61_000, 10**13), "boot") == 29 * 60
    assert pause.left_s(Clocks(10**9, 10**9, 0), "boot") == 0
    assert pause.left_s(Clocks(5, 5, 0), "another boot") == 30 * 60
    assert Pause(None, AT, "boot").left_s(AT, "boot") is None


def test_the_consent_number_rises_with_each_new_yes() -> None:
    """The n of the epoch identity: a widening keeps it, a yes after a no raises it."""
    ledger = [Happening.CONSENT_GIVEN, Happening.CONSENT_GIVEN, Happening.WITHDRAWN, Happening.CONSENT_GIVEN]
    choice = Choice()
    numbers = []
    for happening in ledger:
        choice = fold_one(choice, happening)
        numbers.append(choice.consents)
    assert numbers == [1, 1, 1, 2]


def fold_one(choice: Choice, happening: Happening) -> Choice:
    from consent.history import add
    from consent.ledger import Entry

    return add(choice, Entry(0, happening.value, AT, "boot", {"receipt": "{}"}, ""))


def test_what_is_read_at_a_start_is_durable_before_it_is_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that a killed process wrote and did not flush is acted on and shown from now on: a power cut may not take it back (INV-12)."""
    path, synced = tmp_path / "ledger", list[int]()
    written(path, Happening.CONSENT_GIVEN)
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(os.fstat(fd).st_ino))
    Ledger(path).close()
    assert path.stat().st_ino in synced
