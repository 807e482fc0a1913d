"""Refuses to start unless our own packages lie side by side and are ours; then runs the one that was asked for.

It looks (`find_spec`) and never imports what it judges: a stray `consent/` earlier on the path must not get to run. It
imports nothing of ours and nothing outside the standard library, so that nothing can happen before the check.
"""

import os.path
import runpy
import sys
from importlib.machinery import ModuleSpec
from importlib.util import find_spec

PACKAGES = ("agent", "collectors", "consent", "custody", "receiver", "transport")
COMMANDS = {"agent": "volens", "receiver": "volens-receiver", "custody": "volens-custody"}
# Each of our packages says this word in the docstring of its __init__.py. Another distribution with a package of the same
# name, unpacked over ours, lies in the right place and is found by this only.
MARK = b"Volens"
MARK_WITHIN_BYTES = 200


def check() -> None:
    """Return if the packages are ours; otherwise say in one line what is wrong, and exit with 1."""
    problem = find_problem()
    if problem:
        sys.stderr.write(f"volens: {problem}; install volens alone, in its own environment\n")
        raise SystemExit(1)


def find_problem() -> str | None:
    """What keeps us from starting, or None. The packages are looked up as an import would, but not imported."""
    home = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    for name in PACKAGES:
        expected = os.path.join(home, name, "__init__.py")
        found = _origin(find_spec(name))
        if found is None:
            return f"the package '{name}' is missing beside the others in {home}"
        if os.path.realpath(found) != os.path.realpath(expected):
            return f"another package named '{name}' is in the way, at {os.path.dirname(found)}"
        if not _is_marked(expected):
            return f"the package '{name}' in {home} is not the one of volens"
    return None


def _origin(spec: ModuleSpec | None) -> str | None:
    """The file an import would run first; None also for a folder without `__init__.py`, which no import of ours is."""
    return spec.origin if spec else None


def _is_marked(path: str) -> bool:
    with open(path, "rb") as file:
        return MARK in file.read(MARK_WITHIN_BYTES)


def main() -> None:
    """Run the package named by the first argument as a program, with the other arguments as its own."""
    package, arguments = sys.argv[1], sys.argv[2:]
    check()
    sys.argv = [COMMANDS[package], *arguments]
    runpy.run_module(package, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
