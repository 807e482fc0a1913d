"""Waits for conditions with a deadline; refuses to wait blindly or for ever."""

from collections.abc import Callable
from typing import TypeVar

from agent.demo.clock import elapsed_s, rest
from agent.demo.errors import NotInTime

POLL_S = 0.02
"""Between two looks: short against the 100 ms that a person would notice, long against what a look costs."""

PATIENCE_S = 30.0
"""A cold, loaded machine with two cores starts a panel in up to ten seconds; three times that means it never will."""

Found = TypeVar("Found")


def until(look: Callable[[], Found | None], what: str, within_s: float = PATIENCE_S, poll_s: float = POLL_S) -> Found:
    """The first answer of `look` that is neither None nor False.

    Raises:
        NotInTime: No such answer within `within_s` seconds; `what` names what was awaited.
    """
    deadline_s = elapsed_s() + within_s
    while True:
        found = look()
        if found is not None and found is not False:
            return found
        if elapsed_s() > deadline_s:
            raise NotInTime(f"{what} did not happen within {within_s:.0f} s", "try again on a less busy machine")
        rest(poll_s)
