"""The fleet's bench as a table and as a verdict. Decides; reads no clock and starts nothing."""

from bench.agents.fleet import Account
from bench.agents.ground import Ground, Stored
from bench.ingest.figures import percentile


def lost(account: Account, stored: Stored) -> list[str]:
    """One sentence for everything that is not as it must be; none is what the bench is for."""
    made, sentences = set(account.made), []
    for words, ids in (("acknowledged", set(account.acknowledged)), ("made", made)):
        for store, counted in (("bodies", stored.bodies), ("slots", stored.slots)):
            missing = sum(1 for each in ids if counted[each] != 1)
            if missing:
                sentences.append(f"{missing} {words} ids are not in the {store} exactly once")
    strange = len((set(stored.bodies) | set(stored.slots)) - made)
    if strange:
        sentences.append(f"{strange} stored ids were never made")
    if (stored.sound, stored.unfinished, stored.wrong) != (len(made), 0, 0):
        sentences.append(f"check counts {stored.sound} sound, {stored.unfinished} unfinished, {stored.wrong} wrong of {len(made)}")
    return sentences


def rows(account: Account, ground: Ground, stored: Stored, elapsed_s: float) -> list[tuple[str, str]]:
    """(what, how much)."""
    refusals = {status: count for status, count in sorted(account.answers.items()) if status not in ("200", "201", "no answer")}
    return [
        ("envelopes made", f"{len(account.made):,}"),
        ("requests", f"{account.requests:,}"),
        ("of them repeats of an id", f"{account.repeats:,}"),
        ("answered 201, stored now", f"{account.answers['201']:,}"),
        ("answered 200, stored before", f"{account.answers['200']:,}"),
        ("refused", ", ".join(f"{status}: {count:,}" for status, count in refusals.items()) or "0"),
        ("no answer", f"{account.answers['no answer']:,}"),
        *((f"injected: {name}", f"{count:,}") for name, count in sorted(account.faults.items())),
        ("receiver killed with -9 and started again", str(ground.kills)),
        ("latency of an acknowledged request, p50 / p99, ms", _latency(account)),
        ("receiver's CPU s, share of one core", f"{ground.cpu_s:.1f}, {ground.cpu_s / elapsed_s:.1%}"),
        ("receiver's peak RSS, MiB", f"{ground.peak_rss_bytes / 2**20:.0f}"),
        ("stored and sound, by `volens-receiver check`", f"{stored.sound:,}"),
        ("acknowledged or made, and not stored exactly once", str(len(lost(account, stored)))),
    ]


def _latency(account: Account) -> str:
    return " / ".join(f"{percentile(account.latencies_s, share) * 1000:.1f}" for share in (0.5, 0.99))
