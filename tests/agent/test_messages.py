"""What is said on the control socket fits its frames."""

from agent import messages
from consent.frames import frame
from tests.transport.makers import click, drag


def test_held_events_are_said_in_parts_that_fit_a_frame() -> None:
    """A thousand drags of the longest sort among a thousand clicks: all of them, in order, and no frame is refused."""
    events = [made for at in range(1_000) for made in (click(at), drag(at))]
    parts = list(messages.held_parts(iter(events)))
    assert [event for part in parts for event in part.events] == events
    assert max(len(frame(messages.encode(part))) for part in parts) > 16 * 1024
