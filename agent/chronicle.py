"""What the ledger is told that nobody said: what became of raw inputs, and transitions that are facts about the machine. Bounded.

Two sorts of lines. `counted`: the whole tally, so that refusals by reason are in the chain: at each pause, forgetting and withdrawal, and
besides at most once an hour. `stood`: from open to blocked and back, with the blockers, and with what the budget leaves; so an exemption
that the budget makes is told, and its end. At most MOST_A_DAY together; what is left out is
counted in the next. They never take the reserve, and nothing waits for them: without room they are left out.
"""

from typing import Any

import msgspec

from agent.budget import FULL, Judged, Level
from agent.record import Record
from agent.status import TallyPart
from consent.event import Clocks
from consent.gate import may_hook
from consent.standing import Standing
from consent.vocabulary import State

COUNTED, STOOD = "counted", "stood"
MOST_A_DAY = 200
"""Of 500 bytes each: 36 MB in a year in which an icon flickers all day; some 30 lines on a day of work."""
_EVERY_MS = 3_600_000
_FACTS = frozenset({State.CONSENTED, State.BLOCKED, State.EXEMPT})


class Chronicle:
    """Writes these lines into one record. What it wrote before a restart it reads there."""

    def __init__(self, record: Record) -> None:
        self._record = record
        ours = [entry for entry in record.entries if entry.what in (COUNTED, STOOD)]
        last = {entry.what: entry for entry in ours}
        self._stood = _bare(last[STOOD].data) if STOOD in last else None
        self._counted = _bare(last[COUNTED].data) if COUNTED in last else None
        self._counted_ms = last[COUNTED].at.wall_ms if COUNTED in last else 0
        self._day = ours[-1].at.day if ours else None
        self._today = sum(entry.at.day == self._day for entry in ours)
        self._left_out = 0

    def stood(self, standing: Standing, now: Clocks, budget: Judged = FULL) -> None:
        """What holds now and what the budget leaves, if the subject's own words are a yes: their other words are lines of their own."""
        if standing.state not in _FACTS or self._record.choice.state not in _FACTS:
            return
        data: dict[str, Any] = {
            "state": standing.state.value,
            "why": [each.value for each in standing.blockers],
            "open": may_open(standing),
        }
        if budget.level is not Level.FULL:
            data |= {"budget": budget.level.value, "over": [cause.value for cause in budget.why]}
        if data != self._stood and self._tell(STOOD, now, data):
            self._stood = data

    def counted(self, tally: TallyPart, now: Clocks, *, now_or_never: bool = False) -> None:
        """The counts, if they are others than were told last. `now_or_never`: somebody said something, so no waiting for the hour."""
        data = msgspec.to_builtins(tally)
        waits = not now_or_never and 0 <= now.wall_ms - self._counted_ms < _EVERY_MS
        if tally.seen and data != self._counted and not waits and self._tell(COUNTED, now, data):
            self._counted, self._counted_ms = data, now.wall_ms

    def again(self, tally: TallyPart, now: Clocks) -> bool:
        """The counts, as a line that shows whether the ledger, which could not be written, can be; however many there were today."""
        return self._record.tell(COUNTED, now, msgspec.to_builtins(tally))

    def _tell(self, what: str, now: Clocks, data: dict[str, Any]) -> bool:
        if now.day != self._day:
            self._day, self._today = now.day, 0
        more = {"left_out": self._left_out} if self._left_out else {}
        if self._today >= MOST_A_DAY or not self._record.tell(what, now, data | more):
            self._left_out += 1
            return False
        self._today, self._left_out = self._today + 1, 0
        return True


def may_open(standing: Standing) -> bool:
    """Whether hooks may be installed."""
    return bool(may_hook(standing))


def _bare(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name != "left_out"}
