"""The sweep against a real daemon with a live icon, a good policy and an observer that would tell of clicks: all that lacks is the yes."""

import os
import random
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from agent import messages
from agent.channel import Channel
from agent.commands import app
from agent.errors import NotRunning
from agent.places import Places
from consent.vocabulary import State
from tests.agent import knobs
from tests.agent.test_narrowing import cache
from tests.agent.test_sweep import GOOD, RECEIVER, SEED, At, toml
from tests.commands import ROOT, Place, argv
from tests.nothing_lost.whole import COMMAND


@contextmanager
def _willing(folder: Path, more: dict[str, str]) -> Iterator[Places]:
    """A daemon process of tests/nothing_lost/whole.py, with a good policy, whose icon answers everything. Nobody has said yes."""
    places = Places(folder / "state" / "volens", folder / "run" / "volens")
    (folder / "run").mkdir(mode=0o700)
    places.prepare()
    cache(At(places), GOOD.build())  # type: ignore[arg-type]
    places.settings.write_text(toml({"receiver": RECEIVER, "trial": True}), "utf-8")  # else root could not even be asked
    places.settings.chmod(0o600)
    env = {"PATH": os.environ["PATH"], "HOME": str(folder)} | more | {"PYTHONPATH": str(ROOT)}
    command = [*COMMAND, "daemon", str(places.state), str(places.runtime)]
    with subprocess.Popen(command, env=env, cwd=ROOT, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _until(lambda: places.socket.exists() and _status(places).indicator.live)
            assert _status(places).policy.version == 2
            yield places
        finally:
            process.terminate()


def _until(holds: Callable[[], bool]) -> None:
    until_s = time.monotonic() + 30
    while True:
        with suppress(NotRunning, OSError):
            if holds():
                return
        assert time.monotonic() < until_s, "the daemon does not start"
        time.sleep(0.02)


def _status(places: Places) -> Any:
    return _ask(places, messages.AskStatus()).status  # type: ignore[union-attr]


def _ask(places: Places, request: messages.Request) -> messages.Answer:
    with Channel(places.socket) as channel:
        return channel.ask(request)


def _nothing_is_collected(places: Places, because: object) -> None:
    status = _status(places)
    assert status.standing in (State.UNASKED, State.WITHDRAWN), because
    assert not status.collecting, because
    assert (status.tally.seen, status.hold.events, status.receipt.id) == (0, 0, None), because


def _in_a_process(folder: Path, words: list[str]) -> "subprocess.Popen[bytes]":
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(argv(["volens", *words]), cwd=folder, env=Place(folder).env(), **quiet)


def _end_the_daemon(words: list[str]) -> bool:
    return words[:2] == ["consent", "withdraw"]


def test_no_flag_and_no_request_of_a_script_collects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A logon script, at its worst: every command with each of its flags and some pairs of them, everything that can be said on the socket,
    codes that are guessed. The icon is live, the policy good, the observer would tell of clicks. The yes needs the code, which only the
    icon has."""
    _script(tmp_path, monkeypatch, pairs=25)


@pytest.mark.soak
def test_no_pair_of_flags_of_a_script_collects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same with every pair."""
    _script(tmp_path, monkeypatch, pairs=10_000)


def _script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, pairs: int) -> None:
    chance = random.Random(SEED)
    with _willing(tmp_path, {}) as places:
        for name, folder in {"XDG_STATE_HOME": "state", "XDG_RUNTIME_DIR": "run", "HOME": "."}.items():
            monkeypatch.setenv(name, str(tmp_path / folder))
        monkeypatch.chdir(tmp_path)
        for name in ("DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS"):
            monkeypatch.delenv(name, raising=False)
        lines = [words for words in knobs.lines(chance, pairs) if not _end_the_daemon(words)]
        again = [_in_a_process(tmp_path, words) for words in lines if words[0] == "run"]  # here it would close this very process to others
        for words in lines:
            if words[0] != "run":
                CliRunner().invoke(app, words, input="000000\n123456\n999999\n")
        assert [process.wait(60) for process in again] == [1] * len(again)
        _nothing_is_collected(places, "after the commands")
        offer = _ask(places, messages.AskConsent(True))
        assert isinstance(offer, messages.Offer)
        for request in knobs.requests(chance, offer.notice_sha256, 3):
            if not isinstance(request, messages.Withdraw | messages.Watch | messages.Attach | messages.Proven):
                with suppress(NotRunning):
                    _ask(places, request)
        _nothing_is_collected(places, "after the requests")
        for request in (messages.Attach("another", "tray"), messages.Proven(bytes(16), "another", True, State.CONSENTED)):
            with suppress(NotRunning), Channel(places.socket) as channel:
                channel.say(request)
        _nothing_is_collected(places, "after an icon of its own")
        CliRunner().invoke(app, ["consent", "withdraw"])


@pytest.mark.parametrize("number", range(2))
def test_no_variable_collects(number: int, tmp_path: Path) -> None:
    """The daemon as a process of its own, with all variables set at once; what moves its folders apart."""
    chance = random.Random(SEED + number)
    every = knobs.VARIABLES | knobs.OF_OTHERS
    more = {name: chance.choice(values) for name, values in every.items() if name != "PATH"}
    with _willing(tmp_path, more) as places:
        _nothing_is_collected(places, more)
