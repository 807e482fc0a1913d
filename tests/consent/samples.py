"""Strategies and samples of the words of consent, for tests of every folder."""

from hypothesis import strategies as st

from consent.event import (
    CHORD_TRIGGERS,
    MAX_LABEL,
    AnyPayload,
    Bucket,
    Button,
    Clipboard,
    Clocks,
    Control,
    Element,
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
    PointerPath,
    PointerScroll,
    SecureInput,
    Switch,
    TypingBurst,
)
from consent.scope import SURFACELESS, Scope
from consent.standing import Standing
from consent.vocabulary import Kind, Purpose, State, SurfaceId
from consent.words import ChosenBy, ClipboardAct, ClipboardKind, ElementRole, PathPurpose, SizeBucket

EDITOR, MAIL = SurfaceId("editor"), SurfaceId("mail")
TRAINING, TESTING = Purpose("training"), Purpose("testing")

pixels = st.integers(-32768, 32767)
extents = st.integers(0, 65535)
counts = st.integers(0, 2**32)
_modifiers = st.sampled_from([(Modifier.CTRL,), (Modifier.CTRL, Modifier.SHIFT), (Modifier.ALT,), (Modifier.META, Modifier.ALT)])
monitors = (pixels, pixels, st.integers(1, 1000))


@st.composite
def paths(draw: st.DrawFn, places: st.SearchStrategy[int] = pixels) -> PointerPath:
    """Any path that the type allows, of few points."""
    points = draw(st.lists(st.tuples(st.integers(0, 60_000), places, places), min_size=2, max_size=5))
    t_ms = sorted(ms for ms, _, _ in points)
    _, xs, ys = zip(*points, strict=True)
    return PointerPath(draw(st.sampled_from(PathPurpose)), tuple(ms - t_ms[0] for ms in t_ms), xs, ys, *map(draw, monitors))


def elements(places: st.SearchStrategy[int] = pixels) -> st.SearchStrategy[Element]:
    """Any choice of an element."""
    labels = st.text(max_size=MAX_LABEL).filter(str.isprintable)
    box = (places, places, extents, extents)
    return st.builds(Element, st.sampled_from(ElementRole), counts, *box, st.sampled_from(ChosenBy), labels)


clips = st.builds(
    Clipboard,
    st.sampled_from(ClipboardAct),
    st.lists(st.sampled_from(ClipboardKind), unique=True).map(tuple),
    st.sampled_from(SizeBucket),
)
payloads: st.SearchStrategy[AnyPayload] = st.one_of(
    st.builds(PointerButton, pixels, pixels, st.sampled_from(Button), st.booleans(), *monitors),
    st.builds(PointerScroll, pixels, pixels, pixels, pixels, *monitors),
    paths(),
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
    st.builds(Focus, pixels, pixels, *[extents] * 4, pixels, pixels, extents, extents, st.integers(1, 1000)),
    elements(),
    clips,
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
