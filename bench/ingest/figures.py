"""The numbers of the ingest bench: rounds, their medians, and the two tables. Decides; reads no clock and starts nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

BAR = 0.9
"""Of nginx's rate, without its durability: DESIGN.md 12."""


@dataclass(frozen=True, slots=True)
class Round:
    """One contestant's answer to one pool.

    Attributes:
        count: how many envelopes.
        sent_bytes: all of them.
        elapsed_s: from the first byte sent to the last answer.
        latencies_s: of each request.
        server_cpu_s: of the server's process with its children.
        client_share: of one core, used by the load generator.
    """

    count: int
    sent_bytes: int
    elapsed_s: float
    latencies_s: tuple[float, ...]
    server_cpu_s: float
    client_share: float

    @property
    def per_s(self) -> float:
        """Envelopes a second."""
        return self.count / self.elapsed_s


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that is not exceeded by this share of all; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def summary(rounds: Sequence[Round]) -> dict[str, float]:
    """Medians over the rounds: per_s, mb_per_s, p50_ms, p99_ms, cpu_us (an envelope), client (share of a core)."""
    return {
        "per_s": median(each.per_s for each in rounds),
        "mb_per_s": median(each.sent_bytes / each.elapsed_s / 1e6 for each in rounds),
        "p50_ms": median(percentile(each.latencies_s, 0.50) * 1000 for each in rounds),
        "p99_ms": median(percentile(each.latencies_s, 0.99) * 1000 for each in rounds),
        "cpu_us": median(each.server_cpu_s / each.count * 1e6 for each in rounds),
        "client": median(each.client_share for each in rounds),
    }


def ratio(ours: Sequence[Round], theirs: Sequence[Round]) -> float:
    """Median over the rounds of our rate to theirs in the same round: what else the machine did then, it did to both."""
    return median(one.per_s / other.per_s for one, other in zip(ours, theirs, strict=True))


def rows(measured: Mapping[str, Sequence[Round]]) -> list[list[str]]:
    """A row for each contestant: name and cells."""
    return [
        [
            name,
            f"{found['per_s']:,.0f}",
            f"{found['mb_per_s']:.0f}",
            f"{found['p50_ms']:.1f}",
            f"{found['p99_ms']:.1f}",
            f"{found['cpu_us']:,.0f}",
            f"{found['client']:.0%}",
        ]
        for name, found in ((name, summary(rounds)) for name, rounds in measured.items())
    ]


HEADS = ("", "a second", "MB/s", "p50 ms", "p99 ms", "CPU us", "client")
