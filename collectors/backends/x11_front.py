"""What is in front on an X screen: which window, of which surface, where. Told by `linux_x11`; asks only where a window is."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from collectors.backends.x11_monitors import Monitors
from collectors.backends.x11_windows import NOBODY, Known, Windows
from collectors.identity import Identity
from collectors.pipe import SurfaceRule
from collectors.raw import Front, Geometry
from collectors.shape import Shaper
from consent.event import Clocks

MOST_FRONTS = 16
"""Latest windows in front that are remembered: for a press that is a few milliseconds old."""
SETTLE_MS = 250
"""A window that is being dragged is told about once, when it stands still."""


@dataclass(frozen=True, slots=True)
class Screen:
    """A connection to an X server, and what is asked on it: about windows, and about monitors."""

    display: Any
    windows: Windows
    monitors: Monitors


class InFront:
    """The window in front, as of the latest news; the shaper hears of each change.

    Attributes:
        leaving: Called before what is in front changes, with the instant of the server's clock, if it is known.
        xid: The X window; 0 for none.
        known: What is known of it.
        front: What the shaper was told; of a browser's window it is that of the site which it shows.
    """

    def __init__(self, screen: Screen, shaper: Shaper) -> None:
        self._screen, self._shaper = screen, shaper
        self.leaving: Callable[[int | None], None] | None = None
        self.xid, self.known, self.front = 0, NOBODY, Front()
        self._site: SurfaceRule | None = None
        self._passed = False
        self._geometry: Geometry | None = None
        self._settles_ms: int | None = None
        self._latest: deque[tuple[int, int]] = deque([(0, 0)], maxlen=MOST_FRONTS)

    def comes(self, at: Clocks, xid: int, known: Known, server_ms: int | None) -> bool:
        """This window is in front; whether it was not."""
        same = xid == self.xid and known.front == self.known.front and known.identity == self.known.identity
        if same and not self._passed:
            return False
        self._leave(server_ms)
        self.xid, self.known, self._settles_ms, self._site = xid, known, None, None
        self._passed = False
        self._latest.append((at.awake_ms, xid))
        self._tell(at, known.front)
        return True

    def passes(self, at: Clocks) -> None:
        """Something came to the front that had gone again before it could be asked about."""
        self.xid, self.known, self.front, self._site, self._passed = 0, NOBODY, Front(), None, True
        self._shaper.passing(at)

    def shows(self, at: Clocks, rule: SurfaceRule | None) -> None:
        """The browser in front shows this site now, or none that is recorded."""
        self._leave(None)
        self._site = rule
        self._tell(at, Front() if rule is None else Front(rule.surface, self.known.number, rule.structure_only, site=True))

    @property
    def identity(self) -> Identity | None:
        """Of what is recorded there: of a browser, by the rule of the site that it shows. None: nothing is."""
        known = self.known.identity
        if not self.front.window or known is None:
            return None
        return replace(known, rule=self._site) if self._site is not None else known

    def where(self) -> Geometry | None:
        """Where it is now; None if it is not a recorded one, or gone."""
        return self._screen.monitors.placed(self._screen.windows.geometry(self.xid)) if self.front.window else None

    def around(self, at_ms: int) -> list[int]:
        """The X windows that were in front at an instant and since."""
        before = [xid for since_ms, xid in self._latest if since_ms < at_ms][-1:]
        return [xid for xid in (*before, *(xid for since_ms, xid in self._latest if since_ms >= at_ms)) if xid]

    def stirs(self, now_ms: int) -> None:
        """It, its monitor or the scale may be another; that is looked at when it stands still."""
        self._settles_ms = now_ms + SETTLE_MS

    def due_ms(self) -> int | None:
        """When `settle` has something to do, on the awake clock."""
        return self._settles_ms

    def settle(self, now: Clocks) -> None:
        """Tell where it is, if it stands still and is somewhere else."""
        if self._settles_ms is None or now.awake_ms < self._settles_ms:
            return
        self._settles_ms = None
        geometry = self.where()
        if geometry is not None and geometry != self._geometry:
            self._geometry = geometry
            self._shaper.front(now, self.front, geometry)

    def _leave(self, server_ms: int | None) -> None:
        if self.leaving:
            self.leaving(server_ms)

    def _tell(self, at: Clocks, front: Front) -> None:
        self.front = front
        self._geometry = self.where()
        self._shaper.front(at, front, self._geometry)
