"""The policy: what is refused as a whole, what it can never ask for, and who must have signed it."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

from consent.policy import MAX_POLICY_BYTES, STRUCTURE_ONLY_CATEGORIES, PolicyError, parse
from consent.trust import Metadatas, TrustError, judge
from consent.vocabulary import KEY_KINDS, Kind, SurfaceId
from tests.policies import PUBLIC_KEY, as_bytes, policy, surface

EXPIRES = datetime(2030, 1, 1, tzinfo=UTC)


def test_a_policy_is_read_into_frozen_terms() -> None:
    """Purposes and surfaces arrive as they were written; the key id is the key's hash."""
    read = parse(as_bytes(policy()))
    assert read.surfaces[SurfaceId("editor")].kinds == {Kind.POINTER_BUTTON, Kind.KEY_CHORD}
    assert len(next(iter(read.purposes.values())).key_id) == 32
    assert (SurfaceId("editor"), Kind.KEY_CHORD) in read.scope().grants
    assert (None, Kind.GAP) in read.scope().grants


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"version": 0}, "version"),
        ({"version": True}, "version"),
        ({"version": "1"}, "version"),
        ({"hold_min_s": 60}, "hold_min_s"),
        ({"receiver": "ftp://example"}, "receiver"),
        ({"hidden": True}, "hidden"),
        ({"subjects": ["somebody"]}, "subjects"),
        ({"purposes": []}, "purposes"),
        ({"surfaces": [surface(kinds=["keylogger"])]}, "kinds that do not exist"),
        ({"surfaces": [surface(kinds=["gap"])]}, "kind that is of no surface"),
        ({"surfaces": [surface(executables=["mousepad"])]}, "executables"),
        ({"surfaces": [surface(executables=[])]}, "executables"),
        ({"surfaces": [surface(), surface()]}, "twice"),
        ({"surfaces": [surface(), surface(id="other")]}, "executable twice"),
        ({"surfaces": [surface(purpose="performance-review")]}, "purpose that the policy does not have"),
        ({"surfaces": [surface(rank="manager")]}, "rank"),
    ],
)
def test_a_policy_with_anything_wrong_is_refused_with_its_place(change: dict[str, object], place: str) -> None:
    """Unknown keys, wrong types, impossible values: nothing of the policy is used, and one line says where."""
    with pytest.raises(PolicyError, match=place) as caught:
        parse(as_bytes(policy() | change))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"null", b'{"version": NaN}', b"\xff\xfe", b'{"a":' * 5000, b"x" * (MAX_POLICY_BYTES + 1)]
)
def test_what_is_no_policy_at_all_is_refused(raw: bytes) -> None:
    """Truncated, deep, huge or not JSON: one clear error."""
    with pytest.raises(PolicyError):
        parse(raw)


@given(st.sampled_from(sorted(STRUCTURE_ONLY_CATEGORIES)), st.sampled_from(sorted(KEY_KINDS)))
def test_no_policy_can_ask_for_keys_where_typing_is_the_content(category: str, kind: Kind) -> None:
    """Terminals, mail, chat, assistants, password stores, HR, health and banking: a policy with keys there is refused."""
    with pytest.raises(PolicyError, match="no key of any kind"):
        parse(as_bytes(policy() | {"surfaces": [surface(category=category, kinds=[kind.value])]}))


def test_a_key_of_wrong_length_or_alphabet_is_refused() -> None:
    """A purpose without a usable key would be sealed to nobody."""
    for key in ("!!!", base64.b64encode(bytes(10)).decode()):
        broken = policy()
        broken["purposes"][0]["public_key"] = key
        with pytest.raises(PolicyError, match="public key"):
            parse(as_bytes(broken))


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_any_json_is_read_or_refused_but_never_crashes(value: object) -> None:
    """Whatever JSON stands in the place of surfaces, the answer is a PolicyError."""
    with pytest.raises(PolicyError):
        parse(json.dumps(policy() | {"surfaces": value, "version": -1}).encode())


class Repository:
    """A real TUF repository in memory; every knob is a plain attribute."""

    def __init__(self) -> None:
        self.signers = {role: CryptoSigner.generate_ed25519() for role in ("root", "targets", "snapshot", "timestamp")}
        self.policy = as_bytes(policy())
        self.versions = {"targets": 1, "snapshot": 1, "timestamp": 1}
        self.expires = EXPIRES

    def root(self, version: int = 1) -> bytes:
        root = Root(version=version, expires=EXPIRES, consistent_snapshot=False)
        for role, signer in self.signers.items():
            root.add_key(signer.public_key, role)
        return self._signed(Metadata(root), "root")

    def build(self) -> Metadatas:
        target = TargetFile.from_data("policy.json", self.policy, ["sha256"])
        targets = self._signed(Metadata(Targets(self.versions["targets"], expires=EXPIRES, targets={"policy.json": target})), "targets")
        meta = {"targets.json": MetaFile.from_data(self.versions["targets"], targets, ["sha256"])}
        snapshot = self._signed(Metadata(Snapshot(self.versions["snapshot"], expires=EXPIRES, meta=meta)), "snapshot")
        about = MetaFile.from_data(self.versions["snapshot"], snapshot, ["sha256"])
        timestamp = self._signed(Metadata(Timestamp(self.versions["timestamp"], expires=self.expires, snapshot_meta=about)), "timestamp")
        return Metadatas([self.root()], timestamp, snapshot, targets, self.policy)

    def _signed(self, metadata: Metadata, role: str) -> bytes:  # type: ignore[type-arg]
        metadata.sign(self.signers[role])
        return metadata.to_bytes()


def with_(found: Metadatas, **changes: object) -> Metadatas:
    from dataclasses import replace

    return replace(found, **changes)  # type: ignore[arg-type]


def test_a_properly_signed_policy_is_trusted_until_its_timestamp_expires() -> None:
    """All signatures, versions and hashes hold: the exact policy bytes, and the earliest expiry."""
    repository = Repository()
    repository.expires = datetime(2026, 12, 1, tzinfo=UTC)
    trusted = judge(repository.build())
    assert (trusted.policy, trusted.versions, trusted.expires) == (repository.policy, (1, 1, 1, 1), repository.expires)


def test_a_changed_policy_a_changed_signature_and_a_foreign_key_are_refused() -> None:
    """Any byte of policy, timestamp, snapshot or targets that is not the signed one: refused."""
    found = Repository().build()
    stranger = Repository().build()
    for part in ("timestamp", "snapshot", "targets", "policy"):
        whole: bytes = getattr(found, part)
        for broken in (whole[:-1], whole.replace(b"1", b"2", 1), b"", getattr(stranger, part) if part != "policy" else whole + b" "):
            with pytest.raises(TrustError):
                judge(with_(found, **{part: broken}))


def test_a_rollback_below_a_version_once_accepted_is_refused() -> None:
    """An older timestamp, snapshot or targets than was ever accepted is refused, though its signatures hold."""
    repository = Repository()
    found = repository.build()
    for lowest in ((2, 1, 1, 1), (1, 2, 1, 1), (1, 1, 2, 1), (1, 1, 1, 2)):
        with pytest.raises(TrustError, match="rolled back"):
            judge(found, lowest)


def test_a_root_that_the_pinned_root_did_not_sign_is_refused() -> None:
    """The chain of roots begins at the pinned one: a root of other keys, or one that skips a version, ends it."""
    repository, stranger = Repository(), Repository()
    found = repository.build()
    with pytest.raises(TrustError):
        judge(with_(found, roots=[repository.root(), stranger.root(2)]))
    with pytest.raises(TrustError, match="hole"):
        judge(with_(found, roots=[repository.root(), repository.root(3)]))
    with pytest.raises(TrustError):
        judge(with_(found, roots=[]))
    assert judge(with_(found, roots=[repository.root(), repository.root(2)])).versions[0] == 2


def test_expiry_is_reported_and_not_judged_here() -> None:
    """The judge has no clock: an expired timestamp is trusted with its expiry, which the caller compares."""
    repository = Repository()
    repository.expires = datetime.now(UTC) - timedelta(days=1)
    assert judge(repository.build()).expires == repository.expires.replace(microsecond=0)


def test_the_key_in_the_sample_is_of_the_right_size() -> None:
    """The sample policy is one that could exist."""
    assert len(PUBLIC_KEY) == 1216
