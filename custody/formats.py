"""The three files of custody (docs/custody.md) as bytes: two kinds of key, and a purpose. Refuses unknown fields and schemas."""

import re
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from consent.unreadable import UNREADABLE
from custody.errors import KeyFileRefused
from custody.quorum import Custodian, PurposeKey, Share, check_group
from transport.errors import TransportError
from transport.header import check_purpose
from transport.xwing import PublicKey, ReadingKey

_NAME = r"^[a-z0-9][a-z0-9_-]{0,63}\Z"
Name = Annotated[str, msgspec.Meta(pattern=_NAME)]
Place = Annotated[int, msgspec.Meta(ge=0, le=1023)]
_File = TypeVar("_File", bound="_Closed")


class _Closed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class PrivateFile(_Closed, frozen=True):
    """`NAME.key`, 0600: all that a custodian keeps secret."""

    schema: Literal["volens-custodian-key/1"]
    name: Name
    seed: bytes


class PublicFile(_Closed, frozen=True):
    """`NAME.pub`: what a custodian hands to whoever creates a purpose."""

    schema: Literal["volens-custodian/1"]
    name: Name
    public: bytes
    key_id: str


class MemberEntry(_Closed, frozen=True):
    name: Name
    public: bytes


class ShareEntry(_Closed, frozen=True):
    group: tuple[Place, ...]
    holder: Place
    sealed: bytes


class PurposeFile(_Closed, frozen=True):
    """`purpose.json`: nothing in it is secret."""

    schema: Literal["volens-purpose/1"]
    purpose: str
    quorum: Place
    public: bytes
    key_id: str
    custodians: tuple[MemberEntry, ...]
    shares: tuple[ShareEntry, ...]


def encode_private(name: str, seed: bytes) -> bytes:
    """The bytes of `NAME.key`.

    Raises:
        KeyFileRefused: not a name.
    """
    return _encode(PrivateFile("volens-custodian-key/1", check_name(name), seed))


def check_name(name: str) -> str:
    """A custodian's name, which becomes a file's.

    Raises:
        KeyFileRefused: not a plain word.
    """
    if re.match(_NAME, name) is None:
        raise KeyFileRefused("a custodian's name is 1 to 64 of a-z, 0-9, - and _, beginning with a letter or digit; choose such a name")
    return name


def decode_private(raw: bytes) -> ReadingKey:
    """The private key in a file's bytes.

    Raises:
        KeyFileRefused: not such a file.
    """
    file = _decode(raw, PrivateFile, "a custodian's private key")
    try:
        return ReadingKey.from_seed(file.seed)
    except TransportError as error:
        raise KeyFileRefused(str(error)) from None


def encode_public(custodian: Custodian) -> bytes:
    """The bytes of `NAME.pub`.

    Raises:
        KeyFileRefused: not a name.
    """
    public = custodian.public
    return _encode(PublicFile("volens-custodian/1", check_name(custodian.name), public.raw, public.key_id.hex()))


def decode_public(raw: bytes) -> Custodian:
    """The custodian in a public file's bytes.

    Raises:
        KeyFileRefused: not such a file, or its id is not its key's.
    """
    file = _decode(raw, PublicFile, "a custodian's public key")
    return Custodian(file.name, _public(file.public, file.key_id))


def encode_purpose(key: PurposeKey) -> bytes:
    """The bytes of `purpose.json`."""
    members = tuple(MemberEntry(one.name, one.public.raw) for one in key.custodians)
    shares = tuple(ShareEntry(share.group, share.holder, share.sealed) for share in key.shares)
    return _encode(PurposeFile("volens-purpose/1", key.purpose, key.quorum, key.public.raw, key.public.key_id.hex(), members, shares))


def decode_purpose(raw: bytes) -> PurposeKey:
    """The purpose in a file's bytes.

    Raises:
        KeyFileRefused: not such a file, or one that contradicts itself.
        QuorumRefused: a quorum that its custodians cannot have.
    """
    file = _decode(raw, PurposeFile, "a purpose")
    try:
        check_purpose(file.purpose)
        custodians = tuple(Custodian(member.name, PublicKey(member.public)) for member in file.custodians)
    except TransportError as error:
        raise KeyFileRefused(str(error)) from None
    check_group(file.quorum, custodians)
    shares = tuple(Share(entry.group, entry.holder, entry.sealed) for entry in file.shares)
    return PurposeKey(file.purpose, file.quorum, _public(file.public, file.key_id), custodians, shares)


def _public(raw: bytes, key_id: str) -> PublicKey:
    try:
        public = PublicKey(raw)
    except TransportError as error:
        raise KeyFileRefused(str(error)) from None
    if public.key_id.hex() != key_id:
        raise KeyFileRefused("a public key is not the one its id names; ask its owner for the file again")
    return public


def _encode(file: Any) -> bytes:
    return msgspec.json.encode(file) + b"\n"


def _decode(raw: bytes, form: type[_File], what: str) -> _File:
    try:
        return msgspec.json.decode(raw, type=form)
    except UNREADABLE as error:
        # msgspec names the field and the rule, never the value
        raise KeyFileRefused(f"this is not {what} ({error}); take an undamaged copy") from None
