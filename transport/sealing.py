"""From the hold into the outbox, so that a crash at any point neither loses an event nor sends it twice.

The order is the rule: the envelope is durable in the outbox, then its segments are unlinked from the hold. In between, the outbox's
note names them, and the next start unlinks them before anything is sealed again. Nothing may be sent before `seal_due` returned.
"""

import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from consent.event import Clocks
from consent.vocabulary import Why
from transport.errors import TransportError
from transport.hold import Hold
from transport.outbox import Outbox
from transport.seal import FRESH_BYTES, Terms, may_seal, seal_held
from transport.span import Span
from transport.term import Term


@dataclass(frozen=True, slots=True)
class SealedCounts:
    """What was sealed, in envelopes and raw inputs, and what the gate refused on being asked again. `waits`: why something due was not."""

    envelopes: int = 0
    n: int = 0
    refused: Mapping[Why, int] = field(default_factory=dict)
    waits: str | None = None


def seal_due(  # noqa: PLR0913 - two stores, the terms, the time: each is a separate thing
    hold: Hold,
    outbox: Outbox,
    terms: Terms,
    *,
    now: Clocks,
    term: Term | None,
    span: Span | None = None,
    random: Callable[[int], bytes] = os.urandom,
) -> SealedCounts:
    """Seal everything whose hold is over; term None: everything, or exactly what lies in the span, because the subject says so.

    What cannot be sealed (outbox full, no key for a purpose, a disk error) stays held, and `waits` says why in words.
    """
    if not may_seal(terms.standing):
        return SealedCounts(waits="nothing is sealed while recording is not permitted")
    envelopes = n = 0
    refused: Counter[Why] = Counter()
    waits: str | None = None
    try:
        only = None if span is None else hold.cut_out(span)
    except (OSError, TransportError) as error:
        return SealedCounts(waits=f"the disk refuses ({error.strerror}); make room" if isinstance(error, OSError) else str(error))
    for due in hold.take_due(now, term, only):
        try:
            order = max(outbox.next_order(), now.wall_ms)  # also after those that were sent and are gone from here
            sealed = seal_held(hold.load(due.ids), terms, order=order, fresh=random(FRESH_BYTES))
            if sealed.envelope is not None and sealed.note is not None:
                outbox.put(sealed.envelope, sealed.note)
        except KeyError:
            waits = f"the policy in force has no key for the purpose {due.purpose}"
            continue
        except TransportError as error:
            waits = str(error)
            continue
        except OSError as error:
            waits = f"the disk refuses ({error.strerror}); make room"
            continue
        try:
            hold.consume(due.ids)
        except OSError as error:
            waits = f"the disk does not let go of what was sealed ({error.strerror}); repair it"
        refused.update(sealed.refused)
        if sealed.note is not None:
            envelopes += 1
            n += sealed.note.n
    return SealedCounts(envelopes, n, dict(refused), waits)
