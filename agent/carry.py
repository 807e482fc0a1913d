"""The life of one event in the daemon, on one screen: judged and pending, or counted and forgotten. Pure."""

from agent.pending import Pending
from agent.tally import Tally
from collectors.pipe import Observed
from consent.event import Event
from consent.gate import Admitted, Refused, decide
from consent.standing import Standing
from consent.vocabulary import Why


def carry(event: Event, standing: Standing, pending: Pending, tally: Tally) -> None:
    """One event: admitted events wait for the indicator's answer, refused ones are a number from now on."""
    match decide(event, standing):
        case Refused(why):
            tally.refuse(why, event.n)
        case Admitted() as admitted:
            tally.admit(event.n)
            pending.add(admitted)


def carry_all(observed: Observed, standing: Standing, pending: Pending, tally: Tally) -> None:
    """What the observer sent at once. What does not reconcile is refused whole: its counts cannot be believed."""
    if observed.seen != sum(event.n for event in observed.events) + sum(observed.dropped.values()):
        tally.came(observed.seen)
        tally.refuse(Why.MALFORMED, observed.seen)
        return
    tally.came(observed.seen)
    for why, n in observed.dropped.items():
        tally.refuse(why, n)
    for event in observed.events:
        carry(event, standing, pending, tally)
