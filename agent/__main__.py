"""The one entry of the agent's processes: the children by name, before anything else is imported; otherwise the command line.

Daemon and children import only what they need: what parses a command line would stay in memory for as long as they live.
"""

import os
import sys

from agent import home


def _observer(arguments: list[str]) -> int:
    from agent import clock
    from collectors.observer import run
    from transport.process import close_to_others, die_with_parent

    die_with_parent()
    close_to_others()
    return run(clock.read, 0, int(arguments[0]))


def _courier(arguments: list[str]) -> int:
    from transport.courier import run
    from transport.process import close_to_others, die_with_parent

    die_with_parent()
    close_to_others()
    return run(0, int(arguments[0]), pin=bytes.fromhex(arguments[1]) if len(arguments) > 1 else None)


def _tray(arguments: list[str]) -> int:
    from agent.tray.start import run
    from transport.process import close_to_others

    close_to_others()
    return run(arguments[1])


def _daemon(arguments: list[str]) -> int:
    """`volens run`, as `agent.commands` would do it."""
    from agent import faults

    try:
        from agent.places import of_this_person
        from agent.run import run_daemon

        return run_daemon(of_this_person(), even_after_no=bool(arguments))
    except KeyboardInterrupt:
        sys.stderr.write(f"volens: {faults.NOTHING_DONE}\n")
        return faults.FAILED
    except Exception as error:  # the process boundary
        fault = faults.of(error)
        sys.stderr.write(f"volens: {fault.line}\n")
        return fault.code


def _status() -> int:
    """`volens status --json`, as `agent.commands` would do it: programs ask it often, and its command line costs more than its answer."""
    from agent.places import of_this_person
    from agent.reach import Reach
    from agent.status import as_json, exit_code

    report = Reach(of_this_person()).status()
    sys.stdout.buffer.write(as_json(report) + b"\n")
    return exit_code(report)


_DAEMON = (["run"], ["run", "--ask"])
_CHILDREN = {"observer": _observer, "courier": _courier, "tray": _tray}


def main() -> None:
    """Run the child that is named with its own arguments, or a command."""
    home.check()
    os.umask(0o077)
    name, arguments = (sys.argv[1], sys.argv[2:]) if len(sys.argv) > 2 else ("", [])
    if name in _CHILDREN and (name != "tray" or arguments[0] == "--socket"):
        sys.exit(_CHILDREN[name](arguments))
    if sys.argv[1:] in _DAEMON:
        sys.exit(_daemon(sys.argv[2:]))
    if sys.argv[1:] == ["status", "--json"]:
        sys.exit(_status())
    from agent import commands

    commands.main()


if __name__ == "__main__":
    main()
