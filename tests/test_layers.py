"""Holds the code to its shape: who may import whom, which modules decide and which do, who reads the clock, how long is long.

Every module is declared here, one line each. A module that *decides* takes facts and returns values: no disk, network,
process, randomness or clock. A module that *does* is the rest. A new module fails until it is declared.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

DECIDES = """
agent.carry
agent.consenting
agent.demo.canaries
agent.demo.errors
agent.demo.findings
agent.demo.policy
agent.demo.programs
agent.demo.reconcile
agent.demo.truth
agent.errors
agent.messages
agent.pending
agent.permission
agent.show
agent.status
agent.tally
agent.tray.dbusmenu
agent.tray.errors
agent.tray.exported
agent.tray.introspection
agent.tray.look
agent.tray.menu
agent.tray.picture
agent.tray.plan
agent.tray.proofs
agent.tray.reply
collectors.account
collectors.acts
collectors.backends.replay
collectors.backends.unavailable
collectors.backends.x11_time
collectors.collector
collectors.errors
collectors.keymap
collectors.keys
collectors.keysyms
collectors.minimise
collectors.pipe
collectors.pointer
collectors.raw
collectors.roles
collectors.shape
collectors.window
consent.event
consent.frames
consent.gate
consent.history
consent.notice
consent.pause
consent.policy
consent.proof
consent.receipt
consent.register
consent.scope
consent.standing
consent.trust
consent.vocabulary
custody.access
custody.batches
custody.errors
custody.events
custody.formats
custody.quorum
custody.step
custody.steps
receiver.accept
receiver.access
receiver.erasure
receiver.errors
receiver.nonce
transport.batch
transport.columns
transport.compress
transport.envelope
transport.erasing
transport.erasure_proof
transport.errors
transport.header
transport.held
transport.identity
transport.jobs
transport.kdf
transport.notes
transport.padding
transport.recovery
transport.results
transport.schedule
transport.seal
transport.segment
transport.span
transport.xwing
""".split()

DOES = """
agent.__main__
agent.alone
agent.answers
agent.channel
agent.child
agent.clock
agent.commands
agent.control
agent.daemon
agent.demo.acts
agent.demo.calls
agent.demo.children
agent.demo.clock
agent.demo.demo
agent.demo.display
agent.demo.evidence
agent.demo.icon
agent.demo.person
agent.demo.report
agent.demo.search
agent.demo.session
agent.demo.stage
agent.demo.subject
agent.demo.terminal
agent.demo.trial
agent.demo.wait
agent.demo.windows
agent.faults
agent.home
agent.indicator
agent.lean
agent.lock
agent.places
agent.policies
agent.process
agent.reach
agent.record
agent.report
agent.run
agent.settings
agent.subject
agent.tray.badge
agent.tray.bus
agent.tray.host
agent.tray.icon
agent.tray.indicator
agent.tray.link
agent.tray.start
agent.trays
agent.trial
agent.uploading
collectors.backends.atspi
collectors.backends.bus
collectors.backends.focused
collectors.backends.linux_x11
collectors.backends.x11_record
collectors.backends.x11_windows
collectors.observer
collectors.pick
consent.ledger
custody.__main__
custody.clock
custody.files
custody.keys
custody.open
custody.process
custody.remote
custody.source
receiver.__main__
receiver.app
receiver.bodies
receiver.check
receiver.clock
receiver.depot
receiver.disk
receiver.ingest
receiver.lines
receiver.migrate
receiver.migrations.env
receiver.migrations.versions.m0001_first
receiver.opening
receiver.policy_repo
receiver.published
receiver.records
receiver.rights
receiver.running
receiver.serve
receiver.settings
receiver.site
receiver.tables
receiver.vault
receiver.writer
transport.courier
transport.disk
transport.erasure
transport.forgetting
transport.hold
transport.keystore
transport.outbox
transport.reopening
transport.sealing
transport.shelf
volens
""".split()

ARROWS = {  # a folder may import itself and these
    "consent": set(),
    "collectors": {"consent"},
    "transport": {"consent"},
    "agent": {"consent", "collectors", "transport"},
    "receiver": {"consent", "transport"},
    "custody": {"consent", "transport"},
}
NEVER_IMPORTED = {"tests", "bench", "fleet", "docs", "requirements", "volens"}
ALONE = {"volens", "agent.home"}  # run before it is known whose packages the others are
STANDARD_THAT_DOES = set(
    "os pathlib time random secrets io tempfile shutil glob fcntl mmap signal ctypes uuid socket select selectors ssl http urllib asyncio "
    "subprocess multiprocessing threading queue concurrent logging sqlite3 importlib runpy".split()
)
FOREIGN_THAT_DOES = set(
    "sqlalchemy alembic httpx psutil pynput mss Xlib jeepney keyring platformdirs starlette uvicorn typer".split(),
)
DOING_CALLS = {"open", "print", "input", "exec", "eval", "breakpoint"}
CLOCK_READS = {
    "time": set("time time_ns monotonic monotonic_ns perf_counter perf_counter_ns process_time clock_gettime clock_gettime_ns".split()),
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
}
ASKS_FOR_THE_SYSTEM = {"sys": {"platform"}, "os": {"name", "uname"}, "platform": {"system", "platform", "uname"}}
MAY_ASK = {"collectors.pick", "custody.files", "custody.process"}  # custody runs alone elsewhere, and may not import collectors
ROOT = Path(__file__).parents[1]
LONGEST_FILE, LONGEST_FUNCTION = 400, 60  # lines


def path_of(module: str) -> Path:
    """Where a module lies."""
    return ROOT.joinpath(*module.split(".")).with_suffix(".py")


def all_modules() -> set[str]:
    """What is really there, `__init__` apart."""
    files = [file for folder in ARROWS for file in (ROOT / folder).rglob("*.py")] + [ROOT / "volens.py"]
    return {".".join(file.relative_to(ROOT).with_suffix("").parts) for file in files if file.name != "__init__.py"}


def imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Every import as (module, name taken from it or '')."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (("." * node.level + (node.module or ""), alias.name) for alias in node.names)


def reads(tree: ast.AST, names: dict[str, set[str]]) -> Iterator[str]:
    """Every use of `owner.name` (also of `datetime.datetime.now`), and every `from owner import name`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
            if node.attr in names.get(owner, ()):
                yield f"{owner}.{node.attr}"
    yield from (f"{module}.{name}" for module, name in imports(tree) if name in names.get(module, ()))


def called(tree: ast.AST) -> set[str]:
    """The plain names that are called."""
    return {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}


def broken_arrows(module: str, tree: ast.AST) -> Iterator[str]:
    """Imports against the arrows, relative ones, and imports by a string, which no arrow can see."""
    folder = module.split(".", maxsplit=1)[0]
    for imported, name in imports(tree):
        target = imported.split(".")[0]
        if imported.startswith("."):
            yield f"relative import of {imported}{name}"
        elif target in NEVER_IMPORTED or (target in ARROWS and (module in ALONE or target not in ARROWS[folder] | {folder})):
            yield f"imports {imported} against the arrows"
        elif (imported, name) == ("importlib", "import_module"):
            yield "imports by a string"
    if "__import__" in called(tree) or list(reads(tree, {"importlib": {"import_module"}})):
        yield "imports by a string"


def impurities(tree: ast.AST, doing: set[str]) -> Iterator[str]:
    """What a module that decides must not do; `doing` are our own modules that do."""
    for imported, name in imports(tree):
        if imported.split(".")[0] in STANDARD_THAT_DOES | FOREIGN_THAT_DOES or {imported, f"{imported}.{name}"} & doing:
            yield f"decides, but imports {imported} {name}".rstrip()
    yield from (f"decides, but calls {name}()" for name in called(tree) & DOING_CALLS)


def problems(module: str, source: str, *, decides: bool, doing: set[str] = frozenset()) -> list[str]:  # type: ignore[assignment]
    """Everything that is wrong with one module of ours."""
    tree = ast.parse(source)
    found = [*broken_arrows(module, tree), *too_long(source)]
    if decides:
        found += impurities(tree, doing)
    if module.rsplit(".", maxsplit=1)[-1] != "clock":
        found += [f"reads a clock ({read}) outside of clock.py" for read in reads(tree, CLOCK_READS)]
    if module not in MAY_ASK:
        found += [f"asks for the system ({read}) outside of collectors/pick.py" for read in reads(tree, ASKS_FOR_THE_SYSTEM)]
    return found


def too_long(source: str) -> Iterator[str]:
    """Files and functions that no longer fit a screen or a thought."""
    if (lines := source.count("\n")) > LONGEST_FILE:
        yield f"has {lines} lines"
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and node.end_lineno
            and node.end_lineno - node.lineno >= LONGEST_FUNCTION
        ):
            yield f"{node.name} has more than {LONGEST_FUNCTION} lines"


def test_every_module_is_declared_once_and_every_declared_module_is_there() -> None:
    """The two lists above are the modules, no more and no fewer."""
    declared = DECIDES + DOES
    assert not (missing := all_modules() - set(declared)), f"declare in DECIDES or DOES: {' '.join(sorted(missing))}"
    assert not (gone := set(declared) - all_modules()), f"declared, but not there: {' '.join(sorted(gone))}"
    assert len(declared) == len(set(declared))


@pytest.mark.parametrize("module", sorted(DECIDES + DOES))
def test_module_keeps_to_the_arrows_and_to_what_it_declares(module: str) -> None:
    """No import against the arrows; no I/O in a module that decides; clocks, system and length where they belong."""
    assert problems(module, path_of(module).read_text(), decides=module in DECIDES, doing=set(DOES)) == []


@pytest.mark.parametrize("init", sorted(file for folder in ARROWS for file in (ROOT / folder).rglob("__init__.py")), ids=str)
def test_importing_a_package_does_nothing(init: Path) -> None:
    """An `__init__` decides like any pure module, and is never a place for work at import time."""
    module = ".".join(init.relative_to(ROOT).with_suffix("").parts)
    assert problems(module, init.read_text(), decides=True, doing=set(DOES)) == []


@pytest.mark.parametrize("folder", ["tests", "bench", "requirements"])
def test_the_code_around_is_no_longer_than_the_code_itself(folder: str) -> None:
    """Tests and measurements are read as often as the product."""
    assert {file.name: found for file in (ROOT / folder).rglob("*.py") if (found := list(too_long(file.read_text())))} == {}


LONG_FUNCTION = "def carry():\n" + "    pass\n" * LONGEST_FUNCTION


@pytest.mark.parametrize(
    ("module", "source", "complaint"),
    [
        ("consent.gate", "from transport import batch", "against the arrows"),
        ("transport.batch", "import collectors.pipe", "against the arrows"),
        ("collectors.pick", "def later():\n    from agent import run", "against the arrows"),
        ("receiver.app", "import agent.status", "against the arrows"),
        ("custody.open", "import receiver", "against the arrows"),
        ("agent.run", "import receiver.app", "against the arrows"),
        ("agent.run", "from tests.fakes import Clock", "against the arrows"),
        ("agent.home", "import consent", "against the arrows"),
        ("consent.gate", "from . import scope", "relative import"),
        ("agent.run", "import importlib\nimportlib.import_module('receiver')", "by a string"),
        ("agent.run", "from importlib import import_module", "by a string"),
        ("agent.run", "__import__('receiver')", "by a string"),
        ("consent.gate", "import os.path", "decides, but imports os.path"),
        ("consent.gate", "from pathlib import Path", "decides, but imports pathlib"),
        ("consent.gate", "from consent import ledger", "decides, but imports consent ledger"),
        ("consent.gate", "from consent.ledger import Ledger", "decides, but imports consent.ledger"),
        ("consent.gate", "open('standing')", "decides, but calls open()"),
        ("agent.run", "import time\ntime.monotonic()", "reads a clock"),
        ("agent.run", "from time import time_ns", "reads a clock"),
        ("agent.run", "import datetime\ndatetime.datetime.now()", "reads a clock"),
        ("agent.run", "from datetime import datetime, UTC\ndatetime.now(UTC)", "reads a clock"),
        ("agent.run", "import sys\nif sys.platform == 'linux': pass", "asks for the system"),
        ("agent.run", "import os\nos.name", "asks for the system"),
        ("agent.run", LONG_FUNCTION, "carry has more than"),
        ("agent.run", "\n" * (LONGEST_FILE + 1), "lines"),
    ],
)
def test_each_rule_can_fail(module: str, source: str, complaint: str) -> None:
    """A rule that no source can break guards nothing: each refuses the smallest offence."""
    found = problems(module, source, decides=module == "consent.gate", doing={"consent.ledger"})
    assert any(complaint in each for each in found), found


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("agent.clock", "import time\ntime.monotonic()"),
        ("collectors.pick", "import sys\nsys.platform"),
        ("agent.run", "import time\ntime.sleep(1)\nimport consent.gate, collectors.pipe, transport.batch, agent.status"),
        ("custody.open", "from transport import envelope\nfrom consent import receipt"),
        ("consent.gate", "from datetime import datetime\ndef decide(now: datetime) -> bool: return now > datetime.min"),
    ],
)
def test_no_rule_refuses_what_is_right(module: str, source: str) -> None:
    """The allowed forms next to each rule stay allowed."""
    assert problems(module, source, decides=module == "consent.gate") == []


def test_the_lists_of_what_is_forbidden_name_real_modules() -> None:
    """A misspelt name in the standard library part of the list would forbid nothing."""
    assert sys.stdlib_module_names >= STANDARD_THAT_DOES
