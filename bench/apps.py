"""The applications of the workload, each in the same place with the same content every time."""

from collections.abc import Callable

from agent.demo.stage import Stage
from agent.demo.wait import until
from agent.demo.windows import Place, find_window, put_window
from bench.schedule import WINDOWS

FILES, LINES = 30, 60


def start_apps(stage: Stage) -> None:
    """Start editor, terminal and file list, and put them where the workload expects them."""
    files = stage.root / "desktop" / "files"
    files.mkdir()
    for number in range(1, FILES + 1):
        (files / f"invoice-{number:02}.txt").write_text(f"row {number}\n")
    notes = stage.root / "desktop" / "notes.txt"
    notes.write_text("Status notes\n\n" + "".join(f"line {number} of the prepared document\n" for number in range(1, LINES + 1)))
    commands = {
        "terminal": ["xterm", "-geometry", "100x30", "-e", "bash", "--noprofile", "--norc", "-i"],
        "editor": ["mousepad", "--disable-server", str(notes)],
        "files": ["pcmanfm", "--no-desktop", str(files)],
    }
    for name, argv in commands.items():
        _place(stage, name, stage.children.start(argv, stage.desktop, name=name).pid)


def dialog(stage: Stage) -> Callable[[], None]:
    """What opens the password dialog."""

    def open_it() -> None:
        stage.children.start(["zenity", "--password", "--title=Sign in"], stage.desktop, name="dialog", silent=True)

    return open_it


def _place(stage: Stage, name: str, pid: int) -> None:
    window = until(lambda: find_window(stage.display, pid), f"the window of the {name}")
    where = WINDOWS[name]
    put_window(stage.display, Place(window.window_id, where.x, where.y, where.width, where.height))
