"""The figures as a table for people, and as one JSON object. Pure but for rich's drawing."""

import dataclasses
import json
from collections.abc import Callable, Sequence

from rich.table import Table

from bench.figures import Figures, Part
from consent.vocabulary import WHY_WORDS, Why

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
    names = sorted({name for one in runs for name in one.parts})
    acts = [name for name in ("clicks", "scrolls", "keys") if any(name in one.acts for one in runs)]
    return [
        ("CPU s in the work", [f"{one.work_cpu_s:.2f}" for one in runs]),
        *((f"  {name}", [_of(one, name, lambda part: f"{part.cpu_s:.2f}") for one in runs]) for name in names),
        ("CPU s, start to end", [f"{one.life_cpu_s:.2f}" for one in runs]),
        ("CPU s of the X server", [f"{one.server_cpu_s:.2f}" for one in runs]),
        ("peak PSS, MiB", [_mib(one.peak_pss_bytes) for one in runs]),
        *((f"  {name}", [_of(one, name, lambda part: _mib(part.pss_bytes)) for one in runs]) for name in names),
        ("wake-ups/s, idle", [_number(one.idle_wakeups_per_s) for one in runs]),
        ("bytes of events held", [f"{one.held_bytes:,}" for one in runs]),
        ("  in 8 h of such work, MB", [_mb(one.day_held_bytes) for one in runs]),
        ("leaves in 8 h of it, MB", [_mb(one.day_sent_bytes) for one in runs]),
        ("bytes on disk in all", [f"{one.kept_bytes:,}" for one in runs]),
        ("raw inputs seen", [_recall(one.seen, one.injected) for one in runs]),
        *((f"{name} (Volens: kept)", [_recall(*one.acts[name]) if name in one.acts else "-" for one in runs]) for name in acts),
        ("raw inputs unexplained", ["-" if one.unexplained is None else str(one.unexplained) for one in runs]),
        ("latest input, ms", [f"{one.late_s * 1000:.1f}" for one in runs]),
    ]


def shortfalls(one: Figures) -> list[str]:
    """Each line: how many raw inputs a run saw and did not keep, and why, for people; empty for who filters nothing."""
    if one.kept_raw is None:
        return []
    refused = sorted(one.refused.items(), key=lambda pair: -pair[1])
    lines = [f"  {n:5}  {WHY_WORDS[Why(why)]}" for why, n in refused]
    kept = f"{one.name}: of {one.injected} raw inputs {one.kept_raw} are in what it kept; not kept, and why:"
    return [kept, *lines, f"  {one.unexplained:5}  without a reason"]


def as_json(runs: Sequence[Figures], seconds: float, seed: int) -> str:
    """Everything, for scripts."""
    return json.dumps({"seconds": round(seconds, 3), "seed": seed, "runs": [dataclasses.asdict(one) for one in runs]})


def _of(one: Figures, name: str, text: Callable[[Part], str]) -> str:
    return text(one.parts[name]) if name in one.parts else ""


def _recall(seen: int | None, injected: int) -> str:
    if seen is None:
        return "-"
    return f"{seen}/{injected}"


def _mib(size: int | None) -> str:
    if size is None:
        return "root only"
    return f"{size / MIB:.1f}" if size else "-"


def _mb(size: int | None) -> str:
    return f"{size / 1_000_000:.2f}" if size else "-"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
