"""The daemon, top to bottom: verify everything, listen, show the icon, collect while it may, end cleanly.

It refuses to start beside another daemon of the same person, with state that others can reach, and after a no.
"""

import asyncio
import contextlib
import os
import signal
import sys
from importlib.resources import files
from typing import Any

from agent import clock, control, policies, session
from agent.answers import Answers
from agent.daemon import Daemon
from agent.exempting import Exempting
from agent.lock import Lock, wait
from agent.places import Places
from agent.registering import Registering
from agent.subject import Subject
from agent.trays import Trays
from agent.uploading import Uploading
from agent.watchdog import Watchdog
from consent.register import parse
from consent.vocabulary import State
from transport.process import close_to_others

AFTER_NO = "volens: you said no, so nothing runs. If you have changed your mind: volens run --ask"
ERASE_WITHIN_S = 20.0
REGISTER_WITHIN_S = 20.0
EXEMPT_WITHIN_S = 20.0
CHECKPOINT_S = 60.0
"""How often the counts are saved while nothing else saves them."""


def run_daemon(places: Places, *, even_after_no: bool) -> int:
    """Run until asked to end, or until there is nothing left to do. Returns the exit code."""
    close_to_others()
    places.prepare()
    lock = wait(places.lock)
    with lock.busy():  # a full hold takes a second to read
        subject = Subject(places, clock.boot_id(), clock.read())
    try:
        if subject.record.choice.state is State.WITHDRAWN and not even_after_no:
            sys.stderr.write(f"{AFTER_NO}\n")
            asyncio.run(_run(places, subject, lock, only_erase=True))
        else:
            asyncio.run(_run(places, subject, lock, only_erase=False))
    finally:
        subject.close()
        lock.release()
    return 0


async def _run(places: Places, subject: Subject, lock: Lock, *, only_erase: bool) -> None:
    loop = asyncio.get_running_loop()
    register = parse(files("consent").joinpath("register.toml").read_text("utf-8"))
    daemon = Daemon(subject, register, clock.read, loop)
    daemon.working = lock.busy
    if not subject.settings.trial:  # throw-away keys, nothing leaves this machine
        daemon.foreign = session.foreign(os.geteuid(), os.environ)
    daemon.take(policies.load(places, subject.record, subject.settings.receiver, clock.read()))
    daemon.appear()
    registering = Registering(daemon, places, clock.read, loop)
    uploading = Uploading(daemon, registering, places, clock.read, loop)
    exempting = Exempting(daemon, places, clock.read, loop)
    if only_erase:
        await _erase(uploading)
        await _register(registering)
        await _exempt(exempting)
        return
    trays = Trays(places.socket)
    answers = Answers(daemon, uploading, trays, clock.read)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, answers.over.set)
    server = await control.listen(places.socket, answers.serve)
    daemon.indicator.silent = trays.end
    daemon.retrying.returned = trays.sooner
    daemon.reconsider()
    keeping = (
        trays.keep(),
        uploading.keep(),
        registering.keep(),
        exempting.keep(),
        answers.presence.keep(),
        _checkpoint(daemon, Watchdog(daemon, clock.read)),
    )
    tasks = [asyncio.create_task(work) for work in keeping]
    over = asyncio.create_task(answers.over.wait())
    await asyncio.wait([over, *tasks], return_when=asyncio.FIRST_COMPLETED)
    daemon.close()
    problem = await _end([over, *tasks])
    if subject.record.choice.state is State.WITHDRAWN:
        await _erase(uploading)
    server.close()
    trays.end()
    places.socket.unlink(missing_ok=True)
    if problem is not None:
        raise problem


async def _end(tasks: list[asyncio.Task[Any]]) -> BaseException | None:
    """Cancel what still runs; the error that ended one of them, if one did."""
    for task in tasks:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    return next((one for one in results if isinstance(one, Exception)), None)


async def _erase(uploading: Uploading) -> None:
    """Give the receiver a moment to erase; what it still owes is asked for at the next start."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(ERASE_WITHIN_S):
            await uploading.erase()


async def _register(registering: Registering) -> None:
    """After a no this machine still registers what every enrolled machine registers: if it stopped, the receiver could tell the no."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(REGISTER_WITHIN_S):
            await registering.once(ahead=True)


async def _exempt(exempting: Exempting) -> None:
    """After a no what was asked to be exempt from is still decided about, and taken back if its person cancelled it."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(EXEMPT_WITHIN_S):
            await exempting.once()


async def _checkpoint(daemon: Daemon, watchdog: Watchdog) -> None:
    """Save the counts now and then, tell the ledger what it could not take, drop what is too old, notice that a policy has expired.

    And look what all this costs: nothing else wakes the daemon for that.
    """
    while True:
        await asyncio.sleep(CHECKPOINT_S)
        daemon.subject.catch_up()
        daemon.subject.drop_aged(clock.read())
        daemon.subject.save()
        daemon.go_on()
        watchdog.look()
        daemon.reconsider()
