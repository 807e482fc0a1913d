"""Which collector this machine has. The only file that asks which operating system and which session this is."""

import os
import sys

from collectors.backends.unavailable import Unavailable
from collectors.collector import Clock, Collector
from collectors.errors import DisplayGoneError, NotObservableError


def pick(read: Clock) -> Collector:
    """The collector for here; one that explains itself where there is none."""
    if sys.platform != "linux":
        return Unavailable(NotObservableError("this operating system is not supported yet"))
    if os.environ.get("WAYLAND_DISPLAY") or os.environ.get("XDG_SESSION_TYPE") == "wayland":
        return Unavailable(NotObservableError("this is a Wayland session: input cannot be seen there, by design; choose an X11 session"))
    if not os.environ.get("DISPLAY"):
        return Unavailable(DisplayGoneError("there is no display (DISPLAY is not set); start the agent inside a graphical session"))
    from collectors.backends.linux_x11 import LinuxX11

    return LinuxX11(read)
