"""From what is told to the gate: closed before anything was told, and never open while one ground takes another's place."""

import asyncio
from pathlib import Path

from agent import choosing, messages
from agent.answers import Answers
from agent.budget import Cause, Judged, Level
from consent.vocabulary import Automatic, State
from tests.agent.test_daemon import Clock, Icon, a_day_in, answer

LOCKED, ABSENT = Automatic.LOCKED, Automatic.ABSENT


def test_the_gate_is_closed_until_it_is_known_and_while_anything_holds(tmp_path: Path) -> None:
    """Consented, with a live icon: exempt at the start; open when all is told; then every order of two grounds keeps it closed."""

    async def run() -> None:
        daemon, icon = a_day_in(tmp_path, Clock("2026-11-20T10:00:00Z")), Icon()
        answers = Answers(daemon, None, None, daemon._read)
        daemon.indicator.attach(icon, messages.Attach("one", "tray"))
        for _ in range(2):
            answer(daemon.indicator, icon, State.CONSENTED)
        assert daemon.standing.because == (Automatic.NOT_TOLD_YET,)
        answers.presence.tell("saver", {LOCKED: True})
        answers.presence.settle()
        assert daemon.standing.because == (LOCKED,)
        states = []
        daemon.moved.append(lambda: states.append(daemon.standing.state))
        answers.presence.tell("saver", {LOCKED: False, ABSENT: True})
        answers.presence.tell("display", {ABSENT: True})
        answers.presence.tell("saver", {ABSENT: False, LOCKED: True})
        answers.presence.tell("display", {ABSENT: False})
        answers.presence.tell("saver", None)
        assert states
        assert set(states) == {State.EXEMPT}
        answers.presence.tell("saver", {LOCKED: False})
        assert daemon.standing.state is not State.EXEMPT
        daemon.close()

    asyncio.run(run())


def test_what_spares_reaches_the_budget_and_an_unknown_link_who_chose_it(tmp_path: Path) -> None:
    """A battery that goes down: less. Nothing tells of the link: whoever said so is exempt until something does."""

    async def run() -> None:
        clock = Clock("2026-11-20T10:00:00Z")
        daemon = a_day_in(tmp_path, clock)
        answers = Answers(daemon, None, None, daemon._read)
        choosing.choose_unknown_link(daemon.subject, clock(), exempt=True)
        answers.presence.settle()
        assert daemon.standing.because == (Automatic.LINK_UNKNOWN,)
        answers.presence.tell("networkmanager", {Automatic.METERED_LINK: False})
        assert not daemon.standing.because
        answers.presence.tell("battery", {Automatic.BATTERY_LOW: False, Cause.BATTERY_GOING: True})
        assert daemon.budget.judged == Judged(Level.LESS, (Cause.BATTERY_GOING,))
        seen = []
        daemon.ended.append(lambda: seen.append(daemon.budget.judged.level))
        answers.presence.tell("battery", {Automatic.BATTERY_LOW: True, Cause.BATTERY_GOING: False})
        assert seen == [Level.NOTHING], "closed for the one before it is opened for the other"
        daemon.close()

    asyncio.run(run())
