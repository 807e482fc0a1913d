"""Who may answer what presence asks on a message bus: the one that was asked, or the bus that it has failed. No bus is needed."""

from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from jeepney import DBusAddress, HeaderFields, Message, MessageType, new_method_call

from agent.presence.bus import BUS, Bus
from agent.presence.services import Saver

OWNER, STRANGER = ":1.5", ":1.66"


def answer(serial: int, sender: str, body: tuple[Any, ...], *, failed: bool = False) -> Message:
    """What comes for a call, as the bus hands it over: it names the sender truly."""
    message = new_method_call(DBusAddress("/", BUS, BUS), "Z")
    message.header.message_type = MessageType.error if failed else MessageType.method_return
    message.header.fields = {HeaderFields.reply_serial: serial, HeaderFields.sender: sender}
    message.body = body
    return message


@pytest.mark.parametrize(
    ("sender", "failed", "heard"),
    [
        (OWNER, False, [(True,)]),
        (STRANGER, False, []),
        (STRANGER, True, []),
        (BUS, False, []),
        (BUS, True, [None]),
        (OWNER, True, [None]),
    ],
)
def test_only_the_one_that_was_asked_answers(sender: str, failed: bool, heard: list[Any]) -> None:
    """A stranger's answer is passed over, and the true one still counts when it comes."""
    bus = Bus(SimpleNamespace(outgoing_serial=count(1)), [], lambda: None)  # type: ignore[arg-type]
    service, got = Saver(lambda *_: None, "org.example.Saver", "/saver"), list[Any]()
    bus._owners[service.name] = OWNER
    bus.call(service, new_method_call(DBusAddress("/saver", service.name, service.name), "GetActive"), got.append)
    bus._hear(answer(1, sender, (True,), failed=failed))
    assert got == heard
    bus._hear(answer(1, OWNER, (False,)))
    assert got == (heard or [(False,)])


def test_what_the_bus_is_asked_only_the_bus_answers() -> None:
    """Who owns a name, above all."""
    bus = Bus(SimpleNamespace(outgoing_serial=count(1)), [], lambda: None)  # type: ignore[arg-type]
    service, got = Saver(lambda *_: None, "org.example.Saver", "/saver"), list[Any]()
    bus.call(service, new_method_call(DBusAddress("/", BUS, BUS), "GetNameOwner", "s", (service.name,)), got.append)
    bus._hear(answer(1, STRANGER, (STRANGER,)))
    assert got == []
    bus._hear(answer(1, BUS, (OWNER,)))
    assert got == [(OWNER,)]
