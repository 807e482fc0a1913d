"""An observer that plays a trace, in the place of the real one: as a child of a real daemon, or by itself.

`python -m tests.replayed DESCRIPTOR TRACE [PACE]`, started as `agent.child` starts the observer. There is no other way to start one: the
product chooses its back end in `collectors.pick`, by the session that it is in, and has no word for this one.
"""

import sys
from pathlib import Path

from agent import clock
from collectors.backends.replay import Replay
from collectors.observer import Observer, _grant
from collectors.trace import Trace, read
from transport.process import die_with_parent

COMMAND = [sys.executable, "-m", "tests.replayed"]
TRACES = Path(__file__).parent / "collectors" / "traces"


def trace(name: str) -> Trace:
    """One of the recorded traces."""
    return read((TRACES / f"{name}.trace").read_bytes())


def main() -> int:
    """Observe a trace until the daemon hangs up."""
    up, path, *pace = sys.argv[1:]
    die_with_parent()
    grant = _grant(0)
    if grant is None:
        return 0
    played = Replay(read(Path(path).read_bytes()), clock.read, float(pace[0]) if pace else None)
    return Observer(played, grant, played.read, 0, int(up)).run()


if __name__ == "__main__":
    sys.exit(main())
