"""The agent as its subject meets it: real input, a real panel, a real receiver; and what a person's word does to it."""

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.demo.calls import argv
from agent.demo.clock import rest
from agent.demo.terminal import Terminal
from agent.demo.wait import until
from agent.messages import Attach, Refused
from agent.terminal import READ
from agent.tray.link import Link
from consent.vocabulary import State
from tests.agent.life import Desk, Life, a_desk, a_life, run_again, start

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with a_desk() as made:
        yield made


@pytest.fixture
def life(desk: Desk) -> Iterator[Life]:
    with a_life(desk) as made:
        yield made


def kept(life: Life, at_least: int) -> None:
    """Wait until so many events are held and nothing is pending."""
    life.until(lambda status: status.hold.events >= at_least and status.tally.pending == 0, "events in the hold")


def cut_off(connection: socket.socket) -> bool:
    """Whether the other side ended this connection by a reset, not by an orderly end."""
    connection.settimeout(20)
    try:
        while connection.recv(65536):
            pass
    except ConnectionResetError:
        return True
    return False


def test_without_a_yes_there_is_no_hook_and_nothing_is_seen(desk: Desk) -> None:
    """INV-16: the daemon, its icon and a policy are there, and somebody works; no observer runs, nothing is counted."""
    with a_life(desk, consented=False) as life:
        desk.work()
        status = life.status()
        assert (status.standing, status.collecting, status.tally.seen) == (State.UNASKED, False, 0)
        assert life.children("observer") == []
        assert life.say("status").code == 4


def test_three_wrong_codes_end_the_asking(desk: Desk) -> None:
    """The real command, codes that the icon does not show: one line each, exit 1 after the third, still unasked."""
    with a_life(desk, consented=False) as life:
        terminal = Terminal(argv("agent", ["consent", "give"]), life.subject.calls.env)
        terminal.expect("I have read this notice")
        terminal.type(READ)
        for _ in range(3):
            terminal.expect("type the code")
            terminal.type("wrong")
            terminal.expect("not the code that the icon shows")
        assert terminal.end() == 1
        assert life.status().standing is State.UNASKED


def test_work_in_an_allowed_window_is_held_and_shown(life: Life) -> None:
    """After a yes: clicks, keys and chords of the editor are held, and `show` decodes them."""
    life.desk.work()
    life.until(lambda status: status.hold.events >= 6 and status.tally.pending == 0, "two clicks' halves, a key and a chord in the hold")
    kinds = {event["kind"] for event in life.held()}
    assert {"pointer_button", "key_named", "key_chord"} <= kinds
    status = life.status()
    assert status.tally.seen == sum(status.tally.refused.values()) + status.tally.held
    assert life.say("status").code == 0


def test_nothing_of_a_pause_is_ever_seen(life: Life) -> None:
    """After the pause is acknowledged no observer lives; what is typed then is not counted, not held, not written."""
    life.desk.work()
    kept(life, 4)
    before = life.held()
    assert life.say("pause", "30").code == 0
    assert life.children("observer") == []
    seen = life.status().tally.seen
    marker = "zqxvmarker"
    life.desk.person.type(marker)
    life.desk.work()
    assert life.say("status").code == 3
    assert (life.status().tally.seen, life.held()) == (seen, before)
    assert life.say("resume").code == 0
    life.subject.wait_collecting()
    files = [path for path in life.state.rglob("*") if path.is_file()]
    assert all(marker.encode() not in path.read_bytes() for path in files)


WORK_RAW = 8
"""A click, a key and a chord of two: each pressed and let go."""


def still(life: Life) -> None:
    """Wait until nothing is under way any more: what was done is seen, and the last group of it is answered, however busy the machine."""

    def quiet() -> bool:
        before = life.status().tally
        rest(1.5)
        return life.status().tally == before and before.pending == 0

    until(quiet, "the end of what is under way", poll_s=0.1)


def test_a_silent_indicator_ends_the_recording(life: Life) -> None:
    """INV-3: the icon's process is stopped; what is done then is not kept, its hook is gone, and another icon takes its place."""
    life.desk.work()
    kept(life, 4)
    life.until(lambda status: status.tally.seen >= WORK_RAW, "everything that was done")
    still(life)
    before = len(life.held())
    (tray,), (observer,) = life.children("tray"), life.children("observer")
    tray.send_signal(signal.SIGSTOP)
    life.desk.work()
    ended = life.until(lambda status: status.tally.refused.get("old_generation", 0) > 0, "the end of what nobody could see")
    assert (observer in life.children("observer"), len(life.held()), ended.tally.pending) == (False, before, 0)
    life.subject.wait_collecting()
    assert tray not in life.children("tray")


def test_a_killed_indicator_comes_back_and_only_then_does_the_recording(life: Life) -> None:
    """SIGKILL to the icon: nothing between is kept; another instance proves itself, and recording goes on."""
    (tray,) = life.children("tray")
    tray.kill()
    life.subject.wait_collecting()
    assert [one.pid for one in life.children("tray")] != [tray.pid]
    life.desk.work()
    kept(life, 4)


def test_nobody_else_can_play_the_icon(life: Life) -> None:
    """INV-3: a process of the same account that says it is the icon is turned away; the real one goes on being asked."""
    (tray,) = life.children("tray")
    link = Link(str(Path(life.subject.calls.env["XDG_RUNTIME_DIR"]) / "volens" / "control"))
    try:
        link.send(Attach("ab" * 16, "tray"))
        answers = until(link.read, "an answer")
        assert [type(answer) for answer in answers] == [Refused]
    finally:
        link.close()
    assert life.children("tray") == [tray]
    life.desk.work()
    kept(life, 4)


def test_the_icon_is_started_anew_when_its_subject_asks(life: Life) -> None:
    """`volens tray`: another icon, which proves itself like any; recording goes on under it."""
    (tray,) = life.children("tray")
    assert life.say("tray").code == 0
    life.subject.wait_collecting()
    assert [one.pid for one in life.children("tray")] != [tray.pid]


def test_forgetting_takes_back_and_recording_goes_on(life: Life) -> None:
    """`forget --last 10m`: nothing of before is held, the counts reconcile, and what comes after is held again."""
    life.desk.work()
    kept(life, 4)
    assert "Forgotten" in life.say("forget", "--last", "10m").out
    forgotten = life.status()
    assert forgotten.tally.held == 0
    assert forgotten.tally.forgotten > 0
    assert {event["kind"] for event in life.held()} <= {"control", "focus"}  # the next generation may have begun to say where it is
    life.subject.wait_collecting()
    life.desk.work()
    kept(life, 4)


def test_a_withdrawal_destroys_and_ends_everything(life: Life) -> None:
    """One command: observer and icon gone, hold empty, daemon ended, the receiver never got a thing."""
    life.desk.work()
    kept(life, 4)
    said = life.say("consent", "withdraw")
    assert (said.code, "withdrawn" in said.out) == (0, True)
    life.daemon.wait(30)
    status = life.status()
    assert (status.standing, status.running, status.hold.events, status.outbox.envelopes) == (State.WITHDRAWN, False, 0, 0)
    assert life.say("status").code == 7
    assert [path for path in (life.state / "hold").iterdir() if path.is_file()] == []
    assert run_again(life).wait(30) == 0


def test_a_withdrawal_with_a_dead_daemon_works_all_the_same(life: Life) -> None:
    """kill -9 to the daemon, then `consent withdraw`: done by the command itself; the observer died with the daemon."""
    life.desk.work()
    kept(life, 4)
    (observer,) = life.children("observer")
    life.daemon.kill()
    life.daemon.wait(10)
    until(lambda: not observer.is_running(), "the end of the observer")
    said = life.say("consent", "withdraw")
    assert (said.code, "withdrawn" in said.out) == (0, True)
    status = life.status()
    assert (status.standing, status.hold.events) == (State.WITHDRAWN, 0)


def test_a_withdrawal_with_a_hanging_daemon_ends_it_first(life: Life) -> None:
    """SIGSTOP to the daemon: after a second the command takes its place, and the no stands."""
    life.desk.work()
    kept(life, 4)
    life.daemon.send_signal(signal.SIGSTOP)
    assert life.say("consent", "withdraw").code == 0
    assert life.daemon.wait(10) == -signal.SIGKILL
    assert life.status().standing is State.WITHDRAWN


def test_what_was_kept_survives_the_daemon_s_death(life: Life) -> None:
    """kill -9: everything that was held before is held after a new start, and recording goes on."""
    life.desk.work()
    kept(life, 4)
    before = life.held()
    life.daemon.kill()
    life.daemon.wait(10)
    life.daemon = start(life.desk, life.subject)
    assert life.held()[: len(before)] == before
    life.subject.wait_collecting()


def test_an_upload_in_flight_is_cut_off_by_a_withdrawal(desk: Desk, life: Life) -> None:
    """A receiver that takes a connection and never answers: the withdrawal is acknowledged, the courier is gone, the envelope too."""
    desk.work()
    kept(life, 4)
    desk.stop_receiver()
    try:
        with socket.create_server(("127.0.0.1", int(desk.trial.url.rsplit(":", 1)[1]))) as mute:
            assert life.say("send").code == 0
            mute.settimeout(20)
            connection, _ = mute.accept()
            with connection:
                until(lambda: life.children("courier"), "the courier")
                assert life.status().outbox.envelopes == 1
                assert life.say("consent", "withdraw").code == 0
                assert life.children("courier") == [] or not life.children("observer")
                assert list((life.state / "outbox").glob("*.env")) == []
                connection.settimeout(20)
                assert cut_off(connection)
    finally:
        desk.start_receiver()


def test_a_receiver_that_is_down_loses_nothing(desk: Desk, life: Life) -> None:
    """Sealed and waiting while the receiver is away; sent when it is back."""
    desk.work()
    kept(life, 4)
    desk.stop_receiver()
    try:
        assert life.say("send").code == 0
        waiting = life.until(lambda status: status.outbox.envelopes == 1, "the sealed envelope")
        assert waiting.tally.sealed > 0
    finally:
        desk.start_receiver()
    sent = life.until(lambda status: status.sent.batches == 1, "the sending")
    assert (sent.outbox.envelopes, sent.tally.sealed) == (0, 0)


def test_a_second_daemon_is_refused_with_one_line(life: Life) -> None:
    """`volens run` beside a running one: exit 1, one line, and the first goes on."""
    said = life.say("run")
    assert said.code == 1
    assert said.err.startswith("volens: another volens is running")
    assert said.err.count("\n") == 1
    assert life.status().collecting


def test_state_that_others_can_read_stops_the_daemon_but_no_right(life: Life) -> None:
    """A ledger of mode 0644: `run` refuses with chmod, `status` says blocked, and a withdrawal still works."""
    life.daemon.terminate()
    life.daemon.wait(10)
    (life.state / "ledger").chmod(0o644)
    refused = life.say("run")
    assert (refused.code, "chmod 600" in refused.err, refused.err.count("\n")) == (1, True, 1)
    status = life.status()
    assert (status.standing, status.why) == (State.BLOCKED, ("state_unsafe",))
    assert life.say("consent", "withdraw").code == 0
    assert life.status().standing is State.WITHDRAWN


def test_commands_err_in_one_line_and_lose_nothing(life: Life) -> None:
    """Bad words: one line on stderr, exit 1 or 2, nothing changed."""
    for words, code in (
        (("forget",), 2),
        (("forget", "--last", "soon"), 2),
        (("forget", "--last", "10m", "--all"), 2),
        (("pause", "0"), 2),
        (("pause", "30", "--until-resumed"), 2),
        (("consent", "give", "--kind", "keylogger"), 2),
        (("nonsense",), 2),
    ):
        said = life.say(*words)
        assert said.code == code, words
        assert said.err.count("\n") == 1, words
    assert life.status().collecting
