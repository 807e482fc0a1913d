"""The start of the indicator's process, as lean as it can be: decides what is not imported before anything is."""


def run(socket_path: str) -> int:
    """Shows the standing until the daemon behind `socket_path` goes.

    Returns 0 when the daemon went or took another indicator, 1 if there was none to begin with or it is not understood,
    6 if nothing can be shown here.
    """
    from agent import lean

    lean.leave_out()
    from agent.tray import indicator

    return indicator.run(socket_path)
