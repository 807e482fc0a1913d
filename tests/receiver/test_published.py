"""The TUF repository as agents fetch it, and as others try to get out of it."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tuf.api.metadata import Metadata, Timestamp
from tuf.ngclient import Updater

from receiver import policy_repo
from receiver.errors import ReceiverError
from tests.receiver import stand
from tests.receiver.stand import Service

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def test_a_tuf_client_fetches_the_policy_from_the_pinned_root(service: Service, tmp_path: Path) -> None:
    """python-tuf's own client, over HTTP: root, timestamp, snapshot, targets, policy.json."""
    root = (service.directory / "tuf" / "metadata" / "1.root.json").read_bytes()
    updater = Updater(
        metadata_dir=str(tmp_path),
        metadata_base_url=f"{service.url}/v1/tuf/metadata/",
        target_base_url=f"{service.url}/v1/tuf/targets/",
        target_dir=str(tmp_path),
        bootstrap=root,
    )
    updater.refresh()
    info = updater.get_targetinfo("policy.json")
    assert info is not None
    assert Path(updater.download_target(info)).read_bytes() == stand.policy()


def test_the_root_that_does_not_exist_yet_is_404(service: Service) -> None:
    """A client learns from a 404 that it has the newest root."""
    assert service.client.get("/v1/tuf/metadata/1.root.json").status_code == 200
    assert service.client.get("/v1/tuf/metadata/2.root.json").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "../keys/online.key",
        "metadata/../../keys/receipt.key",
        "metadata/..%2f..%2freceiver.toml",
        "%2e%2e/receiver.toml",
        "metadata/%2e%2e/%2e%2e/volens.db",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "metadata//etc/passwd",
        "metadata/..\\..\\volens.db",
        "metadata/timestamp.json%00.json",
        "metadata/timestamp.json.part",
        "metadata/",
        "metadata",
        "",
        "metadata/link.json",
        "metadata/folder.json",
        "metadata/pipe.json",
    ],
)
def test_nothing_but_published_files_comes_out(service: Service, path: str) -> None:
    """404 for every way out, for links, folders and pipes; sent as raw bytes, so that no client tidies the path."""
    metadata = service.directory / "tuf" / "metadata"
    if not (metadata / "link.json").is_symlink():
        (metadata / "link.json").symlink_to(service.directory / "receiver.toml")
        (metadata / "folder.json").mkdir()
        os.mkfifo(metadata / "pipe.json")
    answer = service.raw(f"GET /v1/tuf/{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 404"), answer[:200]
    assert b"trial" not in answer


def _trial(directory: Path, lifetime: timedelta = timedelta(hours=24)) -> policy_repo.Trial:
    policy_repo.make(directory)
    return policy_repo.make_trial(directory, stand.policy(), NOW, lifetime)


def _expiry(directory: Path) -> tuple[int, datetime]:
    timestamp = Metadata[Timestamp].from_file(str(directory / "metadata" / "timestamp.json")).signed
    return timestamp.version, timestamp.expires


def test_a_renewed_timestamp_is_newer_and_lives_its_lifetime(tmp_path: Path) -> None:
    """The version rises and the expiry is now plus the lease."""
    directory = tmp_path / "tuf"
    trial = _trial(directory)
    assert _expiry(directory) == (1, NOW + timedelta(hours=24))
    later = NOW + timedelta(hours=5)
    assert policy_repo.renew_timestamp(directory, trial.online, later, timedelta(hours=24)) == later + timedelta(hours=24)
    assert _expiry(directory) == (2, later + timedelta(hours=24))
    assert policy_repo.read_policy(directory) == stand.policy()


def test_a_lease_does_not_outlive_what_it_rests_on(tmp_path: Path) -> None:
    """A trial's snapshot ends after its month; no timestamp says otherwise."""
    directory = tmp_path / "tuf"
    trial = _trial(directory)
    late = NOW + policy_repo.TRIAL_LIFETIME - timedelta(hours=1)
    assert policy_repo.renew_timestamp(directory, trial.online, late, timedelta(hours=24)) == NOW + policy_repo.TRIAL_LIFETIME


def test_a_repository_that_was_tampered_with_is_not_served(tmp_path: Path) -> None:
    """A changed policy file, a cut-off timestamp, a missing target: an error that says which, and no purposes."""
    for number, damage in enumerate(("policy", "timestamp", "missing")):
        directory = tmp_path / str(number)
        _trial(directory)
        (target,) = (directory / "targets").iterdir()
        if damage == "policy":
            target.write_bytes(stand.policy().replace(b"Example", b"Exbmple"))
        elif damage == "timestamp":
            (directory / "metadata" / "timestamp.json").write_bytes(b'{"signed"')
        else:
            target.unlink()
        with pytest.raises(ReceiverError):
            policy_repo.read_policy(directory)
