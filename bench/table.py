"""The figures as a table for people, and as one JSON object. Pure but for rich's drawing."""

import dataclasses
import json
from collections.abc import Sequence

from rich.table import Table

from bench.figures import Figures

MIB = 1024 * 1024


def table(runs: Sequence[Figures], seconds: float) -> Table:
    """One column for each run, one row for each figure."""
    drawn = Table(title=f"The same {seconds:.0f} s of work, one after the other", title_justify="left")
    drawn.add_column("", no_wrap=True)
    for one in runs:
        drawn.add_column(one.name, justify="right", no_wrap=True)
    for name, cells in rows(runs):
        drawn.add_row(name, *cells)
    return drawn


def rows(runs: Sequence[Figures]) -> list[tuple[str, list[str]]]:
    """(name of the figure, its value in each run as text)."""
    listed = [
        ("CPU s in the work", [f"{one.work_cpu_s:.2f}" for one in runs]),
        ("CPU s, start to end", [f"{one.life_cpu_s:.2f}" for one in runs]),
        ("CPU s of the X server", [f"{one.server_cpu_s:.2f}" for one in runs]),
        ("peak PSS, MiB", [_mib(one.peak_pss_bytes) for one in runs]),
        ("wake-ups/s, idle", [_number(one.idle_wakeups_per_s) for one in runs]),
        ("bytes of events held", [f"{one.held_bytes:,}" for one in runs]),
        ("bytes on disk in all", [f"{one.kept_bytes:,}" for one in runs]),
        ("raw inputs seen", [_recall(one.seen, one.injected) for one in runs]),
    ]
    names = [name for name in ("clicks", "scrolls", "keys") if any(name in one.acts for one in runs)]
    listed += [(f"{name} (Volens: kept)", [_act(one, name) for one in runs]) for name in names]
    reasons = sorted({why for one in runs for why in one.refused})
    listed += [(f"  refused: {why.replace('_', ' ')}", [str(one.refused.get(why, "")) for one in runs]) for why in reasons]
    return [*listed, ("latest input, ms", [f"{one.late_s * 1000:.1f}" for one in runs])]


def as_json(runs: Sequence[Figures], seconds: float, seed: int) -> str:
    """Everything, for scripts."""
    return json.dumps({"seconds": round(seconds, 3), "seed": seed, "runs": [dataclasses.asdict(one) for one in runs]})


def _act(one: Figures, name: str) -> str:
    return _recall(*one.acts[name]) if name in one.acts else "-"


def _recall(seen: int | None, injected: int) -> str:
    if seen is None:
        return "-"
    return f"{seen}/{injected} {100 * seen / injected:.1f} %" if injected else f"{seen}/0"


def _mib(size: int | None) -> str:
    if size is None:
        return "only root sees it"
    return f"{size / MIB:.1f}" if size else "-"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
