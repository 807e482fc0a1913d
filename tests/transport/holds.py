"""A hold to test with: clicks kept one by one, each at an instant of its own."""

from pathlib import Path

from consent.event import Clocks
from tests.transport.makers import admit, click
from transport.hold import Hold
from transport.keystore import FileKeystore
from transport.span import Span

BOOT = "this-start"
WALL = 1_700_000_000_000
MINUTE = 60_000


def at(boot_ms: int) -> Clocks:
    return Clocks(boot_ms, boot_ms, WALL + boot_ms)


def opened(folder: Path, **kwargs: object) -> Hold:
    return Hold(folder / "hold", FileKeystore(folder / "keys"), boot=BOOT, **kwargs)  # type: ignore[arg-type]


def held(hold: Hold, span: Span | None = None) -> list[int]:
    """The instants of all held events; each event of these tests has its own."""
    return sorted(event.at.boot_ms for part in hold.read(span) for event in part.events)


def keep(hold: Hold, *instants: int, surface: str = "editor") -> None:
    """One click a given instant, n = 2 each, kept one by one."""
    for instant in instants:
        counts = hold.keep(admit([click(instant, surface=surface, n=2)]), at(instant))
        assert (counts.events, counts.n, counts.full_n) == (1, 2, 0)
