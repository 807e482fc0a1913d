"""Raw inputs into events, for every back end. Pure: time comes in as an argument, and nothing here waits.

Every raw input ends in exactly one place: in one event's `n`, or dropped under exactly one reason. Keys are held for
HOLD_MS, as a class only, and judged by what held from their instant to the end of that hold, and by what has been said of
the focus since; what comes after them waits behind them, so that events keep their order. A press on a recorded window that
is not in front is held for as long at most, until that window comes to the front. What is made in a browser is held until
its page was asked for (`collectors.pages`). Nothing is held while nothing happens.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

from collectors.account import Account
from collectors.acts import Place
from collectors.clipboard import ANSWER_MS, Clips, Offer
from collectors.elements import Elements
from collectors.keys import Keys
from collectors.minimise import Context, cut_to_minute, no_earlier, refuse_key
from collectors.pages import LIMIT_MS, Pages
from collectors.paths import Paths
from collectors.pipe import Grant, Observed
from collectors.pointer import Pointer, brings_to_front
from collectors.raw import Button, Front, Geometry, Key, NoRole, Role, Went
from collectors.window import DOUBT_MS, Timeline, focus_of
from consent.event import Clocks, Control, EndedBy, Event, Gap, SecureInput, Switch
from consent.vocabulary import Why

HOLD_MS = 250
"""How long a focus event may come later than the first key in the new field (measured: up to 12 ms; a busy machine: more)."""

STALL_MS = HOLD_MS // 2
"""An observer that does not come to read for so long may be late with the news of a focus. Half of a hold is left for the answers that
it asks for then (who it was, which role); a turn takes 1 to 20 ms."""

MOST_WAITING = 5_000
"""Inputs and news that wait for their hold to end: two seconds of a person's are two hundred. Of more, the oldest are refused."""

LATE_MS = 2_000
"""How late an input may come and still be judged by what held at its instant (X hands repeats over in bundles)."""


@dataclass(frozen=True, slots=True)
class _Changed:
    """Another window is in front, or it was moved."""

    at: Clocks
    front: Front
    geometry: Geometry | None


@dataclass(frozen=True, slots=True)
class _Refocused:
    """Something else has the focus, or (not `fresh`) it is known now what has it."""

    at: Clocks
    fresh: bool


_Item = Key | Button | Went | _Changed | _Refocused | Offer


class Shaper:
    """One generation's inputs, in the order in which the back end hands them over.

    Args:
        grant: What may be told; an event of another kind is counted as not consented.
        now: The instant at which the hooks are in place.

    Attributes:
        pages: Which pages of browsers were in front; for the back end to say.
    """

    def __init__(self, grant: Grant, now: Clocks) -> None:
        self._generation = grant.generation
        self._account = Account(grant.generation, grant.kinds)
        self._keys = Keys(self._account, grant.generation)
        self._paths = Paths(self._account, grant.generation)
        self._pointer = Pointer(self._account, self._paths, grant.generation)
        self._clips = Clips(self._account, grant.generation)
        self.elements = Elements(self._account, grant.generation)
        self._timeline = Timeline(now.awake_ms)
        self.pages = Pages()
        self._knows_sites = False
        self._queue: deque[_Item] = deque()
        self._told_front: Front | None = None
        self._in_gap = False
        self._told_secure_ms = -1
        self._key_ms = self._move_ms = -1
        self._pressed_ms: int | None = None
        self._account.keep(Event(None, 0, now, grant.generation, 0, Control(Switch.STARTED)))

    # --- what the back end says ----------------------------------------------------------------------------------

    def key(self, key: Key) -> None:
        """A key input; it may come late, in order of its own kind and of `unsettled`.

        Its own time is when it was made; what the server did with it after it had moved the focus, happened after that.
        """
        key = replace(key, at=no_earlier(key.at, self._move_ms + 1))
        self._key_ms = max(self._key_ms, key.at.awake_ms)
        if key.down and not key.repeat:
            self.elements.struck(key.at.awake_ms)
            self._pressed_ms = min(key.at.awake_ms, self._pressed_ms or key.at.awake_ms)
        self._add(key)

    def unsettled(self, at: Clocks, grab: bool = False) -> None:
        """The X server moved the input focus: before all keys that come after this, and after all that came before.

        With `grab` a program took the keyboard for itself, or gave it back.
        """
        self._move_ms = max(at.awake_ms, self._key_ms, self._move_ms)
        self._timeline.moved(at.awake_ms, self._move_ms, grab)

    def button(self, button: Button) -> None:
        """A button input."""
        self._add(button)

    def copied(self, offer: Offer) -> None:
        """The clipboard got another owner; what it offers is being asked."""
        last = self._queue[-1] if self._queue else None
        if isinstance(last, Offer) and last.kinds is None and (last.done or not last.window):
            self._queue.pop()  # nothing will be told of it, and it is not there to be pasted any more
        self._wait_behind(offer)
        self._wait_for_page(offer.at)

    def moved(self, n: int) -> None:
        """So many moves of the pointer that were not looked at."""
        self._account.came(n)
        self._account.drop(Why.NO_KIND, n)

    def went(self, went: Went) -> None:
        """Moves of the pointer that were looked at, before every button that comes after this and after all that came before."""
        self._account.came(went.n)
        self._wait_behind(went)

    def front(self, at: Clocks, front: Front, geometry: Geometry | None = None) -> None:
        """A window came to the front, or the one in front was moved or resized (the same `front` again)."""
        self._knows_sites = self._knows_sites or front.site
        if front != self._timeline.now.front:
            self._timeline.front(at.awake_ms, front)
            self.elements.front(at.awake_ms, front)
        else:
            self.elements.shifted()
        self._wait_behind(_Changed(at, front, geometry))

    def passing(self, at: Clocks) -> None:
        """Something came to the front that had gone again before it could be asked about: no key and no click is its."""
        self._timeline.front(at.awake_ms, Front())
        self.elements.front(at.awake_ms, Front())

    def focused(self, at: Clocks, role: Role = NoRole.UNKNOWN) -> None:
        """Something else got the focus in the window in front. Its role may follow by `role`."""
        self._timeline.focus(at.awake_ms, role)
        self._wait_for_page(at, role)
        self._wait_behind(_Refocused(at, fresh=True))

    def role(self, at: Clocks, role: Role) -> None:
        """What has had the focus since the latest `front` or `focused` is known now."""
        self._timeline.resolve(at.awake_ms, role)
        self._wait_for_page(at, role)
        self._wait_behind(_Refocused(at, fresh=False))

    # --- what the observer asks ----------------------------------------------------------------------------------

    @property
    def recorded(self) -> bool:
        """Whether the window in front is a recorded one."""
        return self._timeline.now.front.surface is not None

    def read(self, since_ms: int, until_ms: int) -> None:
        """The back end has read what came, from one instant to another. What was pressed before it, had waited to be read: if all that
        took long, roles were not known meanwhile, and the news of a window that is not in front any more is not read at all."""
        since_ms, self._pressed_ms = min(since_ms, self._pressed_ms or since_ms), None
        if until_ms - since_ms > STALL_MS:
            self._timeline.blind(since_ms, until_ms)

    def advance(self, now: Clocks) -> None:
        """Judges all inputs whose hold is over, and ends what has been idle."""
        while self._queue and self._ready_ms(self._queue[0]) <= now.awake_ms:
            self._judge(self._queue.popleft())
        judged_ms = self._judged_ms(now.awake_ms)
        self._keys.idle(judged_ms)
        self._paths.idle(judged_ms)
        self._clips.settle(now.awake_ms)
        self.elements.advance(now.awake_ms)
        self.pages.expire(now.awake_ms)
        oldest_ms = min((item.at.awake_ms for item in self._queue), default=now.awake_ms)
        self._timeline.forget_before(min(oldest_ms - 2 * DOUBT_MS, now.awake_ms - LATE_MS))

    def due_ms(self) -> int | None:
        """When `advance` has something to do, on the awake clock; None if nothing is open."""
        idles_ms = [due_ms for due_ms in (self._keys.due_ms(), self._paths.due_ms()) if due_ms is not None]
        dues_ms = [due_ms + HOLD_MS for due_ms in idles_ms if due_ms <= self._judged_ms(due_ms + HOLD_MS)]
        dues_ms += [due_ms for due_ms in (self.elements.due_ms(), self._clips.due_ms()) if due_ms is not None]
        if self._queue:
            dues_ms.append(self._ready_ms(self._queue[0]))
        return min(dues_ms, default=None)

    def waiting(self) -> tuple[int, int]:
        """How many events, and how many refused inputs, there are to take."""
        return len(self._account.events), sum(self._account.dropped.values())

    def pending(self) -> int:
        """The raw inputs that came and of which it is not known yet what they belong to."""
        queued = sum(isinstance(item, Key | Button) for item in self._queue)
        moves = sum(item.n for item in self._queue if isinstance(item, Went)) + self._paths.pending()
        return queued + moves + self._keys.pending() + self._pointer.pending()

    def take(self) -> list[Observed]:
        """What is known since the last call, in messages that each reconcile."""
        return self._account.take(self.pending())

    def close(self, now: Clocks) -> None:
        """The end: what can still be judged is, a hold that is not over counts as an unknown role."""
        while self._queue:
            item = self._queue.popleft()
            if isinstance(item, Key) and self._ready_ms(item) > now.awake_ms:
                self._account.drop(Why.ROLE_UNKNOWN)
                self._keys.refused(item)
            else:
                self._judge(item)
        self._keys.close()
        self._pointer.close()
        self._clips.settle(now.awake_ms + ANSWER_MS)
        self._paths.close()
        self.elements.close()
        self._account.keep(Event(None, 0, now, self._generation, 0, Control(Switch.STOPPED)))

    # --- one item ------------------------------------------------------------------------------------------------

    def _add(self, item: Key | Button) -> None:
        self._account.came()
        self._wait_behind(item)
        self._wait_for_page(item.at)

    def _wait_behind(self, item: _Item) -> None:
        self._queue.append(item)
        if len(self._queue) > MOST_WAITING:
            self._give_up(self._queue.popleft())

    def _give_up(self, item: _Item) -> None:
        """There is no room to wait for what would vouch for it."""
        match item:
            case Key():
                self._account.drop(Why.HOLD_FULL)
                self._keys.refused(item)
            case Button():
                self._pointer.button(item, [_nowhere(item)])
                self.elements.button(item, Front())
            case Offer():
                self._clips.offered(item, _nowhere(item))
            case _:
                self._judge(item)

    def _wait_for_page(self, at: Clocks, role: Role = NoRole.SECURE) -> None:
        if self._timeline.now.front.site and role is NoRole.SECURE:
            self.pages.wait(at.awake_ms)

    def _judged_ms(self, now_ms: int) -> int:
        """No input that is still to be judged is older than this, at an instant."""
        return min(now_ms - HOLD_MS, self._queue[0].at.awake_ms if self._queue else now_ms)

    def _ready_ms(self, item: _Item) -> int:
        if self._knows_sites and self._vouched(item) is None:
            return item.at.awake_ms + LIMIT_MS
        match item:
            case Went():
                return 0
            case _Changed() if item.front.window != 0:
                return 0
            case Button() if not self._waits(item):
                return 0
        return item.at.awake_ms + HOLD_MS

    def _waits(self, button: Button) -> bool:
        """Whether a press may still bring its window to the front."""
        return brings_to_front(button) and all(context.front.window != button.window for context in self._met_by(button))

    def _met_by(self, button: Button) -> list[Context]:
        at_ms = button.at.awake_ms
        return self._timeline.during(at_ms, at_ms + HOLD_MS if brings_to_front(button) else at_ms)

    def _could_be_of(self, item: _Item) -> Sequence[Context]:
        at_ms = item.at.awake_ms
        match item:
            case Key():
                return self._timeline.of_key(at_ms, at_ms + HOLD_MS)
            case Button():
                return [context for context in self._met_by(item) if context.front.window == item.window]
            case _Refocused():
                return [context for context in self._timeline.during(at_ms, at_ms + HOLD_MS) if context.role is NoRole.SECURE]
            case Offer():
                return [self._timeline.at(at_ms)]
        return ()

    def _vouched(self, item: _Item) -> bool | None:
        """Whether the browser in front vouches for its page (True: there is none to vouch for); None: it has not said yet."""
        sites = {context.front.surface for context in self._could_be_of(item) if context.front.site}
        if not sites:
            return True
        site = sites.pop()
        return False if sites or site is None else self.pages.vouch(item.at.awake_ms, site)

    def _judge(self, item: _Item) -> None:
        match item:
            case Key():
                self._judge_key(item)
            case Button():
                met = self._met_by(item) if self._vouched(item) else [_nowhere(item)]
                if self._pointer.button(item, met):
                    self._keys.end_burst(EndedBy.CLICK)
                self.elements.button(item, met[0].front)
            case Went():
                self._judge_moves(item)
            case _Changed():
                self._judge_front(item)
            case _Refocused():
                self._judge_focus(item)
            case Offer():
                context = self._timeline.at(item.at.awake_ms) if self._vouched(item) else _nowhere(item)
                self._clips.offered(item, context)

    def _judge_key(self, key: Key) -> None:
        contexts = self._timeline.of_key(key.at.awake_ms, key.at.awake_ms + HOLD_MS) if self._vouched(key) else [_nowhere(key)]
        why = refuse_key(contexts) or (Why.ROLE_UNKNOWN if self._timeline.is_blind(key.at.awake_ms) else None)
        said = self._timeline.at(key.at.awake_ms)
        met = said if said in contexts else contexts[0]
        front, role = met.front, met.role
        if why is not None or front.surface is None or isinstance(role, NoRole):
            self._account.drop(why or Why.ROLE_UNKNOWN)
            self._keys.refused(key)
        else:
            place = Place(front.surface, front.window, role)
            self._keys.key(key, place)
            self._clips.key(key, place)
            self.elements.key(key, front)

    def _judge_moves(self, went: Went) -> None:
        self._paths.more(went.lead)
        for point in went.points:
            self._paths.point(point, self._timeline.at(point.at.awake_ms).front)

    def _judge_front(self, changed: _Changed) -> None:
        front = changed.front
        self._paths.front(changed.at.awake_ms, front, changed.geometry)
        if front != self._told_front:
            self._keys.end_burst(EndedBy.FOCUS)
        self._told_front = front
        if front.window != 0:
            self._in_gap = False
            if changed.geometry is not None and front.surface is not None:
                payload = focus_of(changed.geometry)
                self._account.keep(Event(front.surface, front.window, changed.at, self._generation, 0, payload))
        elif not self._in_gap and not self._blinked(changed.at.awake_ms):
            self._in_gap = True  # one gap, however often windows change within it
            self._account.keep(Event(None, 0, cut_to_minute(changed.at), self._generation, 0, Gap()))

    def _blinked(self, at_ms: int) -> bool:
        """Whether a recorded window came to the front at once: window managers put nothing in front between two windows."""
        after = (context for context in self._timeline.during(at_ms, at_ms + HOLD_MS) if context.since_ms >= at_ms)
        return any(context.front.window for context in after)

    def _judge_focus(self, refocused: _Refocused) -> None:
        if refocused.fresh:
            self._keys.end_burst(EndedBy.FOCUS)
        if not self._vouched(refocused):
            return
        for context in self._timeline.during(refocused.at.awake_ms, refocused.at.awake_ms + HOLD_MS):
            front = context.front
            if context.role is NoRole.SECURE and front.surface is not None and not front.structure_only:
                if context.since_ms > self._told_secure_ms:
                    self._account.keep(Event(front.surface, front.window, refocused.at, self._generation, 0, SecureInput()))
                self._told_secure_ms = max(context.since_ms, self._told_secure_ms)


def _nowhere(item: _Item) -> Context:
    """What an input met that nobody vouches for."""
    return Context(item.at.awake_ms, Front(), NoRole.UNKNOWN)
