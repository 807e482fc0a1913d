"""The indicator's end of the control socket: to whom it talks, and what it makes of answers."""

import os
import select

import pytest

from agent.messages import AskStatus, Done, Pause, Refused
from agent.tray.errors import DaemonGone, NotUnderstood
from agent.tray.link import Asked, Link
from tests.tray.daemon import Daemon


def test_a_socket_of_another_person_is_refused(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stranger's daemon could make the icon lie; the peer's uid decides."""
    someone_else = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: someone_else)
    with pytest.raises(DaemonGone, match="another person"):
        Link(str(daemon.path))


def test_no_socket_is_said_in_words(daemon: Daemon) -> None:
    """What is wrong, and what to do."""
    with pytest.raises(DaemonGone, match="start it with volens run"):
        Link(f"{daemon.path}-not")


def test_a_message_that_does_not_decode_ends_it(daemon: Daemon) -> None:
    """Nothing is guessed."""
    link = Link(str(daemon.path))
    link.send(AskStatus())
    connection, _ = daemon.wait_for(AskStatus)
    connection.socket.sendall(b"\x00\x00\x00\x01\xc0")
    with pytest.raises(NotUnderstood):
        link.read()
    link.close()


@pytest.mark.parametrize(
    ("answer", "words"),
    [(Done("it is paused"), "it is paused"), (Refused("it is not", "do that"), "Not done: it is not; do that"), (None, "no answer")],
)
def test_an_answer_becomes_words(daemon: Daemon, answer: Done | Refused | None, words: str) -> None:
    """Done, refused, or a daemon that hangs up without a word."""
    asked = Asked(str(daemon.path), Pause(30), "no answer", 0)
    connection, _ = daemon.wait_for(Pause)
    if answer is not None:
        connection.say(answer)
    connection.hang_up()
    assert select.select([asked], [], [], 5)[0]
    assert asked.read() == words
    asked.close()
