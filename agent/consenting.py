"""The consent step: a notice, a code that only the live indicator shows, and a receipt. Pure but for what it is given.

The code ties the yes to somebody who sees the indicator: a script that speaks to the socket does not know it. It is fresh
for each asking, good for a few minutes and a few tries, and never leaves by any other way than to the indicator.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.errors import CannotDo, TryAgain
from agent.messages import GiveConsent, Offer, Words
from consent import notice
from consent.holding import DEFAULT_HOLD_S
from consent.hours import ALWAYS_WORD, HoursError, parse
from consent.policy import Policy
from consent.receipt import ConsentReceipt, grants_of
from consent.register import Entry
from consent.scope import SURFACELESS, Scope
from consent.vocabulary import Kind, Purpose

CODE_LIVES_MS = 5 * 60_000
"""Time to read a page of notice and type six digits."""
CODE_TRIES = 3
"""Guessing six digits in three tries succeeds once in 333,333 askings."""

_ASK_AGAIN = "ask again with: volens consent give"


def hold_promised_s(policy: Policy) -> int:
    """The hold that a consent given now promises, in seconds."""
    return max(DEFAULT_HOLD_S, policy.hold_min_s)


def offer(policy: Policy, entries: Mapping[Kind, Entry], hours: str = ALWAYS_WORD) -> Offer:
    """What the person is asked under this policy; `entries` are the kinds in force, `hours` those of a yes that names no others."""
    asked = {kind: entry for kind, entry in entries.items() if kind in policy.scope().kinds()}
    text = notice.text(policy, asked, hold_promised_s(policy))
    purposes: dict[Purpose, Words] = {terms.id: terms.title for terms in policy.purposes.values()}
    kinds: dict[Kind, Words] = {kind: entry.what for kind, entry in asked.items()}
    sensitivity: dict[Kind, Words] = {kind: entry.sensitivity for kind, entry in asked.items()}
    return Offer(text, notice.sha256(text), purposes, kinds, policy.version, hours=hours, sensitivity=sensitivity)


@dataclass(slots=True)
class Asking:
    """One asking: the offer as it was shown, and the code. Ends with the right code, too many wrong ones, or time."""

    offer: Offer
    policy: Policy
    code: str = field(repr=False)
    asked_awake_ms: int
    tries: int = CODE_TRIES

    def over(self, awake_ms: int) -> bool:
        """Whether the code is good no more."""
        return self.tries <= 0 or awake_ms - self.asked_awake_ms > CODE_LIVES_MS

    def check(self, given: GiveConsent, awake_ms: int) -> None:
        """Raise CannotDo unless this yes answers what was shown, with the code that the indicator shows."""
        if self.over(awake_ms):
            raise CannotDo("the code is no longer good", _ASK_AGAIN)
        if "".join(given.code.split()) != self.code:
            self.tries -= 1
            if self.tries > 0:
                raise TryAgain("that is not the code that the icon shows", "it stands at the top of the screen")
            raise CannotDo("that is not the code that the icon shows", _ASK_AGAIN)
        if given.notice_sha256 != self.offer.notice_sha256:
            raise CannotDo("that answers another notice", _ASK_AGAIN)
        if not given.purposes or not given.purposes <= self.offer.purposes.keys():
            raise CannotDo("no purpose, or one that was not offered, was named", "see: volens consent show")
        if not given.kinds or not given.kinds <= self.offer.kinds.keys():
            raise CannotDo("no kind, or one that was not offered, was named", "see: volens consent show")
        _hours(self.offer, given)


def _hours(offer: Offer, given: GiveConsent) -> str:
    """The hours of this yes, in the one way of writing them; their zone is that of the offer, if they name none."""
    try:
        return parse(given.hours if given.hours is not None else offer.hours, offer.zone).text()
    except HoursError as error:
        raise CannotDo(str(error), "say them as in: --hours 'mon-fri 9:00-17:00', or --hours always") from None


def receipt(asking: Asking, given: GiveConsent, *, receipt_id: str, wall_ms: int) -> ConsentReceipt:
    """The receipt of exactly this yes. Kinds of no surface, which only mark holes in the record, come with any yes."""
    policy, kinds = asking.policy, given.kinds | SURFACELESS
    agreed = {pair: purpose for pair, purpose in policy.scope().grants.items() if pair[1] in kinds and purpose in given.purposes}
    chosen = [policy.purposes[purpose] for purpose in sorted(given.purposes)]
    surfaces = sorted({surface for surface, _ in agreed if surface is not None})
    return ConsentReceipt(
        format=1,
        id=receipt_id,
        granted_ms=wall_ms,
        controller=policy.controller,
        receiver=policy.receiver,
        notice_sha256=asking.offer.notice_sha256,
        policy_version=policy.version,
        purpose_keys={terms.id: terms.key_id.hex() for terms in chosen},
        purpose_words={terms.id: terms.fingerprint for terms in chosen},
        surfaces={surface: policy.surfaces[surface].fingerprint for surface in surfaces},
        retention_days={terms.id: terms.retention_days for terms in chosen},
        hold_min_s=hold_promised_s(policy),
        hours=_hours(asking.offer, given),
        grants=grants_of(Scope(agreed)),
        daily_notice=policy.daily_notice,
        language=notice.LANGUAGE,
        titles={terms.id: terms.title for terms in chosen},
        readers={terms.id: terms.readers for terms in chosen},
        names={surface: policy.surfaces[surface].name for surface in surfaces},
        sensitivity={kind: words for kind, words in asking.offer.sensitivity.items() if kind in kinds},
    )
