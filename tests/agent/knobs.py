"""Everything by which anybody could set the agent, read from its code: keys of files, variables of the environment, flags, requests.

What is found here and has no values to try below fails tests/agent/test_sweep.py: whoever adds a knob shows what it cannot do.
"""

import ast
import functools
import itertools
import random
import re
import types
import typing
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import click
import typer

from agent import messages, settings
from agent.commands import app
from consent.exemption import Ground
from consent.policy import _PolicyIn
from consent.vocabulary import Kind, Purpose, State, SurfaceId

ROOT = Path(__file__).parents[2]
FOLDERS = ("agent", "collectors", "consent", "transport", "custody", "receiver")

KEYS: dict[str, tuple[Any, ...]] = {
    "receiver": (None, "http://127.0.0.1:9", "http://127.0.0.1:8", "https://elsewhere.example", "ftp://x", 7),
    "receiver_pin": (None, "ab" * 32, "x"),
    "trial": (None, False, True, "yes"),
    "daily_notice": (None, False, True, "no"),
    "bytes_a_day": (None, 10_000, 20_000_000, 20_000_001, 9_999, -1, "much"),
    "bytes_a_month": (None, 10_000, 400_000_000, 400_000_001, True),
}
"""Of agent.toml; None: not there."""
POLICY = set("format version controller receiver hold_min_s purposes surfaces notice reviewer".split())
"""Of a policy: what a receiver can say. What other values do: tests/consent/test_compare.py, tests/agent/test_policy_attacks.py."""
VARIABLES: dict[str, tuple[str, ...]] = {
    "DBUS_SESSION_BUS_ADDRESS": ("", "unix:path=/dev/null/nowhere"),
    "DBUS_SYSTEM_BUS_ADDRESS": ("", "unix:path=/dev/null/nowhere"),
    "DISPLAY": ("", ":0", ":4711"),
    "GDK_BACKEND": ("x11",),
    "GIO_USE_VFS": ("local",),
    "GSETTINGS_BACKEND": ("memory",),
    "HOME": ("/", "/dev/null/nowhere"),
    "LANG": ("C", "tr_TR.UTF-8"),
    "LANGUAGE": ("de:fr", "../../.."),
    "LC_ALL": ("C", "../../../dev/null"),
    "LC_MESSAGES": ("", "de_DE.UTF-8"),
    "NO_AT_BRIDGE": ("1",),
    "PATH": ("/usr/bin:/bin", ""),
    "PYTHON_KEYRING_BACKEND": ("keyring.backends.fail.Keyring", "keyring.backends.null.Keyring"),
    "PKEXEC_UID": ("", "0", "4711"),
    "SHELL": ("/bin/sh",),
    "SUDO_UID": ("0", "4711"),
    "TERM": ("dumb", "xterm"),
    "TMPDIR": ("/tmp",),
    "VOLENS_STAGE": ("1",),
    "WAYLAND_DISPLAY": ("", "wayland-0"),
    "XAUTHORITY": ("/dev/null/nowhere",),
    "XDG_CACHE_HOME": ("/dev/null/nowhere",),
    "XDG_CONFIG_HOME": ("/dev/null/nowhere",),
    "XDG_DATA_HOME": ("/dev/null/nowhere",),
    "XDG_RUNTIME_DIR": ("", "/dev/null/nowhere"),
    "XDG_SESSION_ID": ("", "1", "c2"),
    "XDG_SESSION_TYPE": ("x11", "wayland", "tty"),
    "XDG_STATE_HOME": ("/dev/null/nowhere",),
    "XRDP_SESSION": ("1",),
}
OF_OTHERS: dict[str, tuple[str, ...]] = {
    "ALL_PROXY": ("http://127.0.0.1:9",),
    "CI": ("true",),
    "COLUMNS": ("80",),
    "DEBUG": ("1",),
    "HTTPS_PROXY": ("http://127.0.0.1:9",),
    "PYTHONHASHSEED": ("0",),
    "PYTHONOPTIMIZE": ("2",),  # takes every assert away
    "SSL_CERT_FILE": ("/dev/null/nowhere",),
    "TZ": ("UTC", "Pacific/Kiritimati", "no/where"),
    "VOLENS_CONSENT": ("yes",),  # nobody reads these: they would be the names of a covert mode
    "VOLENS_HIDDEN": ("1",),
    "VOLENS_NO_INDICATOR": ("1",),
}
"""Of the libraries and of the interpreter, by hand; and some that do not exist."""
_WORDS = (
    "AT_SPI_BUS AUTOCOMMIT CLIPBOARD CLOCK_BOOTTIME COMPOUND_TEXT FLOCK GET IDLETIME INCR KILL OTHER O_CLOEXEC O_NOFOLLOW O_NONBLOCK "
    "PIXMAP POSIX POST PUT RANDR RECORD RESOURCE_MANAGER SC_CLK_TCK SC_PAGE_SIZE SESSION STRING SYNC SYSTEM TARGETS TEXT UID UTC "
    "UTF8_STRING VACUUM XFIXES"
)
NO_VARIABLES = set(_WORDS.split())
"""Words of other protocols, in capitals."""
READ_WHOLE = {
    "agent/answers.py",
    "agent/demo/children.py",
    "agent/demo/search.py",
    "agent/doctor.py",
    "agent/retrying.py",
    "agent/run.py",
    "agent/trial.py",
    "collectors/backends/linux_x11.py",
}
"""Who hands the whole environment on, to children or to whoever reads it by a literal name."""

ARGUMENTS: dict[str, tuple[str, ...]] = {
    "DATE": ("2026-12-31", "never"),
    "FILE": ("/dev/null/nowhere",),
    "FOLDER": ("/dev/null/there",),
    "GROUND": ("my_choice", "boredom"),
    "HEX": ("00" * 32, "x"),
    "HOURS": ("always", "Mon-Fri 9-17", "none"),
    "ID": ("00" * 32, "nothing"),
    "KIND": ("key_chord", "everything"),
    "MINUTES": ("1", "0"),
    "NAME": ("editor", "train-desktop-agents"),
    "NUMBER": ("1",),
    "SPAN": ("10m", "7d", "-1s"),
    "TIME": ("2026-01-01 00:00", "now"),
    "URL": ("http://127.0.0.1:9",),
}
"""By the metavar of a flag or argument, what is tried."""
LEFT_OUT = {
    ("", "--install-completion"): "changes a shell's settings, and ends",
    ("", "--show-completion"): "prints, and ends",
    ("status", "--watch"): "asks the same again until somebody ends it",
    ("demo", ""): "records a screen of its own, with a yes and an icon of its own: tests/demo",
}
"""Flags and commands that are not tried, and why."""


def keys() -> set[str]:
    """Of agent.toml."""
    return set(settings._KEYS)


def policy_fields() -> set[str]:
    """Of a policy, the uppermost."""
    return set(_PolicyIn.__struct_fields__)


def variables() -> set[str]:
    """Every word in the code that could name a variable: capitals, digits and underscores, four or more, metavars and exports apart."""
    found: set[str] = set()
    for tree in _trees().values():
        spared = {id(each) for node in ast.walk(tree) for each in _spared(node)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in spared:
                found |= {node.value} if re.fullmatch(r"[A-Z][A-Z0-9]{2,}(_[A-Z0-9]+)*|[A-Z]+(_[A-Z0-9]+)+", node.value) else set()
    return found


def reads_environment() -> set[str]:
    """The files that use the environment in another way than by a literal name."""
    found = set()
    for path, tree in _trees().items():
        literal = {id(owner) for node in ast.walk(tree) for owner in _by_literal(node)}
        for node in ast.walk(tree):
            used = isinstance(node, ast.Attribute) and node.attr in ("environ", "environb", "getenv", "putenv")
            if used and id(node) not in literal:
                found.add(path)
    return found


def _by_literal(node: ast.AST) -> Iterator[ast.AST]:
    """`owner` of owner["X"], of owner.get("X") and of "X" in owner."""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        yield node.value
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args and isinstance(node.args[0], ast.Constant):
        yield node.func.value
    if isinstance(node, ast.Compare) and isinstance(node.left, ast.Constant):
        yield from node.comparators


@functools.cache
def _trees() -> dict[str, ast.AST]:
    files = [file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py")]
    return {str(file.relative_to(ROOT)): ast.parse(file.read_text("utf-8")) for file in files}


def _spared(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.keyword) and node.arg == "metavar":
        yield from ast.walk(node.value)
    if isinstance(node, ast.Assign) and any(isinstance(each, ast.Name) and each.id == "__all__" for each in node.targets):
        yield from ast.walk(node.value)


def commands() -> dict[str, list[click.Parameter]]:
    """Each command of `volens` with its flags and arguments; the first, without a name, has those of all."""
    found: dict[str, list[click.Parameter]] = {}

    def walk(command: Any, words: str) -> None:
        found[words] = [each for each in command.params if (words, _name(each)) not in LEFT_OUT]
        for name, below in getattr(command, "commands", {}).items():
            if (name, "") not in LEFT_OUT:
                walk(below, f"{words} {name}".strip())

    walk(typer.main.get_command(app), "")
    return found


def _name(parameter: click.Parameter) -> str:
    return parameter.opts[0] if parameter.param_type_name == "option" else ""


def _tried(parameter: click.Parameter, chance: random.Random) -> list[str]:
    name = _name(parameter)
    if getattr(parameter, "is_flag", False):
        return [name]
    value = chance.choice(ARGUMENTS[str(parameter.metavar)])
    return [name, value] if name else [value]


def lines(chance: random.Random, pairs: int) -> list[list[str]]:
    """Command lines: each command alone, with each of its flags and arguments, and with so many pairs of them."""
    every = [(command, several) for command, parameters in commands().items() for several in [(), *((each,) for each in parameters)]]
    two = [(command, both) for command, parameters in commands().items() for both in itertools.combinations(parameters, 2)]
    chosen = [*every, *chance.sample(two, min(pairs, len(two)))]
    found = [[*command.split(), *(word for each in several for word in _tried(each, chance))] for command, several in chosen]
    return [words for words in found if words]


def metavars() -> set[str]:
    """What the flags and arguments of all commands take."""
    every = itertools.chain.from_iterable(commands().values())
    return {str(each.metavar) for each in every if not getattr(each, "is_flag", False)}


SAMPLES: dict[Any, tuple[Any, ...]] = {
    bool: (True, False),
    int: (1, 60, 3600),
    str: ("000000", "123456", "tray"),
    bytes: (bytes(16),),
    State: tuple(State),
    Kind: (Kind.KEY_CHORD, Kind.POINTER_BUTTON),
    Purpose: (Purpose("train-desktop-agents"),),
    SurfaceId: (SurfaceId("editor"),),
    Ground: tuple(Ground),
    date: (date(2100, 1, 1),),
    types.NoneType: (None,),
}
"""By a field's type, what is tried in a request."""


def requests(chance: random.Random, notice_sha256: str, times: int) -> Iterator[messages.Request]:
    """Every request of the control socket, so many times, with what chance puts into its fields."""
    for kind in typing.get_args(messages.Request):
        hints = typing.get_type_hints(kind)
        for _ in range(times):
            said = {name: _sample(hint, chance) for name, hint in hints.items()}
            yield kind(**said | ({"notice_sha256": notice_sha256} if "notice_sha256" in said else {}))


def _sample(hint: Any, chance: random.Random) -> Any:
    if hint in SAMPLES:
        return chance.choice(SAMPLES[hint])
    if typing.get_origin(hint) is frozenset:
        return frozenset({_sample(typing.get_args(hint)[0], chance)})
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return _sample(chance.choice(typing.get_args(hint)), chance)
    raise AssertionError(f"no value to try for {hint}: add one to SAMPLES")
