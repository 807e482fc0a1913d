"""The whole agent without a screen: a recorded trace through the real daemon, its hold, its courier and a receiver."""

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from agent import messages
from agent.demo.policy import Application
from agent.status import TallyPart
from collectors.pipe import Grant, SurfaceRule
from consent.vocabulary import Kind, SurfaceId
from tests.collectors.test_replay import dropped, events, played
from tests.nothing_lost.test_whole_kills import Household, household_in
from tests.nothing_lost.whole import TRACE
from tests.replayed import TRACES

NAME = "work"
APPLICATIONS = [
    Application("text-editor", "Editor", "/usr/bin/mousepad"),
    Application("files", "Files", "/usr/bin/pcmanfm"),
    Application("sign-in", "Sign in", "/usr/bin/zenity"),
    Application("terminal", "Terminal", "/usr/bin/xterm", "terminal"),
]
PATIENCE_S = 30


def _until(household: Household, holds: Callable[[TallyPart], bool]) -> TallyPart:
    until_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < until_s:
        answer = household.ask(messages.AskStatus())
        if isinstance(answer, messages.StatusIs) and holds(answer.status.tally):
            return answer.status.tally
        time.sleep(0.1)
    raise AssertionError("the trace is not told, or not sent, to its end")


def test_a_trace_through_the_whole_agent_reconciles(tmp_path: Path) -> None:
    """Every raw input of two minutes of work is refused by its reason or held, as the trace alone says; then all of it is sent."""
    rules = [SurfaceRule(SurfaceId(each.surface), (each.executable,), each.category == "terminal") for each in APPLICATIONS]
    expected = played(NAME, grant=Grant(7, frozenset(Kind), tuple(rules)))
    seen, kept = sum(message.seen for message in expected), sum(event.n for event in events(expected))
    with household_in(tmp_path, applications=APPLICATIONS) as household:
        household.env[TRACE] = str(TRACES / f"{NAME}.trace")
        household.start()
        tally = _until(household, lambda tally: tally.seen >= seen and tally.pending == 0)
        assert (tally.seen, tally.held, Counter(tally.refused)) == (seen, kept, dropped(expected))
        household.ask(messages.Send())
        assert _until(household, lambda tally: tally.held + tally.sealed == 0).sent == kept
