"""Exemption requests and the real receiver: handed in by nobody, decided by the reviewer, fetched, cancelled, forgotten; also offline."""

import asyncio
import json
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent import enrolment, exemptions, messages
from agent.daemon import Daemon
from agent.exempting import Exempting
from agent.policies import InForce
from agent.settings import Settings
from agent.subject import Subject
from consent.event import Clocks
from consent.exemption import Ground, Stage
from consent.policy import Policy, parse
from consent.vocabulary import State, SurfaceId
from tests.agent.people import BOOT, places_in, recording
from tests.agent.test_registering import TODAY
from tests.policies import as_bytes, policy
from tests.receiver import stand
from tests.register import REGISTER
from transport import exempting
from transport.enrolling import DeviceKey
from transport.exempting import asking_request
from transport.exemption_proof import Asking, BadDecision, Decision, read_decision, seal_reason, sign_decision
from transport.exemptions import Requests
from transport.xwing import PublicKey

ID, OTHER = "ab" * 32, "cd" * 32
REASON = "a canary of a reason 93417"


@dataclass
class Office:
    """A receiver that is no trial, whose policy names a reviewer; the reviewer's key; a token; and the folder of all of it."""

    service: stand.Service
    token: str
    key: Path
    policy: Policy
    folder: Path

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.service.directory / "volens.db")) as connection:
            return connection.execute(query).fetchall()

    def say(self, *words: str | Path) -> str:
        """`volens-receiver exemptions WORDS`."""
        done = stand.run("exemptions", *words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def decide(self, request_id: str, *words: str) -> None:
        """The whole way of a decision: the queue goes to the reviewer's machine, and the signed decision comes back."""
        queue, decision = self.folder / f"{request_id[:6]}.queue", self.folder / f"{request_id[:6]}.decision"
        decision.unlink(missing_ok=True)
        queue.write_text(self.say("list", self.service.directory, "--json"))
        assert REASON in self.say("show", request_id[:12], queue, "--key", self.key)
        self.say("decide", request_id[:12], queue, *words, "--key", self.key, "--out", decision)
        self.say("publish", self.service.directory, decision)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("office")
    made = stand.run("exemptions", "keygen", "rosa", "--out", folder / "reviewer", "--no-passphrase")
    assert made.returncode == 0, made.stderr
    published = json.loads(stand.policy()) | {"reviewer": json.loads((folder / "reviewer" / "rosa.reviewer.json").read_text())}
    (folder / "policy.json").write_text(json.dumps(published))
    receiver = folder / "rx"
    assert stand.run("init", receiver, "--trial", "--policy", folder / "policy.json").returncode == 0
    settings = receiver / "receiver.toml"
    settings.write_text(settings.read_text().replace("trial = true", "trial = false"))
    token = stand.run("token", "create", receiver).stdout.splitlines()[-1]
    with stand.serving(receiver) as service:
        yield Office(service, token, folder / "reviewer" / "rosa.key", parse(json.dumps(published).encode()), folder)


class Machine:
    """An enrolled machine whose person asks."""

    def __init__(self, folder: Path, office: Office, receiver: str | None = None) -> None:
        self.office, self.places = office, places_in(folder)
        self.settings = Settings(receiver or office.service.url)
        self.subject = Subject(self.places, BOOT, self.read(), self.settings)
        self.policy = office.policy

    def read(self) -> Clocks:
        wall_ms = int(datetime.now(UTC).timestamp() * 1000)
        return Clocks(wall_ms - 1_700_000_000_000, wall_ms - 1_700_000_000_000, wall_ms)

    def enrol(self) -> None:
        enrolment.enrol(self.places, self.settings, self.office.token, TODAY)

    def ask(self, request_id: str = ID, appeal: str | None = None) -> str:
        reviewer = exemptions.reviewer(self.policy)
        assert reviewer.key is not None
        sealed = seal_reason(PublicKey(reviewer.key), request_id, REASON)
        app = frozenset({SurfaceId("mousepad")})
        request = messages.AskExemption(request_id, Ground.SENSITIVE_WORK, app, appeal=appeal, reason=sealed)
        made = exemptions.check(self.subject, self.policy, request)
        return exemptions.ask(self.subject, self.policy, made, sealed, self.read())

    def carry(self) -> bool:
        """What the daemon does hourly."""

        async def within() -> bool:
            daemon = Daemon(self.subject, REGISTER, self.read, asyncio.get_running_loop())
            daemon.policy = InForce(self.policy, datetime(2100, 1, 1, tzinfo=UTC), verified=self.read())
            return await Exempting(daemon, self.places, self.read, asyncio.get_running_loop()).once()

        return asyncio.run(within())

    def shown(self) -> list[messages.ExemptionIs]:
        return list(exemptions.listed(self.subject, self.read()).exemptions)


@pytest.fixture
def machine(office: Office, tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path, office)
    made.enrol()
    yield made
    for each in made.shown():
        exemptions.cancel(made.subject, each.id, made.read())
    assert made.carry()
    assert office.rows("SELECT * FROM exemption") == []


def test_a_request_is_handed_in_decided_and_fetched(office: Office, machine: Machine) -> None:
    """From the person's words to the reviewer's, with a reason that only the reviewer reads; granted, and in force as it was all along."""
    assert "rosa is asked to decide" in machine.ask()
    assert machine.carry()
    assert "mousepad" in office.say("list", office.service.directory)
    assert REASON not in office.say("list", office.service.directory, "--json")
    office.decide(ID, "--grant", "--reason", "take your time", "--until", "2030-01-31")
    assert machine.carry()
    (shown,) = machine.shown()
    assert (shown.stage, shown.reason, shown.until) == (Stage.GRANTED, "take your time", date(2030, 1, 31))
    assert office.rows("SELECT reason FROM exemption") == [(None,)]
    assert REASON.encode() not in office.service.log.read_bytes()
    assert machine.carry()


def test_a_denial_opens_nothing_and_can_be_appealed_against(office: Office, machine: Machine) -> None:
    """The request that appeals names the one that was denied; both are off."""
    machine.ask()
    machine.carry()
    office.decide(ID, "--deny", "--reason", "not this quarter")
    machine.carry()
    machine.ask(OTHER, appeal=ID)
    machine.carry()
    assert f"appeals against {ID[:12]}" in office.say("list", office.service.directory)
    assert [(each.stage, each.appeal) for each in machine.shown()] == [(Stage.DENIED, None), (Stage.PENDING, ID)]
    assert len(machine.subject.record.choice.exemptions) == 2


def test_what_is_cancelled_is_forgotten_over_there(office: Office, machine: Machine) -> None:
    """Sealed reason, scope and decision; and the answer about it is that of an id that nobody ever knew."""
    machine.ask()
    machine.carry()
    assert "asked to forget" in exemptions.cancel(machine.subject, ID, machine.read())
    assert machine.carry()
    assert office.rows("SELECT * FROM exemption") == []
    assert Requests(machine.places.exemptions).all() == []
    answers = {office.service.client.get(f"/v1/exemptions/{each}").content for each in (ID, OTHER)}
    assert answers == {b'{"decision":null}'}


def test_what_may_have_arrived_is_taken_back(office: Office, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer was lost, then the person cancelled: the receiver is asked to forget what it may have."""
    monkeypatch.setattr(exempting, "handed_of", lambda _: exempting.Handed.LATER)
    machine.ask()
    assert not machine.carry()
    assert office.rows("SELECT id FROM exemption") == [(ID,)]
    exemptions.cancel(machine.subject, ID, machine.read())
    assert machine.carry()
    assert office.rows("SELECT id FROM exemption") == []


def test_no_backup_holds_a_request(office: Office, machine: Machine) -> None:
    """Who cancels one has it forgotten; a backup could not be told, so it never has one."""
    machine.ask()
    machine.carry()
    made = stand.run("backup", office.service.directory, office.folder / "backups")
    assert made.returncode == 0, made.stderr
    (rows,) = (office.folder / "backups").glob("*/volens.db")
    with closing(sqlite3.connect(rows)) as connection:
        assert connection.execute("SELECT count(*) FROM exemption").fetchone() == (0,)
    assert ID.encode() not in rows.read_bytes()


def test_offline_it_waits_and_is_off(office: Office, tmp_path: Path) -> None:
    """No network, not enrolled: the request stays in its queue over a restart, and goes when it can; cancelled before, it never goes."""
    offline = Machine(tmp_path, office, "http://127.0.0.1:1")
    offline.ask()
    offline.ask(OTHER)
    assert offline.carry()  # not enrolled: there is nothing to try
    exemptions.cancel(offline.subject, OTHER, offline.read())
    offline.subject.close()
    again = Machine(tmp_path, office)
    assert [each.id for each in again.shown()] == [ID]
    again.enrol()
    assert again.carry()
    assert office.rows("SELECT id FROM exemption") == [(ID,)]
    exemptions.cancel(again.subject, ID, again.read())
    assert again.carry()


def test_pending_looks_as_unknown(office: Office, machine: Machine) -> None:
    """Who guesses ids learns nothing: the same bytes for a request that waits."""
    machine.ask()
    machine.carry()
    get: Callable[[str], httpx.Response] = lambda each: office.service.client.get(f"/v1/exemptions/{each}")  # noqa: E731
    waiting, unknown = get(ID), get(OTHER)
    assert (waiting.status_code, waiting.content) == (unknown.status_code, unknown.content)
    assert {name for name in waiting.headers} == {name for name in unknown.headers}


def forged(office: Office, *, request_id: str = ID, signer: Ed25519PrivateKey | None = None) -> str:
    decision = Decision(request_id, True, "forged", None, TODAY)
    return sign_decision(decision, signer or Ed25519PrivateKey.generate())


@pytest.mark.parametrize("about", [ID, OTHER])
def test_a_decision_that_is_not_the_reviewers_is_refused_and_reported(office: Office, machine: Machine, about: str) -> None:
    """Another key's, or about another request: nothing is written down, the person sees that something came, and it is asked for again."""
    machine.ask()
    machine.carry()
    with closing(sqlite3.connect(office.service.directory / "volens.db")) as connection, connection:
        connection.execute("UPDATE exemption SET decision = ?", (forged(office, request_id=about),))
    assert machine.carry()
    (shown,) = machine.shown()
    assert (shown.stage, shown.doubted) == (Stage.PENDING, True)
    assert [entry for entry in machine.subject.record.entries if entry.what == "exemption_decided"] == []


def test_the_receiver_puts_in_what_the_reviewer_signed_and_nothing_else(office: Office, machine: Machine) -> None:
    """Whoever runs it can keep a decision back, and cannot make one."""
    machine.ask()
    machine.carry()
    for number, text in enumerate((forged(office), "{}", forged(office)[:-40])):
        path = office.folder / f"forged-{number}"
        path.write_text(text)
        done = stand.run("exemptions", "publish", office.service.directory, path)
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert office.rows("SELECT decision FROM exemption") == [(None,)]


def asking(request_id: str = ID, **changes: Any) -> Asking:
    return Asking(
        **({"id": request_id, "ground": Ground.POWER, "surfaces": (), "kinds": (), "hours": "always", "until": None} | changes), appeal=None
    )


def test_only_an_enrolled_device_hands_in_and_nothing_tells_which(office: Office, machine: Machine) -> None:
    """Strangers are refused; what is stored has no column for a device, and no row of the device changes."""
    post = office.service.ask
    stranger = DeviceKey(bytes(range(32)))
    assert post(asking_request(1, office.service.url, stranger, asking())).status_code == 403
    known = enrolment.device_key(enrolment.read(machine.places.enrolment), machine.subject.keystore, office.service.url)
    assert known is not None
    request, body = asking_request(1, office.service.url, known, asking())
    tampered = body.replace(b'"power"', b'"other"')
    assert post((request, tampered)).status_code == 403
    tables = ("device", "registration", "identity")
    before = [office.rows(f"SELECT * FROM {table}") for table in tables]
    machine.ask()
    assert machine.carry()
    columns = {row[1] for row in office.rows("PRAGMA table_info(exemption)")}
    assert columns == {"id", "asking", "reason", "asked_on", "decision", "decided_on"}
    assert [office.rows(f"SELECT * FROM {table}") for table in tables] == before
    raw = b"".join(path.read_bytes() for path in office.service.directory.glob("volens.db*"))
    (stored,) = office.rows("SELECT asking FROM exemption")
    assert known.public.hex() not in stored[0]
    assert raw.count(known.public) == 1


def test_a_device_that_asks_without_end_is_told_to_wait(office: Office, tmp_path: Path) -> None:
    """Sixteen a day; what one does changes nothing for another."""
    one, other = Machine(tmp_path / "one", office), Machine(tmp_path / "two", office)
    keys = []
    for machine in (one, other):
        machine.enrol()
        keys.append(enrolment.device_key(enrolment.read(machine.places.enrolment), machine.subject.keystore, office.service.url))
    ids = [f"{number:064x}" for number in range(18)]

    def hand_in(which: int, request_id: str) -> int:
        key = keys[which]
        assert key is not None
        return office.service.ask(asking_request(1, office.service.url, key, asking(request_id))).status_code

    assert [hand_in(0, each) for each in ids[:17]] == [201] * 16 + [429]
    assert hand_in(0, ids[0]) == 200
    assert hand_in(1, ids[17]) == 201
    for each in ids:
        assert office.service.client.post("/v1/exemption-erasures", json={"id": each}).status_code == 200
    assert office.rows("SELECT * FROM exemption") == []


def test_ones_own_choice_is_handed_in_by_nobody(office: Office, machine: Machine) -> None:
    """Not by the agent, and the receiver would not take it."""
    request = messages.AskExemption(OTHER, Ground.MY_CHOICE)
    exemptions.ask(machine.subject, machine.policy, exemptions.check(machine.subject, machine.policy, request), None, machine.read())
    assert machine.carry()
    assert office.rows("SELECT * FROM exemption") == []
    assert machine.subject.record.choice.state is State.UNASKED
    assert recording().open


def test_a_decision_says_only_what_was_signed() -> None:
    """For exactly this request, by exactly this key."""
    key = Ed25519PrivateKey.generate()
    decision = Decision(ID, False, "no", TODAY + timedelta(days=1), TODAY)
    signed = sign_decision(decision, key)
    assert read_decision(signed, ID, key.public_key().public_bytes_raw()) == decision
    with pytest.raises(BadDecision, match="another request"):
        read_decision(signed, OTHER, key.public_key().public_bytes_raw())
    for text in (signed.replace("false", "true"), signed.replace('"no"', '"ok"'), signed + " " * 5000, "x"):
        with pytest.raises(Exception, match="decision"):
            read_decision(text, ID, key.public_key().public_bytes_raw())


def test_the_sample_policy_without_a_reviewer_still_exempts(office: Office, tmp_path: Path) -> None:
    """Nobody decides, nothing is handed in, and it is off."""
    machine = Machine(tmp_path, office)
    machine.enrol()
    machine.policy = replace(parse(as_bytes(policy())), reviewer=None)
    request = messages.AskExemption(OTHER, Ground.POWER)
    words = exemptions.ask(
        machine.subject, machine.policy, exemptions.check(machine.subject, machine.policy, request), None, machine.read()
    )
    assert "nobody decides yet" in words
    assert machine.carry()
    assert office.rows("SELECT * FROM exemption") == []


def test_the_reviewers_key_is_not_at_the_receiver(office: Office) -> None:
    """Its folder has the public halves only, in the policy; the private file is 0600 on the reviewer's own machine."""
    secret = json.loads(office.key.read_text())["secret"]
    files = [path.read_bytes() for path in office.service.directory.rglob("*") if path.is_file()]
    assert not [raw for raw in files if secret.encode() in raw or bytes.fromhex(secret) in raw]
    assert office.key.stat().st_mode & 0o777 == 0o600
    assert subprocess.run(["test", "-e", office.key.with_suffix(".pub")], check=False).returncode == 1
