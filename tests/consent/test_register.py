"""The register is the only source of kinds: no entry, no kind; a wrong entry, no register."""

from datetime import date, timedelta

import pytest

from consent.event import PAYLOADS
from consent.register import PURPOSES, RegisterError, as_markdown, in_force, parse
from consent.vocabulary import Kind
from tests.register import PATH, REGISTER

TEXT = PATH.read_text("utf-8")


def test_every_kind_has_an_entry_and_a_payload() -> None:
    """Register, vocabulary and payload types name the same kinds."""
    assert set(REGISTER) == set(Kind) == {payload.kind for payload in PAYLOADS}
    assert len(PAYLOADS) == len(Kind)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("[kind.gap]", "[kind.keylogger]"), "one .kind.NAME. for each kind"),
        (('sensitivity = "body"', 'sensitivity = "fun"'), "sensitivity"),
        (('sensitivity = "body"\n', ""), "exactly the keys"),
        (('purpose = "training"', 'purpose = "performance"'), "purpose"),
        (('purpose = "training"', 'purpose = ""'), "purpose"),
        (('purpose = "training"\n', ""), "exactly the keys"),
        (('review = "docs/adr/0006-what-is-observed.md"\n', ""), "exactly the keys"),
        (('review = "docs/adr/0006-what-is-observed.md"', 'review = ""'), "review"),
        (("expires = 2027-12-31\n", ""), "exactly the keys"),
        (("retention_days = 180", "retention_days = 0"), "retention"),
        (("retention_days = 180", 'retention_days = "long"'), "retention_days"),
        (("retention_days = 180\n", ""), "exactly the keys"),
        (('example = "Enter"', 'example = ""'), "example"),
        (('example = "Enter"', 'example = "Enter"\nhidden = true'), "exactly the keys"),
        (("expires = 2027-12-31", 'expires = "never"'), "expires"),
        (("[kind.gap]", "[kind.gap"), "not TOML"),
        (("[kind.gap]", "[other]\n[kind.gap]"), "nothing else"),
    ],
)
def test_a_register_with_anything_wrong_is_refused(change: tuple[str, str], says: str) -> None:
    """A missing, unknown, empty or mistyped part of any entry: nothing can be collected at all."""
    with pytest.raises(RegisterError, match=says):
        parse(TEXT.replace(*change, 1))


def test_a_kind_past_its_expiry_is_no_longer_collected() -> None:
    """The last day counts; the day after does not, though the program still runs."""
    last = REGISTER[Kind.GAP].expires
    assert in_force(REGISTER, last) == set(Kind)
    assert in_force(REGISTER, last + timedelta(days=1)) == set()
    assert in_force(REGISTER, date(2100, 1, 1)) == set()


def test_every_review_is_a_page_that_is_there() -> None:
    """A review that nobody can read is none: each names a file of this repository."""
    for kind, entry in REGISTER.items():
        assert (PATH.parents[1] / entry.review).is_file(), kind


def test_the_page_tells_every_entry_whole() -> None:
    """What, why, never, example, sensitivity, retention, review and expiry of every kind are on the page."""
    page = as_markdown(REGISTER)
    for kind, entry in REGISTER.items():
        for part in (
            kind.value,
            entry.what,
            PURPOSES[entry.purpose],
            entry.why,
            entry.never,
            entry.example,
            entry.review,
            str(entry.retention_days),
        ):
            assert part in page
