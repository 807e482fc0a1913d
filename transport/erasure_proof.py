"""What a subject signs to have batches erased, and a receiver to say that it did: one definition for both. It only spells the messages."""

import json
from collections.abc import Iterable

_LABEL = b"volens/erasure/1"
_RECEIPT_LABEL = b"volens/erasure-receipt/1"
_EVERYTHING = b"everything"


def message(nonce: str, batches: Iterable[str] | None) -> bytes:
    """The bytes under the signature of a pseudonym.

    Args:
        nonce: as the receiver handed it out.
        batches: ids to erase, in any order; None for everything of this pseudonym.
    """
    named = _EVERYTHING if batches is None else ",".join(sorted(set(batches))).encode("ascii")
    return b"\0".join((_LABEL, nonce.encode("ascii"), named))


def receipt_message(stated: object) -> bytes:
    """The bytes under a receipt's signature; `stated` is its `receipt` as parsed from JSON."""
    return _RECEIPT_LABEL + b"\0" + json.dumps(stated, sort_keys=True, separators=(",", ":")).encode()
