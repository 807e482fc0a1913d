"""What stops the observer as a whole. Each error carries the blocker that the daemon shows, and one line for people."""

from consent.vocabulary import Blocker


class CollectorError(Exception):
    """The observer cannot go on."""

    blocker = Blocker.OBSERVER_FAILING


class DisplayGoneError(CollectorError):
    """The display server ended or cannot be reached; log in again, or start the agent inside the session."""

    blocker = Blocker.DISPLAY_GONE


class NotObservableError(CollectorError):
    """Input cannot be observed here by design; nothing is wrong with this machine."""

    blocker = Blocker.NOT_OBSERVABLE


class DeafError(CollectorError):
    """The hook hears nothing any more, though what it listens to goes on; a new one is installed."""
