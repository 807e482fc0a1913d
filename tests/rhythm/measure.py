"""Who is found again, from how much of their typing: the table of docs/evidence.md. `python -m tests.rhythm.measure [KEYS ...]`."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from collectors.minimise import cut_to_bin
from consent.event import Bucket, Event, KeyNamed, TypingBurst
from tests.rhythm.attack import ATTACKS, of, raw_timing, top_1
from tests.rhythm.typists import Struck, collected, on_a_day, struck, typist

PEOPLE, TESTS = 50, 4
MOODS = (0.0, 0.1)
Change = Callable[[Event], Event]


def without_counts(event: Event) -> Event:
    """As if a burst did not say for how many raw inputs it stands."""
    return msgspec.structs.replace(event, n=2) if isinstance(event.payload, TypingBurst) else event


def named_to_the_bin(event: Event) -> Event:
    """As if a named key, too, were told to the quarter second."""
    return msgspec.structs.replace(event, at=cut_to_bin(event.at)) if isinstance(event.payload, KeyNamed) else event


def only_that(event: Event) -> Event:
    """As if a burst said no more than that there was one."""
    if not isinstance(event.payload, TypingBurst):
        return event
    said = msgspec.structs.replace(event.payload, bins=5, keys=Bucket.MANY, corrections=Bucket.NONE)
    return msgspec.structs.replace(event, n=2, payload=said)


CHANGES: dict[str, Change] = {
    "as it is": lambda event: event,
    "without n": without_counts,
    "named keys to the bin": named_to_the_bin,
    "only that there was typing": only_that,
}


@dataclass(frozen=True)
class Halves:
    """What everybody typed on the day that is learnt, and on others; and what was collected of it."""

    struck: list[list[list[Struck]]]
    told: list[list[list[Event]]]

    def raw(self) -> float:
        """How many a key logger's timing finds again."""
        return top_1(self.struck[0], self.struck[1:], raw_timing)

    def found(self, attack: str, change: Change = CHANGES["as it is"]) -> float:
        """How many this attack finds again."""
        days = [[[change(event) for event in one] for one in day] for day in self.told]
        return top_1(days[0], days[1:], of(ATTACKS[attack]))


def halves(keys: int, mood: float, people: int = PEOPLE, tests: int = TESTS) -> Halves:
    """So many keys of each person are linked, on the day that is learnt and on each other day."""
    everybody = [typist(person) for person in range(people)]
    days = [
        [list(struck(on_a_day(one, person, day, mood), keys, 1_000 * day + person)) for person, one in enumerate(everybody)]
        for day in range(tests + 1)
    ]
    return Halves(days, [[collected(one) for one in day] for day in days])


def main(linked: Sequence[int]) -> None:
    """Print the table."""
    for keys in linked:
        for mood in MOODS:
            these = halves(keys, mood, tests=TESTS if keys <= 1_000 else 1)
            print(f"{keys} keys, mood {mood}: raw timing {these.raw():.2f}")
            for name, change in CHANGES.items():
                print(f"  {name}: " + ", ".join(f"{attack} {these.found(attack, change):.2f}" for attack in ATTACKS), flush=True)


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or (200, 1_000, 5_000))
