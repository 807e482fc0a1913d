"""Strategies and samples of the words of consent, for tests of every folder."""

from hypothesis import strategies as st

from consent.event import (
    CHORD_TRIGGERS,
    AnyPayload,
    Bucket,
    Button,
    Clocks,
    Control,
    EndedBy,
    Event,
    FieldRole,
    Focus,
    Gap,
    KeyChord,
    KeyNamed,
    Modifier,
    NamedKey,
    PointerButton,
    PointerScroll,
    SecureInput,
    Switch,
    TypingBurst,
)
from consent.scope import SURFACELESS, Scope
from consent.standing import Standing
from consent.vocabulary import Kind, Purpose, State, SurfaceId

EDITOR, MAIL = SurfaceId("editor"), SurfaceId("mail")
TRAINING, TESTING = Purpose("training"), Purpose("testing")

pixels = st.integers(-32768, 32767)
extents = st.integers(0, 65535)
counts = st.integers(0, 2**32)
_modifiers = st.sampled_from([(Modifier.CTRL,), (Modifier.CTRL, Modifier.SHIFT), (Modifier.ALT,), (Modifier.META, Modifier.ALT)])
payloads: st.SearchStrategy[AnyPayload] = st.one_of(
    st.builds(PointerButton, pixels, pixels, st.sampled_from(Button), st.booleans()),
    st.builds(PointerScroll, pixels, pixels, pixels, pixels),
    st.builds(KeyNamed, st.sampled_from(NamedKey), st.booleans()),
    st.builds(KeyChord, _modifiers, st.sampled_from(sorted(CHORD_TRIGGERS))),
    st.builds(
        TypingBurst,
        counts,
        st.sampled_from(Bucket),
        st.sampled_from(Bucket),
        st.sampled_from(EndedBy),
        st.sampled_from(FieldRole),
    ),
    st.just(SecureInput()),
    st.builds(Focus, pixels, pixels, extents, extents, extents, extents),
    st.just(Gap()),
    st.builds(Control, st.sampled_from(Switch)),
)
clocks = st.builds(Clocks, st.integers(0, 2**40), st.integers(0, 2**40), st.integers(0, 2**42))


@st.composite
def events(draw: st.DrawFn, generation: int | None = None) -> Event:
    """Any event that can exist, on any surface that fits its kind."""
    payload = draw(payloads)
    surface = None if payload.kind in SURFACELESS else draw(st.sampled_from([EDITOR, MAIL]))
    number = draw(st.integers(0, 5)) if generation is None else generation
    return Event(surface, draw(st.integers(0, 9)), draw(clocks), number, draw(st.integers(0, 40)), payload)


def click(*, surface: SurfaceId = EDITOR, generation: int = 1, n: int = 1, awake_ms: int = 1000) -> Event:
    """One press of the left button."""
    return Event(surface, 1, Clocks(awake_ms, awake_ms, awake_ms), generation, n, PointerButton(3, 4, Button.LEFT, True))


def everything(surface: SurfaceId = EDITOR, purpose: Purpose = TRAINING) -> Scope:
    """A scope of all kinds on one surface."""
    grants: dict[tuple[SurfaceId | None, Kind], Purpose] = {(surface, kind): purpose for kind in Kind if kind not in SURFACELESS}
    return Scope(grants | {(None, kind): purpose for kind in SURFACELESS})


def recording(generation: int = 1) -> Standing:
    """A standing under which everything in the editor is recorded."""
    return Standing(State.CONSENTED, generation, everything(), indicator=True)
