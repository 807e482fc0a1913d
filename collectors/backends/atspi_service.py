"""Finds the accessibility service and registers with it; tells apart what can be missing."""

from collections.abc import Generator
from typing import Any

from collectors.backends.bus import BUS_ITSELF, Answer, call

REGISTRY = "org.a11y.atspi.Registry"
BUS_PROPERTY = "AT_SPI_BUS"
"""On the root window: where toolkits look for the accessibility bus before they ask the session for it."""

_LAUNCHER = ("org.a11y.Bus", "/org/a11y/bus")
_OBJECT = "type='signal',interface='org.a11y.atspi.Event.Object'"
_FOCUSED = ("object:state-changed:focused", f"{_OBJECT},member='StateChanged',arg0='focused'")
_OF_ITEMS = (
    ("object:state-changed:selected", f"{_OBJECT},member='StateChanged',arg0='selected'"),
    ("object:active-descendant-changed", f"{_OBJECT},member='ActiveDescendantChanged'"),
)
_REGISTRY_CHANGED = f"type='signal',sender='{BUS_ITSELF}',member='NameOwnerChanged',arg0='{REGISTRY}'"


def enable_and_find() -> Generator[Any, Answer, str]:
    """Asks the session's bus for the accessibility bus; its address, or nothing."""
    answer = yield call(_LAUNCHER, "org.a11y.Bus", "GetAddress")
    if answer is None or not isinstance(answer[0], str) or not answer[0]:
        return ""
    enable = ("org.a11y.Status", "IsEnabled", ("b", True))
    yield call(_LAUNCHER, "org.freedesktop.DBus.Properties", "Set", "ssv", enable)
    return answer[0]


def register(elements: bool) -> Generator[Any, Answer, str]:
    """Asks the accessibility bus to tell of what is focused, and if there are to be elements selected; why it will not, or nothing."""
    registry = (REGISTRY, "/org/a11y/atspi/registry")
    wanted = (_FOCUSED, *_OF_ITEMS) if elements else (_FOCUSED,)
    for event, _ in wanted:
        answer = yield call(registry, REGISTRY, "RegisterEvent", "sass", (event, [], ""))
        if answer is None:  # before at-spi2 2.40
            answer = yield call(registry, REGISTRY, "RegisterEvent", "s", (event,))
        if answer is None:
            return "the accessibility registry does not answer"
    bus = (BUS_ITSELF, "/org/freedesktop/DBus")
    for rule in (*(rule for _, rule in wanted), _REGISTRY_CHANGED):
        if (yield call(bus, bus[0], "AddMatch", "s", (rule,))) is None:
            return "the accessibility service does not tell of focus"
    return ""


def is_elsewhere(told: str, found: str) -> bool:
    """Whether the screen sends applications to another bus than the session's. Both are D-Bus addresses; `told` may be empty."""
    return bool(told) and not _places(told) & _places(found)


def _places(address: str) -> set[str]:
    """The ways to a bus, without its guid: not everyone who repeats an address repeats that."""
    ways = (way.split(",") for way in address.split(";") if way)
    return {",".join(sorted(part for part in way if not part.startswith("guid="))) for way in ways}
