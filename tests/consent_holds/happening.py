"""What time, the disk and the network do."""

import contextlib

from hypothesis import strategies as st
from hypothesis.stateful import rule

from consent.vocabulary import Automatic
from tests.consent_holds.children import Courier
from tests.consent_holds.life import (
    COMMANDS,
    DAY_MS,
    LONG_LEASE_S,
    MINUTE_MS,
    Life,
)
from tests.consent_holds.watches import hold_to
from tests.transport.faults import Crash
from transport import jobs


class Happening(Life):
    """Clocks that jump, a machine that sleeps, a disk that is full or loses its power, a network that answers or does not."""

    @rule(milliseconds=st.sampled_from([100, 600, 1100, 20_000, 3 * MINUTE_MS]))
    def passes(self, milliseconds: int) -> None:
        self.world.time.pass_ms(milliseconds)
        if not self.truth.locked:
            self.truth.looked_ms += milliseconds
        if self.truth.pause_left_ms is not None:
            self.truth.pause_left_ms = max(0, self.truth.pause_left_ms - milliseconds)
        with contextlib.suppress(Crash):
            self.world.answers.presence.look()
        self.live()

    @rule(locked=st.booleans())
    def a_day_passes(self, locked: bool) -> None:
        self.locks(locked)
        for _ in range(6):
            self.passes(3 * MINUTE_MS)
        self.passes(DAY_MS)
        self.checkpoint()

    @rule(locked=st.booleans())
    def locks(self, locked: bool) -> None:
        self.truth.locked = locked
        with contextlib.suppress(Crash):
            self.world.answers.presence.tell("logind", {Automatic.LOCKED: locked})
        self.live()

    @rule(seconds=st.sampled_from([1, 5, 3600, 2 * 86400]))
    def suspend(self, seconds: int) -> None:
        self.world.time.boot_ms += seconds * 1000
        self.world.time.wall_ms += seconds * 1000
        if seconds * 1000 > 2000:
            self.watches.slept_at = self.truth.tick()
        self.live()

    @rule(days=st.sampled_from([-40, 1, 40]))
    def wall_jumps_there_and_back(self, days: int) -> None:
        self.wall_jumps(days * 86400, True)
        self.wall_jumps(-days * 86400, True)

    @rule(seconds=st.sampled_from([-40 * 86400, -3600, 3600, 40 * 86400]), noticed=st.booleans())
    def wall_jumps(self, seconds: int, noticed: bool) -> None:
        """INV-5: no wall clock opens the gate."""
        was_open = self.world.daemon.standing.open
        self.world.time.wall_ms += seconds * 1000
        if noticed:
            deaths = self.world.deaths
            self.checkpoint()
            is_open = self.world.daemon.standing.open
            hold_to("INV-5", was_open or not is_open or self.world.deaths > deaths, "a wall clock has opened the gate")

    @rule()
    def checkpoint(self) -> None:
        """What the daemon does once a minute."""
        subject, daemon = self.world.subject, self.world.daemon
        with contextlib.suppress(Crash):
            subject.catch_up()
            subject.drop_aged(self.world.time.read())
            subject.save()
            daemon.reconsider()
        self.live()

    @rule(changes=st.integers(0, 40), power_cut=st.booleans())
    def will_crash(self, changes: int, power_cut: bool) -> None:
        """So many changes of the disk later the process dies, or the whole machine does, wherever it is then."""
        self.world.disk.crash_in, self.power_cut = changes, power_cut

    @rule(command=st.sampled_from(COMMANDS), changes=st.integers(0, 40), power_cut=st.booleans())
    def dies_within(self, command: str, changes: int, power_cut: bool) -> None:
        """The same, within a command."""
        self.will_crash(changes, power_cut)
        match command:
            case "withdraw":
                self.withdraw()
            case "pause":
                self.pause(30)
            case "resume":
                self.resume()
            case "forget":
                self.forget(3600)
            case "consent":
                self.consent(True, True)
            case "narrow":
                self.policy("narrower: a kind", LONG_LEASE_S)
        self.world.disk.crash_in = None

    @rule(power_cut=st.booleans())
    def crash(self, power_cut: bool) -> None:
        self.world.disk.crash_in = None
        self.start_again(power_cut=power_cut)

    @rule(room=st.sampled_from([0, 500, 5000, None]))
    def disk_is_full(self, room: int | None) -> None:
        self.world.disk.room_bytes = room

    def upload_came(self, courier: Courier) -> None:
        if self.network == "down":
            self.world.loop.call_soon(self.answer, courier, jobs.Failed(courier.job.job, jobs.Trouble.NO_CONNECTION))
        elif self.network == "answers":
            self.world.loop.call_soon(self.acknowledge, courier)

    def answer(self, courier: Courier, answer: jobs.Answer) -> None:
        if not self.world.disk.dead:
            courier.answer(answer)

    def acknowledge(self, courier: Courier) -> None:
        if courier.uploads and not self.world.disk.dead:
            self.watches.leaves(courier)
            body = f'{{"id":"{courier.envelope_id}"}}'.encode()
            courier.answer(jobs.Answered(courier.job.job, 201, None, None, body))

    @rule(how=st.sampled_from(["answers", "waits", "down"]))
    def network_is(self, how: str) -> None:
        self.network = how

    @rule(how=st.sampled_from(["bytes leave", "acknowledged", "acknowledgement lost", "erased", "rejected"]))
    def upload(self, how: str) -> None:
        """Something happens to the upload that is under way."""
        courier = self.world.courier
        if courier is None:
            return
        job = courier.job.job
        if how != "acknowledged":
            self.watches.leaves(courier)
        with contextlib.suppress(Crash):
            match how:
                case "acknowledged":
                    self.acknowledge(courier)
                case "acknowledgement lost":
                    courier.answer(jobs.Failed(job, jobs.Trouble.BROKEN_OFF, True))
                case "erased":
                    courier.answer(jobs.Answered(job, 409, None, None, b""))
                case "rejected":
                    courier.answer(jobs.Answered(job, 422, None, None, b""))
        self.live()
