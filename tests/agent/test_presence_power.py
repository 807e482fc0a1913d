"""What a fake UPower and a fake NetworkManager say along a day, and what the budget hears of it."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.budget import Cause
from agent.permission import exempting
from agent.presence.presence import Presence
from consent.event import Clocks
from consent.history import Choice
from consent.vocabulary import Automatic
from tests.agent.buses import BATTERY, BATTERY_PATH, NETWORK, NETWORK_PATH, UPOWER, UPOWER_PATH, a_desktop
from tests.agent.test_presence import a_private_bus, settled, watching

__all__ = ["a_private_bus"]


@pytest.mark.usefixtures("bus")
def test_a_battery_that_runs_down_and_is_charged_goes_through_less_and_nothing_once() -> None:
    """On UPower: 100 to 0 and wavering by a point, charged from there, then unplugged at 30. Each level comes and ends once."""
    curve = [100, 60, *(number + wave for limit in (40, 20) for number in range(limit + 2, limit - 4, -1) for wave in (0, 1)), 1]
    seen: list[tuple[bool, bool]] = []

    async def run() -> None:
        async with settled(UPOWER) as (desktop, watcher):

            async def says(name: str, value: object) -> None:
                """Said, and heard: whatever it amounts to has been told when the next answer comes."""
                await desktop.change(BATTERY_PATH, BATTERY, name, value)
                unplugged = Automatic.UNPLUGGED not in watcher.presence.holding
                await desktop.change(UPOWER_PATH, UPOWER, "OnBattery", unplugged)
                async with asyncio.timeout(10):
                    while (Automatic.UNPLUGGED in watcher.presence.holding) is not unplugged:
                        await watcher._next()
                found = (Cause.BATTERY_GOING in watcher.presence.sparing, Automatic.BATTERY_LOW in watcher.presence.holding)
                if not seen or seen[-1] != found:
                    seen.append(found)

            for percent in curve:
                await says("Percentage", float(percent))
            await says("State", 1)
            await says("Percentage", 30.0)
            await says("State", 2)

    asyncio.run(run())
    assert seen == [(False, False), (True, False), (True, True), (False, False), (True, False)]


@pytest.mark.usefixtures("bus")
def test_a_battery_that_goes_down_is_told_at_once() -> None:
    """It exempts nobody yet, and whoever listens hears of it; its source's death changes nothing."""

    async def run() -> None:
        async with watching() as watcher:
            async with a_desktop(UPOWER) as desktop:
                await watcher.until()
                await desktop.change(BATTERY_PATH, BATTERY, "Percentage", 39.9)
                async with asyncio.timeout(10):
                    while Cause.BATTERY_GOING not in watcher.presence.sparing:
                        await watcher._next()
            async with asyncio.timeout(10):
                while Automatic.BATTERY_LOW not in watcher.presence.untold:
                    await watcher._next()
            assert watcher.presence.sparing == {Cause.BATTERY_GOING}

    asyncio.run(run())


@pytest.mark.usefixtures("bus")
def test_a_link_of_which_nobody_tells_is_told_apart_and_opens_nothing() -> None:
    """No service, not metered, unknown, metered, unknown, no service: what was metered is believed so until somebody says otherwise."""
    metered, unknown = Automatic.METERED_LINK, Automatic.LINK_UNKNOWN

    async def run() -> None:
        async with watching() as watcher:
            await watcher.until()
            found = [watcher.presence.exempting]
            async with a_desktop(NETWORK) as desktop:
                for value in (2, 0, 1, 0, 3, 4, 1):
                    await desktop.change(NETWORK_PATH, NETWORK, "Metered", value)
                    async with asyncio.timeout(10):
                        while (unknown in watcher.presence.exempting) is not (value == 0) or (
                            value and ((metered in watcher.presence.holding) is not (value in (1, 3)))
                        ):
                            await watcher._next()
                    found.append(watcher.presence.exempting)
            async with asyncio.timeout(10):
                while unknown not in watcher.presence.exempting:
                    await watcher._next()
            found.append(watcher.presence.exempting)
            assert found == [{unknown}, set(), {unknown}, {metered}, {metered, unknown}, {metered}, set(), {metered}, {metered, unknown}]

    asyncio.run(run())


links = st.lists(st.sampled_from([True, False, None]), max_size=20)


@given(links, st.sampled_from([None, True, False]))
def test_a_link_that_becomes_unknown_opens_nothing_unless_the_person_chose_so(row: list[bool | None], chosen: bool | None) -> None:
    """Whatever was told before, by whatever was there: unknown is at least as closed as what was known, and as closed as metered for
    whoever wants that; only who chose it to count as not metered is open then."""
    presence = Presence(lambda: Clocks(0, 0, 0), lambda *_: None, lambda: None, {})
    presence.settle()
    choice, before = Choice(link_unknown=chosen), False
    for metered in row:
        presence.tell("networkmanager", None if metered is None else {Automatic.METERED_LINK: metered})
        exempt = bool(exempting(choice, presence.exempting))
        match metered, chosen:
            case None, None:
                assert exempt == before
            case None, _:
                assert exempt == chosen
            case _:
                assert exempt == metered
        before = exempt
