"""What the policy commands read: policies, drafts, what a folder publishes. Refuses what is no such thing."""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from consent import notice, register
from consent.policy import MAX_POLICY_BYTES, Policy, PolicyError, parse
from consent.vocabulary import Kind
from receiver import policy_draft, policy_repo
from receiver.errors import ReceiverError
from receiver.policy_draft import Draft

TO_REPLACE = b"REPLACE"
"""Stands in `policy.example.json` wherever only who asks knows what belongs there: key, receiver, controller, title, readers."""


def tuf_of(directory: Path) -> Path:
    """The TUF repository of a receiver's folder. Raises ReceiverError if there is none."""
    found = directory / "tuf"
    if not (found / "metadata").is_dir():
        raise ReceiverError(f"{directory} is no receiver's folder", "make it with `volens-receiver init`")
    return found


def published_in(directory: Path) -> policy_repo.Published:
    """What a receiver's folder publishes. Raises ReceiverError if it is nothing, or does not hold."""
    published = policy_repo.read(tuf_of(directory))
    if published is None:
        raise ReceiverError(f"{directory} publishes no policy yet", "propose, sign and publish one: docs/policy.md")
    return published


def policy_of(source: Path) -> Policy:
    """The policy in a file, or the one that a receiver's folder publishes. Raises ReceiverError."""
    raw = published_in(source).found.policy if source.is_dir() else read_file(source)
    try:
        return parse(raw)
    except PolicyError as error:
        raise ReceiverError(f"{source}: {error}", "mend the policy and try again") from None


def check_filled_in(source: Path, raw: bytes) -> None:
    """Raises ReceiverError for a policy in which something of the example is still to be filled in."""
    if left := raw.count(TO_REPLACE):
        raise ReceiverError(f"{source}: {left} lines still say {TO_REPLACE.decode()}", "fill them in, or take them out")


def check_retention(policy: Policy) -> None:
    """Raises ReceiverError for a purpose that would keep a kind longer than the register says it may be kept."""
    entries = _register()
    for (_, kind), purpose in sorted(policy.scope().grants.items(), key=lambda grant: grant[0][1]):
        days, most = policy.purposes[purpose].retention_days, entries[kind].retention_days
        if days > most:
            raise ReceiverError(f"purpose {purpose} keeps {kind} for {days} days, and the register allows {most}", "shorten it")


def check_notice(policy: Policy) -> None:
    """Raises ReceiverError for a policy whose notice is longer than agents can show: they refuse it, too."""
    try:
        notice.check_fits(policy, _register())
    except PolicyError as error:
        raise ReceiverError(str(error), "mend the policy and try again") from None


def _register() -> Mapping[Kind, register.Entry]:
    return register.parse(files("consent").joinpath("register.toml").read_text("utf-8"))


def read_draft(path: Path) -> Draft:
    """The draft in a file. Raises ReceiverError."""
    return policy_draft.decode(read_file(path, policy_draft.MAX_BYTES))


def read_file(path: Path, max_bytes: int = MAX_POLICY_BYTES + 1) -> bytes:
    """At most this many bytes of a regular file. Raises ReceiverError."""
    try:
        if not path.is_file():
            raise ReceiverError(f"{path} is no file", "name the file itself")
        with path.open("rb") as file:
            return file.read(max_bytes)
    except OSError as error:
        raise ReceiverError(f"{path} cannot be read ({error.strerror})", "check the name and whose it is") from None
