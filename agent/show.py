"""How answers look on a terminal: plain words, wrapped between words, numbers in columns. No payload that the person did not ask to see."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from typing import Any

import msgspec
from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from agent.permission import BLOCKER_WORDS
from agent.status import Status
from agent.words import NO_LOCKS, counted, span_words
from consent.event import Event
from consent.notice import COLUMNS
from consent.vocabulary import WHY_WORDS, Blocker, Kind, Purpose, State, Why
from transport.access_log import Record

_MARKS = {
    State.CONSENTED: ("●", "green"),
    State.PAUSED: ("‖", "yellow"),
    State.EXEMPT: ("⊘", "yellow"),
    State.UNASKED: ("○", ""),
    State.WITHDRAWN: ("○", ""),
    State.BLOCKED: ("▲", "red"),
}
_NO_DAEMON = ("○", "")
_LABEL = 12
_FORMS = {"tray": "visible in the tray", "badge": "visible as a badge"}
_OF_THE_POLICY = (Blocker.POLICY_MISSING, Blocker.POLICY_REFUSED, Blocker.POLICY_EXPIRED)


def console() -> Console:
    """Plain text, which no markup can change."""
    return Console(highlight=False, markup=False, soft_wrap=True)


_AUTOMATIC = "automatic"


def _wrap(words: str, width: int, later: str) -> list[str]:
    return textwrap.wrap(words, width, subsequent_indent=later, break_long_words=False, break_on_hyphens=False)


def say(words: str) -> None:
    """One answer in words: wrapped between words on a terminal, one line for a program."""
    out = console()
    for line in _wrap(words, out.width, "") if out.is_terminal else [words]:
        out.print(line)


def _bytes(n: int) -> str:
    return f"{n} B" if n < 10_000 else f"{n / 1000:.1f} kB" if n < 1_000_000 else f"{n / 1_000_000:.1f} MB"


def _minute(iso: str) -> str:
    return datetime.fromisoformat(iso).astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _ago(seconds: int) -> str:
    minutes = seconds // 60
    return counted(minutes, "minute") if minutes < 120 else counted(minutes // 60, "hour")


def status(report: Status) -> None:
    """The status: one sentence, then a line for each part."""
    out = console()
    for line in status_lines(report, out.width):
        out.print(line)


def status_lines(report: Status, width: int) -> Iterator[Text]:
    """The status in lines of at most `width` characters."""
    mark, colour = _MARKS[report.standing] if report.running or report.standing is State.BLOCKED else _NO_DAEMON
    first, *more = _wrap(report.words, width - 2, "")
    yield Text.assemble((mark, colour), f" {first}")
    for line in more:
        yield Text(f"  {line}")
    if report.standing is State.BLOCKED and not report.running:
        return  # nothing in this state was believed, so there is nothing to tell of it
    for label, words in (*_parts(report), *_counts(report)):
        for line in _wrap(f"{label:<{_LABEL}}{words}", width, " " * (_LABEL + 2)):
            yield Text(line)


def accesses(records: Sequence[Record], mine: AbstractSet[str]) -> None:
    """The access log: for each opening a line with when, what for and how much of it, and the custodians' own words below."""
    out = console()
    if not records:
        out.print("Nobody has opened anything.")
    for record in records:
        own = len(mine & frozenset(record.batches))
        yours = f", {counted(own, 'batch')} of this machine" if own else ""
        first = f"{record.id}  {record.at}  {record.purpose}: {counted(len(record.batches), 'batch')}{yours}"
        for line in (*_wrap(first, out.width, "    "), *_wrap(f"    {record.reason}", out.width, "    ")):
            out.print(Text(line))


def covers(purposes: Iterable[Purpose], kinds: Iterable[Kind], hours: str, exempt: Sequence[str] = ()) -> str:
    """What a yes would cover, in lines as wide as the notice's; and what it would not, because its person is exempt from it."""
    words = f"A yes covers the purposes: {', '.join(sorted(purposes))}; the kinds: {', '.join(sorted(kinds))}; and the hours: {hours}"
    lines = _wrap(words, COLUMNS, "")
    if exempt:
        lines += _wrap("You are exempt from this, and a yes changes nothing about it (volens exempt cancel does):", COLUMNS, "")
    return "\n".join([*lines, *(line for each in exempt for line in _wrap(f"- {each}", COLUMNS, "  "))])


def waiting(words: Sequence[str]) -> str:
    """What a wider policy would add to the yes that is in force, above the notice; nothing if there is nothing."""
    if not words:
        return ""
    lines = _wrap("The policy now asks for more than you agreed to. This is off, and stays off unless you say yes again:", COLUMNS, "")
    return "\n".join([*lines, *(line for each in words for line in _wrap(f"- {each}", COLUMNS, "  "))]) + "\n\n"


def checks(found: Iterable[tuple[str, str, str, str]]) -> None:
    """What `doctor` found, a line each: level, name, words, and what to do."""
    out = console()
    for level, name, words, do in found:
        text = f"{words}; {do}" if do else words
        for line in _wrap(f"{level:<5} {name:<{_LABEL - 3}} {text}", out.width, " " * (_LABEL + 4)):
            out.print(Text(line))


def _parts(report: Status) -> Iterator[tuple[str, str]]:
    if report.trial:
        yield "trial", "a local trial with throw-away keys; nothing leaves this machine"
    if report.since:
        yield "since", _minute(report.since)
    yield "icon", _FORMS.get(report.indicator.form or "", "visible") if report.indicator.live else "not visible: nothing is recorded"
    expires = f", until {_minute(report.policy.expires)}" if report.policy.expires else ""
    known = _no_policy(report) if report.running else "not looked at: the daemon is not running"
    yield "policy", f"version {report.policy.version}{expires}" if report.policy.version else known
    if report.policy.why and Blocker.POLICY_REFUSED in report.why:
        yield "", report.policy.why
    if report.policy.waits:
        yield "", "it asks for more than you agreed to; that is off until you say yes: volens consent show"
    yield "consent", f"receipt {report.receipt.id}" if report.receipt.id else "none"
    if asked := [each for each in report.exemptions if each.state != _AUTOMATIC]:
        yield "exemptions", f"{counted(len(asked), 'exemption')} of yours in force: volens exempt list"
    oldest = f", the oldest for {_ago(report.hold.oldest_s)}" if report.hold.oldest_s is not None else ""
    yield "held here", f"{counted(report.hold.events, 'event')}, {_bytes(report.hold.bytes)}{oldest} (key: {report.keystore})"
    yield from _hold_time(report)
    if report.hold.damaged:
        yield "damaged", f"{counted(report.hold.damaged, 'file')} set aside, never sent; forgetting everything removes them"
    yield "waiting", f"{counted(report.outbox.envelopes, 'envelope')}, {_bytes(report.outbox.bytes)}"
    if report.outbox.waits:
        yield "", f"what is due stays held: {report.outbox.waits}"
    yield from _sent(report)
    yield from _collectors(report)


def _collectors(report: Status) -> Iterator[tuple[str, str]]:
    """Those that have something to say; dead ones, which are dead together, in one line."""
    for why in sorted({collector.why for collector in report.collectors if collector.state == "dead"}):
        yield "collectors", f"dead: {why}"
    for collector in report.collectors:
        if collector.state != "dead" and (collector.state != "live" or collector.why):
            yield "collector", f"{collector.kind}: {collector.state} {collector.why}"


def _sent(report: Status) -> Iterator[tuple[str, str]]:
    budget = report.budget
    today = f"; today {most_words(budget.bytes_today, budget.bytes_limit)}" if budget.bytes_limit is not None else ""
    yield "sent", f"{counted(report.sent.batches, 'batch')}, {_bytes(report.sent.bytes)}{today}"
    if budget.month_limit is not None and budget.bytes_month > budget.bytes_today:
        yield "", f"this month {most_words(budget.bytes_month, budget.month_limit)}"
    if budget.words:
        yield "budget", budget.words


def most_words(used_bytes: int, most_bytes: int) -> str:
    """How much of how much: `1.2 MB of at most 20.0 MB`."""
    return f"{_bytes(used_bytes)} of at most {_bytes(most_bytes)}"


def _hold_time(report: Status) -> Iterator[tuple[str, str]]:
    if report.hold.time_s is not None:
        guess = f". {NO_LOCKS}" if report.running and not report.hold.locks else ""
        yield "hold time", f"{span_words(report.hold.time_s)}, and 15 minutes in which you could look{guess.rstrip('.')}"


def _no_policy(report: Status) -> str:
    reasons = [BLOCKER_WORDS[blocker] for blocker in _OF_THE_POLICY if blocker in report.why]
    return ": ".join(["none", *reasons])


def _counts(report: Status) -> Iterator[tuple[str, str]]:
    """What became of each raw input that was seen; the lines add up to the first."""
    tally = report.tally
    refused = [(n, f"refused: {WHY_WORDS[Why(why)]}") for why, n in sorted(tally.refused.items(), key=lambda item: -item[1])]
    kept = [(getattr(tally, name), name) for name in ("pending", "held", "sealed", "sent", "forgotten")]
    rows = [(n, what) for n, what in (*refused, *kept) if n]
    digits = len(str(tally.seen))
    yield "raw inputs", f"{tally.seen} seen" + (", of these" if rows else "")
    for n, what in rows:
        yield "", f"{n:>{digits}} {what}"


def plain(event: Event) -> dict[str, Any]:
    """An event as a flat object of words and numbers, for JSON and tables."""
    at = datetime.fromtimestamp(event.at.wall_ms / 1000, UTC).isoformat(timespec="milliseconds")
    payload = {name: msgspec.to_builtins(getattr(event.payload, name)) for name in event.payload.__struct_fields__}
    return {"at": at, "kind": event.kind.value, "surface": event.surface, "window": event.window, "n": event.n} | payload


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, list | tuple):
        return str(value)
    return "+".join(value) if all(isinstance(one, str) for one in value) else " ".join(map(str, value))


def held(events: Iterable[Event]) -> None:
    """Held events, oldest first, a heading for each day (UTC)."""
    out = console()
    day = ""
    for event in events:
        row = plain(event)
        date, time = row["at"].split("T")
        if date != day:
            day = date
            out.print(f"{day} (UTC)")
        what = ", ".join(
            f"{name.replace('_', ' ')} {_value(value)}"
            for name, value in row.items()
            if name not in ("at", "kind", "surface", "window", "n") and value not in ([], ())  # of a list of nothing nothing is known
        )
        for line in _wrap(f"{time[:12]} {row['kind']:<14} {row['surface'] or '-':<12} {what}", out.width, " " * 41):
            out.print(line)
    if not day:
        out.print("Nothing is held.")


_RECOVERY = """\
{code}

This is your recovery code. Whoever has it can open everything that is
ever sent of you, and have it erased. It is shown only now and kept
nowhere: write it down. Nobody else has it."""


def given(receipt_id: str, recovery_code: str | None) -> None:
    """The yes was recorded; the recovery code, once."""
    out = console()
    say(f"Your yes is recorded (receipt {receipt_id}; print it with: volens consent receipt).")
    if recovery_code:
        out.print(Panel(Text(_RECOVERY.format(code=recovery_code)), expand=False), soft_wrap=False)
    say("Stop at any time: the icon's menu, or volens consent withdraw.")
