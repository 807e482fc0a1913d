"""A nearest-mean attack: whose typing is this? Learns a mean for each person, and names the one whose mean is nearest. Pure."""

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import pairwise
from statistics import fmean, pstdev

from consent.event import Bucket, EndedBy, Event, KeyNamed, TypingBurst
from tests.rhythm.typists import Struck

Features = dict[str, float]
"""Of one stretch of typing, by name; what it does not have is not compared."""
MIDDLES = {Bucket.NONE: 0.0, Bucket.ONE: 1.0, Bucket.FEW: 3.0, Bucket.SOME: 6.5, Bucket.MANY: 12.5, Bucket.LOTS: 24.5, Bucket.MORE: 40.0}
GAPS_MS = (500, 1_000, 1_500, 2_000, 3_000, 5_000, 10_000)
PARTS = 8
"""Pieces of a person's training half: how much their own means waver between these is what a difference is measured by."""


def raw_timing(strokes: Sequence[Struck]) -> Features:
    """What a key logger has: the mean interval of each pair of keys, and how long each is held."""
    times: dict[str, list[float]] = defaultdict(list)
    for before, key in pairwise(strokes):
        if key.down_ms - before.down_ms < 1_000:
            times[f"pair {before.key}{key.key}"].append(math.log(max(key.down_ms - before.down_ms, 1)))
        times[f"hold {key.key}"].append(math.log(max(key.up_ms - key.down_ms, 1)))
    return {name: fmean(values) for name, values in times.items() if len(values) >= 3}


def bursts(events: Sequence[Event]) -> Features:
    """Bins and buckets of the bursts alone: how long, how many keys and corrections, how they ended."""
    found: dict[str, list[float]] = defaultdict(list)
    for event in events:
        if isinstance(event.payload, TypingBurst):
            payload = event.payload
            keys = MIDDLES[payload.keys]
            found["keys"].append(keys)
            found["bins"].append(payload.bins)
            found["keys a bin"].append(keys / payload.bins)
            found["corrections"].append(MIDDLES[payload.corrections])
            for bucket in Bucket:
                found[f"keys {bucket}"].append(payload.keys is bucket)
            for bins in range(1, 8):
                found[f"bins {bins}"].append(payload.bins == bins)
            for end in EndedBy:
                found[f"end {end}"].append(payload.ended_by is end)
            if payload.ended_by is EndedBy.LENGTH:
                found["keys of a full one"].append(keys)
    return {name: fmean(values) for name, values in found.items()}


def counts(events: Sequence[Event]) -> Features:
    """The raw inputs that each burst stands for."""
    found = [(event.n / 2, event.payload.bins) for event in events if isinstance(event.payload, TypingBurst)]
    full = [n for n, bins in found if bins >= 5]
    said = {"n": fmean(n for n, _ in found), "n a bin": fmean(n / bins for n, bins in found)} if found else {}
    return said | ({"n of a full one": fmean(full), "spread of n": pstdev(full)} if full else {})


def gaps(events: Sequence[Event]) -> Features:
    """The time between bursts: pauses."""
    found: list[float] = []
    typing = [event for event in events if isinstance(event.payload, TypingBurst)]
    for before, event in pairwise(typing):
        ends_ms = before.at.awake_ms + 250 * before.payload.bins  # type: ignore[attr-defined]
        found.append(max(event.at.awake_ms - ends_ms, 0))
    if not found:
        return {}
    logs = [math.log(gap + 125) for gap in found]
    said = {"gap": fmean(logs), "spread of gaps": pstdev(logs)}
    return said | {f"gaps over {limit}": fmean(gap > limit for gap in found) for limit in (0, *GAPS_MS)}


def named(events: Sequence[Event]) -> Features:
    """Named keys: how often, how soon one after the other, how soon after a burst."""
    found: dict[str, list[float]] = defaultdict(list)
    for before, event in pairwise(events):
        if isinstance(event.payload, KeyNamed):
            after_ms = max(event.at.awake_ms - before.at.awake_ms, 1)
            follows = before.payload.key if isinstance(before.payload, KeyNamed) else "burst"
            if after_ms < 3_000:
                found[f"{event.payload.key} after {follows}"].append(math.log(after_ms))
        for key in ("backspace", "enter", "down"):
            found[f"often {key}"].append(isinstance(event.payload, KeyNamed) and event.payload.key == key)
    return {name: fmean(values) for name, values in found.items() if len(values) >= 3}


ATTACKS: dict[str, tuple[Callable[[Sequence[Event]], Features], ...]] = {
    "bins and buckets": (bursts,),
    "and raw counts n": (bursts, counts),
    "and pauses": (bursts, counts, gaps),
    "and named keys": (bursts, counts, gaps, named),
    "only bins, buckets, pauses": (bursts, gaps),
    "only counts n": (counts,),
    "only pauses": (gaps,),
    "only named keys": (named,),
}


def of(parts: Sequence[Callable[[Sequence[Event]], Features]]) -> Callable[[Sequence[Event]], Features]:
    """All of these features."""
    return lambda events: {name: value for part in parts for name, value in part(events).items()}


def top_1(training: Sequence[Sequence], tests: Sequence[Sequence[Sequence]], features: Callable[[Sequence], Features]) -> float:
    """How often the nearest mean is the right person's, over all test halves. Differences count by how much people waver by themselves."""
    means = [features(one) for one in training]
    noise = _noise(training, features)
    right = 0
    for test in tests:
        for person, one in enumerate(test):
            seen = features(one)
            right += _nearest(seen, means, noise) == person
    return right / sum(map(len, tests))


def _nearest(seen: Features, means: Sequence[Features], noise: Features) -> int:
    distances = [_distance(seen, mean, noise) for mean in means]
    return distances.index(min(distances))


def _noise(training: Sequence[Sequence], features: Callable[[Sequence], Features]) -> Features:
    """The mean standard deviation of each feature between the parts of one person's half."""
    spreads: dict[str, list[float]] = defaultdict(list)
    for one in training:
        size = max(len(one) // PARTS, 1)
        parts = [features(one[at : at + size]) for at in range(0, size * PARTS, size)]
        for name in set().union(*parts):
            values = [part[name] for part in parts if name in part]
            if len(values) >= 3:
                spreads[name].append(pstdev(values))
    return {name: fmean(values) + 1e-6 for name, values in spreads.items()}


def _distance(one: Features, other: Features, noise: Features) -> float:
    shared = one.keys() & other.keys() & noise.keys()
    return fmean(min(abs(one[name] - other[name]) / noise[name], 10.0) ** 2 for name in shared) if shared else math.inf
