"""The indicator: one loop over the control socket, the session bus and, for the badge, the X display. No thread, no timer when idle.

It shows what the daemon says, passes on what the person asks, and answers each challenge with what can be seen at that
moment. It decides nothing: an indicator that cannot show says so, and then nothing is kept.
"""

import os
import select
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from jeepney import DBusAddress

from agent import clock
from agent.errors import AgentError
from agent.messages import Answer, Appear, Attach, Challenge, Pause, Proven, Replaced, Request, Resume, Withdraw
from agent.tray.bus import Bus
from agent.tray.errors import BusGone, DaemonGone, DisplayGone, NotUnderstood
from agent.tray.host import Host
from agent.tray.icon import Icon
from agent.tray.link import Asked, Link
from agent.tray.look import PAUSE_MINUTES, Act, Shown
from agent.tray.proofs import Open, Proofs
from consent.event import Clocks
from consent.vocabulary import State

if TYPE_CHECKING:
    from agent.tray.badge import Badge
    from agent.tray.card import Card

EXIT_LEFT = 0
EXIT_FAULT = 1
EXIT_NOWHERE = 6

PROVE_WITHIN_MS = 700
"""The daemon waits a second; an honest "not seen" must still arrive in time."""
ANSWER_WITHIN_MS = 3_000
"""A daemon decides durably within 2 s; after this the person is told what else to do."""
FIRST_LOOK_MS = 1_500
"""A tray that does not even answer counts as none after this."""

TRAY, BADGE = "tray", "badge"
_A11Y = DBusAddress("/org/a11y/bus", "org.a11y.Bus", "org.freedesktop.DBus.Properties")

_REQUESTS: dict[Act, tuple[Request, str]] = {
    Act.PAUSE: (Pause(PAUSE_MINUTES), f"volens pause {PAUSE_MINUTES}"),
    Act.RESUME: (Resume(), "volens resume"),
    Act.WITHDRAW: (Withdraw(), "volens consent withdraw"),
}


def run(socket_path: str) -> int:
    """Shows and answers until it is time to leave; the exit code."""
    indicator = None
    try:
        indicator = Indicator(socket_path)
        while indicator.turn():
            pass
    except NotUnderstood as gone:
        return _say(gone, EXIT_FAULT)
    except DaemonGone as gone:
        return EXIT_LEFT if indicator is not None and indicator.has_attached else _say(gone, EXIT_FAULT)
    except DisplayGone as gone:
        return _say(gone, EXIT_NOWHERE)
    return EXIT_LEFT


def _say(error: AgentError, code: int) -> int:
    sys.stderr.write(f"volens: {error}\n")
    return code


class Source(Protocol):
    """Something that select can wait for."""

    def fileno(self) -> int:
        """Its file descriptor."""


class Indicator:
    """One indicator, in one of its two forms at a time."""

    def __init__(self, socket_path: str) -> None:
        """Looks for a tray; nothing is shown or attached before `turn`. Raises DisplayGone if there is no bus and no display."""
        self._path = socket_path
        self._appear: Appear | None = None
        self._heard = clock.read()
        self._answer = ""
        self._asked: list[Asked] = []
        self._proofs = Proofs()
        self._instance = ""
        self._form = ""
        self._link: Link | None = None
        self._badge: Badge | None = None
        self._card: Card | None = None
        self._carded = True
        self._read_aloud = False
        self._bus: Bus | None = None
        self._leaving = False
        self.has_attached = False
        self._first_look_ms: int | None = self._heard.awake_ms + FIRST_LOOK_MS
        try:
            self._bus = Bus()
            self._icon = Icon(self._bus, self._shown, self._do)
            self._host = Host(self._bus, self._host_says)
        except BusGone:
            self._lose_bus()

    def turn(self) -> bool:
        """Waits for one thing to happen and deals with it; False when it is time to leave. Raises DaemonGone, DisplayGone."""
        try:
            ready, _, _ = select.select(self._sources(), (), (), self._wait_s())
            self._read(ready)
            self._expire(clock.read().awake_ms)
            self._prove()
        except BusGone:
            self._lose_bus()
        return not self._leaving

    def _sources(self) -> list[Source]:
        return [source for source in (self._link, self._bus, self._badge, self._card, *self._asked) if source is not None]

    def _wait_s(self) -> float | None:
        if self._badge is not None and self._badge.pending():
            return 0.0
        badge_ms = None if self._badge is None else self._badge.deadline_ms()
        deadlines = [self._proofs.deadline_ms(), self._first_look_ms, badge_ms, *(asked.deadline_ms for asked in self._asked)]
        known = [deadline for deadline in deadlines if deadline is not None]
        return max(0, min(known) - clock.read().awake_ms + 1) / 1000 if known else None

    def _read(self, ready: list[Source]) -> None:
        if self._card is not None and self._card in ready:
            self._keep_card(self._card)
        if self._badge is not None:
            self._badge.turn()
        if self._bus in ready and self._bus is not None:
            for message in self._bus.read():
                self._host.heard(message)
                if self._icon.called(message) and self._form == BADGE:
                    self._host.look(self._host_says)  # somebody draws us again
        for asked in [asked for asked in self._asked if asked in ready]:
            self._answered(asked, asked.read())
        if self._link in ready and self._link is not None:
            for answer in self._link.read():
                self._told(answer)

    def _expire(self, awake_ms: int) -> None:
        if self._first_look_ms is not None and awake_ms >= self._first_look_ms:
            self._take(BADGE)
        for asked in [asked for asked in self._asked if awake_ms >= asked.deadline_ms]:
            self._answered(asked, asked.unanswered)

    def _told(self, answer: Answer) -> None:
        match answer:
            case Appear():
                if self._appear is None or answer.state is not self._appear.state:
                    self._answer = ""
                self._appear, self._heard = answer, clock.read()
                self._redraw()
            case Challenge(nonce):
                self._challenged(self._proofs.add(nonce, clock.read().awake_ms + PROVE_WITHIN_MS))
            case Replaced():
                self._leaving = True

    def _challenged(self, challenge: Open) -> None:
        def seen(is_seen: bool) -> None:
            challenge.seen = is_seen

        if self._form == TRAY:
            self._host.look(seen)
        else:
            challenge.seen = self._badge is not None and self._badge.visible()

    def _prove(self) -> None:
        if self._proofs.deadline_ms() is None:
            return
        shown = self._shown()
        drawn = shown.state is not None and (self._form == BADGE or self._icon.fetched is shown.look)
        for nonce, visible in self._proofs.due(drawn=drawn, now_ms=clock.read().awake_ms):
            if self._link is not None:
                self._link.send(Proven(nonce, self._instance, visible, shown.state or State.UNASKED))
            if not visible and self._form == TRAY and shown.state is not None:
                self._take(BADGE)
                return

    def _host_says(self, listed: bool) -> None:
        self._take(TRAY if listed else BADGE)

    def _take(self, form: str) -> None:
        """Changes to that form: as a new instance, on a new connection, with nothing shown until the daemon says so."""
        self._first_look_ms = None
        if form == self._form:
            return
        self._form = form
        self._appear = None
        if self._badge is not None:
            self._badge.close()
        self._badge = self._open_badge() if form == BADGE else None
        self._attach()
        self._redraw()

    def _open_badge(self) -> "Badge":
        from agent.tray.badge import Badge  # python-xlib costs 2 MiB that a tray never needs

        return Badge(self._do)

    def _attach(self) -> None:
        if self._link is not None:
            self._link.close()
        self._proofs.clear()
        self._instance = os.urandom(16).hex()
        self._link = Link(self._path)
        self._link.send(Attach(self._instance, self._form))
        self.has_attached = True

    def _lose_bus(self) -> None:
        if self._bus is not None:
            self._bus.close()
        self._bus = None
        self._take(BADGE)

    def _deal_card(self) -> None:
        """Show the code that the daemon has given, or take it away. Where it cannot be shown nobody can say yes."""
        code = self._appear.code if self._appear is not None else None
        if self._card is not None and self._card.code != code:
            self._card.close()
            self._card = None
        if self._card is None and code is not None:
            self._ask_reader()
            self._card, self._carded = self._open_card(code)

    def _open_card(self, code: str) -> "tuple[Card | None, bool]":
        from agent.tray.card import Card  # python-xlib costs 2 MiB that a tray needs for this alone

        try:
            return Card(code), True
        except DisplayGone:
            return None, False

    def _keep_card(self, card: "Card") -> None:
        try:
            card.turn()
        except DisplayGone:
            card.close()
            self._card, self._carded = None, False

    def _ask_reader(self) -> None:
        """Ask the desktop whether a screen reader is on: it cannot read what is drawn."""

        def told(body: tuple[Any, ...] | None) -> None:
            self._read_aloud = bool(body and body[0][1])
            self._redraw()

        if self._bus is not None:
            self._bus.call(_A11Y, "Get", "ss", ("org.a11y.Status", "ScreenReaderEnabled"), then=told)

    def _redraw(self) -> None:
        self._deal_card()
        if self._bus is not None:
            self._icon.redraw()
        if self._badge is not None:
            self._badge.show(self._shown())

    def _do(self, act: Act) -> None:
        request, command = _REQUESTS[act]
        unanswered = f"Volens did not answer; in a terminal: {command}"
        try:
            self._asked.append(Asked(self._path, request, unanswered, clock.read().awake_ms + ANSWER_WITHIN_MS))
        except DaemonGone:
            self._answer = unanswered
            self._redraw()

    def _answered(self, asked: Asked, words: str | None) -> None:
        if words is None:
            return
        asked.close()
        self._asked.remove(asked)
        self._answer = words
        self._redraw()

    def _shown(self) -> Shown:
        shown = _shown(self._appear, self._heard, clock.read(), self._answer)
        return replace(shown, carded=self._carded, read_aloud=self._read_aloud)


def _shown(appear: Appear | None, heard: Clocks, now: Clocks, answer: str) -> Shown:
    if appear is None:
        return Shown(answer=answer)
    left_s = until = None
    if appear.pause_left_s is not None:
        left_s = max(0, appear.pause_left_s - (now.awake_ms - heard.awake_ms) // 1000)
        until = _local(heard.wall_ms) + timedelta(seconds=appear.pause_left_s)
    return Shown(
        state=appear.state,
        recorded=appear.recorded,
        words=appear.words,
        since=_local(appear.since_wall_ms) if appear.since_wall_ms else None,
        now=_local(now.wall_ms),
        pause_left_s=left_s,
        pause_until=until,
        answer=answer,
        code=appear.code,
    )


def _local(wall_ms: int) -> datetime:
    return datetime.fromtimestamp(wall_ms / 1000, UTC).astimezone()
