"""Every difference at once, to the letter and in its order: nothing is left out, nothing is said twice, and what waits is said to wait."""

import pytest

from consent.compare import changes
from consent.policy import parse
from tests.agent.test_permission import OTHER_KEY
from tests.policies import as_bytes, policy, surface

FIRST = policy()["purposes"][0]
SECOND = FIRST | {"id": "second", "title": "Second", "readers": "3 of 5", "retention_days": 7}
OLD = policy(
    hold_min_s=7200,
    purposes=[FIRST, SECOND],
    surfaces=[
        surface(kinds=["pointer_button", "focus"]),
        surface(id="mail", name="Mail", executables=["/usr/bin/m", "/usr/bin/n"], category="mail", kinds=["focus"]),
        surface(id="gone", name="Gone", executables=["/usr/bin/g"], kinds=["focus"]),
    ],
)
NEW = policy(
    version=2,
    controller="Else",
    receiver="http://127.0.0.1:10",
    hold_min_s=5400,
    purposes=[
        SECOND | {"public_key": OTHER_KEY, "retention_days": 9, "readers": "anybody", "title": "Other"},
        SECOND | {"id": "third", "title": "Third"},
    ],
    surfaces=[
        surface(kinds=["key_chord", "pointer_scroll"], purpose="second", name="Writer", category="browser"),
        surface(id="mail", name="Mail", executables=["/usr/bin/m", "/usr/bin/o"], kinds=["focus"], purpose="second"),
        surface(id="new", name="New", executables=["/usr/bin/w"], kinds=["focus"], purpose="third"),
    ],
)
THERE = [
    "WIDER True the hold is 90 minutes, and was 2 hours; agents keep to what was promised",
    "WIDER True purpose third: Third; opened by 3 of 5, kept 7 days",
    "WIDER True purpose second: another key opens it (3bb0b003f553f49f, and not c9a3565ffde4f72b)",
    "WIDER True purpose second: kept 9 days, and not 7",
    "WIDER True app new (New, work): focus, for third",
    "WIDER True app editor: also key_chord, pointer_scroll",
    "WIDER True app editor: it serves the purpose second, and served train-desktop-agents",
    "WIDER True app mail: also stands for /usr/bin/o",
    "WIDER True app mail: it counts as work, and was mail",
    "WIDER True app mail: it serves the purpose second, and served train-desktop-agents",
    "NARROWER False no longer: purpose train-desktop-agents: Train agents that operate software; opened by 2 of 3 custodians, kept 30 days",
    "NARROWER False no longer: app gone (Gone, work): focus, for train-desktop-agents",
    "NARROWER False app editor: no longer focus, pointer_button",
    "OTHER True the controller is Else, and was Example Ltd: everything waits",
    "OTHER True the recipient is http://127.0.0.1:10, and was http://127.0.0.1:9: everything waits",
    "OTHER True the marks of holes in the record serve second, and served train-desktop-agents",
    "OTHER True purpose second: opened by anybody, and not by 3 of 5",
    "OTHER True purpose second: it is called Other, and was Second",
    "OTHER True app editor: it counts as browser, and was work",
    "OTHER False app editor: it is called Writer, and was Editor",
    "OTHER True app mail: no longer stands for /usr/bin/n; it waits, because it is no longer what was agreed to",
]
BACK = [
    "WIDER True purpose train-desktop-agents: Train agents that operate software; opened by 2 of 3 custodians, kept 30 days",
    "WIDER True purpose second: another key opens it (c9a3565ffde4f72b, and not 3bb0b003f553f49f)",
    "WIDER True app gone (Gone, work): focus, for train-desktop-agents",
    "WIDER True app editor: also focus, pointer_button",
    "WIDER True app editor: it serves the purpose train-desktop-agents, and served second",
    "WIDER True app mail: also stands for /usr/bin/n",
    "WIDER True app mail: it serves the purpose train-desktop-agents, and served second",
    "NARROWER False the hold is 2 hours, and was 90 minutes",
    "NARROWER False no longer: purpose third: Third; opened by 3 of 5, kept 7 days",
    "NARROWER False purpose second: kept 7 days, and not 9",
    "NARROWER False no longer: app new (New, work): focus, for third",
    "NARROWER False app editor: no longer key_chord, pointer_scroll",
    "OTHER True the controller is Example Ltd, and was Else: everything waits",
    "OTHER True the recipient is http://127.0.0.1:9, and was http://127.0.0.1:10: everything waits",
    "OTHER True the marks of holes in the record serve train-desktop-agents, and served second",
    "OTHER True purpose second: opened by 3 of 5, and not by anybody",
    "OTHER True purpose second: it is called Second, and was Other",
    "OTHER True app editor: it counts as work, and was browser",
    "OTHER False app editor: it is called Editor, and was Writer",
    "OTHER True app mail: no longer stands for /usr/bin/o; it waits, because it is no longer what was agreed to",
    "OTHER True app mail: it counts as mail, and was work",
]
FROM_NOTHING = [
    "WIDER True purpose train-desktop-agents: Train agents that operate software; opened by 2 of 3 custodians, kept 30 days",
    "WIDER True purpose second: Second; opened by 3 of 5, kept 7 days",
    "WIDER True app editor (Editor, work): focus, pointer_button, for train-desktop-agents",
    "WIDER True app mail (Mail, mail): focus, for train-desktop-agents",
    "WIDER True app gone (Gone, work): focus, for train-desktop-agents",
]


@pytest.mark.parametrize(("old", "new", "said"), [(OLD, NEW, THERE), (NEW, OLD, BACK), (None, OLD, FROM_NOTHING)])
def test_every_difference_is_said_once_and_in_order(old: dict[str, object] | None, new: dict[str, object], said: list[str]) -> None:
    """Direction, whether it waits, and its words."""
    found = changes(parse(as_bytes(old)) if old else None, parse(as_bytes(new)))
    assert [f"{change.direction.name} {change.waits} {change.words}" for change in found] == said
