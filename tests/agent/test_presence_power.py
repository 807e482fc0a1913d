"""What a fake UPower and a fake NetworkManager say along a day, and what the budget hears of it."""

import asyncio

import pytest

from agent.budget import Cause
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
def test_a_link_of_which_nobody_tells_is_told_apart() -> None:
    """Metered, not metered, unknown, and no service at all: the last two are what somebody may have chosen to be exempt in."""

    async def run() -> None:
        async with watching() as watcher:
            await watcher.until()
            assert Automatic.LINK_UNKNOWN in watcher.presence.exempting
            async with a_desktop(NETWORK) as desktop:
                found = []
                for value, holding in ((1, [Automatic.METERED_LINK]), (2, []), (0, []), (3, [Automatic.METERED_LINK]), (4, [])):
                    await desktop.change(NETWORK_PATH, NETWORK, "Metered", value)
                    await watcher.until(*holding)
                    async with asyncio.timeout(10):
                        while (Automatic.METERED_LINK in watcher.presence.untold) is not (value == 0):
                            await watcher._next()
                    found.append(Automatic.LINK_UNKNOWN in watcher.presence.exempting)
                assert found == [False, False, True, False, False]

    asyncio.run(run())
