"""The groups that must each have signed: who they are, as root names them, and which of them a signature is still missing from. Pure.

TUF counts signatures; two officers are two signatures. That is not what a policy needs: it needs a yes from each side. So root carries,
under its own signatures, a field of ours with groups and their keys, and each group has to have signed root and targets.
"""

from collections.abc import Mapping
from types import MappingProxyType

from tuf.api.metadata import Key, Metadata, Root, Snapshot, Targets, Timestamp

FIELD = "x-volens-groups"
"""The field of root: `{group: [key id, ...]}`."""
OFFICER, REPRESENTATIVE = "privacy-officer", "employees-representative"
"""The two groups that are usual. Root may name others, and more; never fewer than two."""
LEAST_GROUPS = 2
_SIGNED_BY_GROUPS = (Root.type, Targets.type)
_SIGNED_ONLINE = (Snapshot.type, Timestamp.type)

Groups = Mapping[str, frozenset[str]]
"""By the group's name, the ids of its keys."""


class GroupsError(Exception):
    """Root does not name groups, or names them so that the rule could be got round."""


def groups_of(root: Root) -> Groups:
    """The groups that root names.

    Raises:
        GroupsError: there are fewer than two, one is empty, a key is in two, or the keys are not those of the roles.
    """
    named = root.unrecognized_fields.get(FIELD)
    if not isinstance(named, dict):
        raise GroupsError("root names no groups")
    groups = {str(name): _ids(name, ids) for name, ids in named.items()}
    if len(groups) < LEAST_GROUPS:
        raise GroupsError(f"root names {len(groups)} of at least {LEAST_GROUPS} groups")
    _check_keys(root, groups)
    return MappingProxyType(groups)


def _ids(name: object, ids: object) -> frozenset[str]:
    if not isinstance(name, str) or not name.isprintable() or not 0 < len(name) <= 64:
        raise GroupsError("root names a group without a usable name")
    if not isinstance(ids, list) or not all(isinstance(each, str) for each in ids):
        raise GroupsError(f"the group {name} is no list of key ids")
    if not ids:
        raise GroupsError(f"the group {name} is empty")
    return frozenset(ids)


def _check_keys(root: Root, groups: Groups) -> None:
    for role in _SIGNED_BY_GROUPS:
        keys = frozenset(root.roles[role].keyids)
        for name, ids in groups.items():
            if not ids <= keys:
                raise GroupsError(f"the group {name} names a key that does not sign {role}")
        if keys - frozenset().union(*groups.values()):
            raise GroupsError(f"a key that is in no group signs {role}")
    owner: dict[str, str] = {}
    for name, ids in groups.items():
        for each in ids:
            if owner.setdefault(_material(root, each), name) != name:
                raise GroupsError("one key is in two groups")
    online = {_material(root, each) for role in _SIGNED_ONLINE for each in root.roles[role].keyids}
    if online & owner.keys():
        raise GroupsError("the receiver's online key is in a group")


def _material(root: Root, key_id: str) -> str:
    """The key itself: an id is only a name, and one key may be listed under two."""
    key: Key | None = root.keys.get(key_id)
    if key is None or (key.keytype, key.scheme) != ("ed25519", "ed25519"):
        raise GroupsError("root names a key that it does not have, or that is not Ed25519")
    try:
        return bytes.fromhex(str(key.keyval.get("public"))).hex()  # one spelling of it
    except ValueError:
        raise GroupsError("root names a key that is none") from None


def missing(root: Root, role: str, metadata: Metadata) -> list[str]:  # type: ignore[type-arg]  # any role's
    """The groups of `root` none of whose keys has signed this metadata of `role`, by name; a signature must hold to count.

    Raises GroupsError as `groups_of` does.
    """
    signed = root.get_verification_result(role, metadata.signed_bytes, metadata.signatures).signed
    return sorted(name for name, ids in groups_of(root).items() if not ids & signed.keys())
