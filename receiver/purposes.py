"""Which purposes a policy names, and with which keys. Decides; refuses a policy in which a purpose or its key is not well formed.

The agent judges the rest of a policy; a receiver needs to know only what may be sent to it.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping

import msgspec

from receiver.errors import ReceiverError
from transport.header import EnvelopeError, check_purpose

PUBLIC_KEY_BYTES = 1216  # X-Wing, docs/envelope.md


class _Purpose(msgspec.Struct, frozen=True):
    id: str
    public_key: str


class _Policy(msgspec.Struct, frozen=True):
    format: int
    purposes: list[_Purpose]


def purpose_keys(policy: bytes) -> Mapping[str, bytes]:
    """Each purpose of the policy, and the id of its key (SHA-256 of the public key, 32 bytes).

    Raises:
        ReceiverError: not a policy of format 1, a purpose twice, or a key that is none.
    """
    try:
        parsed = msgspec.json.decode(policy, type=_Policy)
    except msgspec.DecodeError as error:
        raise ReceiverError(f"the policy cannot be read ({error})", "write it as docs/receiver.md shows") from None
    if parsed.format != 1:
        raise ReceiverError(f"the policy has format {parsed.format}, this receiver reads 1", "install a newer volens")
    keys = {_name(purpose): _key_id(purpose) for purpose in parsed.purposes}
    if len(keys) != len(parsed.purposes):
        raise ReceiverError("the policy names a purpose twice", "give each purpose its own id")
    return keys


def _name(purpose: _Purpose) -> str:
    try:
        check_purpose(purpose.id)
    except EnvelopeError as error:
        raise ReceiverError("the policy has a purpose whose id is none", str(error)) from None
    return purpose.id


def _key_id(purpose: _Purpose) -> bytes:
    try:
        key = base64.b64decode(purpose.public_key, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != PUBLIC_KEY_BYTES:
        raise ReceiverError(
            f"the key of purpose {purpose.id} is not {PUBLIC_KEY_BYTES} bytes in base64",
            "copy it as `volens-custody purpose create` wrote it",
        )
    return hashlib.sha256(key).digest()
