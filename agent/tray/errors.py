"""What the indicator can lose. Each ends a form of it, or the indicator; none holds anything observed."""

from agent.errors import AgentError


class DaemonGone(AgentError):
    """The daemon's end of the socket is closed, or is not the daemon of this person."""


class NotUnderstood(DaemonGone):
    """The daemon said something that is no message."""


class BusGone(AgentError):
    """There is no session bus, or no longer."""


class DisplayGone(AgentError):
    """There is no X display, or no longer."""
