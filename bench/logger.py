"""The naive logger that the agent is compared with: pynput, and one line of JSON for each input, into the file that is named.

It is what anybody would write first: it keeps which key it was, asks nobody, and anybody who may read the file reads it all.
"""

import json
import signal
import sys
import threading

from pynput import keyboard, mouse

from bench.clock import elapsed_s


def main() -> None:
    """Write until SIGTERM."""
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    with open(sys.argv[1], "w", buffering=1, encoding="utf-8") as file:

        def write(what: str, **more: object) -> None:
            file.write(json.dumps({"t": round(elapsed_s(), 4), "what": what, **more}) + "\n")

        def click(x: int, y: int, button: object, pressed: bool) -> None:
            write("click" if pressed else "release", x=x, y=y, button=str(button))

        listeners = (
            keyboard.Listener(
                on_press=lambda key: write("press", key=str(key)),
                on_release=lambda key: write("release", key=str(key)),
            ),
            mouse.Listener(
                on_move=lambda x, y: write("move", x=x, y=y),
                on_click=click,
                on_scroll=lambda x, y, dx, dy: write("scroll", x=x, y=y, dx=dx, dy=dy),
            ),
        )
        for listener in listeners:
            listener.start()
        for listener in listeners:
            listener.wait()
        print("ready", flush=True)
        ended.wait()


if __name__ == "__main__":
    main()
