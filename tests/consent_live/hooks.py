"""Whether anybody listens to input, by the X server's own account: the RECORD contexts that its clients hold (XRes)."""

from contextlib import suppress
from typing import Any

from Xlib.error import BadValue, XError

from agent.demo.display import open_display
from agent.demo.stage import Stage

CONTEXT = "RecordContext"


class Hooks:
    """Asks the server on a connection of its own."""

    def __init__(self, stage: Stage) -> None:
        self._display: Any = open_display(stage.desktop)
        assert self._display.has_extension("X-Resource"), "this X server does not tell who holds what"
        self._display.display.error_classes = self._display.display.error_classes | {2: BadValue}  # python-xlib's RandR takes its place
        self._names: dict[int, str] = {}

    def count(self) -> int:
        """How many there are now."""
        return sum(self._of(client.resource_base) for client in self._display.res_query_clients().clients)

    def _of(self, client: int) -> int:
        with suppress(XError):  # it has gone since it was listed
            return sum(
                one.count for one in self._display.res_query_client_resources(client).types if self._name(one.resource_type) == CONTEXT
            )
        return 0

    def _name(self, atom: int) -> str:
        if atom not in self._names:
            self._names[atom] = self._display.get_atom_name(atom)
        return self._names[atom]

    def close(self) -> None:
        self._display.close()
