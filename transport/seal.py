"""Sealing what is due: asks the gate again, packs, seals. Refuses what is not permitted now, whatever it was when it was captured. Pure.

Randomness comes in with `Fresh`; the key of a batch is dropped with it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from consent.event import Event
from consent.gate import Admitted, Asked, Refused, decide
from consent.standing import Standing
from consent.vocabulary import Purpose, State, Why
from transport.batch import Source, pack
from transport.envelope import BODY_KEY_BYTES, Envelope, seal
from transport.errors import TransportError
from transport.header import NUMBER_BYTES
from transport.held import Held
from transport.identity import EpochIdentity
from transport.notes import Note
from transport.span import cover_of, join_by_boot
from transport.xwing import PublicKey

FRESH_BYTES = NUMBER_BYTES + BODY_KEY_BYTES


class NotRegistered(TransportError):
    """The identity of this day, purpose and consent is not among those registered; nothing was sealed. A later day's is."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Under what is sealed now.

    Attributes:
        standing: What holds now.
        policy_version: Of the policy in force.
        receipt_commitment: 32 bytes, over salt and consent receipt.
        purpose_keys: The public key of each purpose, from the policy in force.
        reading_key: The subject's, public half.
        identity_secret: 32 bytes.
        consent: Number of the consent, rising.
        day: UTC day.
        registered: The pseudonyms under which the receiver takes something in that is sealed on this day; None: under any, as in a trial.
    """

    standing: Standing
    policy_version: int
    receipt_commitment: bytes
    purpose_keys: Mapping[Purpose, PublicKey]
    reading_key: PublicKey
    identity_secret: bytes = field(repr=False)
    consent: int
    day: date
    registered: frozenset[bytes] | None = None


@dataclass(frozen=True, slots=True)
class Sealed:
    """What became of some due segments: an envelope and its note, or neither if nothing is permitted; raw inputs refused, by reason."""

    envelope: Envelope | None
    note: Note | None
    refused: Mapping[Why, int]


def may_seal(standing: Standing) -> bool:
    """Whether the gate may be asked now about what is due. During a pause, a blocker or an exemption that ends by itself it waits;
    nothing of it is lost. Where everything is exempt for good it does not wait: the gate refuses all of it, and it is destroyed.
    """
    return standing.for_good or (standing.state is State.CONSENTED and not standing.blockers)


def seal_held(held: Sequence[Held], terms: Terms, *, order: int, fresh: bytes) -> Sealed:
    """One batch of due segments of one purpose, sealed. An event whose purpose has changed since is refused: it was not asked for that.

    Args:
        held: the segments, as `Hold.load` gives them.
        terms: under what.
        order: number of the envelope in the outbox.
        fresh: FRESH_BYTES random bytes, never used before.

    Raises:
        KeyError: the policy in force has no key for the purpose; what is due waits.
        NotRegistered: the receiver would not take it in; what is due waits.
        BatchError, EnvelopeError, BadKey: nothing was sealed.
    """
    refused: Counter[Why] = Counter()
    admitted: list[Admitted] = []
    kept: dict[str, list[Event]] = {}
    for part in held:
        for event in part.events:
            answer = _ask(event, part.purpose, terms.standing)
            if isinstance(answer, Refused):
                refused[answer.why] += event.n
            else:
                admitted.append(answer)
                kept.setdefault(part.boot, []).append(event)
    if not admitted:
        return Sealed(None, None, refused)
    purpose = admitted[0].purpose
    segments = tuple(part.id for part in held)
    signer = EpochIdentity.derive(terms.identity_secret, day=terms.day, purpose=purpose, n=terms.consent)
    if terms.registered is not None and signer.pseudonym not in terms.registered:
        raise NotRegistered("this machine's identities for today are registered without yours; it stays held for a day or two")
    envelope = seal(
        pack(admitted, source=Source(terms.policy_version, terms.receipt_commitment, segments)),
        purpose=purpose,
        purpose_key=terms.purpose_keys[purpose],
        reading_key=terms.reading_key,
        signer=signer,
        number=fresh[:NUMBER_BYTES],
        body_key=fresh[NUMBER_BYTES:FRESH_BYTES],
    )
    note = Note(
        id=envelope.id,
        order=order,
        purpose=purpose,
        events=len(admitted),
        n=sum(one.event.n for one in admitted),
        segments=segments,
        covers=join_by_boot(cover_of(events, boot) for boot, events in kept.items()),
        day=terms.day.isoformat(),
        consent=terms.consent,
        pseudonym=signer.pseudonym,
        envelope_bytes=len(envelope.raw),
    )
    return Sealed(envelope, note, refused)


def _ask(event: Event, purpose: Purpose, standing: Standing) -> Admitted | Refused:
    answer = decide(event, standing, Asked.SEALING)
    if isinstance(answer, Admitted) and answer.purpose != purpose:
        return Refused(Why.NOT_IN_SCOPE)
    return answer
