"""Whose answers and signals count on a bus: on a private one, with a stranger on it
who answers in the place of others, and on a wire of the test's own."""

import os
import select
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jeepney import DBusAddress, Endianness, Header, HeaderFields, Message, MessageType, message_bus, new_method_return, new_signal
from jeepney.io.blocking import DBusConnection, open_dbus_connection

from collectors.backends.bus import BUS_ITSELF, Bus, Steps, call, owner_of
from tests.agent.buses import a_bus

ANSWER_S = 5.0
PASSWORD, ENTRY = 40, 79
LAUNCHER = ("org.a11y.Bus", "/org/a11y/bus")


class Street:
    """A bus with us, an application and a stranger on it. The stranger knows everything: also which serial comes next."""

    def __init__(self, address: str) -> None:
        self.signals: list[tuple[Any, ...]] = []
        self.bus = Bus(address, lambda *signal: self.signals.append(signal))
        self.application, self.stranger = open_dbus_connection(address), open_dbus_connection(address)
        self.answers: list[Any] = []
        self.until(lambda: bool(self.signals))
        self.me = self.signals[0][3][0]

    def ask(self, message: Any) -> None:
        """Ask this."""

        def steps() -> Steps:
            self.answers.append((yield message))

        self.bus.run(steps())

    def spray(self, signature: str, value: Any, error: bool = False) -> None:
        """The stranger answers the latest question and the next eight, and has been heard."""
        kind = MessageType.error if error else MessageType.method_return
        for serial in range(self.bus._serial, self.bus._serial + 9):
            fields = {HeaderFields.destination: self.me, HeaderFields.reply_serial: serial, HeaderFields.signature: signature}
            if error:
                fields[HeaderFields.error_name] = "org.example.No"
            message = Message(Header(Endianness.little, kind, 0, 1, 0, 0, fields), (value,))
            self.stranger.send(message)
        self.stranger.send_and_get_reply(message_bus.GetId(), timeout=ANSWER_S)

    def until(self, done: Callable[[], bool]) -> None:
        """Hear what comes until this is so."""
        end_s = time.monotonic() + ANSWER_S
        while not done():
            left_s = end_s - time.monotonic()
            assert left_s > 0, "nothing came"
            select.select([self.bus], [], [], left_s)
            self.bus.pump()

    def answered(self) -> Any:
        """The answer that came."""
        self.until(lambda: bool(self.answers))
        return self.answers.pop()


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Street]:
    with a_bus(tmp_path) as (address, _):
        street = Street(address)
        yield street
        street.bus.close()
        street.application.close()
        street.stranger.close()


class Wire:
    """A bus that we write ourselves: what is sent to it is not looked at."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, heard: Callable[..., None] = lambda *_: None) -> None:
        ours, self.far = socket.socketpair()
        monkeypatch.setattr("jeepney.bus.get_bus", lambda address: address)
        monkeypatch.setattr("jeepney.io.blocking.prep_socket", lambda *_, **__: ours)
        self.bus = Bus("wire", heard)

    def send(self, count: int, signature: str = "s", body: tuple[Any, ...] = ("x",)) -> None:
        """So many signals."""
        message = new_signal(DBusAddress("/x", interface="org.a11y.atspi.Event.Object"), "StateChanged", signature, body)
        self.far.sendall(b"".join(message.serialise(serial=serial + 1) for serial in range(count)))

    def close(self) -> None:
        """Both ends."""
        self.bus.close()
        self.far.close()


@pytest.mark.parametrize("text", ["x", "x" * 1_000])
def test_a_flood_is_read_piece_by_piece_and_nothing_of_it_is_lost(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Small messages and large ones: after each piece there is time for other work, and it is known that there is more."""
    signals: list[tuple[Any, ...]] = []
    wire = Wire(monkeypatch, lambda *signal: signals.append(signal))
    count, before, sizes = 700 if text == "x" else 150, 0, list[int]()
    wire.send(count, body=(text,))
    while len(signals) < count:
        assert not sizes or wire.bus.behind
        wire.bus.pump()
        sizes.append(len(signals) - before)
        before = len(signals)
    assert max(sizes) <= 200
    assert max(sizes) * len(text) <= 1 << 16
    assert len(sizes) > 2
    wire.bus.pump()
    assert not wire.bus.behind
    wire.close()


def test_a_signal_of_another_shape_is_not_understood_and_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever hears it counts on what the protocol says it holds."""
    held: list[Any] = []

    def heard(_sender: str, _path: str, _member: str, body: tuple[Any, ...]) -> None:
        held.append(body[3][1])

    wire = Wire(monkeypatch, heard)
    for signature, body in (("siiu", ("x", 0, 0, 7)), ("s", ("x",)), ("siia{sv}", ("x", 0, 0, {})), ("siiv", ("x", 0, 0, ("s", "end")))):
        wire.send(1, signature, body)
    wire.bus.pump()
    assert held == ["end"]
    wire.close()


def _serve(connection: DBusConnection, signature: str, value: Any) -> None:
    """Answer the next question."""
    while (asked := connection.receive(timeout=ANSWER_S)).header.message_type is not MessageType.method_call:
        pass
    connection.send(new_method_return(asked, signature, (value,)))


@pytest.mark.parametrize("error", [False, True])
def test_nobody_answers_in_the_place_of_an_application(street: Street, error: bool) -> None:
    """Neither with a value nor with a failure; and the question stays open for the one who was asked."""
    street.ask(call((street.application.unique_name, "/password"), "org.a11y.atspi.Accessible", "GetRole"))
    street.spray("s" if error else "u", "no" if error else ENTRY, error)
    _serve(street.application, "u", PASSWORD)
    assert street.answered() == (PASSWORD,)


def test_nobody_answers_in_the_place_of_the_bus(street: Street) -> None:
    """Not even ahead of the question: whose process a connection is, the bus alone says."""
    street.spray("u", 4242)
    street.ask(owner_of(street.stranger.unique_name))
    assert street.answered() == (os.getpid(),)


def test_nobody_answers_in_the_place_of_a_service(street: Street) -> None:
    """Who has its name is asked of the bus, and asked again when the name has gone to another one."""
    for owner, address in ((street.application, "unix:path=/right"), (street.stranger, "unix:path=/new")):
        owner.send_and_get_reply(message_bus.RequestName(LAUNCHER[0], 2 | 4), timeout=ANSWER_S)
        street.spray("s", "unix:path=/evil")
        street.ask(call(LAUNCHER, "org.a11y.Bus", "GetAddress"))
        street.until(lambda owner=owner: owner.unique_name in {asked for _, asked in street.bus._waiting.values()})  # type: ignore[misc]
        if owner is street.application:
            street.spray("s", "unix:path=/evil")
        _serve(owner, "s", address)
        assert street.answered() == (address,)
        owner.send_and_get_reply(message_bus.ReleaseName(LAUNCHER[0]), timeout=ANSWER_S)
        street.until(lambda: LAUNCHER[0] not in street.bus._owners)


def test_only_the_bus_says_that_a_name_has_gone(street: Street) -> None:
    """A stranger's signal of that name changes nothing."""
    street.bus._owners[LAUNCHER[0]] = street.application.unique_name
    fields = {
        HeaderFields.destination: street.me,
        HeaderFields.path: "/org/freedesktop/DBus",
        HeaderFields.interface: BUS_ITSELF,
        HeaderFields.member: "NameOwnerChanged",
        HeaderFields.signature: "sss",
    }
    body = (LAUNCHER[0], street.application.unique_name, "")
    street.stranger.send(Message(Header(Endianness.little, MessageType.signal, 0, 1, 0, 0, fields), body))
    street.until(lambda: street.signals[-1][2] == "NameOwnerChanged")
    assert LAUNCHER[0] in street.bus._owners


@pytest.mark.parametrize("name", ["org.example.Other", ":1.2\n"])
def test_what_is_no_connection_is_not_called(street: Street, name: str) -> None:
    """An application names others, and may name anything: a program that would be started, or what the bus hangs up for."""
    street.ask(call((name, "/"), "org.a11y.atspi.Accessible", "GetRole"))
    assert street.answered() is None
    street.ask(owner_of(street.me))
    assert street.answered() == (os.getpid(),)


def test_who_is_gone_does_not_answer(street: Street) -> None:
    """The bus itself says so, and is believed."""
    street.ask(call((street.application.unique_name, "/"), "org.a11y.atspi.Accessible", "GetRole"))
    street.application.close()
    assert street.answered() is None
    street.ask(call(LAUNCHER, "org.a11y.Bus", "GetAddress"))
    assert street.bus._waiting
