"""A person's words to the daemon of a life on the desktop: on the control socket, as the icon's menu and the command line send them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from agent import messages
from agent.channel import Channel
from agent.demo.wait import until
from agent.status import Status
from consent.event import PAYLOADS, Clocks, Event
from tests.agent.life import Life, start

PATIENCE_S = 20.0
"""On a busy machine; how long an answer took is a figure, not a fault."""
_PAYLOAD = {one.kind: one for one in PAYLOADS}


def socket_of(life: Life) -> Path:
    return Path(life.subject.calls.env["XDG_RUNTIME_DIR"]) / "volens" / "control"


@contextmanager
def talk(life: Life) -> Iterator["Talk"]:
    """A conversation with the daemon that runs now."""
    with Channel(socket_of(life), PATIENCE_S) as channel:
        yield Talk(channel)


class Talk:
    """One conversation."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def say(self, request: messages.Request) -> str:
        """A request that must be done; its words."""
        answer = self._channel.ask(request)
        assert isinstance(answer, messages.Done), answer
        return answer.words

    def status(self) -> Status:
        answer = self._channel.ask(messages.AskStatus())
        assert isinstance(answer, messages.StatusIs), answer
        return answer.status

    def until_it_collects(self) -> None:
        """Every hook is live."""
        until(lambda: collects(self.status()), "the start of recording")

    def held(self) -> list[Event]:
        """What is held, once nothing is pending."""
        until(lambda: self.status().tally.pending == 0, "the keeping of what is pending")
        return [event for part in self._channel.stream(messages.ShowHeld()) for event in part.events]  # type: ignore[union-attr]


def collects(status: Status) -> bool:
    return status.collecting and all(part.state == "live" for part in status.collectors)


def opened(life: Life) -> list[Event]:
    """Everything that the receiver has, as its custodians read it."""
    trial, out = life.desk.trial, Path(mkdtemp(dir=life.desk.stage.root))
    keys = [part for name in ("ada", "ben") for part in ("--key", str(trial.keys / f"{name}.key"))]
    where = ["--purpose", str(trial.purpose), "--from", trial.url, "--reason", "a proof", "--out", str(out / "opened")]
    life.subject.calls.do("custody", "open", *where, *keys)
    return [_event(json.loads(line)) for line in (out / "opened" / "events.jsonl").read_text().splitlines()]


def _event(said: dict[str, dict[str, int]]) -> Event:
    payload = _PAYLOAD[said["kind"]](**said["payload"])
    return Event(said["surface"], said["window"], Clocks(**said["at"]), said["generation"], said["n"], payload)


def say_yes_again(life: Life) -> None:
    """After a no: the daemon is started anew, on the person's word, and a new yes is given with the icon's code."""
    life.daemon.wait(60)
    life.daemon = start(life.desk, life.subject, "--ask")
    life.subject.consent()
