"""What is said on the control socket fits its frames."""

from agent import messages, narrowing
from consent.frames import MAX_NOTICE_BYTES, frame
from consent.vocabulary import Purpose
from tests.register import REGISTER
from tests.transport.makers import click, drag


def test_held_events_are_said_in_parts_that_fit_a_frame() -> None:
    """A thousand drags of the longest sort among a thousand clicks: all of them, in order, and no frame is refused."""
    events = [made for at in range(1_000) for made in (click(at), drag(at))]
    parts = list(messages.held_parts(iter(events)))
    assert [event for part in parts for event in part.events] == events
    assert max(len(frame(messages.encode(part))) for part in parts) > 16 * 1024


def test_the_largest_offer_fits_a_frame() -> None:
    """A notice as long as can be, eight purposes with long titles, and more that waits and more that is exempt than can be shown."""
    wide = ["\u8a9e" * 200] * 300
    purposes = {Purpose(f"{at}{'p' * 62}"): "\u8a9e" * 200 for at in range(8)}
    kinds = {kind: entry.what for kind, entry in REGISTER.items()}
    sensitivity = {kind: entry.sensitivity for kind, entry in REGISTER.items()}
    for words in (wide, ["x" * 200] * 300, ["x"] * 300):
        offer = messages.Offer(
            "\u8a9e" * (MAX_NOTICE_BYTES // 3),
            "0" * 64,
            purposes,
            kinds,
            2**31,
            waits=narrowing.shown(words),
            sensitivity=sensitivity,
            exempt=narrowing.shown(words, "all of them: volens exempt list", narrowing.EXEMPT_BYTES),
        )
        assert messages.decode_answer.decode(frame(messages.encode(offer))[4:]) == offer
        assert offer.exempt[-1].endswith("more, all of them: volens exempt list")
