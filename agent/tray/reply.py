"""An answer on D-Bus, as a value. Pure."""

from dataclasses import dataclass
from typing import Any

from agent.tray.look import Act


class NotHere(Exception):
    """The caller asked for an object, interface, member or property that does not exist, or with arguments of another type."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to a call.

    Attributes:
        signature: D-Bus signature of `body`.
        body: What is answered.
        acts: What the person asked for by this call.
        pictured: True if the caller now has the present picture.
        laid_out: True if the caller now has the present menu.
    """

    signature: str = ""
    body: tuple[Any, ...] = ()
    acts: tuple[Act, ...] = ()
    pictured: bool = False
    laid_out: bool = False
