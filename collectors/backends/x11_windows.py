"""Which X window is in front and whose it is: by the executable of its process, never by title or class.

The process is the one that the X server itself names for the window's connection (XRes): what a window says of itself (_NET_WM_PID)
is not looked at, and where the server names none, the window is of no surface. What a process is, `collectors.programs` says.
"""

import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from collectors.identity import Identity
from collectors.pipe import SurfaceRule
from collectors.processes import Processes
from collectors.programs import Programs
from collectors.raw import Front, Geometry, Point
from consent.vocabulary import SurfaceId

OWN_PROPERTY = "_VOLENS_OWN"
"""Our own windows carry it. Believed only of a process of this account that runs the same interpreter as this one."""
_CARDINAL, _WINDOW = 6, 33
_LOCAL_PID = 2
_DEEPEST = 32
"""Frames around a client window, at most; window managers make one to three."""
_LATER_MS = 1 << 53
_MOST_UNKNOWN = 64
"""Windows never in front so far, the newest first, of which it is asked whether a press went to them."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a top-level window.

    Attributes:
        front: It, when it is in front; of a browser's window only its page says that (`collectors.backends.atspi_documents`).
        frame: The child of the root that it is in.
        identity: What made it a recorded one.
        number: Of a browser's window; its `front` has none.
    """

    front: Front
    pid: int = 0
    frame: int = 0
    identity: Identity | None = None
    number: int = 0


NOBODY = Known(Front())
"""Nothing is in front, or nothing that can be told."""


@dataclass(frozen=True, slots=True)
class Hit:
    """What a press went to: the number of a recorded window and where in it, or nothing that is recorded."""

    window: int = 0
    own: bool = False
    left: int = 0
    top: int = 0


class Windows:
    """Asks one X connection about windows. Errors of windows that are gone mean: not a recorded one."""

    def __init__(self, display: Any, rules: tuple[SurfaceRule, ...]) -> None:
        self._display = display
        self._screen = display.screen()
        self._root = self._screen.root
        self._active = display.intern_atom("_NET_ACTIVE_WINDOW")
        self._managed = display.intern_atom("_NET_SUPPORTING_WM_CHECK")
        self._own = display.intern_atom(OWN_PROPERTY)
        self._clients = display.intern_atom("_NET_CLIENT_LIST")
        self._programs = Programs(rules, Processes())
        self._known: dict[int, Known] = {}
        self._numbers = self._manager = 0

    @property
    def active_atom(self) -> int:
        """The property of the root window that names the window in front."""
        return int(self._active)

    @property
    def managed_atom(self) -> int:
        """The property of the root window by which a window manager says that it is there."""
        return int(self._managed)

    @property
    def doubt(self) -> str:
        """What is not known of the programs' identity, for people; empty if nothing."""
        return self._programs.doubt

    def says_which(self) -> bool:
        """Whether there is a window manager that says which window is in front. One that ended leaves its word behind, not its window."""
        from Xlib.error import XError

        answer = self._root.get_full_property(self._managed, _WINDOW)
        self._manager = int(answer.value[0]) if answer is not None and len(answer.value) else 0
        if not self._manager:
            return False
        try:
            self._watch(self._manager)
            window = self._display.create_resource_object("window", self._manager)
            return window.get_full_property(self._managed, _WINDOW) is not None
        except XError:
            return False

    def was_managed_by(self, xid: int) -> bool:
        """Whether this window was the one by which a window manager shows that it is there."""
        return xid == self._manager

    def active(self) -> tuple[int, Known]:
        """The X window in front and what is known of it; 0 if there is none."""
        answer = self._root.get_full_property(self._active, _WINDOW)
        xid = int(answer.value[0]) if answer is not None and len(answer.value) else 0
        return (xid, self.known(xid)) if xid else (0, Known(Front()))

    def known(self, xid: int) -> Known:
        """Whose window it is: looked up once, and no longer believed when its process has ended or runs another program."""
        from Xlib.error import XError

        known = self._known.get(xid)
        if known is None:
            try:
                known = self._known[xid] = self._look_up(xid)
            except XError:  # gone meanwhile; its id may come back as another window's
                return Known(Front())
        if known.identity is not None and not self._programs.still(known.identity):
            known = self._known[xid] = Known(Front(), known.pid, known.frame)
        return known

    def forget(self, xid: int) -> None:
        """The window is gone; its number is never given again."""
        self._known.pop(xid, None)

    def reframe(self, xid: int) -> None:
        """The window was put into another frame."""
        from Xlib.error import XError

        known = self._known.get(xid)
        if known is not None:
            try:
                self._known[xid] = replace(known, frame=self._frame_of(xid))
            except XError:
                self.forget(xid)

    def geometry(self, xid: int) -> Geometry | None:
        """Where the window is now; None if it is gone."""
        from Xlib.error import XError

        try:
            window = self._display.create_resource_object("window", xid)
            size = window.get_geometry()
            corner = self._root.translate_coords(window, 0, 0)
            return Geometry(corner.x, corner.y, size.width, size.height, self._screen.width_in_pixels, self._screen.height_in_pixels)
        except XError:
            return None

    def is_there(self, xid: int) -> bool:
        """Whether the window exists and can be seen."""
        from Xlib import X
        from Xlib.error import XError

        try:
            return bool(self._display.create_resource_object("window", xid).get_attributes().map_state == X.IsViewable)
        except XError:
            return False

    def hit(self, x: int, y: int, active: int) -> Hit:
        """What is under a point of the root window, given which X window is in front.

        Recorded is a recorded window with its frame; of pop-ups, which have none, those of the process of the window in front.
        """
        from Xlib.error import XError

        child = self._root.translate_coords(self._root, x, y).child
        if not child:
            return Hit()
        try:
            client = self._client_at(int(child.id), active)
            known = self.known(client) if client else Known(Front())
            number = known.front.window or known.number
            if not number:
                return Hit(own=known.front.own or self._is_own(int(child.id), self._pid_of(int(child.id))))
            corner = self._root.translate_coords(self._display.create_resource_object("window", client), 0, 0)
        except XError:
            return Hit()
        return Hit(number, left=corner.x, top=corner.y)

    def shares(self, xid: int, active: int, front: Front) -> int:
        """The number of the recorded window in front, if another X window is of the same process; else 0, as for a structure-only one.

        Args:
            front: What the X window `active` is told as: of a browser, its page says that.
        """
        from Xlib.error import XError

        known = self.known(active) if active and front.window and not front.structure_only else NOBODY
        if known.identity is None or not known.pid:
            return 0
        try:
            return front.window if self._pid_of(xid) == known.pid else 0
        except XError:
            return 0

    def over_since_ms(self, trail: Sequence[Point], active: int) -> int:
        """Since when the pointer has been over the window in front, asked now of places that it came to, newest first.

        Over a notification or a panel that lies above the window it was not. One round trip for all places; 0: all the time.
        """
        from Xlib.error import XError
        from Xlib.protocol.request import TranslateCoords

        root, tops = self._root, dict[int, bool]()
        asked = [TranslateCoords(root.display, True, src_wid=root.id, dst_wid=root.id, src_x=one.x, src_y=one.y) for one in trail]
        since_ms = 0
        for answer, later in zip(asked, [None, *trail], strict=False):
            answer.reply()
            top = int(answer.child and answer.child.id)
            try:
                if top not in tops:
                    tops[top] = self._client_at(top, active) == active
            except XError:
                tops[top] = False
            if not tops[top] and not since_ms:
                since_ms = later.at.awake_ms if later else _LATER_MS
        return since_ms

    def _client_at(self, top: int, active: int) -> int:
        """The window that a child of the root belongs to; 0 if none or more than one."""
        front = self.known(active) if active else Known(Front())
        if front.frame == top:
            return active
        if front.pid and self._is_pop_up(top) and self._pid_of(top) == front.pid:  # frames can be pop-ups, too: the window manager's
            return active
        inside = [xid for xid, known in self._known.items() if known.frame == top]
        if not inside:
            return self._managed_in(top)
        return inside[0] if len(inside) == 1 else 0

    def _managed_in(self, top: int) -> int:
        """The window, not known yet, that the window manager has put into a child of the root; 0 if it has put none there."""
        from Xlib.error import XError

        answer = self._root.get_full_property(self._clients, _WINDOW)
        unknown = [int(xid) for xid in (answer.value if answer is not None else ()) if int(xid) not in self._known]
        for xid in reversed(unknown[-_MOST_UNKNOWN:]):
            with contextlib.suppress(XError):
                if self._frame_of(xid) == top:
                    return xid
        return 0

    def _look_up(self, xid: int) -> Known:
        self._watch(xid)
        pid, frame = self._pid_of(xid), self._frame_of(xid)
        if self._is_own(xid, pid):
            return Known(Front(own=True), pid, frame)
        identity = self._programs.of(pid)
        if identity is None:
            return Known(Front(), pid, frame)
        self._numbers += 1
        if identity.sites:
            return Known(Front(), pid, frame, identity, self._numbers)
        return Known(Front(SurfaceId(identity.rule.surface), self._numbers, identity.rule.structure_only), pid, frame, identity)

    def _watch(self, xid: int) -> None:
        from Xlib import X

        self._display.create_resource_object("window", xid).change_attributes(event_mask=X.StructureNotifyMask)

    def _pid_of(self, xid: int) -> int:
        if self._display.has_extension("X-Resource"):
            for answer in self._display.res_query_client_ids([{"client": xid, "mask": _LOCAL_PID}]).ids:
                if answer.value:
                    return int(answer.value[0])
        return 0

    def _is_pop_up(self, xid: int) -> bool:
        return bool(self._display.create_resource_object("window", xid).get_attributes().override_redirect)

    def _is_own(self, xid: int, pid: int) -> bool:
        if self._display.create_resource_object("window", xid).get_full_property(self._own, _CARDINAL) is None:
            return False
        return _is_like_us(pid)

    def _frame_of(self, xid: int) -> int:
        for _ in range(_DEEPEST):
            parent = self._display.create_resource_object("window", xid).query_tree().parent
            if not parent or parent.id == self._root.id:
                return xid
            xid = int(parent.id)
        return 0


def _is_like_us(pid: int) -> bool:
    """Whether a process is of our account and runs the very file that we run."""
    try:
        return os.stat(f"/proc/{pid}").st_uid == os.getuid() and os.path.samefile(f"/proc/{pid}/exe", "/proc/self/exe")
    except OSError:
        return False
