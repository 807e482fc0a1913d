"""One message bus: its services are asked once, heard from then on, and asked again once a minute. Reads only, starts nothing.

A signal counts only from the program that owns the service's name: on the system bus every account of the machine may send one.
"""

import asyncio
import contextlib
import struct
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from jeepney import DBusAddress, HeaderFields, MatchRule, Message, MessageFlag, MessageType, Properties, message_bus
from jeepney.io.asyncio import DBusConnection
from jeepney.io.common import RouterClosed
from jeepney.wrappers import DBusErrorResponse

from agent.presence.grounds import Said

ASK_EVERY_S = 60.0
"""What was asked is asked again this often: one wake-up a minute. Changes in between come as signals."""
BROKEN = (
    *(OSError, EOFError, TimeoutError, RouterClosed, DBusErrorResponse),
    *(KeyError, ValueError, IndexError, TypeError, AttributeError, RuntimeError, StopIteration, struct.error),
)
"""What a bus or a display that is not there, breaks off or speaks nonsense makes of us: then it tells nothing."""
BUS = "org.freedesktop.DBus"
PROPERTIES = "org.freedesktop.DBus.Properties"
Body = tuple[Any, ...]
Tell = Callable[[str, Said | None], None]


class Service:
    """A program on a bus that tells something.

    Attributes:
        name: Its name on the bus.
        label: What `tell` calls it.
    """

    name = label = ""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell

    def say(self, said: Said | None) -> None:
        """Tell; None: it tells nothing any more."""
        self._tell(self.label, said)

    def rules(self) -> Iterable[MatchRule]:
        """The signals to hear."""
        return ()

    def ask(self, bus: "Bus") -> None:
        """Ask for what holds now."""

    def signal(self, bus: "Bus", path: str, member: str, body: Body) -> None:
        """It sent a signal."""


def changed(sender: str, **where: str) -> MatchRule:
    """The rule for changes of properties, of the object at `path`, or of those below `path_namespace`."""
    return MatchRule(type="signal", sender=sender, interface=PROPERTIES, member="PropertiesChanged", **where)


def get_all(path: str, name: str, interface: str) -> Message:
    """The call that asks for all properties; its answer's body is one mapping of variants."""
    return Properties(DBusAddress(path, name, interface)).get_all()


def plain(variants: dict[str, tuple[str, Any]]) -> dict[str, Any]:
    """Properties without their types."""
    return {name: variant[1] for name, variant in variants.items()}


class Bus:
    """A connection, and the services that are looked for on it.

    Args:
        settled: Called once, when everything that was asked at first is answered.
    """

    def __init__(self, connection: DBusConnection, services: Sequence[Service], settled: Callable[[], None]) -> None:
        self._connection, self._services, self._settled = connection, services, settled
        self._asked: dict[int, tuple[Service, str, Callable[[Body | None], None]]] = {}
        self._unsent: list[tuple[Message, int]] = []
        self._owners: dict[str, str] = {}

    async def run(self) -> None:
        """Until the bus breaks off. Raises one of BROKEN."""
        for service in self._services:
            owned = MatchRule(type="signal", sender=BUS, interface=BUS, member="NameOwnerChanged")
            owned.add_arg_condition(0, service.name)
            for rule in (owned, *service.rules()):
                self.call(service, message_bus.AddMatch(rule), lambda _: None)
            self._find(service)
        loop = asyncio.get_running_loop()
        while True:
            until_s = loop.time() + ASK_EVERY_S
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(until_s):
                    while True:
                        await self._flush()
                        if not self._asked:
                            self._settled()
                        self._hear(await self._connection.receive())
            self._asked.clear()  # who has not answered in a minute is not waited for; who comes late is not heard
            for service in self._services:
                if service.name in self._owners:
                    service.ask(self)

    def call(self, service: Service, message: Message, then: Callable[[Body | None], None]) -> None:
        """Call soon; `then` gets the body of the answer, or None for an error. Nothing is started by it.

        Only the called one's answer counts: anybody on the bus can send one in another's place.
        """
        message.header.flags = message.header.flags | MessageFlag.no_auto_start
        serial = next(self._connection.outgoing_serial)
        to_bus = message.header.fields.get(HeaderFields.destination) == BUS
        self._asked[serial] = (service, BUS if to_bus else self._owners.get(service.name, ""), then)
        self._unsent.append((message, serial))

    async def _flush(self) -> None:
        while self._unsent:
            message, serial = self._unsent.pop(0)
            await self._connection.send(message, serial=serial)

    def _find(self, service: Service) -> None:
        self.call(service, message_bus.GetNameOwner(service.name), lambda body: self._owned(service, body[0] if body else ""))

    def _owned(self, service: Service, owner: str) -> None:
        if owner:
            self._owners[service.name] = owner
            service.ask(self)
        else:
            self._owners.pop(service.name, None)
            service.say(None)

    def _hear(self, message: Message) -> None:
        fields = message.header.fields
        if message.header.message_type is MessageType.signal:
            self._hear_signal(fields, message.body)
            return
        serial, failed = fields.get(HeaderFields.reply_serial, 0), message.header.message_type is MessageType.error
        service, called, then = self._asked.get(serial, (None, "", None))
        sender = fields.get(HeaderFields.sender)
        if service is not None and then is not None and (sender == called or (failed and sender == BUS)):
            del self._asked[serial]
            self._guard(service, lambda: then(None if failed else message.body))

    def _hear_signal(self, fields: dict[HeaderFields, Any], body: Body) -> None:
        sender, member, path = (fields.get(each, "") for each in (HeaderFields.sender, HeaderFields.member, HeaderFields.path))
        for service in self._services:
            if sender == BUS and member == "NameOwnerChanged" and body and body[0] == service.name:
                self._owned(service, body[2])
            elif sender == self._owners.get(service.name):
                self._guard(service, lambda service=service: service.signal(self, path, member, body))  # type: ignore[misc]

    def _guard(self, service: Service, do: Callable[[], None]) -> None:
        """A service that speaks nonsense is asked anew, and breaks nothing."""
        try:
            do()
        except BROKEN:
            service.say(None)
