"""Which page was in front, as far as a browser was asked; and what that says of an input. Pure.

News of a tab switch or a navigation comes later than the input that follows it: so an input counts for a site only if the browser said
that its page is in front before it, and said so again when asked HOLD_MS after it, and nothing between speaks against it. What the
browser was not asked, or not in time, is not known, and nothing is kept of it.
"""

from collections import deque
from dataclasses import dataclass

from consent.vocabulary import SurfaceId

HOLD_MS = 250
"""How much later than an input the news of what happened before it may come: as with keys and the focus."""
SPACING_MS = 150
"""Questions are this far apart. An answer is believed only when the next question was answered the same way: one that came while
the browser had not read all its input yet (it hung) can be of the past."""
PROMPT_MS = 100
"""A browser that takes longer to answer was busy: what it says then begins anew (measured: 2 to 5 ms)."""
LIMIT_MS = 2_000
"""How long an input waits to be vouched for."""
BRIDGE_MS = 1_000
"""How long a page may be gone until another one of the same site is there, for what was made before it went (a click on a link)."""
_MOST_SPANS = 64


@dataclass(slots=True)
class _Span:
    """A page, or (surface None) that it was no site or not known, from the first answer on.

    Attributes:
        asked_ms: When the latest question was asked to which it was the answer.
        until_ms: Until when it surely was in front: when the question before that was asked.
        gone_ms: When there was the first sign that it goes; None: it is there.
    """

    page: object
    surface: SurfaceId | None
    since_ms: int
    asked_ms: int
    until_ms: int
    gone_ms: int | None = None


class Pages:
    """What the browser in front has answered, and the inputs that wait for its next answer."""

    def __init__(self) -> None:
        self._spans: deque[_Span] = deque(maxlen=_MOST_SPANS)
        self._oldest_ms: int | None = None
        self._latest_ms = 0

    # --- what the back end says ----------------------------------------------------------------------------------

    def doubt(self, at_ms: int) -> None:
        """The page in front may be going: a navigation. What was made before is still the site's if the next page is of it, too."""
        if self._spans and self._spans[-1].gone_ms is None:
            self._spans[-1].gone_ms = at_ms

    def elsewhere(self, at_ms: int) -> None:
        """Another tab or window is in front, or nothing is known: no input in between is anybody's, whatever comes after."""
        self._append(_Span(None, None, at_ms, at_ms, -1))

    def answered(self, asked_ms: int, now_ms: int, page: object, surface: SurfaceId | None, going: bool = False) -> bool:
        """The browser said what is in front, and whether it is on its way out. Says whether that is sure: it said the same before."""
        if now_ms - asked_ms > PROMPT_MS:
            self.elsewhere(asked_ms)
        last = self._spans[-1] if self._spans else None
        same = last is not None and (last.page, last.surface) == (page, surface)
        if going:
            self.doubt(asked_ms)
        if last is None or not same or (last.gone_ms is not None and not going):
            self.doubt(asked_ms)
            if not going or surface is None:
                self._append(_Span(page, surface, now_ms, asked_ms, -1))
            return False
        if asked_ms - last.asked_ms >= SPACING_MS:
            last.until_ms, last.asked_ms = last.asked_ms, asked_ms
        self._forget_waiting(last.until_ms)
        return last.until_ms >= 0

    @property
    def next_ms(self) -> int | None:
        """When the browser is to be asked again because an input waits; None: none does."""
        if self._oldest_ms is None:
            return None
        asked_ms = self._spans[-1].asked_ms if self._spans else 0
        return max(self._oldest_ms + HOLD_MS, asked_ms + SPACING_MS)

    # --- what the shaper asks ------------------------------------------------------------------------------------

    def wait(self, at_ms: int) -> None:
        """An input of this instant waits."""
        self._latest_ms = max(self._latest_ms, at_ms)
        if self._oldest_ms is None:
            self._oldest_ms = at_ms

    def expire(self, now_ms: int) -> None:
        """Inputs older than LIMIT_MS wait no longer."""
        self._forget_waiting(now_ms - LIMIT_MS + HOLD_MS)

    def vouch(self, at_ms: int, surface: SurfaceId) -> bool | None:
        """Whether an input of this instant was made while this site was in front; None: not known yet."""
        spans = list(self._spans)
        while spans and len(spans) > 1 and spans[1].since_ms <= at_ms:
            del spans[0]
        if not spans or spans[0].since_ms > at_ms:
            return False
        if spans[0].gone_ms is not None and at_ms >= spans[0].gone_ms:
            return False
        for before, span in zip([None, *spans], spans, strict=False):
            if span.surface != surface or (before is not None and span.since_ms - (before.gone_ms or 0) > BRIDGE_MS):
                return False
            if span.until_ms >= at_ms + HOLD_MS:
                return True
        return None

    def _append(self, span: _Span) -> None:
        self._spans.append(span)
        if span.surface is None:
            self._oldest_ms = None  # whatever waited is of no site

    def _forget_waiting(self, until_ms: int) -> None:
        if self._oldest_ms is not None and until_ms >= self._oldest_ms + HOLD_MS:
            self._oldest_ms = max(self._oldest_ms, until_ms - HOLD_MS + 1) if self._latest_ms + HOLD_MS > until_ms else None
