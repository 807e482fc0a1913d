"""A receiver's inside without its server, at whatever time a test says it is."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from receiver import app, chores, in_force, policy_repo
from receiver.accept import Outcome, Terms, judge
from receiver.chores import Done
from receiver.depot import Depot
from receiver.site import Site, open_site
from transport.envelope import Envelope


async def at_once(act: Callable[[], Any]) -> Any:
    """The writer's turn, when nobody else waits."""
    return act()


def in_turn(acts: list[Callable[[], None]]) -> None:
    """One after the other."""
    for act in acts:
        act()


@dataclass
class Inside:
    """An opened folder and the parts that change it."""

    site: Site
    depot: Depot

    @classmethod
    def open(cls, directory: Path, now: datetime) -> "Inside":
        site = open_site(directory)
        return cls(site, app.prepare(site, lambda: now).depot)

    def terms(self, today: date) -> dict[str, Terms]:
        """What is taken in by the published policy."""
        with self.site.engine.begin() as connection:
            return dict(in_force.note(connection, policy_repo.purposes(self.site.tuf), today))

    def put(self, sealed: Envelope, now: datetime) -> Outcome:
        return self.depot.store([judge(sealed.id, sealed.raw, self.terms(now.date()))], now, in_turn)[0]

    def do_chores(self, now: datetime) -> Done:
        return asyncio.run(chores.do_all(self.depot, at_once, self.terms(now.date()), now))

    def files(self, sealed: Envelope) -> list[Path]:
        return [path for store in ("slots", "bodies") if (path := self.site.directory / store / sealed.id[:2] / sealed.id).exists()]

    def close(self) -> None:
        self.site.engine.dispose()


def publish(directory: Path, policy: bytes, scratch: Path, now: datetime) -> None:
    """Publishes another policy in a receiver's folder, as an officer would: the timestamp last."""
    scratch.mkdir(mode=0o700)
    made = scratch / "tuf"
    policy_repo.make(made)
    policy_repo.make_trial(made, policy, now, timedelta(hours=24))
    for path in sorted((path for path in made.rglob("*") if path.is_file()), key=lambda path: path.name == "timestamp.json"):
        place = directory / "tuf" / path.relative_to(made)
        fresh = place.with_name("." + place.name)
        fresh.write_bytes(path.read_bytes())
        fresh.replace(place)
