"""What is said on the control socket: one framed msgpack message each way; `docs/design.md` is the contract.

A client sends one request and reads answers until one that is not a part (`HeldPart`, a repeated `StatusIs` of Watch).
An indicator sends `Attach` and then both sides talk: the daemon shows and challenges, the indicator answers.
Large answers are many frames. A message that does not decode ends the connection; nothing is guessed.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Annotated

import msgspec

from agent.status import Status
from consent.event import Count, Event, Milliseconds
from consent.exemption import Ground, Stage
from consent.frames import MAX_NOTICE_BYTES
from consent.holding import LONGEST_S, SHORTEST_S
from consent.hours import ALWAYS_WORD, UTC_NAME
from consent.vocabulary import Kind, Purpose, State, SurfaceId
from transport.bounds import MAX_NAMED, PUBLIC_BYTES, SEALED_BYTES, RequestId

Words = Annotated[str, msgspec.Meta(max_length=2000)]
Nonce = Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]
Minutes = Annotated[int, msgspec.Meta(ge=1, le=26 * 60)]
"""A day that the clocks make longer has 25 hours."""
Seconds = Annotated[int, msgspec.Meta(ge=0, le=400 * 24 * 3600)]
HoldSeconds = Annotated[int, msgspec.Meta(ge=SHORTEST_S, le=LONGEST_S)]


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message of the control socket."""


# --- requests: what a person may ask for -------------------------------------------------------------------------


class AskStatus(Message, frozen=True, tag="status"):
    """What holds now. Answer: StatusIs."""


class Watch(Message, frozen=True, tag="watch"):
    """What holds now, and again at every change, until the client hangs up. Answers: StatusIs, StatusIs, ..."""


class Pause(Message, frozen=True, tag="pause"):
    """A temporary no. `minutes` None: until I resume. Answer: Done, after the decision is on disk."""

    minutes: Minutes | None


class Resume(Message, frozen=True, tag="resume"):
    """The end of a pause, by the person. Answer: Done."""


class Withdraw(Message, frozen=True, tag="withdraw"):
    """The end of the consent, and of everything held or waiting. Answer: Done. Never refused."""


class Chosen(Message, frozen=True):
    """A span of what is held: the last seconds, a surface, from one instant to another (UTC), or (nothing given) everything."""

    last_s: Seconds | None = None
    surface: SurfaceId | None = None
    from_wall_ms: Milliseconds | None = None
    to_wall_ms: Milliseconds | None = None


class Forget(Chosen, frozen=True, tag="forget"):
    """Drop what is held in a span. Answer: Done."""


class Send(Chosen, frozen=True, tag="send"):
    """End the hold of a span now: seal exactly that and let it leave. Answer: Done."""


class HoldFor(Message, frozen=True, tag="hold_for"):
    """How long things are held, in seconds; None: only say it. Answer: Done."""

    seconds: HoldSeconds | None = None


class ChooseHours(Message, frozen=True, tag="choose_hours"):
    """In which hours the person is willing to be recorded. Answer: Done.

    Attributes:
        hours: As `consent.hours` reads them; None: all those of their yes.
        only_say: Nothing is chosen; the answer says which hours hold.
    """

    hours: Words | None = None
    only_say: bool = False


class AskReviewer(Message, frozen=True, tag="reviewer"):
    """Who decides about exemptions, and to which key a reason is sealed. Answer: ReviewerIs."""


class AskExemption(Message, frozen=True, tag="ask_exemption"):
    """Be exempt from now on. Answer: Done, after it is on disk.

    Attributes:
        id: Random, made by who asks: the reason is sealed for it.
        surfaces, kinds: What is off; empty for all of them.
        hours: As `consent.hours` reads them; None: at every hour.
        until: A day (UTC), the last one; None: for no end.
        appeal: The id of a denied one.
        reason: Sealed to the reviewer; nothing here can open it.
    """

    id: RequestId
    ground: Ground
    surfaces: Annotated[frozenset[SurfaceId], msgspec.Meta(max_length=MAX_NAMED)] = frozenset()
    kinds: frozenset[Kind] = frozenset()
    hours: Words | None = None
    until: date | None = None
    appeal: Words | None = None
    reason: Annotated[bytes, msgspec.Meta(max_length=SEALED_BYTES)] | None = None


class CancelExemption(Message, frozen=True, tag="cancel_exemption"):
    """End an exemption, by the person; `id` or the beginning of it. Answer: Done."""

    id: Words


class ListExemptions(Message, frozen=True, tag="list_exemptions"):
    """All exemptions that the person asked for and did not cancel. Answer: ExemptionsAre."""


class ChooseUnplugged(Message, frozen=True, tag="choose_unplugged"):
    """Whether the person is exempt while no charger is plugged in. Answer: Done."""

    exempt: bool


class ChooseUnknownLink(Message, frozen=True, tag="choose_unknown_link"):
    """How a link counts of which nothing tells whether it is metered. Answer: Done."""

    exempt: bool


class ShowHeld(Message, frozen=True, tag="show"):
    """What is held, decoded. `since_s` None: all. Answers: HeldPart..., HeldEnd."""

    since_s: Seconds | None = None


class AskConsent(Message, frozen=True, tag="ask_consent"):
    """What is asked of the person. Answer: Offer. `begin`: the consent step starts, and the live indicator gets a fresh code."""

    begin: bool


class EndAsking(Message, frozen=True, tag="end_asking"):
    """No yes came: the code goes from the screen. Answer: Done."""


class GiveConsent(Message, frozen=True, tag="give_consent"):
    """Yes, to these kinds for these purposes, in these hours; `code` is what the indicator shows. Answer: Given."""

    code: Words
    purposes: frozenset[Purpose]
    kinds: frozenset[Kind]
    notice_sha256: Words
    hours: Words | None = None  # None: those of the offer


class Acknowledge(Message, frozen=True, tag="acknowledge"):
    """I have read this notice, which is on offer now; no yes. Answer: Done."""

    notice_sha256: Words


class AskReceipt(Message, frozen=True, tag="receipt"):
    """The consent receipt in force, from a character of it on. Answer: ReceiptIs."""

    begin: Count = 0


class Attach(Message, frozen=True, tag="attach"):
    """I am the indicator. `instance` is random for each start of it; `form` is tray or badge."""

    instance: Words
    form: Words


class ShowIcon(Message, frozen=True, tag="show_icon"):
    """Start the icon anew: the person has closed it, or the desktop lost it. Answer: Done."""


class Proven(Message, frozen=True, tag="proven"):
    """The indicator's answer to a challenge: what it shows now, and whether a host really shows it."""

    nonce: Nonce
    instance: Words
    visible: bool
    showing: State


Request = (
    AskStatus
    | Watch
    | Pause
    | Resume
    | Withdraw
    | Forget
    | Send
    | HoldFor
    | ChooseHours
    | ChooseUnplugged
    | ChooseUnknownLink
    | AskReviewer
    | AskExemption
    | CancelExemption
    | ListExemptions
    | ShowHeld
    | AskConsent
    | EndAsking
    | GiveConsent
    | Acknowledge
    | AskReceipt
    | ShowIcon
    | Attach
    | Proven
)

# --- answers -----------------------------------------------------------------------------------------------------


class Done(Message, frozen=True, tag="done"):
    """It is done, and durable. `words` say what, for people."""

    words: Words


class Refused(Message, frozen=True, tag="refused"):
    """It was not done. `what` is wrong; `do` this. Nothing was lost. `again`: the same may be tried again at once."""

    what: Words
    do: Words
    again: bool = False


class StatusIs(Message, frozen=True, tag="status_is"):
    """What holds now."""

    status: Status


class Offer(Message, frozen=True, tag="offer"):
    """What the person is asked: the notice's text and hash, and what may be said yes to. The code is at the indicator.

    Attributes:
        waits: What a yes would add to the one that is in force; empty before the first yes, and when there is nothing.
        hours: The hours of a yes that names no others.
        zone: The zone of hours that name none: this computer's.
        sensitivity: The class of each kind, by the register.
        exempt: What stays off whatever is said yes to, because the person asked for it and did not cancel it.
    """

    notice: Annotated[str, msgspec.Meta(max_length=MAX_NOTICE_BYTES)]
    notice_sha256: Words
    purposes: dict[Purpose, Words]
    kinds: dict[Kind, Words]
    policy_version: Count
    waits: tuple[Words, ...] = ()
    hours: Words = ALWAYS_WORD
    zone: Words = UTC_NAME
    sensitivity: dict[Kind, Words] = msgspec.field(default_factory=dict)
    exempt: tuple[Words, ...] = ()


class Given(Message, frozen=True, tag="given"):
    """The yes is recorded. `recovery_code` is shown once and kept nowhere; None if the person has one already."""

    receipt_id: Words
    recovery_code: Words | None


RECEIPT_PART = 12_000
"""Characters of a receipt that surely fit a frame; a policy of 200 apps makes one of 150,000."""


class ReceiptIs(Message, frozen=True, tag="receipt_is"):
    """A part of the receipt as signed JSON text; None if there is none. `more`: ask again, from behind it."""

    receipt: Annotated[str, msgspec.Meta(max_length=RECEIPT_PART)] | None
    more: bool = False


def receipt_part(receipt: str | None, begin: int) -> ReceiptIs:
    """The answer to AskReceipt."""
    end = begin + RECEIPT_PART
    return ReceiptIs(receipt[begin:end], more=end < len(receipt)) if receipt is not None else ReceiptIs(None)


class ReviewerIs(Message, frozen=True, tag="reviewer_is"):
    """Who decides about exemptions: a name, and the key that a reason is sealed to (X-Wing). Both None: nobody."""

    name: Words | None
    key: Annotated[bytes, msgspec.Meta(max_length=PUBLIC_BYTES)] | None


class ExemptionIs(Message, frozen=True, tag="exemption_is"):
    """One exemption. `asked` is an instant, `until` a day (the earlier of two); `reason` is the reviewer's.

    `handed_in`: the receiver has the request. `doubted`: what came for a decision was not the reviewer's, and was refused.
    """

    id: RequestId
    ground: Ground
    stage: Stage
    surfaces: tuple[SurfaceId, ...]
    kinds: tuple[Kind, ...]
    hours: Words
    covers: Annotated[str, msgspec.Meta(max_length=8000)]
    asked: Words
    until: date | None
    appeal: Words | None
    reason: Words
    handed_in: bool
    doubted: bool = False


class ExemptionsAre(Message, frozen=True, tag="exemptions_are"):
    """The exemptions in force, oldest first; and what else exempts by the person's choice. `unknown_link` None: they have not chosen."""

    exemptions: tuple[ExemptionIs, ...]
    unplugged: bool = False
    unknown_link: bool | None = None


class HeldPart(Message, frozen=True, tag="held_part"):
    """Some of what is held; more follows until HeldEnd."""

    events: tuple[Event, ...]


EVENTS_A_PART, BYTES_A_PART = 200, 32 * 1024
"""200 events of at most 150 bytes fit a frame twice over; of paths, which are longer, as many as stay near half a frame."""
_encode_event = msgspec.msgpack.Encoder().encode


def held_parts(events: Iterable[Event]) -> Iterator[HeldPart]:
    """Events in messages that fit a frame."""
    part: list[Event] = []
    part_bytes = 0
    for event in events:
        part.append(event)
        part_bytes += len(_encode_event(event))
        if len(part) == EVENTS_A_PART or part_bytes >= BYTES_A_PART:
            yield HeldPart(tuple(part))
            part, part_bytes = [], 0
    if part:
        yield HeldPart(tuple(part))


class HeldEnd(Message, frozen=True, tag="held_end"):
    """The end of a streamed answer."""


class Appear(Message, frozen=True, tag="appear"):
    """To the indicator: what to show from now on.

    Attributes:
        state: What the icon's shape must say.
        recorded: True if the window in front is being recorded (only ever with `consented`).
        words: One line for people.
        since_wall_ms: Since when, UTC; 0 before the first choice.
        pause_left_s: What is left of a pause; None if not paused or until resumed.
        code: A consent code to show as long as it is not None.
    """

    state: State
    recorded: bool
    words: Words
    since_wall_ms: Milliseconds
    pause_left_s: Seconds | None = None
    code: Words | None = None


class Challenge(Message, frozen=True, tag="challenge"):
    """To the indicator: prove within 1 s that you are seen, by answering `Proven` with this nonce."""

    nonce: Nonce


class Replaced(Message, frozen=True, tag="replaced"):
    """To the indicator: another indicator has attached, or the daemon ends; leave."""


Answer = (
    Done | Refused | StatusIs | Offer | Given | ReceiptIs | ReviewerIs | ExemptionsAre | HeldPart | HeldEnd | Appear | Challenge | Replaced
)

encode = msgspec.msgpack.Encoder().encode
decode_request: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
decode_answer: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)
