"""What a person chooses by one line of the ledger and nothing else: their hours, and what else is to exempt them without asking."""

from agent import messages, permission, zone
from agent.subject import Subject
from consent.event import Clocks
from consent.history import HOURS_CHOSEN, LINK_UNKNOWN_CHOSEN, UNPLUGGED_CHOSEN
from consent.hours import ALWAYS_WORD, Hours, usual


def choose_hours(subject: Subject, chosen: Hours | None, now: Clocks) -> str:
    """Record in which hours the person is willing to be recorded (None: in all those of their yes); what to tell them."""
    subject.record.note(HOURS_CHOSEN, now, {"hours": chosen.text() if chosen else None})
    return hours_words(subject)


def choose_unplugged(subject: Subject, now: Clocks, *, exempt: bool) -> str:
    """Record whether the person is exempt while no charger is plugged in; what to tell them."""
    subject.record.note(UNPLUGGED_CHOSEN, now, {"exempt": exempt})
    return f"Without a charger you are {'exempt' if exempt else 'not exempt by that alone'}, as far as the computer says so."


def choose_unknown_link(subject: Subject, now: Clocks, *, exempt: bool) -> str:
    """Record how a link counts of which nothing tells whether it is metered; what to tell them."""
    subject.record.note(LINK_UNKNOWN_CHOSEN, now, {"exempt": exempt})
    return f"While nothing tells whether the link is metered you are {'exempt' if exempt else 'not exempt: it counts as not metered'}."


def choose_ground(subject: Subject, chosen: messages.ChooseUnplugged | messages.ChooseUnknownLink, now: Clocks) -> str:
    """Record whether such a fact exempts; what to tell the person."""
    match chosen:
        case messages.ChooseUnplugged(exempt):
            return choose_unplugged(subject, now, exempt=exempt)
        case messages.ChooseUnknownLink(exempt):
            return choose_unknown_link(subject, now, exempt=exempt)


def hours_offered(subject: Subject) -> str:
    """The hours of a yes that names no others: those of the yes in force, or the usual ones; a local trial is too short for hours."""
    receipt = subject.record.receipt()
    if receipt is not None:
        return receipt.hours
    return ALWAYS_WORD if subject.settings.trial else usual(zone.name()).text()


def hours_words(subject: Subject) -> str:
    """In which hours anything may be recorded, for people."""
    receipt = subject.record.receipt()
    if receipt is None:
        return "Nothing is recorded at any hour, because there is no consent."
    agreed, *chosen = permission.hours(subject.record.choice, receipt)
    own = f" Of these you chose: {chosen[0].text()}." if chosen else ""
    return f"Hours of your yes: {agreed.text()}.{own} Outside of them nothing is recorded, and nothing is sent."
