"""One run: a fresh private desktop, one recorder, the workload, the figures."""

from pathlib import Path
from subprocess import Popen

import psutil

from agent.demo.stage import Screen, Stage, stage
from agent.uploading import SEAL_EVERY_S
from bench.apps import dialog, start_apps
from bench.clock import elapsed_s, rest_until
from bench.day import held_in_a_day, sent_in_a_day
from bench.figures import Figures, between, idle_wakeups, parts, peak_pss
from bench.measure import TICKS_PER_S, Watch
from bench.player import Injected, Player
from bench.recorders import Account, Recorder, end, life_cpu_s
from bench.schedule import HEIGHT, WIDTH, Workload

SETTLES_S = 3.0
"""After its start, before the workload: what belongs to starting shall not count as work."""


def run(recorder: Recorder, workload: Workload) -> Figures:
    """Play the workload with this recorder running, and say what it cost and what it saw."""
    with stage(Screen(WIDTH, HEIGHT)) as desktop:
        start_apps(desktop)
        player = Player(desktop.display, dialog(desktop))  # puts the pointer in its place before anybody counts
        reaper = recorder.start(desktop)
        watch = Watch(reaper.pid) if reaper else None
        if watch:
            watch.start()
        rest_until(elapsed_s() + min(SETTLES_S, workload.seconds))
        server_before_s = _server_cpu_s(desktop)
        injected = player.play(workload)
        server_s = _server_cpu_s(desktop) - server_before_s
        account = recorder.account(injected)
        life_s = _end(reaper, watch, desktop)
        return _figures(recorder.name, workload, injected, account, watch, server_s, life_s)


def _end(reaper: Popen[bytes] | None, watch: Watch | None, desktop: Stage) -> float:
    if reaper is None or watch is None:
        return 0.0
    watch.stop()
    end(reaper)
    logs: Path = desktop.root / "logs"
    return max(life_cpu_s(logs / name) for name in ("agent.log", "listener.log") if (logs / name).exists())


def _server_cpu_s(desktop: Stage) -> float:
    """CPU seconds of the private X server so far."""
    for process in desktop.children.alive():
        if process.name() == "Xvfb":
            used = process.cpu_times()
            return float(used.user + used.system)
    raise psutil.NoSuchProcess(0, "Xvfb")


def _figures(
    name: str, workload: Workload, injected: Injected, account: Account, watch: Watch | None, server_s: float, life_s: float
) -> Figures:
    from_s, to_s = injected.started_s, injected.started_s + workload.seconds
    samples = watch.samples if watch else []
    return Figures(
        name=name,
        work_cpu_s=between(samples, from_s, to_s, "cpu_s") if samples else 0.0,
        life_cpu_s=life_s,
        server_cpu_s=round(server_s * TICKS_PER_S) / TICKS_PER_S,
        peak_pss_bytes=None if watch and watch.hidden else peak_pss(samples, from_s, to_s),
        idle_wakeups_per_s=idle_wakeups(samples, workload.stretches, from_s) if samples else None,
        held_bytes=account.held_bytes,
        kept_bytes=account.kept_bytes,
        seen=account.seen,
        injected=injected.raw,
        acts=account.acts,
        refused=account.refused,
        late_s=injected.late_s,
        parts=parts(samples, from_s, to_s) if len({part for sample in samples for part in sample.parts}) > 1 else {},
        day_held_bytes=held_in_a_day(account.held_bytes, workload.seconds),
        day_sent_bytes=sent_in_a_day(account.held, workload.seconds, SEAL_EVERY_S) if account.held else None,
        kept_raw=account.kept_raw,
    )
