"""What goes wrong in the agent, each with the sentence that a person sees: what is wrong, and what to do."""


class AgentError(Exception):
    """What is wrong, and what to do about it. Never holds anything observed."""

    def __init__(self, what: str, do: str) -> None:
        super().__init__(f"{what}; {do}")
        self.what = what
        self.do = do


class StateUnsafe(AgentError):
    """A state file or folder could be read or changed by others."""


class AlreadyRunning(AgentError):
    """Another daemon of this person holds the lock."""


class NotRunning(AgentError):
    """No daemon answers on the control socket."""


class Usage(AgentError):
    """Words that say no request, or two; nothing was changed."""


class CannotDo(AgentError):
    """A request that cannot be fulfilled now; nothing was changed."""


class TryAgain(CannotDo):
    """A request that failed by a slip, and may be made again at once."""
