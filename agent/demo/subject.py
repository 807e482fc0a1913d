"""The subject of the demo: talks to the agent by the real commands, and reads the consent code where a person would."""

from collections.abc import Callable
from pathlib import Path
from subprocess import Popen

import msgspec

from agent.demo.calls import Calls, argv
from agent.demo.code import on_screen
from agent.demo.errors import DemoError, NotInTime
from agent.demo.stage import Stage
from agent.demo.terminal import Terminal
from agent.demo.wait import until
from agent.status import Status
from agent.terminal import READ
from consent.vocabulary import State

LOOKS_EVERY_S = 0.2
"""Each look at the status is a process of its own; five a second are enough for a person and for two cores."""


class Subject:
    """A person with an agent, on the private desktop.

    Attributes:
        stage: The desktop.
        calls: Commands in the agent's environment.
    """

    def __init__(self, stage: Stage, calls: Calls) -> None:
        self.stage = stage
        self.calls = calls

    def start_agent(self, start: Callable[[list[str]], Popen[bytes]] | None = None) -> Popen[bytes]:
        """Start the daemon (which starts the icon) and wait until the icon can be seen and there is a policy."""
        command = argv("agent", ["run"])
        agent = start(command) if start else self.stage.children.start(command, self.calls.env, name="agent")
        until((Path(self.calls.env["XDG_RUNTIME_DIR"]) / "volens" / "control").exists, "the start of the agent")
        self._until(lambda status: status.running and status.indicator.live and status.policy.version is not None, "the start of the agent")
        return agent

    def status(self) -> Status:
        """What the agent says of itself now."""
        said = self.calls.ask("agent", "status", "--json")
        if not said.out:
            raise DemoError(f"the agent does not say how it is ({said.code}): {said.err.strip()[-300:]}", "report this")
        return msgspec.json.decode(said.out, type=Status)

    def consent(self) -> None:
        """Say yes, by the real command on a terminal, with the code that is on the screen.

        Raises:
            DemoError: The command did not take the yes.
        """
        terminal = Terminal(argv("agent", ["consent", "give"]), self.calls.env)
        self.stage.children.adopt(terminal.child)
        terminal.expect("I have read this notice")
        terminal.type(READ)
        terminal.expect("type the code")
        terminal.type(on_screen(self.calls.env))
        code = terminal.end()
        self.calls.outputs.append(terminal.said)
        if code != 0:
            raise DemoError(f"consent give failed ({code})", "report this")
        self.wait_collecting()

    def wait_collecting(self) -> None:
        """Return once every hook is live."""
        self._until(lambda status: status.collecting and all(part.state == "live" for part in status.collectors), "the start of recording")

    def pause(self) -> None:
        """Say: a pause of 30 minutes."""
        self.calls.do("agent", "pause", "30")
        self._until(lambda status: status.standing is State.PAUSED and not status.collecting, "the pause")

    def resume(self) -> None:
        """Say: resume."""
        self.calls.do("agent", "resume")
        self.wait_collecting()

    def settle(self, raw: int) -> bool:
        """Wait until the agent has counted and kept `raw` raw inputs; False if it never has (the reconciliation will say so)."""
        try:
            self._until(lambda status: status.tally.seen >= raw and status.tally.pending == 0, "the keeping of what was seen")
        except NotInTime:
            return False
        return True

    def send(self) -> None:
        """Let everything leave, and wait until it has."""
        self.calls.do("agent", "send")
        self._until(lambda status: status.tally.held == 0 == status.outbox.envelopes and status.sent.batches > 0, "the sending")

    def _until(self, holds: Callable[[Status], bool], what: str) -> Status:
        def look() -> Status | None:
            status = self.status()
            return status if holds(status) else None

        return until(look, what, poll_s=LOOKS_EVERY_S)
