"""The notice to the letter: a receipt pins it, so no word of it may change without somebody seeing that it did."""

import pytest

from agent import messages
from agent.consenting import offer
from consent.frames import MAX_NOTICE_BYTES, frame
from consent.notice import check_fits, labels, sha256, text
from consent.policy import Policy, PolicyError, parse
from consent.vocabulary import Kind, SurfaceId
from tests.policies import as_bytes, policy, surface
from tests.register import REGISTER

POLICY = parse(
    as_bytes(
        policy(
            surfaces=[
                surface(),
                surface(id="term", name="Terminal", executables=["/usr/bin/xterm"], category="terminal", kinds=["pointer_button"]),
            ]
        )
    )
)
KINDS = {kind: REGISTER[kind] for kind in (Kind.POINTER_BUTTON, Kind.KEY_CHORD)}
EXPECTED = """\
Example Ltd asks whether it may learn from how you work on this computer. You
may say no; nothing will happen then, and nobody is told. You may say yes and
take it back at any time, without a reason: by Stop in the icon's menu, or with
volens consent withdraw

What for, who can open it, and for how long it is kept
- Train agents that operate software (train-desktop-agents): opened by 2 of 3
  custodians together, and by no fewer; kept at most 30 days
- You yourself open all that was sent of you, with the recovery code that you
  get once, with your yes.
- Nobody else can: not Example Ltd, nor whoever runs the receiver
  http://127.0.0.1:9, which stores it sealed. Before it hands anything to
  custodians they write down there what for, for everybody to read.

Where: only in these windows
- Editor: key_chord, pointer_button
- Terminal: pointer_button (no keys of any kind)

Never recorded, whatever anybody sets: what you type, passwords, titles,
addresses, documents, clipboard contents, microphone, camera, location, and any
window that is not on the list above.

What each of these is
- pointer_button: Mouse buttons pressed and released: which button, where in the
  window.
    never: Movement without a button, and clicks outside allowlisted windows.
- key_chord: Shortcuts: Ctrl, Alt or Meta with one key of a closed list.
    never: Shift with a letter, AltGr, and anything else that makes text.

How you stay in control
- The icon shows at all times whether the window in front is being recorded.
  Without a visible icon nothing is recorded.
- Pause: volens pause, or the icon's menu. It ends only when you resume.
- Outside the hours of your yes nothing is recorded: Monday to Friday, 9 to 17,
  unless you name others with it (volens consent give --hours). Fewer at any
  time: volens hours
- Nothing is recorded while the screen is locked or shared, nobody is there,
  another session is in front, the computer is controlled from elsewhere, the
  link is metered or the battery low: as far as the desktop tells. volens doctor
  says what it cannot tell.
- Everything stays on this computer for at least 24 hours before it may leave,
  unless you choose otherwise (volens hold, volens send). See it with: volens
  show
- Take back the last minutes: volens forget --last 10m
- Take back everything, for good: volens consent withdraw
- Be exempt, in some apps or everywhere: volens exempt request. It is off from
  then on, until you say otherwise.
"""


def test_the_notice_says_all_of_it_and_nothing_else() -> None:
    """Controller, purposes, readers, windows, what never, kinds, and how to stay in control: in eighty columns."""
    assert text(POLICY, KINDS, 24 * 3600) == EXPECTED


def test_a_hold_below_two_hours_is_said_in_minutes() -> None:
    assert "for at least 119 minutes before" in " ".join(text(POLICY, KINDS, 7199).split())
    assert "for at least 2 hours before" in " ".join(text(POLICY, KINDS, 7200).split())


def test_a_word_is_never_broken() -> None:
    """A receiver's long address goes beyond the eighty columns rather than in two."""
    long = parse(as_bytes(policy(receiver=f"https://{'a-' * 45}b.example")))
    assert f"https://{'a-' * 45}b.example" in text(long, KINDS, 3600)


def test_the_hash_is_of_the_text() -> None:
    assert sha256("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def apps(count: int, sign: str, fill: int) -> Policy:
    """So many apps with names of twenty such signs, and one with a name of `fill` letters."""
    names = [sign * 20] * count + ["x" * fill]
    return parse(as_bytes(policy(surfaces=[surface(id=f"a{at}", name=name, executables=[f"/{at}"]) for at, name in enumerate(names)])))


def bytes_of(published: Policy) -> int:
    return len(offer(published, REGISTER).notice.encode())


def long_notice(length: int, sign: str) -> Policy:
    """A policy whose notice has this many bytes."""
    none = bytes_of(apps(0, sign, 100))
    each = bytes_of(apps(1, sign, 100)) - none
    count, rest = divmod(length - none, each)
    return apps(count, sign, 100 + rest)


@pytest.mark.parametrize("sign", ["x", "\u00fc", "\u8a9e"])
def test_what_can_be_shown_is_accepted_to_the_byte_and_travels_whole(sign: str) -> None:
    """The longest notice that is accepted fits a frame and decodes at the other end; one byte more is refused, with what to do."""
    longest = long_notice(MAX_NOTICE_BYTES, sign)
    check_fits(longest, REGISTER)
    asked = offer(longest, REGISTER)
    assert len(asked.notice.encode()) == MAX_NOTICE_BYTES
    body = messages.encode(asked)
    assert frame(body)
    assert messages.decode_answer.decode(body) == asked
    with pytest.raises(PolicyError, match="40001 bytes, and 40000 can be shown: it must list fewer") as caught:
        check_fits(long_notice(MAX_NOTICE_BYTES + 1, sign), REGISTER)
    assert "\n" not in str(caught.value)


def test_labels_that_stay_readable_are_named_with_the_app() -> None:
    """In one phrase, which everybody who decides is shown: the person here, signers, papers and what waits for a yes elsewhere."""
    worded = parse(as_bytes(policy(surfaces=[surface(kinds=["element"], words=["Invoice", "Approve"])])))
    assert labels(worded.surfaces[SurfaceId("editor")]) == "; of its labels also: Invoice, Approve"
    assert "- Editor: element; of its labels also: Invoice, Approve\n" in text(worded, KINDS, 3600)
    assert labels(POLICY.surfaces[SurfaceId("editor")]) == ""


def test_where_sites_are_listed_it_says_that_addresses_are_read() -> None:
    """The observer compares the host of the page in front; where no site is listed no address is read, and nothing is said of it."""
    sites = parse(as_bytes(policy(surfaces=[surface(category="browser", executables=["/usr/bin/firefox"], hosts=["crm.example.org"])])))
    words = "the address of the page in front is read, to compare its host with the list, and is kept no longer than that."
    assert words in " ".join(text(sites, KINDS, 3600).split())
    assert "address of the page" not in text(POLICY, KINDS, 3600)
