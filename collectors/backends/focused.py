"""Finds what has the focus in an application that did not just say so: after a restart, or when a window comes to the front.

Asks for states and roles only. Bounded: an application that has more than MOST_OBJECTS on the screen before the focused
one keeps its role unknown until its focus moves.
"""

from collections.abc import Callable, Generator
from typing import Any

from collectors.backends.bus import Answer, Steps, Target, call, owner_of

MOST_OBJECTS = 300
_ROOT = "/org/a11y/atspi/accessible/root"
_REGISTRY = "org.a11y.atspi.Registry"
_ACCESSIBLE = "org.a11y.atspi.Accessible"
_ACTIVE, _FOCUSED, _SHOWING, _VISIBLE = 1, 12, 25, 30
_ALL = 1
_LEFT_TO_RIGHT = 1


def find_focused(pid: int, pids: dict[str, int], found: Callable[[str, str, int], None]) -> Steps:
    """Looks through the windows of process `pid` and calls `found` with name, path and role number of the focused object.

    Args:
        pids: Which bus name is whose; completed on the way.
    """
    for name in (yield from _names_of(pid, pids)):
        for window in (yield from _children((name, _ROOT))):
            if not (yield from _has(window, _ACTIVE)):
                continue
            focused = (yield from _match(window)) or (yield from _walk(window))
            if focused is not None:
                role = yield call(focused, _ACCESSIBLE, "GetRole")
                if role is not None:
                    found(*focused, int(role[0]))
                return


def _names_of(pid: int, pids: dict[str, int]) -> Generator[Any, Answer, list[str]]:
    applications = yield from _children((_REGISTRY, _ROOT))
    names = [name for name, _ in applications]
    for name in names:
        if name not in pids:
            answer = yield owner_of(name)
            if answer is not None:
                pids[name] = int(answer[0])
    return [name for name in names if pids.get(name) == pid]


def _children(parent: Target) -> Generator[Any, Answer, list[Target]]:
    answer = yield call(parent, _ACCESSIBLE, "GetChildren")
    return [] if answer is None else [(str(name), str(path)) for name, path in answer[0] if not path.endswith("/null")]


def _has(target: Target, *states: int) -> Generator[Any, Answer, bool]:
    answer = yield call(target, _ACCESSIBLE, "GetState")
    return answer is not None and all(answer[0][state // 32] >> (state % 32) & 1 for state in states)


def _match(window: Target) -> Generator[Any, Answer, Target | None]:
    """One question, where the toolkit knows how to search its own tree."""
    rule: tuple[Any, ...] = ([1 << _FOCUSED, 0], _ALL, {}, _ALL, [0, 0, 0, 0], _ALL, [], _ALL, False)
    answer = yield call(window, "org.a11y.atspi.Collection", "GetMatches", "(aiia{ss}iaiiasib)uib", (rule, _LEFT_TO_RIGHT, 1, True))
    if answer is None or not answer[0]:
        return None
    name, path = answer[0][0]
    return str(name), str(path)


def _walk(window: Target) -> Generator[Any, Answer, Target | None]:
    """Object by object, through what is on the screen."""
    stack, asked = [window], 0
    while stack and asked < MOST_OBJECTS:
        target, asked = stack.pop(), asked + 1
        if target != window and (yield from _has(target, _FOCUSED)):
            return target
        if target == window or (yield from _has(target, _VISIBLE if _is_gtk4(target) else _SHOWING)):
            stack += reversed((yield from _children(target)))
    return None


def _is_gtk4(target: Target) -> bool:
    """Whether GTK 4 made the object: it says of it whether it could be seen, not whether it is on the screen."""
    return "/a11y/" in target[1] and "/a11y/atspi/" not in target[1]
