"""What was sent, from another machine with nothing but the recovery code: seen, opened, erased; and every way in which that can fail."""

import asyncio
import json
import os
import socket
import stat
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from agent import export_sent, show
from agent.sent import Asker, Missing, Terms, each, survey
from tests.agent.senders import TODAY, Sender, click, do, elsewhere, rows
from tests.receiver import stand
from tests.receiver.stand import Service
from tests.transport.servers import Act, Server, says, serving
from transport.recovery import RecoveryCode
from transport.retrieving import Epoch


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with stand.serving(stand.make(tmp_path_factory.mktemp("receiver"))) as running:
        yield running


def test_everything_that_was_sent_is_exported_from_any_machine(service: Service, tmp_path: Path) -> None:
    """Two consents, several days, 0600 in a new 0700 folder, events as `volens show --json` prints them, oldest first; nobody else's."""
    me, other = Sender(), Sender()
    old = me.send(service, [click(90), click(80)], TODAY - timedelta(days=3), 1)
    new = me.send(service, [click(5)], TODAY, 2)
    other.send(service, [click(7)])
    place = elsewhere(tmp_path, "other")
    done = do(place, "export", "--sent", "--to", "mine", "--receiver", service.url, code=me.code.text())
    assert (done.code, done.out, done.err) == (0, "Exported to mine: 2 batches with 3 events.\n", "")
    folder = place.folder / "mine"
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())} == {
        "mine": 0o700,
        "events.jsonl": 0o600,
        "batches.jsonl": 0o600,
    }
    expected = b"".join(msgspec.json.encode(show.plain(click(hours))) + b"\n" for hours in (90, 80, 5))
    assert (folder / "events.jsonl").read_bytes() == expected
    facts = rows(folder / "batches.jsonl")
    assert [(one["id"], one["consent"], one["events"]) for one in facts] == [(old, 1, 2), (new, 2, 1)]
    assert not place.state.exists()


def test_it_can_be_exported_again_into_the_same_folder_and_into_no_other(service: Service, tmp_path: Path) -> None:
    """A second export replaces the first; a folder that holds something else is refused, and left as it is."""
    me, place = Sender(), elsewhere(tmp_path, "other")
    for batches in (1, 2):
        me.send(service, [click(1)])
        assert do(place, "export", "--sent", "--to", "mine", "--receiver", service.url, code=me.code.text()).code == 0
        assert len(rows(place.folder / "mine" / "batches.jsonl")) == batches
    (place.folder / "mine" / "letter").write_text("dear")
    done = do(place, "export", "--sent", "--to", "mine", "--receiver", service.url, code=me.code.text())
    assert (done.code, done.err) == (1, "volens: mine holds other files; name a new folder\n")


def test_events_that_a_crash_sealed_twice_are_exported_once(service: Service, tmp_path: Path) -> None:
    """Two batches of one segment: what they share is there once, what only one of them has is there."""
    me, place, segment = Sender(), elsewhere(tmp_path, "other"), os.urandom(16)
    me.send(service, [click(3), click(2)], segment=segment)
    me.send(service, [click(3), click(2), click(1)], segment=segment)
    done = do(place, "export", "--sent", "--to", "mine", "--receiver", service.url, code=me.code.text())
    assert done.out == "Exported to mine: 2 batches with 3 events.\n"
    assert len(rows(place.folder / "mine" / "events.jsonl")) == 3


def test_another_persons_code_finds_nothing_and_says_so(service: Service, tmp_path: Path) -> None:
    """Whoever has another code sees and erases nothing, and is told how many pseudonyms were asked for."""
    mine, place = Sender(), elsewhere(tmp_path, "other")
    batch = mine.send(service, [click(1)])
    stranger = RecoveryCode(os.urandom(32)).text()
    done = do(place, "export", "--sent", "--to", "none", "--receiver", service.url, code=stranger)
    assert done.code == 0
    assert done.out.startswith("The receiver has nothing of this recovery code (126 pseudonyms asked for).")
    done = do(place, "erase", "--all", "--yes", "--receipts", "r", "--receiver", service.url, code=stranger)
    assert (done.code, done.out.startswith("The receiver has nothing of this recovery code")) == (0, True)
    assert service.directory.joinpath("bodies", batch[:2], batch).exists()


@pytest.mark.parametrize(
    "words", [("export", "--sent", "--to", "x"), ("erase", "--all", "--yes", "--receipts", "r")], ids=lambda words: words[0]
)
def test_a_mistyped_code_is_named_as_such_and_nothing_is_asked(words: tuple[str, ...], tmp_path: Path) -> None:
    """One line, exit 1, and no connection; the code is not repeated."""
    code = RecoveryCode(bytes(range(32))).text()
    wrong = ("1" if code[0] == "0" else "0") + code[1:]
    with serving(says(500)) as server:
        done = do(elsewhere(tmp_path, "other"), *words, "--receiver", server.url, code=wrong)
        assert (done.code, server.heads) == (1, [])
    assert done.err.startswith("volens: the recovery code's checksum is wrong")
    assert code[5:30] not in done.err + done.out


def test_all_of_it_is_erased_from_any_machine_with_receipts(service: Service, tmp_path: Path) -> None:
    """Nothing is left at the receiver, another's stays, and the receipts name the last day and stay with the person."""
    me, other, place = Sender(), Sender(), elsewhere(tmp_path, "other")
    mine = [me.send(service, [click(30)], TODAY - timedelta(days=1)), me.send(service, [click(1)])]
    theirs = other.send(service, [click(1)])
    done = do(place, "erase", "--all", "--yes", "--receipts", "receipts", "--receiver", service.url, code=me.code.text())
    assert (done.code, done.err) == (0, "")
    first, second, third = done.out.splitlines()
    assert first == f"2 batches at {service.url} will be erased, for good."
    assert second.startswith(f"Erased: 2 batches. The last copy dies on {TODAY + timedelta(days=7)}, by the receiver's signed receipts")
    receipts = [json.loads(path.read_bytes()) for path in (place.folder / "receipts").iterdir()]
    assert {receipt["key"] for receipt in receipts} == {third.split()[-1].rstrip(".")}
    assert sorted(each for receipt in receipts for each in receipt["receipt"]["batches"]) == sorted(mine)
    left = {path.name for path in (service.directory / "bodies").rglob("*") if path.is_file()}
    assert not left & set(mine)
    assert theirs in left
    done = do(place, "export", "--sent", "--to", "after", "--receiver", service.url, code=me.code.text())
    assert done.out.startswith("The receiver has nothing of this recovery code")


def test_a_span_erases_the_batches_that_it_touches_whole_and_says_so(service: Service, tmp_path: Path) -> None:
    """What lies outside stays; a batch that the span cuts through goes whole, and the person reads that before it does."""
    me, place = Sender(), elsewhere(tmp_path, "other")
    before = me.send(service, [click(200)], TODAY - timedelta(days=8))
    cut = me.send(service, [click(60), click(40)], TODAY - timedelta(days=1))
    within = me.send(service, [click(20)])
    words = ("erase", "--last", "2d", "--receipts", "r", "--receiver", service.url)
    asked = do(place, *words, code=me.code.text())
    assert (asked.code, asked.err) == (2, "volens: nobody can be asked whether to erase; add --yes\n")
    done = do(place, *words, "--yes", code=me.code.text())
    assert done.code == 0
    assert done.out.splitlines()[0] == (
        f"2 batches at {service.url} will be erased, for good. Also of other times: 1 batch of these; a batch is erased whole."
    )
    left = {path.name for path in (service.directory / "bodies").rglob("*") if path.is_file()}
    assert left & {before, cut, within} == {before}
    again = do(place, *words, "--yes", code=me.code.text())
    assert (again.code, again.out) == (0, "Nothing of that time is at the receiver.\n")


def test_a_batch_that_was_tampered_with_is_named_and_the_rest_is_there(service: Service, tmp_path: Path) -> None:
    """Bytes changed in the vault, and a body that its subject's key does not open: missing, with the reason; erasing all takes them."""
    me, place = Sender(), elsewhere(tmp_path, "other")
    good, bad = me.send(service, [click(2)]), me.send(service, [click(1)])
    foreign = stand.envelope(me.signer())  # opens with another reading key
    service.put(foreign)
    body = service.directory / "bodies" / bad[:2] / bad
    raw = bytearray(body.read_bytes())
    raw[-100] ^= 1
    body.write_bytes(raw)
    done = do(place, "export", "--sent", "--to", "mine", "--receiver", service.url, code=me.code.text())
    assert (done.code, done.out) == (1, "Exported to mine: 1 batch with 1 event.\n")
    assert done.err.startswith("volens: 2 batches could not be fetched (")
    assert "what is missing is listed in mine/missing.jsonl" in done.err
    missing = {one["batch"]: str(one["why"]) for one in rows(place.folder / "mine" / "missing.jsonl")}
    assert set(missing) == {bad, foreign.id}
    assert missing[bad] == "the receiver's copy is damaged"
    assert missing[foreign.id].startswith("this key does not open the envelope")
    assert [one["id"] for one in rows(place.folder / "mine" / "batches.jsonl")] == [good]
    done = do(place, "erase", "--all", "--yes", "--receipts", "r", "--receiver", service.url, code=me.code.text())
    assert (done.code, "Erased: 3 batches." in done.out) == (0, True)
    assert not body.exists()


def test_no_receiver_and_one_that_trickles_end_in_one_line(tmp_path: Path) -> None:
    """Nothing half-written, exit 1, in less than a command's patience."""
    code, place = RecoveryCode(os.urandom(32)).text(), elsewhere(tmp_path, "other")
    done = do(place, "export", "--sent", "--to", "mine", "--receiver", "http://127.0.0.1:9", code=code)
    assert (done.code, done.out) == (1, "")
    assert done.err == "volens: the receiver cannot be reached; look at the network and at its address, and try again\n"
    with serving(says(200, b"<html>sign in</html>")) as server:
        done = do(place, "erase", "--all", "--yes", "--receipts", "r", "--receiver", server.url, code=code)
        assert done.err.startswith("volens: what answers at this address does not say which purposes it has; ")
    assert not (place.folder / "mine").exists()


def test_what_is_asked_for_goes_nowhere_without_encryption(tmp_path: Path) -> None:
    """An address beyond this machine must be https://; a pin must be one."""
    code, place = RecoveryCode(os.urandom(32)).text(), elsewhere(tmp_path, "other")
    for more in (("--receiver", "http://receiver.example"), ("--receiver", "https://receiver.example", "--receiver-pin", "ab")):
        done = do(place, "export", "--sent", "--to", "mine", *more, code=code)
        assert (done.code, done.out, len(done.err.splitlines())) == (1, "", 1)
        assert done.err.startswith("volens: --receiver")


def _through(service: Service, spoil: Callable[[str, int], bool]) -> Act:
    """A line to the receiver that breaks off where `spoil` says so, given the request's path and how many of that path came before."""
    host, port = service.url.removeprefix("http://").split(":")
    counts: Counter[str] = Counter()
    lock = threading.Lock()

    def act(server: Server, connection: socket.socket) -> None:
        head, rest = server.read_head(connection)
        path = head.split(" ")[1]
        with lock:
            counts[path] += 1
            number = counts[path]
        if spoil(path, number):
            return
        with socket.create_connection((host, int(port))) as onward:
            onward.sendall(head.replace("\r\n", "\r\nconnection: close\r\n", 1).encode() + b"\r\n\r\n" + rest)
            lengths = [line.split(":")[1] for line in head.lower().split("\r\n") if line.startswith("content-length:")]
            left = (int(lengths[0]) if lengths else 0) - len(rest)
            while left > 0:
                more = connection.recv(65536)
                left -= len(more)
                onward.sendall(more)
            while data := onward.recv(65536):
                connection.sendall(data)

    return act


def test_when_half_of_the_fetches_fail_the_rest_is_there_and_a_second_export_has_it_all(service: Service, tmp_path: Path) -> None:
    """Exit 1 and a count; each file whole; what is missing is named; the next time it comes."""
    me, place = Sender(), elsewhere(tmp_path, "other")
    ids = {me.send(service, [click(n)], TODAY - timedelta(days=n)) for n in range(6)}
    with serving(_through(service, lambda path, number: path.endswith("/fetch") and number % 2 == 0)) as line:
        done = do(place, "export", "--sent", "--to", "mine", "--receiver", line.url, code=me.code.text())
    assert (done.code, done.out) == (1, "Exported to mine: 3 batches with 3 events.\n")
    assert done.err.startswith("volens: 3 batches could not be fetched (the receiver did not give it out); ")
    had = {one["id"] for one in rows(place.folder / "mine" / "batches.jsonl")}
    assert had | {one["batch"] for one in rows(place.folder / "mine" / "missing.jsonl")} == ids
    assert len(rows(place.folder / "mine" / "events.jsonl")) == len(had) == 3
    done = do(place, "export", "--sent", "--to", "mine", "--receiver", service.url, code=me.code.text())
    assert (done.code, done.out) == (0, "Exported to mine: 6 batches with 6 events.\n")
    assert sorted(path.name for path in (place.folder / "mine").iterdir()) == ["batches.jsonl", "events.jsonl"]


def test_when_an_erasure_breaks_off_what_was_erased_has_its_receipt_and_the_rest_is_named(service: Service, tmp_path: Path) -> None:
    """Exit 1; asked again, the rest goes too."""
    me, place = Sender(), elsewhere(tmp_path, "other")
    for n in range(4):
        me.send(service, [click(n)], TODAY - timedelta(days=n))
    words = ("erase", "--all", "--yes", "--receipts", "r")
    with serving(_through(service, lambda path, number: path == "/v1/erasures" and number % 2 == 0)) as line:
        done = do(place, *words, "--receiver", line.url, code=me.code.text())
    assert done.code == 1
    assert "Erased: 2 batches." in done.out
    assert done.err.startswith("volens: 2 pseudonyms could not be erased (the receiver did not erase); do it again later")
    assert len(list((place.folder / "r").iterdir())) == 2
    done = do(place, *words, "--receiver", service.url, code=me.code.text())
    assert (done.code, "Erased: 2 batches." in done.out, len(list((place.folder / "r").iterdir()))) == (0, True, 4)


def test_a_receiver_that_trickles_is_given_up_after_a_few_deadlines(service: Service, tmp_path: Path) -> None:
    """It is not asked five hundred times: what is left is missing, and what was written is whole."""
    me = Sender()
    me.send(service, [click(1)])

    def trickle(server: Server, connection: socket.socket) -> None:
        server.read_all(connection)
        connection.sendall(b"HTTP/1.1 200 X\r\ncontent-length: 50000\r\n\r\n")
        while not server.stopping.wait(0.05):
            connection.sendall(b"x")

    slow = _through(service, lambda path, _: False)

    def act(server: Server, connection: socket.socket) -> None:
        first = connection.recv(64, socket.MSG_PEEK)
        (slow if b"/v1/purposes" in first else trickle)(server, connection)

    with serving(act) as line:
        terms = Terms(line.url, None, me.code.identity_secret(), deadline_s=1)
        export = export_sent.export(terms, me.code.reading_key(), tmp_path / "mine", today=TODAY, consents=[1], told=lambda done, of: None)
        done = asyncio.run(export)
    assert (done.batches, len(done.missing)) == (0, done.pseudonyms)
    assert len(line.heads) < 12
    assert (tmp_path / "mine" / "events.jsonl").read_bytes() == b""


def test_one_pseudonym_a_connection_in_a_random_order_each_with_a_nonce_of_its_own(service: Service) -> None:
    """No connection carries two pseudonyms, no nonce serves two, and the order of asking says nothing of days."""
    me, asked = Sender(), list[tuple[str, str]]()

    def act(server: Server, connection: socket.socket) -> None:
        head, rest = server.read_head(connection)
        length = next((int(line.split(":")[1]) for line in head.lower().split("\r\n") if line.startswith("content-length:")), 0)
        while len(rest) < length:
            rest += connection.recv(65536)
        if head.startswith("POST /v1/listing "):
            body = json.loads(rest)
            asked.append((body["pseudonym"], body["nonce"]))
        raw = service.raw(head.replace("\r\n", "\r\nconnection: close\r\n", 1).encode() + b"\r\n\r\n" + rest)
        connection.sendall(raw)

    async def ask(url: str) -> list[str]:
        terms = Terms(url, None, me.code.identity_secret())
        epochs = await survey(terms, today=TODAY, first=None, consents=[1])

        async def look(asker: Asker, epoch: Epoch) -> list[Missing]:
            await asker.listed(asker.signer(epoch))
            return []

        assert await each(terms, epochs, look, lambda done: None) == []
        return [epoch.signer(terms.identity_secret).pseudonym.hex() for epoch in epochs]

    with serving(act) as line:
        in_order = asyncio.run(ask(line.url))
        assert len(line.heads) == 1 + 2 * len(in_order)
        assert all("connection: close" in head.lower() or head.count("POST") <= 1 for head in line.heads)
    assert sorted(pseudonym for pseudonym, _ in asked) == sorted(in_order)
    places = [in_order.index(pseudonym) for pseudonym, _ in asked]
    steps = [abs(one - other) for one, other in pairwise(places)]
    assert sum(steps) / len(steps) > 8  # day by day, either way, it would be about 1; at random it is 21
    assert len({nonce for _, nonce in asked}) == len(in_order)
