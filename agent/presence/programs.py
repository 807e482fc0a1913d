"""Programs that show a screen elsewhere or type into it from elsewhere, by name. Pure. A name can only exempt, never permit.

A program counts as soon as it is connected to the display: whether somebody sits at its other end, it tells nobody.
"""

from consent.vocabulary import Automatic

LONGEST_KERNEL_NAME = 15
"""The kernel keeps so many letters of a process's name."""

CONTROLLING = frozenset(
    [
        *("x11vnc", "x0vncserver", "x0tigervncserver", "vino-server", "krfb", "vncserver-x11", "vncserver-x11-core", "vncagent"),
        *("anydesk", "teamviewer", "teamviewer_desktop", "rustdesk", "nxnode.bin", "dwagent", "xpra", "freerdp-shadow-cli"),
        *("xrdp-chansrv", "gnome-remote-desktop-daemon", "chrome-remote-desktop-host", "splashtop-streamer", "parsecd", "sunshine"),
        *("synergyc", "synergy-core", "barrierc", "input-leapc", "deskflow-client", "deskflow-core"),
    ]
)
"""Remote control, and keyboards shared between computers (Synergy and its kin)."""

SHARING = frozenset(
    [
        *("obs", "simplescreenrecorder", "peek", "vokoscreen", "vokoscreenng", "recordmydesktop", "gtk-recordmydesktop", "kazam"),
        *("gpu-screen-recorder", "byzanz-record", "ffmpeg"),
    ]
)
"""Recorders of the screen. Browsers and calls are not in it: they are connected whether they share or not."""

REMOTE_SERVERS = frozenset(["xvnc", "xtigervnc", "xtightvnc", "xvnc-core", "x11rdp", "nxagent", "x2goagent"])
"""X servers whose screen is elsewhere. Xorg under xrdp looks like any other: there the login service and XRDP_SESSION tell."""


def grounds_of(names: frozenset[str]) -> frozenset[Automatic]:
    """What programs of these names, in lower case, mean; names may be cut at LONGEST_KERNEL_NAME."""
    controlled = {Automatic.REMOTE_CONTROLLED} if _any_in(names, CONTROLLING) else set()
    return frozenset(controlled | ({Automatic.SCREEN_SHARED} if _any_in(names, SHARING) else set()))


def _any_in(names: frozenset[str], known: frozenset[str]) -> bool:
    return bool(names & known or names & {name[:LONGEST_KERNEL_NAME] for name in known if len(name) > LONGEST_KERNEL_NAME})
