"""An empty name is a slip: never a way to say "all of them"."""

from collections.abc import Iterator

import pytest

from agent import commands, exempt_commands, messages
from agent.errors import Usage
from agent.reach import Reach
from consent.event import Event


class Unasked(Reach):
    """An agent that nothing may be asked of."""

    def ask(self, request: messages.Request) -> messages.Answer:
        pytest.fail(f"{type(request).__name__} was asked for")

    def held(self, since_s: int | None) -> Iterator[Event]:
        pytest.fail(f"what is held was asked for: {since_s}")


@pytest.fixture(autouse=True)
def unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "Reach", Unasked)
    monkeypatch.setattr(exempt_commands, "Reach", Unasked)
    monkeypatch.setattr(exempt_commands, "close_to_others", lambda: None)  # this is not the command's own process


EXEMPT = ["exempt", "request", "--ground", "my_choice"]


@pytest.mark.parametrize("empty", ["", " "])
@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["send", "--surface"], "app"),
        (["forget", "--surface"], "app"),
        ([*EXEMPT, "--surface"], "app"),
        ([*EXEMPT, "--surface", "editor", "--surface"], "app"),
        ([*EXEMPT, "--kind"], "kind"),
        (["consent", "give", "--purpose"], "purpose"),
        (["consent", "give", "--kind"], "kind"),
    ],
)
def test_an_empty_name_is_one_line_and_nothing_is_done(words: list[str], what: str, empty: str) -> None:
    """Before anything is asked of a daemon or of the disk."""
    with pytest.raises(Usage) as caught:
        commands.app([*words, empty], standalone_mode=False)
    assert (caught.value.what, caught.value.do) == (f"the name of the {what} is empty", "give one; nothing was done")


@pytest.mark.parametrize("words", [["send", "--last"], ["forget", "--last"], ["forget", "--from"], ["show", "--since"]])
def test_an_empty_span_is_no_span(words: list[str]) -> None:
    """Nor is it the widest."""
    with pytest.raises(Usage):
        commands.app([*words, ""], standalone_mode=False)
