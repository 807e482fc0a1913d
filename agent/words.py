"""Words that many answers and requests share. Pure."""

from collections.abc import Sized

NO_LOCKS = "Nothing here says when the screen is locked, so it counts as unlocked."


def counted(n: int, thing: str) -> str:
    """A number of things: `1 envelope`, `2 envelopes`, `2 batches`."""
    many = f"{thing}es" if thing.endswith("ch") else f"{thing}s"
    return f"{n} {thing if n == 1 else many}"


def span_words(seconds: int) -> str:
    """A length of time in its largest whole unit: `7 days`, `24 hours`, `15 minutes`, `90 seconds`."""
    for unit_s, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= unit_s and seconds % unit_s == 0 and (unit_s, seconds) != (86_400, 86_400):
            return counted(seconds // unit_s, unit)
    return counted(seconds, "second")


def hold_words(hold_s: int) -> str:
    """How long things are held, for people."""
    return f"Everything stays here for at least {span_words(hold_s)}, and until you could have looked at it for 15 minutes."


def forgotten_words(events: int, destroyed: Sized, sent: Sized) -> str:
    """What became of a span that was forgotten, for people."""
    words = f"Forgotten: {counted(events, 'held event')} and {counted(len(destroyed), 'waiting envelope')}."
    return f"{words} Of what has been sent, {counted(len(sent), 'batch')} overlap; the receiver is asked to erase." if sent else words
