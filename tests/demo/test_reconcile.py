"""The demo calls itself consistent only if every number fits; each rule is broken once."""

import dataclasses
from collections import Counter
from typing import Any

import msgspec
import pytest

from agent.demo.findings import Opened, Received, acts_of, places_of
from agent.demo.reconcile import Evidence, checks, result, shortfall
from agent.demo.truth import Act, Phase, Truth
from agent.status import Status
from consent.vocabulary import State

CLICK, KEY = (Act.CLICK.value, "left", "editor"), (Act.NAMED_KEY.value, "enter", "editor")


def truth() -> Truth:
    """A click before the yes; a click, a key and a character after it, another app; a click in the pause. 4 + 12 + 2 raw inputs."""
    told = Truth("editor", Phase.BEFORE)
    told.add(Act.CLICK, "left", 4)
    told.phase = Phase.COLLECTING
    told.add(Act.CLICK, "left", 2, 0.5, 0.25)
    told.add(Act.NAMED_KEY, "enter", 2)
    told.add(Act.CHARACTER, "character", 4)
    told.surface = "terminal"
    told.add(Act.CLICK, "left", 2)
    told.add(Act.MOVE, "move", 2)
    told.phase = Phase.PAUSED
    told.add(Act.CLICK, "left", 2)
    return told


def status(**tally: Any) -> Status:
    """What the agent would say at the end."""
    counts = {
        "seen": 12,
        "refused": {"no_kind": 2, "surface_not_allowed": 2},
        "pending": 0,
        "held": 0,
        "forgotten": 0,
        "sealed": 0,
        "sent": 8,
    }
    plain = {
        "schema": 1,
        "standing": State.CONSENTED,
        "collecting": True,
        "why": [],
        "words": "",
        "since": "",
        "running": True,
        "trial": True,
        "indicator": {"live": True, "form": "tray"},
        "policy": {"version": 1, "expires": None},
        "receipt": {"id": "x"},
        "pause": {"remaining_s": None, "until_resumed": False},
        "exemptions": [],
        "collectors": [],
        "hold": {"events": 0, "bytes": 0, "oldest_s": None, "time_s": 86_400, "damaged": 0, "locks": []},
        "outbox": {"envelopes": 0, "bytes": 0, "waits": None},
        "sent": {"batches": 1, "bytes": 5000},
        "tally": counts | tally,
        "budget": {"bytes_today": 0, "bytes_limit": None},
        "keystore": "file",
    }
    return msgspec.convert(plain, Status)


def opened(**changes: Any) -> Opened:
    """What the custodians would open."""
    whole = Opened(1, 5, 8, Counter({CLICK: 1, KEY: 1}), frozenset({"editor"}), (("editor", 0.501, 0.25),))
    return dataclasses.replace(whole, **changes)


def evidence(**changes: Any) -> Evidence:
    """Everything in order, but for what is named."""
    whole = Evidence(truth(), frozenset({"editor"}), status(), Received(1, 5000), opened(), {}, 0, 0)
    return dataclasses.replace(whole, **changes)


def test_what_fits_is_consistent() -> None:
    """The object has exactly the fields of the contract, and says so."""
    whole = result(evidence())
    assert list(whole) == ["injected", "seen", "refused", "kept", "held", "sent", "received", "opened", "canary_hits", "consistent"]
    assert (whole["consistent"], whole["kept"], whole["seen"], whole["canary_hits"]) == (True, 8, 12, 0)
    injected = whole["injected"]
    assert isinstance(injected, dict)
    assert injected["raw"] == 18 == injected["before_consent"] + injected["collecting"] + injected["paused"]


BROKEN: dict[str, dict[str, Any]] = {
    "an input before the yes or in the pause was seen": {"status": status(seen=14, sent=10)},
    "an input was not seen": {"status": status(seen=10, sent=6)},
    "an input vanished between seen and kept": {"status": status(sent=7), "opened": opened(raw=7)},
    "something kept was not sent": {"status": status(held=2, sent=6), "opened": opened(raw=6)},
    "something is still pending": {"status": status(pending=1)},
    "a batch sent was not received": {"received": Received(0, 0)},
    "a batch arrived that was not sent": {"received": Received(2, 9000), "opened": opened(batches=2)},
    "a batch was not opened": {"opened": opened(batches=0)},
    "what was opened stands for less than was sent": {"opened": opened(raw=7)},
    "a click did not come out": {"opened": opened(acts=Counter({KEY: 1}))},
    "a click came out that nobody made": {"opened": opened(acts=Counter({CLICK: 2, KEY: 1}))},
    "a click came out somewhere else": {"opened": opened(places=(("editor", 0.51, 0.25),))},
    "a click came out nowhere": {"opened": opened(places=(("editor", None, None),))},
    "another app is named": {"opened": opened(surfaces=frozenset({"editor", "terminal"}))},
    "a file could not be searched": {"unread": 1},
    "the search is blind": {"blind": 1},
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_does_not_fit_is_not_consistent(what: str) -> None:
    """Each single contradiction is noticed."""
    assert result(evidence(**BROKEN[what]))["consistent"] is False


def test_every_check_can_fail() -> None:
    """No check is one that always holds."""
    failing = [{sentence for sentence, holds in checks(evidence(**change)).items() if not holds} for change in BROKEN.values()]
    assert set().union(*failing) == set(checks(evidence()))


def test_nothing_at_all_is_not_consistent() -> None:
    """A demo in which nothing was recorded does not pass by vacuity."""
    nothing = evidence(
        truth=Truth(),
        status=status(seen=0, refused={}, sent=0),
        received=Received(0, 0),
        opened=Opened(0, 0, 0, Counter(), frozenset(), ()),
    )
    assert result(nothing)["consistent"] is False


def test_a_shortfall_names_acts_on_both_sides() -> None:
    """What is missing, and what is too much, can be read."""
    assert shortfall({CLICK: 2}, {CLICK: 1, KEY: 1}) == ["missing: clicks left editor x1", "too much: named_keys enter editor x1"]


STEPS = [
    ("click", {"button": "left"}, {("clicks", "left", "e"): 1}),
    ("double_click", {"button": "left"}, {("clicks", "left", "e"): 2}),
    ("button_down", {"button": "left"}, {("half a click (button_down)", "left", "e"): 1}),
    ("scroll", {"dx": 0, "dy": 3}, {("scrolls", "down", "e"): 3}),
    ("scroll", {"dx": 0, "dy": -2}, {("scrolls", "up", "e"): 2}),
    ("press", {"key": "enter", "shift": False}, {("named_keys", "enter", "e"): 1}),
    ("press", {"key": "tab", "shift": True}, {("named_keys", "shift+tab", "e"): 1}),
    ("hotkey", {"keys": ["ctrl", "a"]}, {("chords", "ctrl+a", "e"): 1}),
    ("write", {"text": "<typed>"}, {}),
    ("focus", {}, {}),
]


@pytest.mark.parametrize(("action", "args", "acts"), STEPS)
def test_a_step_counts_as_the_acts_that_it_stands_for(action: str, args: dict[str, Any], acts: dict[Any, int]) -> None:
    """Steps are put in the words of the truth record; half a click is no click."""
    assert acts_of({"action": action, "args": args, "surface": "e"}) == Counter(acts)


def test_a_place_counts_only_as_part_of_the_window() -> None:
    """A double click was twice in one place; a place on the screen, or none, is unknown; other steps have no click."""
    at = {"x": 0.5, "y": 0.25, "frame": "window"}
    assert places_of({"action": "double_click", "args": {"at": at}, "surface": "e"}) == [("e", 0.5, 0.25)] * 2
    assert places_of({"action": "click", "args": {"at": at | {"frame": "screen"}}, "surface": "e"}) == [("e", None, None)]
    assert places_of({"action": "scroll", "args": {"at": at}, "surface": "e"}) == []
