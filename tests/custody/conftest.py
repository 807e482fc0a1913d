"""A purpose held 2 of 3, made once a module, and a receiver that runs."""

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.custody.stand import Custody, FakeReceiver, make_custody


@pytest.fixture(scope="module")
def custody(tmp_path_factory: pytest.TempPathFactory) -> Custody:
    """2 of 3, made once."""
    return make_custody(tmp_path_factory.mktemp("custody"), 2, 3)


@pytest.fixture
def receiver() -> Iterator[FakeReceiver]:
    """A fake receiver that runs."""
    fake = FakeReceiver()

    class Handler(BaseHTTPRequestHandler):
        def reply(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            status, headers, answer = fake.answer(self.command, self.path, self.headers, body)
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(answer))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(ConnectionError):  # the command may have had enough
                self.wfile.write(answer)

        do_GET = do_POST = reply

        def log_message(self, *arguments: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield fake
    server.shutdown()
    server.server_close()
    thread.join()
