"""The papers that go with a policy: the record of processing, the draft of an impact assessment, the notice to post. Pure.

Printed from the policy in force and the register, so that they cannot say less than what is collected. Drafts, and marked as such: what
only the controller knows stands in brackets, and a lawyer of the place reads them before anybody relies on them.
"""

import textwrap
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from consent.event import PAYLOADS
from consent.notice import labels
from consent.policy import Policy
from consent.register import Entry
from consent.vocabulary import Kind

MARK = "DRAFT, not legal advice. Printed by `volens-receiver policy record`; have it read by somebody who knows the law of this place."
UNKNOWN = "every place that is known here, the strictest of each"
_COLUMNS = 100
_FIELDS = {payload.kind: payload.__struct_fields__ for payload in PAYLOADS}
_EVERY_EVENT = "surface, window number, three clocks, generation, number of raw inputs"


@dataclass(frozen=True, slots=True)
class Profile:
    """What a place asks for.

    Attributes:
        notice: How the notice has to be given.
        steps: What the controller does before the first day, and keeps.
        rights: What to add to the rights that everybody has here.
        wording: Sentences that the law wants in these words.
        daily: Whether the strictest form of notice that the law names is one on each day.
    """

    title: str
    laws: tuple[str, ...]
    notice: tuple[str, ...]
    steps: tuple[str, ...]
    rights: tuple[str, ...]
    wording: tuple[str, ...]
    daily: bool = False


@dataclass(frozen=True, slots=True)
class Basis:
    """What the papers are printed from: the policy in force, the register's entries, who signs, until when (words), and for which place."""

    policy: Policy
    register: Mapping[Kind, Entry]
    signed_by: Sequence[str]
    until: str
    place: Profile

    def kinds(self) -> list[Kind]:
        """The kinds that the policy asks for somewhere, in the register's order."""
        asked = self.policy.scope().kinds()
        return [kind for kind in self.register if kind in asked]


def profile(text: str, name: str) -> Profile:
    """The place of this name in receiver/places.toml (`text`); one that is not there gets all of it."""
    places: dict[str, dict[str, Any]] = tomllib.loads(text)
    wanted = [*places[name].get("with", []), name] if name in places else list(places)
    title = " with ".join(places[each]["title"] for each in reversed(wanted)) if name in places else UNKNOWN
    parts = {key: tuple(line for each in wanted for line in places[each].get(key, [])) for key in ("laws", "notice", "steps", "rights")}
    wording = tuple(places[each]["wording"] for each in wanted if "wording" in places[each])
    return Profile(title, **parts, wording=wording, daily=any(places[each].get("daily", False) for each in wanted))


def names(text: str) -> list[str]:
    """The places that are known."""
    return list(tomllib.loads(text))


def whole(basis: Basis) -> str:
    """All three papers."""
    return "\n".join("\n".join(part) + "\n" for part in (_record(basis), _assessment(basis), _notice(basis)))


def _record(basis: Basis) -> Iterator[str]:
    yield from _head(f"Record of processing (GDPR Art. 30): policy {basis.policy.version}", basis)
    yield from _items(
        "Who",
        [
            f"Controller: {basis.policy.controller} [address, contact, data protection officer]",
            f"Recipient: {basis.policy.receiver}; it stores sealed envelopes and cannot read them",
            _exemptions(basis.policy),
            f"Policy signed by: {', '.join(basis.signed_by)}; in force until {basis.until} unless it is signed anew",
        ],
    )
    yield from _items("Purposes, who can read, how long", list(_purposes(basis.policy)))
    yield from _items(
        "Whose data", ["People at work who have said yes on their own computer, in the apps below only; nobody else [which sites]"]
    )
    yield from _items("Where", list(_surfaces(basis.policy)))
    yield from _items(
        "Categories of data: every field", [f"every event: {_EVERY_EVENT}", *(_fields(basis, kind) for kind in basis.kinds())]
    )
    yield from _items("Transfers to third countries", ["[none, or which, and on what safeguards]"])
    yield from _items("Security (Art. 32)", _SECURITY)


def _exemptions(policy: Policy) -> str:
    if policy.reviewer is None:
        return "Exemptions: nobody decides; whoever asks is exempt until they cancel it"
    return f"Exemptions: decided by {policy.reviewer.name}, who alone can read reasons; whoever asks is exempt until they cancel it"


def _assessment(basis: Basis) -> Iterator[str]:
    yield from _head(f"Data protection impact assessment: policy {basis.policy.version}", basis)
    yield from _items("Before the first day, in this place", list(basis.place.steps))
    yield from _items("Systematic description", [*_purposes(basis.policy), *_surfaces(basis.policy), *_described(basis)])
    yield from _items("Necessity and proportionality", _ASSESS)
    yield from _items("Risks, and what is done about them", [f"{risk} -> {answer}" for risk, answer in _RISKS])
    yield from _items("Views of those who are concerned (Art. 35(9))", ["[who was asked, when, what they said, what was changed]"])
    yield from _items("Outcome", ["[residual risk; decision; date; who decided; when it is looked at again]"])


def _notice(basis: Basis) -> Iterator[str]:
    yield from _head(f"Notice: {basis.policy.controller} asks whether it may learn from how you work", basis)
    yield from _items("How this notice has to be given here (not to be posted)", [*_shown(basis), *basis.place.notice])
    if basis.place.wording:
        yield from _items("In the words of the law", list(basis.place.wording))
    yield from _items("What may be recorded, if you say yes, and never before", list(_described(basis)))
    yield from _items("Where: only in these apps", list(_surfaces(basis.policy)))
    yield from _items("What for, who can open it, how long it is kept", list(_purposes(basis.policy)))
    yield from _items("Your rights", [*_RIGHTS, *basis.place.rights])
    yield from _items(
        "Acknowledgement", ["I have read this notice. It is no consent. [name, date, signature; or the electronic record of it]"]
    )


def _shown(basis: Basis) -> Iterator[str]:
    often = "on each day, before anything is recorded on it" if basis.policy.daily_notice else "once, before a yes"
    yield f"Each agent shows the notice of this policy {often}; that it was read is recorded on that computer, apart from any yes."
    if basis.place.daily and not basis.policy.daily_notice:
        yield (
            'The strictest form that the law of this place names is a notice on each day: set "notice": "daily" in the policy, or '
            "daily_notice = true in agent.toml of the machines that are there."
        )


_SECURITY = [
    "Sealed on the computer where it is recorded, to a key that only k of n custodians together can use; the receiver has none",
    "Held on that computer for review before it leaves; erased on withdrawal, with a receipt",
    "Policies need a signature of each group; each access by custodians is on a hash-chained log that everybody concerned can read",
]
_ASSESS = [
    "Off until each person says yes, with a code that only a visible icon shows; off again at any time, with one act, without a reason",
    "No typed text, titles, addresses, documents or clipboard contents: there is no field for them",
    "[why the purpose cannot be reached with less: fewer apps, fewer kinds, shorter retention, volunteers only]",
]
_RISKS = [
    ("a no is held against somebody", "no report shows who said yes or no; [who makes certain that nobody asks]"),
    (
        "the purpose drifts towards judging people",
        "another purpose, title, reader or key is off until a new yes; a policy cannot name anybody",
    ),
    ("patterns of pointer and typing times identify or describe somebody", "times in bins, counts in buckets, pseudonyms of a day"),
    ("custodians open more than is needed", "k of n together, for a stated purpose, on a log that everybody concerned can read"),
    ("third parties are recorded", "only windows on the list; no text, no picture of what others wrote"),
]
_RIGHTS = [
    "You may say no; nothing follows from it, and nobody is told.",
    "Pause: volens pause. See everything that is held: volens show. Take back the last minutes: volens forget --last 10m.",
    "Take it all back, for good, at any time and without a reason: volens consent withdraw. What was sent is erased.",
]


def _purposes(policy: Policy) -> Iterator[str]:
    for terms in policy.purposes.values():
        yield f"{terms.title} ({terms.id}): opened by {terms.readers}; kept at most {terms.retention_days} days"


def _surfaces(policy: Policy) -> Iterator[str]:
    for surface in policy.surfaces.values():
        limit = "; no keys of any kind" if surface.structure_only else ""
        what = "; ".join(", ".join(named) for named in (surface.executables, surface.packages, surface.hosts) if named)
        yield f"{surface.name} ({surface.category}; {what}): {', '.join(sorted(surface.kinds))}{limit}{labels(surface)}"


def _described(basis: Basis) -> Iterator[str]:
    for kind in basis.kinds():
        entry = basis.register[kind]
        yield f"{kind}: {entry.what} Why: {entry.why} Never: {entry.never}"


def _fields(basis: Basis, kind: Kind) -> str:
    entry = basis.register[kind]
    fields = ", ".join(_FIELDS[kind]) or "no further field"
    return f"{kind}: {fields} (sensitivity {entry.sensitivity}; at most {entry.retention_days} days; {entry.review})"


def _head(title: str, basis: Basis) -> Iterator[str]:
    yield f"# {title}"
    yield ""
    yield from textwrap.wrap(f"**{MARK}**", _COLUMNS)
    yield from textwrap.wrap(f"Place: {basis.place.title}. Sources: {'; '.join(basis.place.laws)}.", _COLUMNS)
    yield ""


def _items(title: str, lines: Sequence[str]) -> Iterator[str]:
    yield f"## {title}"
    yield ""
    for line in lines or ("[nothing]",):
        yield from textwrap.wrap(
            line, _COLUMNS, initial_indent="- ", subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
        )
    yield ""
