"""A receiver in service without a policy takes up the first one, and the next with another root, without a restart."""

from datetime import UTC, datetime
from pathlib import Path

from consent.trust import judge
from receiver import policy_repo, site
from tests.policies import PURPOSE_KEY, as_bytes, policy
from tests.receiver import stand
from tests.receiver.signers import Ceremony, by, officer, representative
from tests.receiver.stand import envelope, run, serving


def test_a_receiver_in_service_takes_up_what_is_published(tmp_path: Path) -> None:
    """Before: no purpose is known (422), and there is no lease. After: the purpose is (403, the pseudonym is not registered), and what
    agents fetch is accepted by their judge. A policy with another key, under a root with another officer, is taken up the same way."""
    rx = tmp_path / "rx"
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
        root = by(ceremony.root([eve, ben]), ada, eve, ben)
        ceremony.publish(root, by(ceremony.policy(as_bytes(policy(version=2)), root), eve, ben))
        assert service.client.get("/readyz").json() == {"ready": True, "why": None}
        assert service.put(envelope(key=PURPOSE_KEY)).status_code == 403
        published = policy_repo.read(rx / "tuf")
        assert published is not None
        assert judge(published.found).versions[0] == 2
        assert service.client.get("/v1/tuf/metadata/timestamp.json").content == published.found.timestamp
        assert service.client.get("/v1/tuf/metadata/2.root.json").content == root.metadata.encode()
    assert "renewed" not in service.log.read_text()  # nothing published is nothing to renew, and no fault
