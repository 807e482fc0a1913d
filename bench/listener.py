"""The bare listener that the agent is compared with: pynput, counting, and nothing else. Prints its counts when it is ended."""

import json
import signal
import threading
from collections import Counter

from pynput import keyboard, mouse


def main() -> None:
    """Listen until SIGTERM."""
    counts: Counter[str] = Counter()
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())

    def click(_x: int, _y: int, _button: object, pressed: bool) -> None:
        counts["clicks" if pressed else "releases"] += 1

    def scroll(*_: object) -> None:
        counts["scrolls"] += 1

    def press(*_: object) -> None:
        counts["keys"] += 1

    def release(*_: object) -> None:
        counts["releases"] += 1

    def move(*_: object) -> None:
        counts["moves"] += 1

    listeners = (keyboard.Listener(on_press=press, on_release=release), mouse.Listener(on_move=move, on_click=click, on_scroll=scroll))
    for listener in listeners:
        listener.start()
    for listener in listeners:
        listener.wait()
    print("ready", flush=True)
    ended.wait()
    print(json.dumps(counts), flush=True)


if __name__ == "__main__":
    main()
