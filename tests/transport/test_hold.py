"""The hold: what was kept is there, what was forgotten is not, whatever happens in between."""

import errno
import os
import random
import signal
import stat
from pathlib import Path

import pytest

from consent.event import Clocks, Event
from consent.vocabulary import Kind
from tests.open_umask import open_umask
from tests.transport.faults import Crash, dies_at, full_disk
from tests.transport.holds import BOOT, MINUTE, WALL, at, held, keep, opened
from tests.transport.makers import CARE, STUDY, a_day_at_work, admit, click, drag
from transport import disk
from transport.batch import MAX_EVENTS, Source, pack
from transport.disk import NotPrivate
from transport.envelope import MAX_PAYLOAD_BYTES
from transport.span import Everything, Last
from transport.term import Term


def test_what_is_kept_is_on_disk_when_keep_returns(tmp_path: Path) -> None:
    """A second hold over the same folder, without closing the first, reads every event."""
    events = a_day_at_work(500, seed=5)
    hold = opened(tmp_path)
    for begin in range(0, 500, 50):
        hold.keep(admit(events[begin : begin + 50]), events[begin].at)
    again = opened(tmp_path)
    assert [event for part in again.read() for event in part.events] == events
    assert again.stats() == hold.stats()
    assert again.stats().n == sum(event.n for event in events)


def test_a_segment_is_of_one_minute_generation_and_purpose(tmp_path: Path) -> None:
    """Another minute, permission or purpose is another file; each goes into one batch, whole."""
    hold = opened(tmp_path)
    keep(hold, 1, 2, MINUTE + 1)
    hold.keep(admit([click(MINUTE + 2, generation=8)]), at(MINUTE + 2))
    hold.keep(admit([click(MINUTE + 3)], {Kind.POINTER_BUTTON: CARE}), at(MINUTE + 3))
    assert hold.stats().segments == 4
    assert {part.purpose for part in hold.read()} == {STUDY, CARE}


def test_files_are_private_and_show_nothing(tmp_path: Path) -> None:
    """0600 files in 0700 folders, without a surface, a purpose or the hold key in them."""
    with open_umask():
        hold = opened(tmp_path)
        keep(hold, 1, surface="mail")
    paths = [*(tmp_path / "hold").iterdir(), *(tmp_path / "keys").iterdir()]
    assert len(paths) == 2
    for path in paths:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    raw = next((tmp_path / "hold").iterdir()).read_bytes()
    assert not any(word in raw for word in (b"mail", b"study", (tmp_path / "keys" / "hold.key").read_bytes()))


@pytest.mark.parametrize("which", ["hold", "keys", "segment"])
def test_what_others_could_reach_is_refused_with_the_command_that_mends_it(tmp_path: Path, which: str) -> None:
    """A folder or file open to others does not open; the message names chmod."""
    hold = opened(tmp_path)
    keep(hold, 1)
    path = next((tmp_path / "hold").iterdir()) if which == "segment" else tmp_path / which
    path.chmod(0o755)
    with pytest.raises(NotPrivate, match="chmod"):
        opened(tmp_path)


def test_a_link_in_the_hold_is_not_followed(tmp_path: Path) -> None:
    """Somebody's link in place of a segment is refused, not read."""
    hold = opened(tmp_path)
    keep(hold, 1)
    path = next((tmp_path / "hold").iterdir())
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NotPrivate):
        opened(tmp_path)


def test_a_full_hold_refuses_the_newest_and_keeps_the_rest(tmp_path: Path) -> None:
    """At its bound in bytes the hold refuses and counts; what it has stays; forgetting makes room again."""
    hold = opened(tmp_path, max_bytes=3000)
    counts = [hold.keep(admit([click(i, n=2)]), at(i)) for i in range(200)]
    kept = sum(count.events for count in counts)
    assert 0 < kept < 200
    assert all(count.full_events == 1 and count.full_n == 2 for count in counts[kept:])
    assert held(hold) == list(range(kept))
    assert hold.stats().held_bytes <= 3000
    hold.forget(Everything())
    keep(hold, 500)


def test_a_torn_tail_is_cut_at_opening(tmp_path: Path) -> None:
    """A record that a crash left unfinished goes; everything before it stays; the file can be read again."""
    hold = opened(tmp_path)
    keep(hold, 1, 2)
    path = next((tmp_path / "hold").iterdir())
    with path.open("ab") as file:
        file.write(b"\0\0\0\x40\xff\xff\xff\xbf torn")
    again = opened(tmp_path)
    assert held(again) == [1, 2]
    assert again.recovered.torn == 1
    assert opened(tmp_path).recovered.torn == 0


def test_a_flipped_bit_quarantines_its_segment_only(tmp_path: Path) -> None:
    """A damaged segment is renamed and counted, others are read; the next forget destroys it."""
    hold = opened(tmp_path)
    keep(hold, 1, MINUTE)
    path = sorted((tmp_path / "hold").iterdir())[0]
    raw = bytearray(path.read_bytes())
    raw[-5] ^= 16
    path.write_bytes(raw)
    again = opened(tmp_path)
    assert len(held(again)) == 1
    assert again.recovered.quarantined == again.stats().quarantined == 1
    again.forget(Last(0, at(99 * MINUTE), BOOT))
    assert opened(tmp_path).stats().quarantined == 0


def test_a_crash_while_keeping_loses_nothing_that_was_kept(tmp_path: Path) -> None:
    """Keep dies at each single change: what had returned is there, and of the rest nothing but the event in question."""
    for change in range(20):
        folder = tmp_path / str(change)
        folder.mkdir()
        hold = opened(folder)
        acknowledged: list[int] = []
        try:
            with dies_at(change):
                for instant in (1, 2, MINUTE, MINUTE + 1):
                    keep(hold, instant)
                    acknowledged.append(instant)
        except Crash:
            after = held(opened(folder))
            assert after[: len(acknowledged)] == acknowledged
            assert len(after) <= len(acknowledged) + 1


def test_nothing_kept_is_lost_to_kill_9(tmp_path: Path) -> None:
    """Twenty processes are killed in mid-keep; every instant that they had acknowledged is held."""
    rng = random.Random(6)
    acknowledged: set[int] = set()
    for life in range(20):
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            _keep_until_killed(tmp_path, writer, life * 10_000)
        os.close(writer)
        enough = rng.randrange(1, 60)
        with open(reader, "rb") as answers:
            for _ in range(enough):
                acknowledged.add(int(answers.readline()))
            os.kill(child, signal.SIGKILL)
            acknowledged |= {int(line) for line in answers.read().split(b"\n")[:-1]}
        os.waitpid(child, 0)
    hold = opened(tmp_path)
    assert acknowledged <= set(held(hold))
    assert len(set(held(hold)) - acknowledged) <= 20 * 2
    assert hold.recovered.quarantined == 0


def _keep_until_killed(folder: Path, writer: int, first: int) -> None:
    try:
        hold = opened(folder)
        for instant in range(first, first + 9000):
            hold.keep(admit([click(instant)]), at(instant * 1000))
            os.write(writer, b"%d\n" % instant)
    finally:
        os._exit(1)


def test_on_a_full_disk_new_events_are_refused_and_nothing_is_lost(tmp_path: Path) -> None:
    """A write that fits only in part is taken back and counted; later there is room again."""
    hold = opened(tmp_path)
    keep(hold, 1, 2)
    for room in (0, 10, 60):
        with full_disk(room):
            counts = hold.keep(admit([click(3, n=2), click(4, n=2)]), at(4))
        assert (counts.events, counts.full_events, counts.full_n) == (0, 2, 4)
    keep(hold, 5)
    assert held(hold) == held(opened(tmp_path)) == [1, 2, 5]


def test_segments_that_an_envelope_holds_are_unlinked_before_sealing_again(tmp_path: Path) -> None:
    """A crash between outbox and hold leaves a consumed segment; reopening drops it and counts it, once."""
    hold = opened(tmp_path)
    keep(hold, 1, 2, MINUTE)
    first = next(hold.read()).id
    again = opened(tmp_path, consumed=[first, b"x" * 16])
    assert again.recovered.consumed_n == 4
    assert held(again) == [MINUTE]
    assert opened(tmp_path, consumed=[first]).recovered.consumed_n == 0


def test_nothing_is_due_before_its_hold_is_over(tmp_path: Path) -> None:
    """Segments fall due by elapsed time; a wall clock set ahead sends nothing; the subject's own word makes all due."""
    hold = opened(tmp_path)
    keep(hold, 0, MINUTE)
    year_ahead = Clocks(2 * MINUTE, 2 * MINUTE, WALL + 365 * 86_400_000)
    assert hold.take_due(year_ahead, Term(900)) == []
    assert [due.events for due in hold.take_due(at(900_000 + 1), Term(900))] == [1]
    assert [due.events for due in hold.take_due(at(MINUTE), None)] == [2]


def test_what_is_due_becomes_batches_of_one_purpose_and_bounded_size(tmp_path: Path) -> None:
    """Due segments are grouped by purpose, never beyond MAX_EVENTS, each segment in exactly one group; consuming ends them."""
    hold = opened(tmp_path)
    for minute in range(4):
        events = [click(minute * MINUTE + place) for place in range(MAX_EVENTS // 3)]
        hold.keep(admit(events), at(minute * MINUTE))
        hold.keep(admit(events[:1], {Kind.POINTER_BUTTON: CARE}), at(minute * MINUTE))
    plans = hold.take_due(at(0), None)
    assert sorted((due.purpose, len(due.ids)) for due in plans) == [(CARE, 4), (STUDY, 1), (STUDY, 3)]
    assert all(due.events <= MAX_EVENTS for due in plans)
    assert len({segment_id for due in plans for segment_id in due.ids}) == 8
    loaded = hold.load(plans[0].ids)
    assert sum(len(part.events) for part in loaded) == plans[0].events
    n = sum(hold.consume(due.ids) for due in plans)
    assert n == 4 * (MAX_EVENTS // 3) + 4
    assert held(hold) == held(opened(tmp_path)) == []


def test_what_is_planned_as_one_batch_fits_an_envelope_also_if_it_is_all_paths(tmp_path: Path) -> None:
    """Forty minutes of nothing but the longest drags of a wild hand: several batches, each of which packs; none is held for ever."""
    hold = opened(tmp_path)
    for minute in range(40):
        hold.keep(admit([drag(minute * MINUTE + place) for place in range(60)], {Kind.POINTER_PATH: STUDY}), at(minute * MINUTE))
    plans = hold.take_due(at(0), None)
    assert [sum(due.events for due in plans), len(plans) > 1] == [2_400, True]
    for due in plans:
        admitted = [one for part in hold.load(due.ids) for one in admit(list(part.events), {Kind.POINTER_PATH: STUDY})]
        assert len(pack(admitted, source=Source(1, bytes(32), due.ids))) <= MAX_PAYLOAD_BYTES


def test_an_open_segment_that_is_taken_grows_no_more(tmp_path: Path) -> None:
    """What is kept after the plan was made is in another segment, so sealing loses nothing."""
    hold = opened(tmp_path)
    keep(hold, 1)
    due = hold.take_due(at(1), None)[0]
    keep(hold, 2)
    hold.consume(due.ids)
    assert held(hold) == held(opened(tmp_path)) == [2]


def test_the_hold_takes_and_shows_nothing_in_its_reprs(tmp_path: Path) -> None:
    """Held segments do not print their events."""
    hold = opened(tmp_path)
    events: list[Event] = [click(1, surface="mail")]
    hold.keep(admit(events), at(1))
    assert "PointerButton" not in repr(next(hold.read()))


def test_what_could_not_be_synced_is_not_called_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Written is not kept: when the disk does not confirm, the event is refused, and its segment takes no more."""
    hold = opened(tmp_path)
    keep(hold, 1)
    for instant in (2, MINUTE):
        with monkeypatch.context() as patch:
            patch.setattr(disk, "sync_data", failing_sync)
            assert hold.keep(admit([click(instant, n=2)]), at(instant)).full_n == 2
    keep(hold, MINUTE + 1)
    assert held(hold) == held(opened(tmp_path)) == [1, MINUTE + 1]


def failing_sync(fd: int) -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO))
