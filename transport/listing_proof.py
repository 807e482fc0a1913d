"""What a subject signs to see and to fetch what a pseudonym sent: for who asks and who is asked. It only spells."""

_LISTING = b"volens/listing/1"
_FETCHING = b"volens/fetching/1"


def listing_message(nonce: str, after: str) -> bytes:
    """The bytes under a pseudonym's signature to list its batches from behind the id `after`, or all with an empty one."""
    return b"\0".join((_LISTING, nonce.encode("ascii"), after.encode("ascii")))


def fetching_message(nonce: str, batch: str) -> bytes:
    """The bytes under a pseudonym's signature to fetch one of its batches."""
    return b"\0".join((_FETCHING, nonce.encode("ascii"), batch.encode("ascii")))
