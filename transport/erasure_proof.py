"""What a subject signs to have batches erased: one definition for who asks and who is asked. It only spells the message."""

from collections.abc import Iterable

_LABEL = b"volens/erasure/1"
_EVERYTHING = b"everything"


def message(nonce: str, batches: Iterable[str] | None) -> bytes:
    """The bytes under the signature of a pseudonym.

    Args:
        nonce: as the receiver handed it out.
        batches: ids to erase, in any order; None for everything of this pseudonym.
    """
    named = _EVERYTHING if batches is None else ",".join(sorted(set(batches))).encode("ascii")
    return b"\0".join((_LABEL, nonce.encode("ascii"), named))
