"""What can go wrong with the demo itself, in one line for people: what is wrong, and what to do."""

from agent.errors import AgentError


class DemoError(AgentError):
    """The demo could not be staged or did not come to its end."""


class ProgramMissing(DemoError):
    """A program that the demo's private desktop is made of is not installed."""


class NotInTime(DemoError):
    """Something that the demo waits for did not happen within its deadline."""
