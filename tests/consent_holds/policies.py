"""The policies that come and go in these tests: one as usual, wider ones, narrower ones, and ones that mean something else."""

import base64
from datetime import UTC, datetime

from agent.policies import InForce
from consent.event import Clocks
from consent.policy import Policy, parse
from tests.policies import PURPOSE_KEY, as_bytes, policy, surface
from transport.xwing import ReadingKey

OTHER_KEY = ReadingKey.from_seed(bytes(range(1, 33)))
KEYS = (PURPOSE_KEY, OTHER_KEY)
KINDS = ["pointer_button", "pointer_scroll"]
_EDITOR = surface(kinds=KINDS)
_MAIL = surface(id="mail", name="Mail", executables=["/usr/bin/mail"], category="mail", kinds=["pointer_button"])
_USUAL = {"surfaces": [_EDITOR]}
_PURPOSE = policy()["purposes"][0]
_NEW_KEY = base64.b64encode(OTHER_KEY.public.raw).decode()


def _parsed(**changes: object) -> Policy:
    return parse(as_bytes(policy(**(_USUAL | changes))))


POLICIES: dict[str, Policy] = {
    "usual": _parsed(),
    "wider: an app": _parsed(version=2, surfaces=[_EDITOR, _MAIL]),
    "narrower: a kind": _parsed(version=3, surfaces=[surface(kinds=["pointer_scroll"])]),
    "narrower: no app but another": _parsed(version=4, surfaces=[_MAIL]),
    "a longer hold": _parsed(version=5, hold_min_s=48 * 3600),
    "kept longer": _parsed(version=6, purposes=[_PURPOSE | {"retention_days": 60}]),
    "another key": _parsed(version=7, purposes=[_PURPOSE | {"public_key": _NEW_KEY}]),
    "other programs": _parsed(version=8, surfaces=[surface(kinds=KINDS, executables=["/usr/bin/xterm"])]),
    "another receiver": _parsed(version=9, receiver="http://127.0.0.1:10"),
}


def in_force(name: str, now: Clocks, lease_s: int) -> InForce:
    """A policy that was verified now, for so long."""
    return InForce(POLICIES[name], datetime.fromtimestamp(now.wall_ms / 1000 + lease_s, UTC), verified=now)
