"""The policy in force, from what the courier cached: verified again here, offline, before it is believed.

The root that everything chains to is pinned in a file that came with the settings; nothing fetched can replace it but a
chain of roots that it signed itself. A version that was once accepted is never gone below: the ledger remembers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files

from agent.floors import Accepted
from agent.places import Places
from agent.record import Record
from consent import notice, register
from consent.event import Clocks
from consent.ledger import LedgerUnwritable
from consent.policy import Policy, PolicyError, parse
from consent.trust import POLICY_TARGET, Metadatas, TrustError, judge
from consent.vocabulary import Blocker, Kind

METADATA = "metadata"
TARGETS = "targets"
MOST_WORDS = 300
"""Characters of a reason that are kept and shown: a receiver's address may be 200 long."""


@dataclass(frozen=True, slots=True)
class InForce:
    """A policy and the end of its lease; or why there is none.

    Attributes:
        policy: None if there is none, or it is refused.
        expires: Aware, UTC; None without a policy.
        blocker: Why there is no policy.
        why: One line for people.
        verified: When it was last verified; the wall clock cannot be turned back behind this.
    """

    policy: Policy | None = None
    expires: datetime | None = None
    blocker: Blocker | None = None
    why: str = ""
    verified: Clocks | None = None

    def expired(self, now: Clocks) -> bool:
        """Whether the lease has ended: by the wall clock, or by what has passed since it was verified, whichever is later."""
        if self.expires is None or self.verified is None:
            return True
        elapsed_ms = now.boot_ms - self.verified.boot_ms
        return max(now.wall_ms, self.verified.wall_ms + elapsed_ms) >= self.expires.timestamp() * 1000

    def over(self) -> "InForce":
        """What is left of it when its lease has ended."""
        ended = self.expires.astimezone(UTC).isoformat(timespec="minutes") if self.expires else "long ago"
        return InForce(None, self.expires, Blocker.POLICY_EXPIRED, f"the policy's lease ended {ended}", self.verified)

    def since(self, before: "InForce") -> "InForce":
        """This, taken after `before`: unless its lease is a later one, what was over stays over, and no time is won by verifying again."""
        if before.expires is None or before.verified is None or self.expires is None or self.expires > before.expires:
            return self
        if self.blocker is None and before.blocker is Blocker.POLICY_EXPIRED:
            return before
        return replace(self, verified=before.verified)


def load(places: Places, record: Record, receiver: str | None, now: Clocks) -> InForce:
    """The policy that the cached metadata prove, if they do, and if it is of the receiver that envelopes would go to."""
    found = _cached(places)
    if found is None:
        return InForce(blocker=Blocker.POLICY_MISSING, why="no policy has been fetched yet")
    try:
        before = record.accepted
        trusted = judge(found, before.versions, before.online)
        policy = parse(trusted.policy)
        notice.check_fits(policy, _register())
        if policy.version < before.policy:
            raise TrustError(f"the policy went back from version {before.policy} to {policy.version}")
        if policy.receiver != receiver:
            raise TrustError(f"the policy is for {policy.receiver}, and agent.toml names another receiver")
    except (TrustError, PolicyError) as error:
        why = str(error)[:MOST_WORDS]
        record.refused(why, now)
        return InForce(blocker=Blocker.POLICY_REFUSED, why=why)
    try:
        record.accept(Accepted(trusted.versions, trusted.online, policy.version), now)
    except LedgerUnwritable as error:  # what is not remembered could be gone below
        return InForce(None, trusted.expires, Blocker.JOURNAL_UNWRITABLE, str(error), now)
    return while_leased(InForce(policy, trusted.expires, verified=now), record, now)


@cache
def _register() -> Mapping[Kind, register.Entry]:
    return register.parse(files("consent").joinpath("register.toml").read_text("utf-8"))


def while_leased(found: InForce, record: Record, now: Clocks) -> InForce:
    """The same while its lease lasts. One that was once over stays over, after a restart too: only a later lease opens again (INV-5)."""
    if found.policy is None or found.expires is None:
        return found
    ends_ms = int(found.expires.timestamp() * 1000)
    if found.expired(now):
        record.lapse(ends_ms)
    return found if ends_ms > record.lapsed_wall_ms else found.over()


def _cached(places: Places) -> Metadatas | None:
    folder = places.policy
    metadata = folder / METADATA
    try:
        later = sorted((metadata / "root_history").glob("*.root.json"), key=lambda path: int(path.name.split(".")[0]))
        pinned = places.pinned_root.read_bytes()
        roots = [pinned, *(raw for raw in (path.read_bytes() for path in later) if raw != pinned)]
        names = [metadata / f"{role}.json" for role in ("timestamp", "snapshot", "targets")]
        timestamp, snapshot, targets = (path.read_bytes() for path in names)
        return Metadatas(roots, timestamp, snapshot, targets, (folder / TARGETS / POLICY_TARGET).read_bytes())
    except (OSError, ValueError):
        return None
