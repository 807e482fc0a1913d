"""A machine's own limits: what the settings may say, what counts, and how status and doctor tell of it."""

from pathlib import Path

import msgspec
import pytest

from agent import report
from agent.budget import Cause, Level
from agent.doctor import Check, Ground, _budget
from agent.places import Places
from agent.settings import Settings, SettingsWrong, read
from agent.show import status_lines
from agent.subject import Subject
from consent.vocabulary import State
from tests.agent.people import BOOT, POLICY, at, clicks, keep, recording, say_yes, subject_in
from tests.agent.test_over_budget import answered, run, somebody, status
from transport.allowance import DAY_BYTES, LEAST_BYTES, Limits
from transport.span import Everything


@pytest.mark.parametrize("broken", [None, b"", b"{}x", b'{"day":"soon"}'])
def test_a_lost_count_is_made_again_from_the_ledger(tmp_path: Path, broken: bytes | None) -> None:
    """The file is gone or damaged: what the receiver has acknowledged counts for its day and its month."""
    subject = subject_in(tmp_path)
    say_yes(subject, at(0))
    keep(subject, clicks(1), at(1))
    subject.seal(recording(), POLICY, at(2), span=Everything())
    (note,) = subject.outbox.waiting()
    subject.spend(note.envelope_bytes, at(3))
    subject.was_sent(note.id, at(3))
    subject.close()
    path = subject.places.spent
    if broken is None:
        path.unlink()
    else:
        path.write_bytes(broken)
    again = subject_in(tmp_path, at(4))
    used = again.used(at(4))
    assert used.day_bytes == used.month_bytes == note.envelope_bytes
    again.close()


@pytest.mark.parametrize("text", ["bytes_a_day = 20000001", "bytes_a_month = 400000001", "bytes_a_day = true"])
def test_the_settings_only_lower(tmp_path: Path, text: str) -> None:
    """More than without them is refused, in words."""
    path = tmp_path / "agent.toml"
    path.write_text(text)
    with pytest.raises(SettingsWrong, match="bytes_a_"):
        read(path)
    path.write_text("bytes_a_day = 10000\nbytes_a_month = 20000")
    assert read(path).limits == Limits(10_000, 20_000)


@pytest.mark.parametrize("text", ["bytes_a_day = 0", "bytes_a_day = 6000", "bytes_a_month = 9999", "bytes_a_month = -1"])
def test_a_limit_that_no_envelope_fits_into_is_refused(tmp_path: Path, text: str) -> None:
    """No promise of a tomorrow on which nothing leaves either; what is allowed is as much as an ordinary envelope takes."""
    path = tmp_path / "agent.toml"
    path.write_text(text)
    with pytest.raises(SettingsWrong, match="less than one envelope takes"):
        read(path)
    subject = subject_in(tmp_path)
    say_yes(subject, at(0))
    keep(subject, clicks(1), at(1))
    subject.seal(recording(), POLICY, at(2), span=Everything())
    assert max(note.envelope_bytes for note in subject.outbox.waiting()) <= LEAST_BYTES
    subject.close()


def test_status_shows_a_machines_own_limits(tmp_path: Path) -> None:
    """The month is a line where it says more than the day; the least limit is shown as it is."""
    places = Places(tmp_path / "state", tmp_path / "run")
    places.prepare()
    subject = Subject(places, BOOT, at(0), Settings(bytes_a_day=LEAST_BYTES, bytes_a_month=900_000))
    subject.spend(3000, at(0))
    lines = [line.plain for line in status_lines(report.report(subject, at(24 * 60), None), 200)]
    assert "sent        0 batches, 0 B; today 0 B of at most 10.0 kB" in lines
    assert "            this month 3000 B of at most 900.0 kB" in lines
    subject.close()


def test_without_a_daemon_and_a_yes_nothing_is_said_to_be_less(tmp_path: Path) -> None:
    """A spent day, nobody agreed, or no daemon: nothing is recorded, which `less is recorded` would deny."""
    places = Places(tmp_path / "state", tmp_path / "run")
    places.prepare()
    subject = Subject(places, BOOT, at(0))
    for agreed in (False, True):
        if agreed:
            say_yes(subject, at(1))
        subject.spend(DAY_BYTES, at(1))
        told = report.report(subject, at(2), None)
        assert (told.budget.level, told.budget.words) == (Level.HOLD_ONLY, "")
        assert not any("ess is recorded" in line.plain for line in status_lines(told, 200))
    subject.close()


def test_doctor_says_what_the_budget_leaves(tmp_path: Path) -> None:
    """As agreed, or less and why; with what Volens itself takes."""

    async def work() -> None:
        daemon = somebody(tmp_path)
        daemon.budget.cpu_percent = 0.42
        daemon.reconsider()
        found: list[Check] = []
        for sparing in (frozenset[Cause](), frozenset({Cause.BATTERY_GOING})):
            daemon.budget.sparing = sparing
            daemon.reconsider()
            await answered()
            found += _budget(Ground(daemon.subject.places, None, status(daemon), {}))
        told = msgspec.structs.replace(status(daemon), standing=State.UNASKED)
        found += _budget(Ground(daemon.subject.places, None, told, {}))
        used = "today 0 B of at most 20.0 MB, this month 0 B of at most 400.0 MB, 0.4 % of one core in the last minutes"
        assert [(check.level.value, check.words) for check in found] == [
            ("ok", used),
            ("warn", f"less is recorded, because the battery is below 40 %; {used}"),
            ("warn", f"the battery is below 40 %; {used}"),  # nothing is recorded, so nothing less
        ]

    run(work)
