"""A deaf hook is always noticed, a hearing one never accused, and an idle machine never woken: by any course of events."""

import struct
from dataclasses import dataclass, field

from hypothesis import example, given
from hypothesis import strategies as st

from collectors.backends.x11_idle import ANY, KEYBOARD, POINTER, counter_of
from collectors.backends.x11_record import ranges
from collectors.backends.x11_sync import named
from collectors.health import ECHO_MS, GRACE_MS, LOOK_MS, REST_MS, Hearing, Step
from consent.vocabulary import Kind

NOTICED_WITHIN_MS = 10_000
START_MS = 1_000_000
LATE_MS = 1_500
"""How late at most, here, the hook tells of something, and the server's alarm comes."""


@dataclass
class Server:
    """An X server, a hook on it, and an observer that wakes when it must, in simulated time.

    Attributes:
        inputs: When somebody did something, milliseconds after the start.
        films: When a program kept the screen awake.
        deaf: From when on the hook tells of nothing; None: never.
        late: By how much the hook is late, for each input in turn.
        alarm_late: By how much the server's alarm is.
    """

    inputs: list[int]
    films: list[int]
    deaf: int | None
    late: list[int]
    alarm_late: int = 0
    wakes: list[int] = field(default_factory=list)
    echoes: int = 0
    _hearing: Hearing = field(default_factory=lambda: Hearing(START_MS))
    _active: int = 0
    _echo: int | None = None
    _alarms: list[int] = field(default_factory=list)
    _touches: set[int] = field(default_factory=set)
    _told: set[int] = field(default_factory=set)

    def run(self) -> int | None:
        """When the hook was found deaf, milliseconds after the start; None if it was not within a minute after everything."""
        self._hearing, self._active, self._echo = Hearing(START_MS), 0, None
        self._touches = {*self.inputs, *self.films}
        self._told = {at + self.late[at % len(self.late)] for at in self.inputs if self.deaf is None or at < self.deaf}
        end = max([*self._touches, *self._told, 0]) + 60_000
        instants = sorted({*self._touches, *self._told, end})
        while instants:
            due = self._hearing.due_ms()
            now = min(at for at in (instants[0], due - START_MS if due else None, self._echo, *self._alarms[:1]) if at is not None)
            if now == instants[0]:
                instants.pop(0)
            self._happen(now)
            if due is not None and START_MS + now >= due:
                self.wakes.append(now)
            if self._turn(now) is Step.DEAF:
                return now
        return None

    def _happen(self, now: int) -> None:
        if now in self._touches:
            if now - self._active >= REST_MS:
                self._alarms.append(now + self.alarm_late)
            self._active = now
        if now in self._told:
            self._hearing.told(START_MS + now)
        if self._alarms and now >= self._alarms[0]:
            self._alarms.pop(0)
            self._hearing.woken(START_MS + now)
        if now == self._echo:
            self._echo = None
            self._hearing.told(START_MS + now)

    def _turn(self, now: int) -> Step | None:
        step = self._hearing.step(START_MS + now)
        if step is Step.LOOK:
            step = self._hearing.looked(START_MS + now, now - self._active)
        if step is Step.ECHO:
            self.echoes += 1
            self._echo = now + self.late[0] if self.deaf is None or now < self.deaf else None
        return step


TIMES = st.lists(st.integers(0, 60_000), max_size=40)
ALARM_LATE = st.integers(0, LATE_MS)
LATE = st.lists(st.integers(0, LATE_MS), min_size=1, max_size=5)


@example(inputs=[5_000, 5_700], films=[], deaf=5_100, late=[0], alarm_late=50)  # missed after a look, before the alarm is armed
@given(inputs=TIMES, films=TIMES, deaf=st.integers(1, 60_000), late=LATE, alarm_late=ALARM_LATE)
def test_a_deaf_hook_is_noticed_within_ten_seconds_of_the_first_input_that_it_missed(
    inputs: list[int], films: list[int], deaf: int, late: list[int], alarm_late: int
) -> None:
    """Whatever somebody and their programs do, and whenever it goes deaf. What it missed in the moment before it told of something
    older is not known of: it counts from the next."""
    server = Server(inputs, films, deaf, late, alarm_late)
    told = max([at + late[at % len(late)] for at in inputs if at < deaf], default=0)
    missed = [at for at in inputs if at >= deaf and at > told]
    found = server.run()
    if missed:
        assert found is not None
        assert found <= min(missed) + LOOK_MS + ECHO_MS + 2 * LATE_MS + GRACE_MS < min(missed) + NOTICED_WITHIN_MS
    if found is not None:
        assert found > deaf


@given(inputs=TIMES, films=TIMES, late=LATE, alarm_late=ALARM_LATE)
def test_a_hook_that_hears_is_never_called_deaf(inputs: list[int], films: list[int], late: list[int], alarm_late: int) -> None:
    """However late it tells, and whatever keeps the screen awake without any input."""
    assert Server(inputs, films, None, late, alarm_late).run() is None


@given(inputs=TIMES, late=LATE)
def test_an_idle_machine_sleeps(inputs: list[int], late: list[int]) -> None:
    """After the last input one look, or two; then nothing is due, however long nobody does anything."""
    server = Server(inputs, [], None, late)
    server.run()
    last = max([*inputs, 0]) + 2 * max(late)
    assert len([at for at in server.wakes if at > last]) <= 2
    assert all(at <= last + 2 * LOOK_MS + GRACE_MS for at in server.wakes)


def test_somebody_who_works_without_a_rest_costs_no_question() -> None:
    """Nothing is asked as long as the hook tells of something every second."""
    server = Server(list(range(0, 60_000, 900)), [], None, [5])
    server.run()
    assert (len([at for at in server.wakes if at < 59_000]), server.echoes) == (0, 0)


def test_what_a_hook_tells_of_chooses_the_counter() -> None:
    """Otherwise somebody who types would make a hook on the pointer look deaf."""
    assert counter_of(ranges(frozenset(Kind))) == ANY
    assert counter_of(ranges(frozenset({Kind.KEY_CHORD}))) == KEYBOARD
    assert counter_of(ranges(frozenset({Kind.POINTER_SCROLL}))) == POINTER


def test_counters_are_found_by_their_names() -> None:
    """As the X server lists them: padded to four bytes."""
    entries = [(61, b"SERVERTIME"), (62, b"IDLETIME"), (1297, b"DEVICEIDLETIME 2")]
    data = b"".join(struct.pack("=I8xH", number, len(name)) + name + bytes(-(14 + len(name)) % 4) for number, name in entries)
    assert named(3, data) == {name.decode(): number for number, name in entries}
