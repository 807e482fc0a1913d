"""What the receiver says when it does not do something. Never holds a payload byte, an address or a name of a person."""


class ReceiverError(Exception):
    """Something about this receiver is wrong; `what` says it and `do` says how to mend it."""

    def __init__(self, what: str, do: str) -> None:
        super().__init__(f"{what}; {do}")
        self.what = what
        self.do = do


class Refused(ReceiverError):
    """A request is not granted: the caller's fault below 500, this receiver's from 500 on.

    Attributes:
        status: HTTP status of the answer.
        retry_after_s: when asking again makes sense, in seconds; None when it never does as it stands.
    """

    def __init__(self, status: int, what: str, do: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(what, do)
        self.status = status
        self.retry_after_s = retry_after_s
