"""A web page with a form, on loopback: secret in its address, its title and its fields."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer

from tests.secrets.room import Room


@dataclass
class Port:
    """Where the page is, and how far it has come."""

    number: int = 0
    asked: bool = False
    handed_in: bool = False


@contextmanager
def a_form(room: Room) -> Iterator[Port]:
    """Serve it for as long as the block runs. `/` leads to the secret address; whatever is posted is thrown away."""
    port, where = Port(), f"/{room.secret('path')}?q={room.secret('query')}"
    form = "<form method=post><input type=password name=p autofocus><input name=t><button>OK</button></form>"
    page = f"<title>{room.secret('page title')}</title>{form}".encode()

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/":
                self._answer(302, b"")
            elif self.path == where:
                port.asked = True
                self._answer(200, page)
            else:
                self._answer(404, b"")

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            port.handed_in = True
            self._answer(200, b"thank you")

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Location", where)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing is logged."""

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        port.number = server.server_port
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield port
        server.shutdown()
