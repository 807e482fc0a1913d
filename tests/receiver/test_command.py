"""`volens-receiver` as people and scripts use it: init, serve, check, and how it ends."""

import asyncio
import dataclasses
import json
import os
import signal
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from receiver import app, migrate, site, tables
from tests.receiver import stand
from tests.receiver.stand import envelope, run


def test_init_makes_a_folder_for_its_owner_alone(tmp_path: Path) -> None:
    """0700 folders, 0600 files, throughout."""
    directory = stand.make(tmp_path)
    modes = {path.is_dir(): path.stat().st_mode & 0o777 for path in (directory, *directory.rglob("*"))}
    assert modes == {True: 0o700, False: 0o600}


def test_init_refuses_a_folder_with_something_in_it(tmp_path: Path) -> None:
    """One line, exit 1, and what was there is untouched."""
    (tmp_path / "letter").write_text("mine")
    made = run("init", tmp_path)
    assert (made.returncode, made.stderr) == (1, f"volens-receiver: {tmp_path} is not empty; name a new folder\n")
    assert [path.name for path in tmp_path.iterdir()] == ["letter"]


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"NaN", stand.policy().replace(b"1,", b"2,", 1), stand.policy().replace(b'"public_key": "', b'"public_key": "A')],
)
def test_init_refuses_a_malformed_policy_and_makes_nothing(tmp_path: Path, content: bytes) -> None:
    """One line, exit 1, no folder."""
    (tmp_path / "policy.json").write_bytes(content)
    made = run("init", tmp_path / "rx", "--trial", "--policy", tmp_path / "policy.json")
    assert made.returncode == 1
    assert made.stderr.startswith("volens-receiver: the ")
    assert made.stderr.count("\n") == 1
    assert not (tmp_path / "rx").exists()


def test_wrong_usage_is_exit_2(tmp_path: Path) -> None:
    """A trial without a policy, a command that does not exist."""
    assert run("init", tmp_path / "rx", "--trial").returncode == 2
    assert run("policy").returncode == 2


def test_a_receiver_without_a_policy_takes_nothing_in(tmp_path: Path) -> None:
    """No trial, nothing published: every purpose is unknown, and no metadata is served."""
    assert run("init", tmp_path / "rx").returncode == 0
    with stand.serving(tmp_path / "rx") as empty:
        assert empty.put(envelope()).status_code == 422
        assert empty.client.get("/v1/tuf/metadata/timestamp.json").status_code == 404


def test_a_trial_is_not_reachable_from_elsewhere(tmp_path: Path) -> None:
    """Every address but loopback is refused before it is bound."""
    directory = stand.make(tmp_path)
    for host in ("0.0.0.0", "::", "192.0.2.1", "example.org"):
        served = run("serve", directory, "--host", host)
        assert served.returncode == 1
        assert (
            served.stderr == f"volens-receiver: a trial does not listen on {host}; leave --host away, or make a receiver without --trial\n"
        )


def test_serve_refuses_what_is_not_its_own_in_one_line(tmp_path: Path) -> None:
    """No folder, an open folder, unknown settings, a second server, a taken port."""
    assert run("serve", tmp_path / "nowhere").stderr.startswith("volens-receiver: ")
    directory = stand.make(tmp_path)
    with stand.serving(directory) as first:
        assert "another process serves" in run("serve", directory).stderr
        other = stand.make(_folder(tmp_path / "other"))
        taken = run("serve", other, "--port", first.url.rsplit(":", 1)[1])
        assert "cannot be bound" in taken.stderr
    directory.chmod(0o755)
    assert "can be reached by others" in run("serve", directory).stderr
    directory.chmod(0o700)
    settings = directory / "receiver.toml"
    for content in ("colour = 1\n", "max_in_flight = 0\n", "trial = 'yes'\n", "= broken"):
        settings.write_text(content)
        refused = run("serve", directory)
        assert refused.returncode == 1
        assert refused.stderr.startswith(f"volens-receiver: {settings}")
        assert refused.stderr.count("\n") == 1


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_upload_in_flight_is_finished_before_the_end(tmp_path: Path, number: signal.Signals) -> None:
    """The signal comes in mid-body: no new connection is taken, the upload gets its 201, and the exit code is 0."""
    sealed = envelope()
    with stand.serving(stand.make(tmp_path)) as service:
        with service.connect() as connection:
            head = f"PUT /v1/batches/{sealed.id} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(sealed.raw)}\r\nExpect: 100-continue\r\n\r\n"
            connection.sendall(head.encode())
            assert connection.recv(64).startswith(b"HTTP/1.1 100")
            connection.sendall(sealed.raw[:1000])
            os.kill(service.process.pid, number)
            _until_closed(service)
            connection.sendall(sealed.raw[1000:])
            assert b"HTTP/1.1 201" in connection.recv(65536)
        assert service.process.wait(20) == 0
        assert all(path.exists() for path in service.files(sealed))


def _until_closed(service: stand.Service) -> None:
    """Returns once nothing listens any more."""
    deadline_s = time.monotonic() + 20
    while time.monotonic() < deadline_s:
        try:
            service.connect().close()
        except ConnectionRefusedError:
            return
        time.sleep(0.02)
    raise AssertionError("it goes on listening")


def test_a_receiver_that_is_ending_asks_to_come_back(tmp_path: Path) -> None:
    """503 with Retry-After for a new upload, and readiness says why."""
    site.init(tmp_path / "rx", trial_policy=stand.policy(), now=datetime.now(UTC))
    here = app.prepare(site.open_site(tmp_path / "rx"))
    here.draining = True

    async def ask() -> tuple[httpx.Response, httpx.Response]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app.make(here)), base_url="http://x") as client:
            return await client.put(f"/v1/batches/{'0' * 64}", content=b"x"), await client.get("/readyz")

    put, ready = asyncio.run(ask())
    assert (put.status_code, ready.status_code, ready.json()["why"]) == (503, 503, "ending")
    assert int(put.headers["retry-after"]) > 0


def test_readiness_names_a_database_that_does_not_answer(tmp_path: Path) -> None:
    """`database`: no tables, as after somebody moved the file; `storage`: a store that is not there."""
    here = app.prepare(site.open_site(stand.make(tmp_path)))

    async def ask() -> list[str | None]:
        writing = asyncio.create_task(here.writer.run())  # the terms are read in its turn
        said = [await here.why_not_ready()]
        here.site = dataclasses.replace(here.site, engine=tables.open_engine(tmp_path / "another.db"))
        said.append(await here.why_not_ready())
        (here.site.directory / "slots").rename(tmp_path / "slots")
        said.append(await here.why_not_ready())
        writing.cancel()
        return said

    assert asyncio.run(asyncio.wait_for(ask(), 20)) == [None, "database", "storage"]


def test_check_names_everything_that_is_wrong(tmp_path: Path) -> None:
    """An altered body, missing slots, a row that lies, a broken access chain: exit 1, a line for each."""
    directory = stand.make(tmp_path)
    altered, slotless, lied, sound = (envelope() for _ in range(4))
    with stand.serving(directory) as service:
        for sealed in (altered, slotless, lied, sound):
            service.put(sealed)
        ask = {"purpose": stand.PURPOSE, "reason": "audit", "batches": [sound.id]}
        service.client.post("/v1/access", json=ask)
        body = service.files(altered)[1]
        last = body.read_bytes()[-1]
        body.write_bytes(body.read_bytes()[:-1] + bytes([last ^ 1]))
        service.files(slotless)[0].unlink()
    with closing(sqlite3.connect(directory / "volens.db")) as rows, rows:
        rows.execute("UPDATE batch SET envelope_bytes = 1 WHERE id = ?", [lied.id])
        rows.execute("UPDATE access SET reason = 'another'")
    checked = run("check", directory)
    assert checked.returncode == 1
    assert checked.stdout == "sound 1, erased 0, unfinished 0, wrong 4\n"
    for named in (altered.id, f"{slotless.id}: its slots file is missing", lied.id, "access record 1"):
        assert named in checked.stderr


def test_the_migrations_lead_to_the_tables_of_the_code(tmp_path: Path) -> None:
    """Made from nothing by the migrations, the database has exactly the columns, indexes and keys that the code declares."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    migrate.to_newest(tmp_path / "volens.db")
    engine = tables.open_engine(tmp_path / "volens.db")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []
        assert connection.scalar(sa.text("SELECT version_num FROM alembic_version")) == tables.SCHEMA
        sql = " ".join(connection.scalars(sa.text("SELECT sql FROM sqlite_master WHERE name IN ('batch', 'forbidden')")))
    assert sql.count("WITHOUT ROWID") == 2
    engine.dispose()


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    """Rather than read with the wrong tables."""
    directory = stand.make(tmp_path)
    with closing(sqlite3.connect(directory / "volens.db")) as rows, rows:
        rows.execute("UPDATE alembic_version SET version_num = '9999'")
    refused = run("serve", directory)
    assert refused.returncode == 1
    assert "install the newest volens" in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_the_log_has_no_address_no_id_and_no_payload(tmp_path: Path) -> None:
    """Every line is JSON with a closed set of keys; nothing that came in is in it, in any answer or fault."""
    sealed, refused, who = envelope(), b"canary-refused" * 500, stand.person(30)
    with stand.serving(stand.make(tmp_path)) as service:
        service.put(sealed)
        service.client.put(f"/v1/batches/{'0' * 64}", content=refused)
        service.client.get("/canary-path?canary-query=1", headers={"User-Agent": "canary-agent"})
        service.erase(who, [sealed.id])
        service.raw(b"canary garbage\r\n\r\n")
        service.stop()
        text = service.log.read_text()
        port = service.client.base_url.port
    for secret in ("127.0.0.1", "canary", sealed.id, who.pseudonym.hex(), str(port), stand.CANARY.decode()):
        assert secret not in text
    lines = [json.loads(line) for line in text.splitlines()]
    requests = [line for line in lines if "route" in line]
    keys = {"at", "method", "route", "status", "duration_ms"}  # no length: with the time it would find its row
    assert all(set(line) == keys for line in requests)
    assert ("PUT", "/v1/batches/{id}", 201) in {(x["method"], x["route"], x["status"]) for x in requests}
