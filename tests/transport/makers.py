"""Events for tests: any that the types allow, a standing that admits them all, and a seeded stream like real work."""

import random
from types import MappingProxyType
from typing import Any

from hypothesis import strategies as st

from consent.event import (
    MAX_POINTS,
    Bucket,
    Button,
    Clocks,
    EndedBy,
    Event,
    FieldRole,
    Focus,
    KeyChord,
    KeyNamed,
    Modifier,
    NamedKey,
    PointerButton,
    PointerPath,
    PointerScroll,
    TypingBurst,
)
from consent.gate import Admitted, Asked, decide
from consent.scope import SURFACELESS, Scope
from consent.standing import Standing
from consent.vocabulary import Kind, Purpose, State, SurfaceId
from consent.words import PathPurpose
from tests.consent.samples import counts, payloads

STUDY, CARE = Purpose("study"), Purpose("care")
SURFACES = tuple(SurfaceId(name) for name in ("editor", "mail", "sheets"))
GENERATION = 7

_ms = st.integers(0, 2**53)


def standing(purposes: dict[Kind, Purpose] | None = None, **changes: Any) -> Standing:
    """A standing that admits every kind on every surface of SURFACES, for STUDY unless said otherwise."""
    chosen = {kind: (purposes or {}).get(kind, STUDY) for kind in Kind}
    grants: dict[tuple[SurfaceId | None, Kind], Purpose] = {
        (surface, kind): chosen[kind] for surface in SURFACES for kind in Kind if kind not in SURFACELESS
    }
    grants |= {(None, kind): chosen[kind] for kind in SURFACELESS}
    facts: dict[str, Any] = {
        "state": State.CONSENTED,
        "generation": GENERATION,
        "scope": Scope(MappingProxyType(grants)),
        "indicator": True,
    }
    return Standing(**(facts | changes))


def admit(events: list[Event], purposes: dict[Kind, Purpose] | None = None) -> list[Admitted]:
    """The events, admitted by the real gate."""
    answers = [decide(event, standing(purposes), Asked.SEALING) for event in events]
    admitted = [answer for answer in answers if isinstance(answer, Admitted)]
    assert len(admitted) == len(events)
    return admitted


@st.composite
def events(draw: st.DrawFn) -> Event:
    """Any event that the types allow."""
    payload = draw(payloads)
    surface = None if payload.kind in SURFACELESS else draw(st.sampled_from(SURFACES))
    at = Clocks(draw(_ms), draw(_ms), draw(_ms))
    return Event(surface, draw(counts), at, draw(counts), draw(counts), payload)


def click(boot_ms: int, *, surface: str = "editor", n: int = 1, wall_ms: int | None = None, generation: int = GENERATION) -> Event:
    """One click at an instant."""
    at = Clocks(boot_ms, boot_ms, 1_700_000_000_000 + boot_ms if wall_ms is None else wall_ms)
    return Event(SurfaceId(surface), 1, at, generation, n, PointerButton(10, 20, Button.LEFT, True))


def drag(boot_ms: int, *, generation: int = GENERATION) -> Event:
    """The longest path that an event can tell, of a hand that never repeats itself."""
    rng = random.Random(boot_ms)
    at = Clocks(boot_ms, boot_ms, 1_700_000_000_000 + boot_ms)
    times_ms = (0, *sorted(rng.sample(range(34, 60_000), MAX_POINTS - 1)))
    xs, ys = (tuple(rng.randrange(-30_000, 30_000) for _ in times_ms) for _ in "xy")
    return Event(SurfaceId("editor"), 1, at, generation, 500, PointerPath(PathPurpose.DRAG, times_ms, xs, ys, 1920, 0, 150))


def a_day_at_work(count: int, seed: int) -> list[Event]:
    """A seeded stream with the shape of real work: clicks with releases, wheel runs, typing, shortcuts, changes of window."""
    rng = random.Random(seed)
    made: list[Event] = []
    now, surface, window = 3_600_000, SURFACES[0], 1

    def add(payload: Any, n: int, after_ms: int) -> None:
        nonlocal now
        now += after_ms
        made.append(Event(surface, window, Clocks(now - 1000, now, now + 1_700_000_000_000), GENERATION, n, payload))

    while len(made) < count:
        match rng.choices(["click", "scroll", "type", "chord", "key", "focus"], [40, 25, 15, 8, 8, 4])[0]:
            case "click":
                x, y = rng.randrange(1600), rng.randrange(900)
                add(PointerButton(x, y, Button.LEFT, True), 1, rng.randrange(300, 4000))
                add(PointerButton(x, y, Button.LEFT, False), 1, rng.randrange(60, 140))
            case "scroll":
                x, y, dy = rng.randrange(1600), rng.randrange(900), rng.choice([1, 1, -1])
                for _ in range(rng.randrange(1, 12)):
                    add(PointerScroll(x, y, 0, dy), 2, rng.randrange(30, 120))
            case "type":
                keys, corrections = Bucket.of(rng.randrange(60)), Bucket.of(rng.randrange(3))
                burst = TypingBurst(rng.randrange(1, 30), keys, corrections, EndedBy.IDLE, FieldRole.TEXT)
                add(burst, rng.randrange(20, 120), rng.randrange(1, 30) * 250)
            case "chord":
                add(KeyChord((Modifier.CTRL,), rng.choice("cvzsf")), 4, rng.randrange(200, 2000))
            case "key":
                add(KeyNamed(rng.choice([NamedKey.ENTER, NamedKey.TAB, NamedKey.DOWN]), False), 2, rng.randrange(80, 900))
            case _:
                surface, window = rng.choice(SURFACES), rng.randrange(1, 6)
                add(Focus(0, 27, 1600, 873, 1600, 900), 0, rng.randrange(200, 1500))
    return made[:count]
