"""The indicator: the person always sees what holds, and stops it there. A tray icon, or a badge where there is no tray.

On Linux desktops the icon is a StatusNotifierItem. It collects nothing and decides nothing.
"""


def run(socket_path: str) -> int:
    """The whole process, as lean as it can be: shows the standing until the daemon behind `socket_path` goes.

    Returns 0 when the daemon went or took another indicator, 1 if there was none to begin with or it is not understood,
    6 if nothing can be shown here.
    """
    from agent import lean

    lean.leave_out()
    from agent.tray import indicator

    return indicator.run(socket_path)


__all__ = ["run"]
