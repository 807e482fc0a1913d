"""Turns samples into the numbers of the table. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bench.schedule import Stretch

SETTLES_S = 1.0
"""An idle stretch counts from one second after its start: what was begun may end first."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at a process tree.

    Attributes:
        at_s: When, by the bench's clock.
        cpu_s: CPU time so far, of the living and the dead.
        switches: Voluntary context switches so far.
        pss_bytes: Memory now, shared pages by their share.
        parts: By what each process does in the tree: its CPU time so far and its memory now.
    """

    at_s: float
    cpu_s: float
    switches: int
    pss_bytes: int
    parts: Mapping[str, "Part"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    """One process's share.

    Attributes:
        cpu_s: CPU time, its ended children's left out.
        pss_bytes: Memory, shared pages by their share.
    """

    cpu_s: float
    pss_bytes: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run came to.

    Attributes:
        name: What ran.
        work_cpu_s: CPU seconds of its whole tree while the workload ran.
        life_cpu_s: CPU seconds from its start to its end, exact.
        server_cpu_s: CPU seconds of the X server while the workload ran.
        peak_pss_bytes: The most memory of its tree while the workload ran; None if this account may not see it.
        idle_wakeups_per_s: Voluntary context switches a second while nothing happened; None if the run had no idle stretch.
        held_bytes: Bytes on disk that hold events, at the end of the workload.
        day_held_bytes: The same after eight hours of such work.
        day_sent_bytes: Bytes of the envelopes of eight hours of such work; None for who sends nothing.
        kept_bytes: Bytes on disk in all: settings, policy, ledger, counts too.
        seen: Raw inputs that it saw; None where it saw none by design.
        injected: Raw inputs that were injected.
        acts: (seen, injected) of clicks, scrolls, keys; for the agent (kept, injected).
        kept_raw: Raw inputs that what it kept stands for; None where nothing is filtered.
        refused: Raw inputs that were seen and refused, by reason.
        late_s: The latest that any input of the workload came.
        parts: By process: CPU seconds while the workload ran, and memory when the tree had the most.
    """

    name: str
    work_cpu_s: float
    life_cpu_s: float
    server_cpu_s: float
    peak_pss_bytes: int | None
    idle_wakeups_per_s: float | None
    held_bytes: int
    kept_bytes: int
    seen: int | None
    injected: int
    acts: dict[str, tuple[int, int]]
    refused: dict[str, int]
    late_s: float
    parts: dict[str, Part] = field(default_factory=dict)
    day_held_bytes: int = 0
    day_sent_bytes: int | None = None
    kept_raw: int | None = None

    @property
    def unexplained(self) -> int | None:
        """Raw inputs that were injected and are neither kept nor refused for a reason; None where nothing is filtered."""
        return None if self.kept_raw is None else self.injected - self.kept_raw - sum(self.refused.values())


def at(samples: Sequence[Sample], instant_s: float, what: str) -> float:
    """A running number of the samples at an instant, between two of them by proportion. `what` is a field of Sample."""
    before = samples[0]
    for sample in samples:
        if sample.at_s >= instant_s:
            span_s = sample.at_s - before.at_s
            share = (instant_s - before.at_s) / span_s if span_s > 0 else 1.0
            low, high = float(getattr(before, what)), float(getattr(sample, what))
            return low + (high - low) * min(1.0, max(0.0, share))
        before = sample
    return float(getattr(before, what))


def between(samples: Sequence[Sample], from_s: float, to_s: float, what: str) -> float:
    """By how much a running number grew."""
    return at(samples, to_s, what) - at(samples, from_s, what)


def peak_pss(samples: Sequence[Sample], from_s: float, to_s: float) -> int:
    """The most memory between two instants."""
    return max((sample.pss_bytes for sample in samples if from_s <= sample.at_s <= to_s), default=0)


def parts(samples: Sequence[Sample], from_s: float, to_s: float) -> dict[str, Part]:
    """By process: CPU between two instants, and memory at the one in between at which the tree had the most."""
    during = [sample for sample in samples if from_s <= sample.at_s <= to_s]
    if not during:
        return {}
    most = max(during, key=lambda sample: sample.pss_bytes)
    before = max((sample for sample in samples if sample.at_s <= from_s), key=lambda sample: sample.at_s, default=during[0])
    names = sorted({name for sample in during for name in sample.parts})
    return {name: Part(_grew(name, before, during), most.parts[name].pss_bytes if name in most.parts else 0) for name in names}


def _grew(name: str, before: Sample, during: Sequence[Sample]) -> float:
    begun_s = before.parts[name].cpu_s if name in before.parts else 0.0
    return max(sample.parts[name].cpu_s for sample in during if name in sample.parts) - begun_s


def idle_wakeups(samples: Sequence[Sample], stretches: Sequence[Stretch], started_s: float) -> float | None:
    """Context switches a second over all idle stretches that are long enough to tell."""
    idle = [s for s in stretches if s.name.startswith("idle") and s.to_s - s.from_s > 3 * SETTLES_S]
    seconds = sum(stretch.to_s - stretch.from_s - SETTLES_S for stretch in idle)
    if not seconds:
        return None
    return sum(between(samples, started_s + s.from_s + SETTLES_S, started_s + s.to_s, "switches") for s in idle) / seconds
