"""A receiver in service without a policy takes up the first one, and the next with another root, without a restart."""

from datetime import UTC, datetime
from pathlib import Path

from tuf.ngclient import Updater

from agent import policies
from agent.subject import Subject
from consent.event import Clocks
from consent.policy import parse
from consent.trust import judge
from receiver import policy_repo, site
from tests.agent.people import subject_in
from tests.policies import PURPOSE_KEY, as_bytes, policy
from tests.receiver import stand
from tests.receiver.signers import Ceremony, by, officer, representative
from tests.receiver.stand import Service, envelope, run, serving


def fetched(service: Service, somebody: Subject) -> int:
    """The version of the policy that an agent has in force after its courier's TUF client has been there."""
    folder = somebody.places.policy
    for each in ("metadata", "targets"):
        (folder / each).mkdir(exist_ok=True)
    base, root = f"{service.url}/v1/tuf", somebody.places.pinned_root.read_bytes()
    updater = Updater(str(folder / "metadata"), f"{base}/metadata/", str(folder / "targets"), f"{base}/targets/", bootstrap=root)
    updater.refresh()
    info = updater.get_targetinfo("policy.json")
    assert info is not None
    updater.download_target(info, str(folder / "targets" / "policy.json"))
    published = policy_repo.read(service.directory / "tuf")
    assert published is not None
    receiver = parse(published.found.policy).receiver
    taken = policies.load(somebody.places, somebody.record, receiver, Clocks(1, 1, int(datetime.now(UTC).timestamp() * 1000)))
    assert taken.policy is not None, taken.why
    return taken.policy.version


def test_a_receiver_in_service_takes_up_what_is_published(tmp_path: Path) -> None:
    """Before: no purpose is known (422), and there is no lease. After: the purpose is (403, the pseudonym is not registered), and what
    agents fetch is accepted by their judge. A policy with another key, under a root with another officer, is taken up the same way."""
    rx = tmp_path / "rx"
    somebody = subject_in(tmp_path / "agent")
    assert run("init", rx).returncode == 0
    ada, ben, eve = officer(), representative(), officer("eve")
    ceremony = Ceremony(rx / "tuf", [ada, ben], site.online_key(rx), datetime.now(UTC))
    with serving(rx) as service:
        assert service.client.get("/readyz").status_code == 200
        assert service.put(envelope()).status_code == 422
        assert service.client.get("/v1/tuf/metadata/timestamp.json").status_code == 404
        ceremony.publish(by(ceremony.root([ada, ben]), ada, ben))
        ceremony.publish(by(ceremony.policy(stand.policy()), ada, ben))
        assert service.put(envelope()).status_code == 403
        assert service.put(envelope(key=PURPOSE_KEY)).status_code == 422
        somebody.places.policy.mkdir(mode=0o700, exist_ok=True)
        somebody.places.pinned_root.write_bytes((rx / "tuf" / "metadata" / "1.root.json").read_bytes())
        assert fetched(service, somebody) == 1
        root = by(ceremony.root([eve, ben]), ada, eve, ben)
        ceremony.publish(root, by(ceremony.policy(as_bytes(policy(version=2)), root), eve, ben))
        assert service.client.get("/readyz").json() == {"ready": True, "why": None}
        assert service.put(envelope(key=PURPOSE_KEY)).status_code == 403
        assert fetched(service, somebody) == 2  # from the same pinned root
        published = policy_repo.read(rx / "tuf")
        assert published is not None
        assert judge(published.found).versions[0] == 2
        assert service.client.get("/v1/tuf/metadata/timestamp.json").content == published.found.timestamp
        assert service.client.get("/v1/tuf/metadata/2.root.json").content == root.metadata.encode()
    assert "renewed" not in service.log.read_text()  # nothing published is nothing to renew, and no fault
