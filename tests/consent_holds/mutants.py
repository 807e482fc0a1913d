"""The rules of consent, each with what is left of the code without it. `docs/consent-model.md` prints this list; every one must be missed.

The names are those of the model's BUG_ flags (a Promela model of the gate, checked with spin, from which this design comes). A rule is
removed by writing a line of the product differently, in memory; a line that is no longer there is an error, not a rule that is kept.
"""

import contextlib
import importlib
import inspect
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import pytest


@dataclass(frozen=True)
class Line:
    """One line of the product, and what stands there without the rule. `function`: its full name; `old` occurs in it once."""

    function: str
    old: str
    new: str


@dataclass(frozen=True)
class Mutant:
    """One rule, removed.

    Attributes:
        flag: Its name in the model.
        rule: What holds, in a sentence.
        lines: What is written differently.
        says: How the violation begins that it leads to.
        runs: Within how many runs of the state machine it is found.
        soak: Whether that takes longer than `./dev test` has time for.
        directed: Whether `test_found` has a test for it besides.
        begin: The seed from which the short form begins: each finds it, this one soon.
    """

    flag: str
    rule: str
    lines: tuple[Line, ...]
    says: str
    runs: int = 400
    soak: bool = False
    directed: bool = False
    begin: int = 1

    @property
    def where(self) -> list[str]:
        """The functions that hold the rule."""
        return list(dict.fromkeys(line.function for line in self.lines))


@contextlib.contextmanager
def removed(mutant: Mutant) -> Iterator[None]:
    """The product without this rule, while the block runs."""
    with pytest.MonkeyPatch.context() as patch:
        for function, lines in groupby(mutant.lines, key=lambda line: line.function):
            _rewrite(patch, function, list(lines))
        yield


def _rewrite(patch: pytest.MonkeyPatch, function: str, lines: list[Line]) -> None:
    owner, name, module = _found(function)
    source = textwrap.dedent(inspect.getsource(vars(owner)[name]))
    for line in lines:
        assert source.count(line.old) == 1, f"{function} has no single {line.old!r} any more: say anew what removes the rule"
        source = source.replace(line.old, line.new)
    scope: dict[str, Any] = {}
    exec(compile(source, f"<{function} without its rule>", "exec"), vars(module), scope)
    patch.setattr(owner, name, scope[name])


def _found(function: str) -> tuple[Any, str, Any]:
    """What holds the function, its name there, and the module."""
    parts = function.split(".")
    module = importlib.import_module(".".join(parts[:2]))
    owner: Any = module
    for part in parts[2:-1]:
        owner = getattr(owner, part)
    return owner, parts[-1], module


MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "NOGEN",
        "Every change of permission is a new generation; what a hook of an older one says is not heard.",
        (Line("agent.daemon.Daemon.turn", "generation=self.standing.generation + 1", "generation=self.standing.generation"),),
        "INV-1, INV-2",
    ),
    Mutant(
        "NODROPPEND",
        "A change of permission drops what no icon has answered for.",
        (Line("agent.daemon.Daemon.turn", "self._pending.drop()", "0"),),
        "INV-4",
    ),
    Mutant(
        "NOABORT",
        "A change of permission ends the upload that is under way.",
        (Line("agent.daemon.Daemon.turn", "ended()", "pass"),),
        "INV-13",
    ),
    Mutant(
        "WALL",
        "No wall clock ends a pause: only the person does.",
        (
            Line(
                "agent.daemon.Daemon.facts",
                "self.policy = while_leased(self.policy, record, now)",
                "self.policy = while_leased(self.policy, record, now)\n"
                "    import dataclasses\n"
                "    if (choice := record.choice).pause and choice.pause.minutes and choice.state is State.PAUSED \\\n"
                "            and now.wall_ms > choice.pause.asked.wall_ms + choice.pause.minutes * 60_000:\n"
                "        record.choice = dataclasses.replace(choice, state=State.CONSENTED, pause=None)",
            ),
        ),
        "INV-",
        begin=3,
    ),
    Mutant(
        "WALL, of the lease",
        "A wall clock that is turned back does not bring an ended lease back.",
        (
            Line(
                "agent.daemon.Daemon.facts",
                "self.policy = while_leased(self.policy, record, now)",
                "whole, self.policy = self.policy, while_leased(self.policy, record, now)",
            ),
            Line(
                "agent.daemon.while_leased",
                "return found if ends_ms > record.lapsed_wall_ms else found.over()",
                "return found.over() if found.expired(now) else found",
            ),
            Line("agent.daemon.Daemon.facts", "return Facts(", "self.policy = whole\n    return Facts("),
        ),
        "INV-",
        runs=1000,
        soak=True,
        directed=True,
    ),
    Mutant(
        "NOCHAL",
        "Only the answer to a challenge that was issued after an event lets it be kept.",
        (
            Line(
                "agent.daemon.Daemon._answered", "self._pending.answered(nonce)", "self._pending.answered(nonce) + self._pending.collecting"
            ),
            Line(
                "agent.daemon.Daemon._answered",
                "if self._woke_up()",
                "self._pending.collecting = []\n    if self._woke_up()",
            ),
        ),
        "INV-3",
    ),
    Mutant(
        "STALETRAY",
        "Another icon than the one that was there before the capture lets nothing be kept: its coming is a new generation.",
        (Line("agent.indicator.Indicator.attach", "self.lose()", "self._connection.close()"),),
        "INV-3",
        runs=2000,
        soak=True,
        directed=True,
    ),
    Mutant(
        "STAMPLATE",
        "An event is of the generation of its hook's installation, not of the one in which it is heard.",
        (
            Line(
                "agent.daemon.Daemon._heard",
                "if message.generation != generation",
                "import msgspec\n"
                "    generation = self.standing.generation\n"
                "    message = msgspec.structs.replace(message, generation=generation)\n"
                "    if isinstance(message, pipe.Observed):\n"
                "        again = tuple(msgspec.structs.replace(one, generation=generation) for one in message.events)\n"
                "        message = msgspec.structs.replace(message, events=again)\n"
                "    if message.generation != generation",
            ),
        ),
        "INV-1, INV-2",
    ),
    Mutant(
        "ONELEASE",
        "An earlier proof is not enough: nothing is kept before the icon has answered after it.",
        (
            Line(
                "agent.daemon.Daemon._observed",
                "carry_all(observed, self.standing, self._pending, self.subject.tally)",
                "carry_all(observed, self.standing, self._pending, self.subject.tally)\n"
                "    group, self._pending.collecting = self._pending.collecting, []\n"
                "    self.subject.keep(group, self._read())",
            ),
        ),
        "INV-3",
    ),
    Mutant(
        "ACKEARLY",
        "Nothing is acknowledged before its decision is durable.",
        (Line("consent.ledger.Ledger._write", "os.fsync(self._fd)", "pass"),),
        "INV-12",
    ),
    Mutant(
        "NOPURGE",
        "A withdrawal whose purge was cut short is purged again at start, before anything else.",
        (Line("agent.subject.Subject.__init__", "if self.record.choice.purge_owed", "if False"),),
        "INV-",
        runs=2000,
        soak=True,
        directed=True,
    ),
    Mutant(
        "PAUSEVOL",
        "A pause is written down: a restart does not end it.",
        (
            Line(
                "agent.subject.Subject.pause",
                'self.record.happen(Happening.PAUSE_ASKED, now, {"minutes": minutes})',
                "from consent.pause import Pause; self.record.closed(Pause(minutes, now, self.boot))",
            ),
        ),
        "INV-12",
        begin=2,
    ),
    Mutant(
        "FORGETSEALED",
        "Forgetting reaches the envelopes that wait.",
        (Line("agent.subject.Subject._destroy", "self.outbox.forget(span)", "[]"),),
        "INV-11",
    ),
    Mutant(
        "WIDEN",
        "What a policy adds is off until the person's yes.",
        (
            Line("agent.permission.effective", "receipt.scope().meet(policy.scope())", "policy.scope()"),
            Line("agent.permission.effective", "receipt.surfaces.get(surface) == terms.fingerprint", "True"),
        ),
        "INV-1, INV-2",
        begin=4,
    ),
    Mutant(
        "TOCTOU",
        "The gate is asked again before each upload, whatever it said at sealing.",
        (Line("agent.uploading.Uploading._permitted", "if may_send(purpose, self._daemon.standing)", ""),),
        "INV-",
        runs=2000,
        soak=True,
        directed=True,
    ),
    Mutant(
        "NOQUIET",
        "An upload has stopped, its process reaped, before a no is written down and acknowledged.",
        (Line("agent.carrier.Carrier.abort", "self._courier.kill()\n", "self._loop.call_later(0.05, self._courier.kill)\n"),),
        "INV-13",
    ),
    Mutant(
        "ABORTSENDONLY with TOCTOU",
        "An envelope that was chosen and of which no byte has left is stopped like any other, or asked about again: one of the two.",
        (
            Line(
                "agent.uploading.Uploading._upload",
                "result = result_of(await self._carrier.carry(request, raw), envelope_id)",
                "import asyncio; await asyncio.sleep(0.05); result = result_of(await self._carrier.carry(request, raw), envelope_id)",
            ),
        ),
        "INV-",
    ),
)
