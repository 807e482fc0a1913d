"""What can go wrong with the demo itself, in one line for people: what is wrong, and what to do."""


class DemoError(Exception):
    """The demo could not be staged or did not come to its end.

    Attributes:
        what: What is wrong.
        do: What to do about it.
    """

    def __init__(self, what: str, do: str) -> None:
        super().__init__(f"{what}; {do}")
        self.what = what
        self.do = do


class ProgramMissing(DemoError):
    """A program that the demo's private desktop is made of is not installed."""


class NotInTime(DemoError):
    """Something that the demo waits for did not happen within its deadline."""
