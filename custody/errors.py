"""The errors of custody: what is wrong; what to do. None ever holds a key, a share or a byte of a payload."""

from transport.header import Layer


class CustodyError(Exception):
    """Custody refuses; the message is fit to be shown to a person, as `what is wrong; what to do`."""


class KeyFileRefused(CustodyError):
    """A key file is not what it should be, or others could read it."""


class QuorumRefused(CustodyError):
    """Too few custodians, the wrong ones, or shares that do not fit together."""


class AccessRefused(CustodyError):
    """The receiver did not record the access, or did not hand out what was recorded."""


class BatchRefused(CustodyError):
    """A batch is not what its id, its seal or its purpose says.

    Attributes:
        layer: which check of docs/envelope.md, Reading, refused it; None if it was another one.
    """

    def __init__(self, message: str, layer: Layer | None = None) -> None:
        super().__init__(message)
        self.layer = layer
