"""Named keys, chords and typing bursts out of judged key presses. Pure; no key here has an identity.

Which inputs belong to what:
- A named key has its press, its repeats and its release.
- A chord has those of its trigger. A character, and BackSpace or Delete in an open burst, belong to the burst.
- A modifier's press belongs to the first of these that was made while it was held, its release to the last one.
  A modifier that nothing was made with stands for nothing: `no_kind`.
- A release that comes more than a second after its act ended stands for nothing either.
- Typing that goes on is cut into bursts, so that little is lost if the observer is ended; a key that is held goes on in the next.
"""

from dataclasses import dataclass

from collectors.account import Account
from collectors.acts import IDLE_MS, Act, Burst, Place
from collectors.raw import Key, Sort
from consent.event import EndedBy, KeyChord, KeyNamed, NamedKey
from consent.vocabulary import Why

_CORRECTIONS = frozenset({NamedKey.BACKSPACE, NamedKey.DELETE})
_ENDS = {NamedKey.ENTER: EndedBy.ENTER, NamedKey.TAB: EndedBy.TAB}


@dataclass(slots=True, eq=False)
class _Held:
    """A modifier that is down: its inputs that belong to no act yet, and the act that it was last used for."""

    spare: int = 1
    act: Act | None = None


class Keys:
    """Puts judged keys together into acts, and tells the account about each that is complete."""

    def __init__(self, account: Account, generation: int) -> None:
        self._account, self._generation = account, generation
        self._burst: Burst | None = None
        self._acts: list[Act] = []
        self._owner: dict[int, Act] = {}
        self._held: dict[int, _Held] = {}

    def pending(self) -> int:
        """The raw inputs of which it is not known yet what they belong to."""
        return sum(act.n for act in self._acts) + sum(held.spare for held in self._held.values())

    def due_ms(self) -> int | None:
        """When `idle` has something to do, on the awake clock; None if nothing is open."""
        return min((act.due_ms() for act in self._acts), default=None)

    def key(self, key: Key, place: Place) -> None:
        """One key input that may be kept."""
        if not key.down:
            self._release(key.press)
        elif key.repeat:
            self._repeat(key)
        else:
            self._press(key, place)

    def refused(self, key: Key) -> None:
        """A key input was refused, and counted as that; its act does not wait for it."""
        if not key.down:
            held = self._held.pop(key.press, None)
            act = held.act if held else self._owner.pop(key.press, None)
            if held:
                self._account.drop(Why.NO_KIND, held.spare)
            self._let_go(act, key.press)

    def end_burst(self, by: EndedBy) -> None:
        """Something else happened: what comes next is another burst."""
        burst, self._burst = self._burst, None
        if burst is not None:
            burst.end(by)
            self._tell_if_complete(burst)

    def idle(self, now_ms: int) -> None:
        """Time went by: ends what is due. `now_ms` must be behind all inputs that are still to come."""
        for act in [act for act in self._acts if now_ms >= act.due_ms()]:
            self._finish(act, EndedBy.IDLE if now_ms - act.last_ms >= IDLE_MS else EndedBy.LENGTH)

    def close(self) -> None:
        """Ends everything that is open."""
        for act in list(self._acts):
            self._finish(act, EndedBy.IDLE)
        for held in self._held.values():
            self._account.drop(Why.NO_KIND, held.spare)
        self._held.clear()

    def _press(self, key: Key, place: Place) -> None:
        stroke = key.stroke
        if stroke.sort is Sort.MODIFIER:
            self._held[key.press] = _Held()
        elif stroke.sort is Sort.OTHER:
            self._account.drop(Why.NO_KIND)
        elif stroke.sort is Sort.CHARACTER:
            self._type(self._burst_at(key, place) or self._open_burst(key, place), key)
        elif stroke.sort is Sort.CHORD:
            self.end_burst(EndedBy.CHORD)
            payload = KeyChord(stroke.modifiers, stroke.trigger)
            self._begin(Act(key.at, place, key.at.awake_ms, payload), key.press)
        elif stroke.named is not None:
            self._named(key, place, stroke.named)

    def _named(self, key: Key, place: Place, named: NamedKey) -> None:
        burst = self._burst_at(key, place) if named in _CORRECTIONS else None
        if burst is not None:
            self._type(burst, key)
            return
        self.end_burst(_ENDS.get(named, EndedBy.KEY))
        self._begin(Act(key.at, place, key.at.awake_ms, KeyNamed(named, key.stroke.shift)), key.press)

    def _begin(self, act: Act, press: int) -> None:
        self._acts.append(act)
        self._give(act, press)

    def _give(self, act: Act, press: int) -> None:
        """A press belongs to this act, with the modifiers that are held for it."""
        act.n += 1
        act.down.add(press)
        self._owner[press] = act
        for number, held in self._held.items():
            act.n, held.spare = act.n + held.spare, 0
            act.down.add(number)
            before, held.act = held.act, act
            if before is not act:
                self._let_go(before, number)

    def _burst_at(self, key: Key, place: Place) -> Burst | None:
        """The open burst, if this key can go on with it."""
        burst = self._burst
        if burst is None:
            return None
        if key.at.awake_ms - burst.last_ms >= IDLE_MS:
            self.end_burst(EndedBy.IDLE)
        elif burst.goes_on_too_long(key.at.awake_ms):
            self.end_burst(EndedBy.LENGTH)
        elif burst.place != place:
            self.end_burst(EndedBy.FOCUS)
        return self._burst

    def _open_burst(self, key: Key, place: Place) -> Burst:
        self._burst = Burst(key.at, place, key.at.awake_ms)
        self._acts.append(self._burst)
        return self._burst

    def _type(self, burst: Burst, key: Key) -> None:
        burst.typed(key.at.awake_ms, correction=key.stroke.sort is Sort.NAMED)
        self._give(burst, key.press)

    def _repeat(self, key: Key) -> None:
        act, held = self._owner.get(key.press), self._held.get(key.press)
        if isinstance(act, Burst) and act is self._burst and act.goes_on_too_long(key.at.awake_ms):
            self.end_burst(EndedBy.LENGTH)
            self._let_go(act, key.press)
            self._type(self._open_burst(key, act.place), key)
        elif act is not None:
            act.n += 1
            act.repeated(key.at.awake_ms, correction=key.stroke.sort is Sort.NAMED)
        elif held is not None:
            held.spare += 1
        else:
            self._account.drop(Why.NO_KIND)

    def _release(self, press: int) -> None:
        held = self._held.pop(press, None)
        act = held.act if held else self._owner.pop(press, None)
        if act is not None:
            act.n += 1 + (held.spare if held else 0)
            self._let_go(act, press)
        else:
            self._account.drop(Why.NO_KIND, 1 + (held.spare if held else 0))

    def _let_go(self, act: Act | None, press: int) -> None:
        if act is not None:
            act.down.discard(press)
            self._tell_if_complete(act)

    def _tell_if_complete(self, act: Act) -> None:
        if act.closed and not act.down:
            self._finish(act, EndedBy.IDLE)

    def _finish(self, act: Act, by: EndedBy) -> None:
        """Tells an act, complete or not; inputs of it that are still to come belong to nothing."""
        if isinstance(act, Burst):
            act.end(by)
            self._burst = None if self._burst is act else self._burst
        event = act.event(self._generation)
        if event is not None:
            self._account.keep(event)
        self._acts.remove(act)
        for press in act.down:
            self._owner.pop(press, None)
            if press in self._held:
                self._held[press].act = None
