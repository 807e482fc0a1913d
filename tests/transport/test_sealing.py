"""From the hold through the outbox: sealed once, asked again, forgotten whole, and nothing taken but envelopes."""

import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from consent.event import Clocks
from consent.scope import NOTHING
from consent.vocabulary import Blocker, Kind, Purpose, State, SurfaceId, Why
from tests.transport.faults import Crash, dies_at, full_disk
from tests.transport.makers import CARE, STUDY, admit, click, standing
from transport import outbox as outboxes
from transport.batch import unpack
from transport.disk import NotPrivate
from transport.envelope import open_purpose, open_subject, parse
from transport.errors import TransportError
from transport.hold import Hold
from transport.keystore import FileKeystore
from transport.notes import Note
from transport.outbox import Outbox, OutboxFull
from transport.seal import Terms
from transport.sealing import SealedCounts, seal_due
from transport.span import Everything, Last, OfSurface, Span
from transport.term import Term
from transport.xwing import ReadingKey

BOOT = "this-start"
MINUTE = 60_000
STUDY_KEY, CARE_KEY, SUBJECT_KEY = (ReadingKey.from_seed(bytes([seed]) * 32) for seed in (1, 2, 3))
TERMS = Terms(
    standing=standing(),
    policy_version=4,
    receipt_commitment=b"c" * 32,
    purpose_keys={STUDY: STUDY_KEY.public, CARE: CARE_KEY.public},
    reading_key=SUBJECT_KEY.public,
    identity_secret=b"i" * 32,
    consent=1,
    day=date(2026, 11, 21),
)


def at(boot_ms: int) -> Clocks:
    return Clocks(boot_ms, boot_ms, 1_700_000_000_000 + boot_ms)


class Desk:
    """A hold and an outbox over one folder."""

    def __init__(self, folder: Path, **bounds: Any) -> None:
        keys = FileKeystore(folder / "keys")
        self.outbox = Outbox(folder / "outbox", keys, **bounds)
        self.hold = Hold(folder / "hold", keys, boot=BOOT, consumed=self.outbox.segments())

    def keep(self, *instants: int, surface: str = "editor", purpose: Purpose = STUDY) -> None:
        for instant in instants:
            self.hold.keep(admit([click(instant, surface=surface, n=2)], {Kind.POINTER_BUTTON: purpose}), at(instant))

    def seal(self, terms: Terms = TERMS, hold_s: int = 0, now_ms: int = 99 * MINUTE, span: Span | None = None) -> SealedCounts:
        return seal_due(self.hold, self.outbox, terms, now=at(now_ms), term=Term(hold_s) if hold_s else None, span=span)

    def held(self) -> list[int]:
        return sorted(event.at.boot_ms for part in self.hold.read() for event in part.events)

    def boxed(self) -> list[int]:
        """The instants in all envelopes, opened by their subject."""
        opened = [unpack(open_subject(parse(self.outbox.read(note.id)), SUBJECT_KEY)) for note in self.outbox.waiting()]
        return sorted(event.at.boot_ms for batch in opened for event in batch.events)


def test_what_is_due_is_sealed_to_its_purpose_and_leaves_the_hold(tmp_path: Path) -> None:
    """One envelope a purpose; the custodians of another purpose cannot open it; the batch says under what it was cut."""
    desk = Desk(tmp_path)
    desk.keep(1, MINUTE)
    desk.keep(2, purpose=CARE)
    terms = replace(TERMS, standing=standing({Kind.POINTER_BUTTON: STUDY}))
    counts = desk.seal(terms)
    assert (counts.envelopes, counts.n, counts.refused) == (1, 4, {Why.NOT_IN_SCOPE: 2})
    (note,) = desk.outbox.waiting()
    batch = unpack(open_purpose(parse(desk.outbox.read(note.id)), STUDY_KEY))
    assert (batch.facts.source.policy_version, batch.facts.source.receipt_commitment) == (4, b"c" * 32)
    assert batch.facts.source.segments == note.segments
    assert (note.n, note.events, len(note.segments)) == (4, 2, 2)
    with pytest.raises(TransportError):
        open_purpose(parse(desk.outbox.read(note.id)), CARE_KEY)
    assert desk.held() == []


@pytest.mark.parametrize(
    "now",
    [
        standing(state=State.PAUSED),
        standing(state=State.WITHDRAWN),
        standing(state=State.EXEMPT),
        standing(blockers=(Blocker.POLICY_EXPIRED,)),
    ],
    ids=["paused", "withdrawn", "exempt", "blocked"],
)
def test_nothing_is_sealed_while_nothing_is_permitted(tmp_path: Path, now: object) -> None:
    """A pause, an exemption or an expired policy neither seals nor drops what is due: it waits, and says so."""
    desk = Desk(tmp_path)
    desk.keep(1)
    counts = desk.seal(replace(TERMS, standing=now))  # type: ignore[arg-type]
    assert counts.waits
    assert desk.held() == [1]
    assert desk.outbox.waiting() == []


def test_what_is_no_longer_consented_is_refused_at_sealing(tmp_path: Path) -> None:
    """A narrowed scope drops what was held under the wider one, counted by reason."""
    desk = Desk(tmp_path)
    desk.keep(1)
    assert desk.seal(replace(TERMS, standing=standing(scope=NOTHING))).refused == {Why.SURFACE_NOT_ALLOWED: 2}
    assert desk.held() == desk.boxed() == []


def test_nothing_is_sealed_before_its_hold_is_over(tmp_path: Path) -> None:
    """With a hold of fifteen minutes, only what is older goes."""
    desk = Desk(tmp_path)
    desk.keep(1, 10 * MINUTE)
    assert desk.seal(hold_s=900, now_ms=16 * MINUTE).envelopes == 1
    assert (desk.boxed(), desk.held()) == ([1], [10 * MINUTE])


def test_a_purpose_without_a_key_waits(tmp_path: Path) -> None:
    """No key in the policy in force: what is due stays held, and the reason is said."""
    desk = Desk(tmp_path)
    desk.keep(1)
    assert "study" in (desk.seal(replace(TERMS, purpose_keys={})).waits or "")
    assert desk.held() == [1]


def test_a_crash_at_any_change_of_the_disk_seals_each_event_exactly_once(tmp_path: Path) -> None:
    """Sealing dies at each single change in turn; after reopening and sealing again every event is in one envelope, none in two."""
    for change in range(200):
        folder = tmp_path / str(change)
        folder.mkdir()
        desk = Desk(folder)
        desk.keep(1, 2, MINUTE)
        desk.keep(3, purpose=CARE)
        terms = replace(TERMS, standing=standing({Kind.POINTER_BUTTON: STUDY}))
        try:
            with dies_at(change):
                desk.seal(terms)
        except Crash:
            again = Desk(folder)
            again.seal(terms)
            assert again.boxed() == [1, 2, MINUTE], change
            assert again.held() == []
            assert again.outbox.damaged == 0
            continue
        assert change > 8
        return
    pytest.fail("sealing does not end")


def test_on_a_full_disk_or_with_a_full_outbox_what_is_due_stays_held(tmp_path: Path) -> None:
    """Nothing is lost: not sealed, still in the hold, and the reason is said; later it is sealed."""
    desk = Desk(tmp_path, max_envelopes=1)
    desk.keep(1)
    with full_disk(3000):
        assert "room" in (desk.seal().waits or "")
    assert desk.held() == [1]
    assert desk.seal().envelopes == 1
    desk.keep(2)
    assert "full" in (desk.seal().waits or "")
    assert (desk.held(), desk.boxed()) == ([2], [1])


def test_the_outbox_is_bounded_in_bytes(tmp_path: Path) -> None:
    """Beyond its bound it takes nothing and changes nothing."""
    desk = Desk(tmp_path, max_bytes=10_000)
    desk.keep(1)
    desk.seal()
    (note,) = desk.outbox.waiting()
    envelope = parse(desk.outbox.read(note.id))
    with pytest.raises(OutboxFull):
        desk.outbox.put(envelope, note)
    assert desk.outbox.stats().envelopes == 1


def _three(folder: Path) -> tuple[Desk, list[Note]]:
    desk = Desk(folder)
    for instant, surface in ((1, "mail"), (10 * MINUTE, "editor"), (20 * MINUTE, "editor")):
        desk.keep(instant, surface=surface)
        desk.seal(now_ms=instant)
    return desk, desk.outbox.waiting()


def test_envelopes_wait_oldest_first_and_survive_a_restart(tmp_path: Path) -> None:
    """The order is that of sealing, also after reopening."""
    desk, notes = _three(tmp_path)
    assert [note.covers[0].first_boot_ms for note in notes] == [1, 10 * MINUTE, 20 * MINUTE]
    assert Desk(tmp_path).outbox.waiting() == notes
    assert desk.boxed() == [1, 10 * MINUTE, 20 * MINUTE]


def test_a_note_shows_nothing_at_rest(tmp_path: Path) -> None:
    """Neither surface nor day stand readable beside the envelope."""
    _three(tmp_path)
    for path in (tmp_path / "outbox").glob("*.note"):
        raw = path.read_bytes()
        assert not any(word in raw for word in (b"mail", b"editor", b"study", b"2026"))


def test_forgetting_drops_every_envelope_that_it_touches_whole(tmp_path: Path) -> None:
    """By time and by surface, rejected ones too; what was sent is named, so that it can be erased."""
    desk, notes = _three(tmp_path)
    desk.outbox.set_aside(notes[1].id)
    assert [note.id for note in desk.outbox.forget(Last(60, at(10 * MINUTE + 1000), BOOT))] == [notes[2].id, notes[1].id]
    desk.outbox.sent(notes[0].id)
    assert desk.outbox.forget(OfSurface(SurfaceId("mail"))) == []
    assert [note.id for note in desk.outbox.sent_notes(OfSurface(SurfaceId("mail")))] == [notes[0].id]
    assert desk.outbox.sent_notes(OfSurface(SurfaceId("editor"))) == []
    assert Desk(tmp_path).outbox.stats().n == 0


def test_what_was_sent_is_gone_and_its_note_stays(tmp_path: Path) -> None:
    """After an acknowledgement only the note remains; dropping it ends the memory of it."""
    desk, notes = _three(tmp_path)
    desk.outbox.sent(notes[0].id)
    assert not (tmp_path / "outbox" / f"{notes[0].id}.env").exists()
    again = Desk(tmp_path).outbox
    assert again.waiting() == notes[1:]
    assert again.sent_notes() == notes[:1]
    again.drop_sent(notes[0].id)
    assert again.sent_notes() == []


def test_a_crash_at_any_change_leaves_an_envelope_waiting_or_sent(tmp_path: Path) -> None:
    """Sent, destroyed and set aside die at each change: afterwards it is as before or as after, never both, never damaged."""
    for act in ("sent", "destroy", "set_aside"):
        for change in range(6):
            folder = tmp_path / act / str(change)
            folder.mkdir(parents=True)
            desk, notes = _three(folder)
            try:
                with dies_at(change):
                    getattr(desk.outbox, act)(notes[0].id)
            except Crash:
                pass
            again = Desk(folder).outbox
            waits = notes[0] in again.waiting()
            assert again.damaged == 0
            assert notes[1:] == again.waiting()[-2:]
            if act == "sent":
                assert waits != (notes[0] in again.sent_notes())
            if act == "set_aside":
                assert waits != (again.stats().rejected == 1)


def test_a_damaged_envelope_is_not_sent(tmp_path: Path) -> None:
    """Bytes that are not those of the id are never handed out; one whose note does not read is set aside and counted."""
    desk, notes = _three(tmp_path)
    path = tmp_path / "outbox" / f"{notes[0].id}.env"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(TransportError, match="damaged"):
        desk.outbox.read(notes[0].id)
    note = tmp_path / "outbox" / f"{notes[1].id}.note"
    note.write_bytes(note.read_bytes()[:-1])
    again = Desk(tmp_path).outbox
    assert again.damaged == 1
    assert [one.id for one in again.waiting()] == [notes[0].id, notes[2].id]


def test_an_outbox_that_others_could_reach_is_refused(tmp_path: Path) -> None:
    """Like the hold: chmod is named."""
    _, notes = _three(tmp_path)
    (tmp_path / "outbox" / f"{notes[0].id}.env").chmod(0o640)
    with pytest.raises(NotPrivate, match="chmod 600"):
        Desk(tmp_path)


def test_a_purge_empties_the_outbox_on_a_full_disk(tmp_path: Path) -> None:
    """Envelopes and rejected ones go; the notes of what was sent stay for the erasure, until they are asked to go."""
    desk, notes = _three(tmp_path)
    desk.outbox.set_aside(notes[0].id)
    desk.outbox.sent(notes[1].id)
    with full_disk():
        assert desk.outbox.purge().n == 4
    assert not [path for path in (tmp_path / "outbox").iterdir() if path.is_file()]
    assert [note.id for note in Desk(tmp_path).outbox.sent_notes()] == [notes[1].id]
    with full_disk():
        assert outboxes.purge(tmp_path / "outbox", FileKeystore(tmp_path / "keys"), forget_sent=True)
    assert Desk(tmp_path).outbox.sent_notes() == []
    assert not (tmp_path / "keys" / "outbox.key").exists()


def test_everything_forgotten_is_nowhere(tmp_path: Path) -> None:
    """Hold and outbox agree on a span: after both forgot it, neither has it."""
    desk, _ = _three(tmp_path)
    desk.keep(30 * MINUTE)
    desk.hold.forget(Everything())
    desk.outbox.forget(Everything())
    assert desk.held() == desk.boxed() == []


SNIPPET = """
from consent.event import Event
from transport.batch import Source, pack
from transport.hold import Hold
from transport.notes import Note
from transport.outbox import Outbox

def bypass(outbox: Outbox, hold: Hold, event: Event, note: Note, source: Source) -> None:
    {line}
"""


@pytest.mark.parametrize(
    "line", ["outbox.put(b'bytes', note)", "pack([event], source=source)", "hold.keep([event], event.at)"], ids=["put", "pack", "keep"]
)
def test_what_the_gate_did_not_admit_does_not_type_check(tmp_path: Path, line: str) -> None:
    """Bytes into the outbox, or an event into a batch or the hold, are errors of type."""
    path = tmp_path / "snippet.py"
    path.write_text(SNIPPET.format(line=line))
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "mypy", "--config-file", str(root / "pyproject.toml"), str(path)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert "arg-type" in done.stdout or "list-item" in done.stdout, done.stdout
    assert done.returncode == 1
    path.write_text(SNIPPET.format(line="pass"))
    assert subprocess.run(command, cwd=root, capture_output=True, check=False).returncode == 0
