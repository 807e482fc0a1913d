"""A person with secrets at a private desktop, beside a real agent that records them: what they type, copy, see and are told."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from subprocess import Popen

from jeepney import DBusAddress, HeaderFields, MessageFlag, new_method_call
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import open_dbus_connection
from Xlib import X

from agent.demo.calls import Calls
from agent.demo.canaries import RANDOM_BYTES, Canary, make
from agent.demo.clock import rest
from agent.demo.person import Person
from agent.demo.policy import Application
from agent.demo.search import Found, file_class, files_under, search_files, search_processes
from agent.demo.stage import Stage, stage
from agent.demo.subject import Subject
from agent.demo.trial import CUSTODIANS, QUORUM, Trial, enrol, prepare, serve
from agent.demo.truth import Phase, Truth
from agent.demo.wait import until
from agent.demo.windows import Place, active_window
from tests.live.desktop import program
from tests.secrets.calls import strace
from tests.secrets.net import WideNet

TAKES_IN_S = 0.4
_NOTIFICATIONS = DBusAddress("/org/freedesktop/Notifications", "org.freedesktop.Notifications", "org.freedesktop.Notifications")
APPLICATIONS_OWN = ("desktop",)
"""What the applications write for themselves, such as a browser's history, is theirs."""


@dataclass
class Room:
    """One desktop, one agent, one person.

    Attributes:
        secrets: Everything that must be nowhere.
        typed: How many characters of them were typed.
    """

    stage: Stage
    person: Person
    subject: Subject
    trial: Trial
    random: Random
    secrets: list[Canary] = field(default_factory=list)
    typed: int = 0

    # --- what is secret ------------------------------------------------------------------------------------------

    def secret(self, role: str) -> str:
        """A new one."""
        canary = make(role, self.random.randbytes(RANDOM_BYTES))
        self.secrets.append(canary)
        return canary.text

    def type_secrets(self, role: str, characters: int) -> None:
        """Type so many characters of new ones, at least one whole."""
        until_typed = self.typed + characters
        while self.typed < until_typed:
            text = self.secret(role)
            self.person.type(text)
            self.typed += len(text)

    def entitle(self, place: Place, times: int) -> None:
        """The window's title says secrets and addresses, one after the other."""
        display = self.stage.display
        window = display.create_resource_object("window", place.window_id)
        for _ in range(times):
            text = f"https://intranet.example/{self.secret('title')}?q={self.secret('address')}"
            for name, kind in (("WM_NAME", "STRING"), ("_NET_WM_NAME", "UTF8_STRING"), ("WM_ICON_NAME", "STRING")):
                window.change_property(display.intern_atom(name), display.intern_atom(kind), 8, text.encode(), X.PropModeReplace)
            display.sync()

    def notify(self, times: int) -> None:
        """Notifications with secrets, over the session bus, to a service of ours that shows them to nobody."""
        with open_dbus_connection(self.stage.bus) as service, open_dbus_connection(self.stage.bus) as sender:
            service.send_and_get_reply(message_bus.RequestName("org.freedesktop.Notifications", 4))
            for _ in range(times):
                body = ("mail", 0, "mail-unread", self.secret("notification"), self.secret("notification"), [], {}, 1_000)
                told = new_method_call(_NOTIFICATIONS, "Notify", "susssasa{sv}i", body)
                told.header.flags |= MessageFlag.no_reply_expected
                sender.send(told)
                while service.receive(timeout=10).header.fields.get(HeaderFields.member) != "Notify":
                    pass

    # --- windows -------------------------------------------------------------------------------------------------

    def open(self, *argv: str) -> "tuple[Popen[bytes], Place]":
        """Start an application, silently; its window, when it is in front."""
        child = self.stage.children.start([program(argv[0]), *argv[1:]], self.stage.desktop, name=argv[0], silent=True)
        place = self.stage.window_of(child)
        until(lambda: active_window(self.stage.display) == place.window_id, f"the focus of {argv[0]}", within_s=60)
        rest(TAKES_IN_S)
        return child, self.stage.window_of(child)

    def close(self, child: "Popen[bytes]") -> None:
        """End an application."""
        child.terminate()
        child.wait(10)
        rest(TAKES_IN_S)

    # --- the agent -----------------------------------------------------------------------------------------------

    def hand_in(self, open_it: bool) -> None:
        """Everything that is held is shown; then sent, and opened by two custodians."""
        self.subject.settle(self.person.truth.raw(Phase.COLLECTING))
        calls = self.subject.calls
        calls.do("agent", "show", "--json")
        if not open_it:
            return
        calls.do("agent", "show")
        self.subject.send()
        keys = [part for name in CUSTODIANS[:QUORUM] for part in ("--key", str(self.trial.keys / f"{name}.key"))]
        where = ["--purpose", str(self.trial.purpose), "--from", self.trial.url, "--reason", "the search"]
        calls.do("custody", "open", *where, "--steps", str(self.trial.folder / "steps"), *keys)
        calls.do("custody", "open", *where, "--out", str(self.trial.folder / "opened"), *keys)
        calls.do("agent", "status", "--json")
        calls.ask("agent", "doctor")

    def search(self, net: WideNet) -> Found:
        """Everything that exists: files, processes, what commands have printed."""
        found, root = Found(), self.stage.root
        ours = (path for path in files_under(root) if path.relative_to(root).parts[0] not in APPLICATIONS_OWN)
        search_files(net, ours, lambda path: file_class(path.relative_to(root)), found)
        search_processes(net, self.stage.children.alive(), found)
        found.hits["printed"] = sum(net.hits(output) for output in self.subject.calls.outputs)
        return found

    def net(self) -> WideNet:
        """For all that was secret so far."""
        return WideNet(self.secrets, self.person.keycodes())


@contextmanager
def a_room(applications: Sequence[Application], seed: int, traced: Path | None = None) -> Iterator[Room]:
    """The desktop, the receiver, and the agent with a yes; with `traced`, every call of the agent is written down there."""
    with stage() as desktop:
        subject = Subject(desktop, Calls(desktop.env("volens")))
        trial = prepare(desktop.root / "trial", subject.calls, applications)
        env = desktop.env("receiver")
        serve(trial, lambda argv, fds: desktop.children.start(argv, env, name="receiver", pass_fds=fds))
        enrol(trial, Path(subject.calls.env["XDG_STATE_HOME"]) / "volens")
        before = strace(traced) if traced else []
        subject.start_agent(lambda command: desktop.children.start([*before, *command], subject.calls.env, name="agent"))
        subject.consent()
        yield Room(desktop, Person(desktop.display, Truth(phase=Phase.COLLECTING)), subject, trial, Random(seed))
