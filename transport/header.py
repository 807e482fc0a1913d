"""The envelope's header: all that is readable without a key. Refuses what the specification does not name."""

import re
from dataclasses import dataclass
from enum import StrEnum

from transport.errors import TransportError

FORMAT = b"volens/1"
NUMBER_BYTES = 16
MAX_PURPOSE_BYTES = 64
_PSEUDONYM = slice(8, 40)
_KEY_ID = slice(40, 72)
_NUMBER = slice(72, 88)
_LENGTH_AT = 88
FIXED_BYTES = 89
_PURPOSE = re.compile(r"[a-z][a-z0-9_-]{0,63}")


class Layer(StrEnum):
    """Which check of docs/envelope.md, Reading, refused an envelope."""

    HEADER = "header"
    SIGNATURE = "signature"
    SLOT = "slot"
    CIPHERTEXT = "ciphertext"
    PADDING = "padding"
    SCHEMA = "schema"


class EnvelopeError(TransportError):
    """This is not an envelope that can be read; `layer` says which check refused it."""

    def __init__(self, layer: Layer, message: str) -> None:
        super().__init__(message)
        self.layer = layer


@dataclass(frozen=True, slots=True)
class Header:
    """What everyone may read.

    Attributes:
        pseudonym: 32 bytes, the signer's Ed25519 public key.
        purpose: name of the purpose.
        purpose_key_id: 32 bytes, SHA-256 of the purpose's public key.
        number: 16 random bytes.
        format: the one format there is.
    """

    pseudonym: bytes
    purpose: str
    purpose_key_id: bytes
    number: bytes
    format: bytes = FORMAT

    def encode(self) -> bytes:
        """The header's exact bytes, 89 + length of the purpose.

        Raises:
            EnvelopeError: a field of wrong length or form.
        """
        purpose = check_purpose(self.purpose)
        if (len(self.pseudonym), len(self.purpose_key_id), len(self.number), self.format) != (32, 32, NUMBER_BYTES, FORMAT):
            raise EnvelopeError(Layer.HEADER, "a field of the header has the wrong length; nothing was sealed")
        return self.format + self.pseudonym + self.purpose_key_id + self.number + bytes([len(purpose)]) + purpose


def check_purpose(purpose: str) -> bytes:
    """The purpose's name as bytes.

    Raises:
        EnvelopeError: not 1 to 64 of a-z, 0-9, - and _, beginning with a letter.
    """
    if _PURPOSE.fullmatch(purpose) is None:
        raise EnvelopeError(Layer.HEADER, "a purpose is named by 1 to 64 of a-z, 0-9, - and _, beginning with a letter")
    return purpose.encode("ascii")


def header_bytes(raw: bytes) -> int:
    """How many bytes at the start of raw are its header.

    Raises:
        EnvelopeError: too short, or another format.
    """
    if raw[: len(FORMAT)] != FORMAT:
        raise EnvelopeError(Layer.HEADER, "this is not an envelope of format volens/1; a newer Volens may have made it")
    if len(raw) < FIXED_BYTES or len(raw) < FIXED_BYTES + raw[_LENGTH_AT]:
        raise EnvelopeError(Layer.HEADER, "the envelope ends within its header; fetch it again")
    return FIXED_BYTES + raw[_LENGTH_AT]


def decode(raw: bytes) -> Header:
    """The header at the start of raw.

    Raises:
        EnvelopeError: not a header of this format.
    """
    end = header_bytes(raw)
    try:
        purpose = raw[FIXED_BYTES:end].decode("ascii")
    except UnicodeDecodeError:
        raise EnvelopeError(Layer.HEADER, "the envelope's purpose is not a purpose's name; it is damaged or forged") from None
    check_purpose(purpose)
    return Header(raw[_PSEUDONYM], purpose, raw[_KEY_ID], raw[_NUMBER])
