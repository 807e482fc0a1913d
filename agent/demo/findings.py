"""What came out at the far end, as values: opened steps in the words of the truth record, and the receiver's rows. Pure."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from agent.demo.truth import Act

CLICKS = {"click": 1, "double_click": 2, "drag": 1}

ClickPlace = tuple[str, float | None, float | None]


@dataclass(frozen=True, slots=True)
class Opened:
    """What the custodians opened.

    Attributes:
        batches: How many.
        steps: How many steps.
        raw: Raw inputs that they stand for.
        acts: (act, name, surface), how often.
        surfaces: Every surface that is named.
        places: (surface, right, down) of each click, as fractions of the window, in the order of time; None where unknown.
    """

    batches: int
    steps: int
    raw: int
    acts: Counter[tuple[str, str, str]]
    surfaces: frozenset[str]
    places: tuple[ClickPlace, ...]


@dataclass(frozen=True, slots=True)
class Received:
    """What the receiver has stored: rows of its database."""

    batches: int
    bytes: int


def places_of(step: dict[str, Any]) -> list[ClickPlace]:
    """Where the clicks of one step were, as fractions of the window; nothing for other steps."""
    at = step["args"].get("at") or {}
    inside = at.get("frame") == "window"
    place = (str(step["surface"]), at.get("x") if inside else None, at.get("y") if inside else None)
    return [place] * CLICKS.get(step["action"], 0)


def acts_of(step: dict[str, Any]) -> Counter[tuple[str, str, str]]:
    """Which acts one step stands for, in the words of the truth record; none for typing and context."""
    action, args, surface = step["action"], step["args"], str(step["surface"])
    if action in CLICKS:
        return Counter({(Act.CLICK.value, args["button"], surface): CLICKS[action]})
    if action in ("button_down", "button_up"):
        return Counter({(f"half a click ({action})", args["button"], surface): 1})
    if action == "scroll":
        turns = {"down": args["dy"], "up": -args["dy"], "right": args["dx"], "left": -args["dx"]}
        return Counter({(Act.SCROLL.value, way, surface): notches for way, notches in turns.items() if notches > 0})
    if action == "press":
        name = f"shift+{args['key']}" if args["shift"] else args["key"]
        return Counter({(Act.NAMED_KEY.value, name, surface): 1})
    if action == "hotkey":
        return Counter({(Act.CHORD.value, "+".join(args["keys"]), surface): 1})
    return Counter()
