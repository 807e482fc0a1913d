"""Erasure by proof: is this request its pseudonym's own, and what receipt does it get. Decides; refuses every proof that does not verify.

The receipt is signed with the receiver's own key, so that the subject can show it to others. It names the day
and not the minute: who takes back all of their days does it within one minute, and kept receipts must not tie them together.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from receiver import proof
from receiver.errors import Refused
from transport.erasure_proof import message, receipt_message

MAX_BARRED = 20_000
"""Ids of one pseudonym that are remembered: twice what one asking may name, more than an envelope a minute for a week."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a pseudonym proved that it wants erased.

    Attributes:
        pseudonym: 32 bytes.
        batches: ids, sorted; None for everything of this pseudonym, then and later.
    """

    pseudonym: bytes
    batches: tuple[str, ...] | None

    @property
    def digest(self) -> str:
        """The same for the same wish, so that asking twice finds the first receipt."""
        named = "*" if self.batches is None else ",".join(self.batches)
        return hashlib.sha256(self.pseudonym + named.encode()).hexdigest()


def prove(  # noqa: PLR0913 - the proof's parts and the facts to judge them by
    *, pseudonym: bytes, nonce: str, batches: tuple[str, ...] | None, signature: bytes, nonce_key: bytes, now: datetime
) -> Wish:
    """The wish, once it is known to be the pseudonym's own.

    Raises:
        Refused: 403, the nonce is stale or not ours, or the signature is not this pseudonym's.
    """
    signed = message(nonce, batches)
    proof.check(pseudonym=pseudonym, nonce=nonce, signature=signature, message=signed, nonce_key=nonce_key, now=now)
    return Wish(pseudonym, None if batches is None else tuple(sorted(set(batches))))


def last_copy_dies(on: date, backups_kept_days: int) -> date:
    """The day on which no copy is left: slots and bodies are gone at once, backups of bodies when their days are over."""
    return on + timedelta(days=backups_kept_days)


def check_bound(barred: int, wish: Wish) -> None:
    """Refuses (422) to remember more ids of one pseudonym than any machine seals in a day."""
    if wish.batches is not None and barred + len(wish.batches) > MAX_BARRED:
        raise Refused(422, f"more than {MAX_BARRED} ids of this pseudonym were named", "ask for everything of this pseudonym")


def log_entry(wish: Wish) -> bytes:
    """A wish as the erasure log keeps it, under its digest."""
    named = None if wish.batches is None else list(wish.batches)
    return json.dumps({"format": 1, "pseudonym": wish.pseudonym.hex(), "batches": named}, sort_keys=True).encode()


def from_log(name: str, content: bytes) -> Wish | None:
    """The wish in an entry of the erasure log; None if it is not the one of this name."""
    try:
        stated = json.loads(content)
        named = stated["batches"]
        wish = Wish(bytes.fromhex(stated["pseudonym"]), None if named is None else tuple(str(each) for each in named))
    except (ValueError, KeyError, TypeError):
        return None
    return wish if wish.digest == name else None


def receipt(wish: Wish, *, erased: int, on: date, last_copy: date, key: Ed25519PrivateKey) -> str:
    """A signed receipt as JSON text: `receipt`, `key` and `signature`, the last over the label and the sorted, compact `receipt`."""
    stated = {
        "format": 1,
        "pseudonym": wish.pseudonym.hex(),
        "batches": None if wish.batches is None else list(wish.batches),
        "erased": erased,
        "at": on.isoformat(),
        "last_copy_dies": last_copy.isoformat(),
    }
    signature = key.sign(receipt_message(stated))
    whole = {"receipt": stated, "key": key.public_key().public_bytes_raw().hex(), "signature": signature.hex()}
    return json.dumps(whole, sort_keys=True)
