"""Whether a recovery code is this machine's own, and how many consents its ledger then knows of. Changes nothing, and needs no lock."""

from agent import floors
from agent.places import Places
from transport.errors import TransportError
from transport.keystore import IDENTITY, choose
from transport.recovery import RecoveryCode


def consents_of(places: Places, code: RecoveryCode) -> int | None:
    """The number of consents given on this machine, if the code is its own and its ledger can be read; None otherwise."""
    try:
        if not (places.keys / "keystore").exists() or choose(places.keys).get(IDENTITY) != code.identity_secret():
            return None
        return floors.consents(places) or None
    except (TransportError, OSError, KeyError):
        return None
