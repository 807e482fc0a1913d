"""Browsers for live tests: web sites of several names on loopback, whose pages say what they got, and Firefox and Chromium to show them."""

import contextlib
import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FIREFOX_PREFERENCES = {
    "app.update.enabled": False,
    "browser.aboutwelcome.enabled": False,
    "browser.newtabpage.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.search.update": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "browser.startup.page": 0,
    "browser.tabs.warnOnClose": False,
    "browser.warnOnQuit": False,
    "datareporting.healthreport.uploadEnabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "dom.security.https_first": False,
    "extensions.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.prefetch-next": False,
    "network.proxy.type": 0,
    "security.insecure_field_warning.contextual.enabled": False,
    "signon.rememberSignons": False,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
}
_PAGE = """<!doctype html><meta charset=utf-8><title>{host}</title><body style="margin:0">
<a href="{next}" style="position:fixed;left:0;top:200px;width:300px;height:200px;background:#cde">next</a>
<script>
const say = what => navigator.sendBeacon('/got', JSON.stringify(what));
addEventListener('mousedown', e => say([e.screenX, e.screenY]), true);
addEventListener('keydown', e => say([e.key]), true);
</script>"""
_FORM = """<!doctype html><meta charset=utf-8><title>{host}</title><body style="margin:0">
<input id=name autofocus style="position:fixed;left:400px;top:100px;width:300px;height:40px">
<input id=secret type=password style="position:fixed;left:400px;top:200px;width:300px;height:40px">
<script>addEventListener('focusin', e => navigator.sendBeacon('/got', JSON.stringify([e.target.id])));</script>"""


@dataclass
class Web:
    """Web sites by any name, on one port of loopback.

    Attributes:
        got: By host, what its pages said that they got: where they were pressed, and which keys.
        hosts: In which order the link of each page leads to the next.
    """

    server: ThreadingHTTPServer
    hosts: tuple[str, ...]
    got: dict[str, list[tuple[object, ...]]] = field(default_factory=dict)

    def url(self, host: str, path: str = "/page") -> str:
        """The address of a page there."""
        return f"http://{host}:{self.server.server_port}{path}"

    def page(self, host: str, path: str) -> str:
        """What is at an address."""
        following = self.hosts[(self.hosts.index(host) + 1) % len(self.hosts)] if host in self.hosts else self.hosts[0]
        return (_FORM if path.startswith("/form") else _PAGE).format(host=host, next=self.url(following))


@contextlib.contextmanager
def web(*hosts: str) -> Iterator[Web]:
    """Serve these hosts."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(sites.page(self._host(), self.path).encode())

        def do_POST(self) -> None:
            said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            sites.got.setdefault(self._host(), []).append(tuple(said))
            self._answer(b"")

        def _host(self) -> str:
            return str(self.headers["Host"]).split(":", maxsplit=1)[0]

        def _answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sites = Web(server, hosts)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield sites
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def firefox(profile: Path, hosts: Sequence[str], *urls: str, **preferences: object) -> list[str]:
    """The command that starts Firefox with a new profile, which knows these names as this machine's."""
    profile.mkdir(parents=True, exist_ok=True)
    wanted = FIREFOX_PREFERENCES | {"network.dns.localDomains": ",".join(hosts)} | preferences
    lines = [f"user_pref({json.dumps(name.replace('__', '.'))}, {json.dumps(value)});" for name, value in wanted.items()]
    (profile / "user.js").write_text("\n".join(lines))
    return ["firefox-esr", "--profile", str(profile), *urls]


def firefox_number() -> int:
    """The first part of the version of the Firefox that is installed; 0 if none is."""
    if shutil.which("firefox-esr") is None:
        return 0
    said = subprocess.run(["firefox-esr", "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"Firefox (\d+)\.", said)
    return int(found[1]) if found else 0


def chromium(profile: Path, *urls: str) -> list[str]:
    """The command that starts Chromium with accessibility; without its sandbox, which root cannot have."""
    flags = ("--no-sandbox", "--no-first-run", "--disable-gpu", "--disable-background-networking", "--disable-sync", "--disable-extensions")
    resolve = "--host-resolver-rules=MAP * 127.0.0.1"
    return ["chromium", *flags, resolve, "--force-renderer-accessibility", "--password-store=basic", f"--user-data-dir={profile}", *urls]
