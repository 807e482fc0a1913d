"""Whether somebody could be looking, and what else exempts without asking: listens to both buses and the display, and keeps count.

What lies between two looks at an unlocked session is handed to `saw`. Where nothing tells of the lock, the session counts as
unlocked; `told_by` is empty then, and `status` says so.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence

from jeepney.io.asyncio import open_dbus_connection

from agent.budget import Cause
from agent.presence.bus import BROKEN, Bus, Service
from agent.presence.grounds import Grounds, Said
from agent.presence.logind import LOGIND, Logind
from agent.presence.services import SAVERS, of_session, of_system
from agent.presence.x11 import DISPLAY, Screen
from consent.event import Clocks
from consent.vocabulary import Automatic

LOOK_EVERY_S = 60.0
"""What was seen is counted this often: one wake-up a minute."""
AGAIN_S = 300.0
"""A bus that is not there, or has gone, is looked for again this often."""
DISPLAY_AGAIN_S = 5.0
"""So is a display: recording may go on as soon as there is another one, which must be known to be unwatched by then."""
SETTLE_S = 1.0
"""A place that has not answered within a second of the start is not waited for: it cannot tell, until it does."""
SYSTEM, SESSION = "SYSTEM", "SESSION"
PLACES = frozenset({SYSTEM, SESSION, DISPLAY})


class Presence:
    """The facts of the session and the machine. `keep` runs until it is cancelled.

    Args:
        read: The clocks.
        saw: Called with the two ends of each stretch during which the session was unlocked.
        changed: Called when another set of grounds holds, or others tell.
        env: Where the display and the session are looked for.
    """

    def __init__(
        self,
        read: Callable[[], Clocks],
        saw: Callable[[Clocks, Clocks], None],
        changed: Callable[[], None],
        env: Mapping[str, str],
    ) -> None:
        self._read, self._saw, self._changed, self._env = read, saw, changed, env
        self._grounds = Grounds(awaited=PLACES)
        self._looked = read()

    @property
    def holding(self) -> frozenset[Automatic]:
        """The automatic exemptions that hold."""
        return self._grounds.holding()

    @property
    def exempting(self) -> frozenset[Automatic]:
        """Those, and of which nothing tells although somebody may have chosen to be exempt then."""
        return self.holding | ({Automatic.LINK_UNKNOWN} if Automatic.METERED_LINK in self.untold else frozenset())

    @property
    def sparing(self) -> frozenset[Cause]:
        """The causes of the budget that hold."""
        return self._grounds.sparing()

    @property
    def locked(self) -> bool:
        """Whether anything says that the session is locked."""
        return Automatic.LOCKED in self.holding

    @property
    def told_by(self) -> tuple[str, ...]:
        """What tells of the lock; empty where nothing does, and `locked` is a guess."""
        return self._grounds.tellers(Automatic.LOCKED)

    @property
    def untold(self) -> tuple[Automatic, ...]:
        """The grounds of which nothing here can tell."""
        return self._grounds.untold()

    def look(self) -> None:
        """Count what has passed since the last look, if the session was unlocked all the while."""
        before, self._looked = self._looked, self._read()
        if not self.locked:
            self._saw(before, self._looked)

    def tell(self, source: str, said: Said | None) -> None:
        """A source says what holds; None: it says nothing any more, and what it said held is believed on."""
        self._become(self._grounds.loses(source) if said is None else self._grounds.says(source, said))

    def settle(self, place: str | None = None) -> None:
        """A place has answered or is not there; None: the time for it is over."""
        self._become(self._grounds.settles(place))

    def _become(self, grounds: Grounds) -> None:
        if grounds == self._grounds:
            return
        self.look()
        before, self._grounds = self._grounds, grounds
        if before.holding() != grounds.holding() or before.sparing() != grounds.sparing() or before.sources() != grounds.sources():
            self._changed()

    async def keep(self) -> None:
        """Listen to both buses and the display, and look once a minute."""
        system = [Logind(self.tell, self._env), *of_system(self.tell)]
        session = of_session(self.tell)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_looking())
            tasks.create_task(self._stay(SYSTEM, system, lambda: self._listen(SYSTEM, system)))
            tasks.create_task(self._stay(SESSION, session, lambda: self._listen(SESSION, session)))
            screen = Screen(self.tell, self._env)
            tasks.create_task(self._stay(DISPLAY, [screen], lambda: screen.run(lambda: self.settle(DISPLAY))))
            await asyncio.sleep(SETTLE_S)
            self.settle()

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            self.look()

    async def _stay(self, place: str, tellers: Sequence[Service | Screen], work: Callable[[], Awaitable[None]]) -> None:
        while True:
            with contextlib.suppress(*BROKEN):
                await work()
            for teller in tellers:
                teller.say(None)
            self.settle(place)
            await asyncio.sleep(DISPLAY_AGAIN_S if place == DISPLAY and "DISPLAY" in self._env else AGAIN_S)

    async def _listen(self, bus: str, services: Sequence[Service]) -> None:
        async with await open_dbus_connection(bus) as connection:
            await Bus(connection, services, lambda: self.settle(bus)).run()


__all__ = ["LOGIND", "SAVERS", "Presence"]
