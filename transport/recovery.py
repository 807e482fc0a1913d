"""The recovery code: 32 bytes that only the subject has, in a form people can write down. Refuses a mistyped code by name of what is wrong.

No error holds more of a code than the one character that cannot be in it.
"""

import hashlib
from dataclasses import dataclass

from transport.errors import TransportError
from transport.kdf import derive
from transport.xwing import ReadingKey

CODE_BYTES = 32
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford: without I, L, O, U
TEXT_CHARACTERS = 56
_CHECK_BYTES = 3  # 32 + 3 bytes are exactly 56 characters; 1 mistyped code in 16 million passes
_CHECK_LABEL = b"volens/recovery/check/1"
_IDENTITY_LABEL = b"volens/recovery/identity/1"
_READING_LABEL = b"volens/recovery/reading/1"
_GROUP_CHARACTERS = 4
_IGNORED = " -\t\r\n"
_ALIKE = {"O": "0", "I": "1", "L": "1"}


class BadRecoveryCode(TransportError):
    """This is not a recovery code as it was shown; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True, repr=False)
class RecoveryCode:
    """The 32 bytes from which everything that reads comes. Shown once, never stored.

    Attributes:
        secret: 32 random bytes.
    """

    secret: bytes

    def __post_init__(self) -> None:
        if len(self.secret) != CODE_BYTES:
            raise BadRecoveryCode(f"a recovery code is {CODE_BYTES} bytes, this one is {len(self.secret)}; make a new one")

    def __repr__(self) -> str:
        return "RecoveryCode(redacted)"

    def text(self) -> str:
        """The code for people: 14 groups of four characters."""
        number = int.from_bytes(self.secret + _check(self.secret), "big")
        characters = "".join(ALPHABET[(number >> 5 * place) & 31] for place in reversed(range(TEXT_CHARACTERS)))
        return "-".join(characters[at : at + _GROUP_CHARACTERS] for at in range(0, TEXT_CHARACTERS, _GROUP_CHARACTERS))

    def identity_secret(self) -> bytes:
        """32 bytes that the workstation keeps to make epoch identities."""
        return derive(self.secret, _IDENTITY_LABEL)

    def reading_key(self) -> ReadingKey:
        """The subject's reading key; the workstation keeps its public half only."""
        return ReadingKey.from_seed(derive(self.secret, _READING_LABEL))


def parse(text: str) -> RecoveryCode:
    """Reads a code as people type it: any case, spaces, hyphens, O for 0, I or L for 1.

    Raises:
        BadRecoveryCode: a character that no code has, a wrong length, or a wrong check.
    """
    number = 0
    count = 0
    for character in text:
        if character in _IGNORED:
            continue
        count += 1
        number = number << 5 | _value(character, count)
        if count > TEXT_CHARACTERS:
            raise BadRecoveryCode(f"a recovery code has {TEXT_CHARACTERS} characters, this one has more; type it once, nothing else")
    if count != TEXT_CHARACTERS:
        raise BadRecoveryCode(f"a recovery code has {TEXT_CHARACTERS} characters, this one has {count}; type all 14 groups")
    raw = number.to_bytes(CODE_BYTES + _CHECK_BYTES, "big")
    secret, check = raw[:CODE_BYTES], raw[CODE_BYTES:]
    if check != _check(secret):
        raise BadRecoveryCode("the recovery code's checksum is wrong: at least one character is mistyped; compare it with your copy")
    return RecoveryCode(secret)


def _value(character: str, position: int) -> int:
    upper = character.upper()
    value = ALPHABET.find(_ALIKE.get(upper, upper))
    if value < 0 or len(upper) != 1:
        raise BadRecoveryCode(f"character {position} of the recovery code, {character!r}, is in no such code; compare it with your copy")
    return value


def _check(secret: bytes) -> bytes:
    return hashlib.sha256(_CHECK_LABEL + secret).digest()[:_CHECK_BYTES]
