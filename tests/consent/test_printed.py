"""What is printed from the register, and lines that say why something was refused, to the letter."""

from pathlib import Path

import pytest

from consent.gate import Admitted
from consent.register import as_markdown
from consent.trust import TrustError, root_of
from tests.register import REGISTER

PAGE = Path(__file__).parents[2] / "docs" / "collected.md"


def test_the_page_of_what_is_collected_is_the_register() -> None:
    assert as_markdown(REGISTER) == PAGE.read_text("utf-8")


def test_nobody_but_the_gate_admits() -> None:
    with pytest.raises(TypeError, match=r"^only consent\.gate\.decide admits an event$"):
        Admitted(None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("roots", "line"),
    [([], "no root is pinned"), ([b"{}"], "the policy's metadata does not hold: a file is cut short, or is no metadata")],
)
def test_a_chain_of_roots_that_does_not_hold_says_why(roots: list[bytes], line: str) -> None:
    with pytest.raises(TrustError) as caught:
        root_of(roots)
    assert str(caught.value) == line
