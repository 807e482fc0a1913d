"""The indicator: the person always sees what holds, and stops it there. A tray icon, or a badge where there is no tray.

On X11 and Wayland desktops the icon is a StatusNotifierItem. It collects nothing and opens nothing by itself.
"""

import sys

EXIT_LEFT = 0
EXIT_FAULT = 1
EXIT_NOWHERE = 6


def run(socket_path: str) -> int:
    """Shows the standing until the daemon behind `socket_path` goes.

    Returns 0 when the daemon went or took another indicator, 1 if there was none to begin with or it is not understood,
    6 if nothing can be shown here.
    """
    from agent.tray.errors import DaemonGone, DisplayGone, NotUnderstood
    from agent.tray.indicator import Indicator

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


def _say(error: Exception, code: int) -> int:
    sys.stderr.write(f"volens: {error}\n")
    return code


__all__ = ["EXIT_FAULT", "EXIT_LEFT", "EXIT_NOWHERE", "run"]
