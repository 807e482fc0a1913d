"""Simulated typists, and their typing through the real shaper. Seeded; no clock is read.

A typist is a log-normal law of intervals: a person's own median interval, a factor of their own for each pair of keys, their own
spread, a longer step between words, pauses to think, errors that are taken back, and how long keys are held. The figures are in
the style of what is published on large samples (Dhakal et al. 2018, 168,000 people: a mean interval of 239 ms with a standard
deviation of 112 ms between people, 51.6 words a minute, some 6 % of keys are corrections, keys are held for 116 ms).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random

from collectors.keymap import Keymap, KeysDown
from collectors.pipe import Grant
from collectors.raw import Front
from collectors.shape import Shaper
from consent.event import Clocks, Event, FieldRole
from consent.vocabulary import Kind, SurfaceId

WORDS = (
    "the of and to in a is that for it as was with be by on not he his but at are this have from or had an they which one you were all her "
    "she there would their we him been has when who will no more if out so up said what its about than into them can only other time new "
    "some could these two may first then do any like my now over such our man me even most made after also did many off before must well"
).split()
LETTERS = "abcdefghijklmnopqrstuvwxyz "
BACKSPACE, ENTER, DOWN = "<", "\n", "v"
_KEYS = LETTERS + BACKSPACE + ENTER + DOWN
_SYMBOLS = [ord(character) for character in LETTERS] + [0xFF08, 0xFF0D, 0xFF54]
_FIRST = 8
_CODES = {character: _FIRST + at for at, character in enumerate(_KEYS)}
START_MS = 100_000_000
WALL_MS = 1_700_000_000_000


@dataclass
class Typist:
    """One person's hands.

    Attributes:
        median_ms: Their median interval between two keys.
        spread: Standard deviation of the logarithm of an interval.
        pairs: Each pair's own factor.
        holds_ms: How long each key is held.
    """

    median_ms: float
    spread: float
    word_factor: float
    thinks: float
    think_s: float
    errors: float
    line_words: float
    pairs: dict[str, float] = field(default_factory=dict)
    holds_ms: dict[str, float] = field(default_factory=dict)


def typist(seed: int) -> Typist:
    """A person, by number."""
    random = Random(f"typist {seed}")
    pairs = Random("pairs")  # some pairs are slow for everybody
    made = Typist(
        median_ms=190 * math.exp(random.gauss(0, 0.38)),
        spread=min(max(random.gauss(0.38, 0.06), 0.2), 0.6),
        word_factor=math.exp(random.gauss(0.25, 0.15)),
        thinks=min(max(random.gauss(0.08, 0.03), 0.02), 0.2),
        think_s=2.0 * math.exp(random.gauss(0, 0.3)),
        errors=0.06 * math.exp(random.gauss(-0.1, 0.5)),
        line_words=12 * math.exp(random.gauss(0, 0.4)),
    )
    hold_ms = 105 * math.exp(random.gauss(0, 0.2))
    for one in _KEYS:
        made.holds_ms[one] = hold_ms * math.exp(random.gauss(0, 0.1))
        for other in _KEYS:
            made.pairs[one + other] = math.exp(pairs.gauss(0, 0.2) + random.gauss(0, 0.2))
    return made


@dataclass(frozen=True, slots=True)
class Struck:
    """One key: when it went down, and up."""

    key: str
    down_ms: int
    up_ms: int


def on_a_day(one: Typist, person: int, day: int, mood: float) -> Typist:
    """The same person on another day: as fast, as thoughtful and as careful as on that day. `mood`: standard deviation of the logarithm."""
    random = Random(f"day {person} {day}")
    return replace(
        one,
        median_ms=one.median_ms * math.exp(random.gauss(0, mood)),
        thinks=min(one.thinks * math.exp(random.gauss(0, 2 * mood)), 0.5),
        think_s=one.think_s * math.exp(random.gauss(0, 2 * mood)),
        errors=min(one.errors * math.exp(random.gauss(0, 2 * mood)), 0.5),
        line_words=one.line_words * math.exp(random.gauss(0, 2 * mood)),
    )


def struck(one: Typist, keys: int, seed: int) -> Iterator[Struck]:
    """So many keys of this person, at their own times; `seed` chooses the text."""
    random, now_ms, before = Random(f"text {seed}"), 0.0, " "
    for at, key in enumerate(_text(one, random)):
        if at == keys:
            return
        step_ms = one.median_ms * one.pairs[before + key] * math.exp(random.gauss(0, one.spread))
        if before == " ":
            step_ms *= one.word_factor
            if random.random() < one.thinks:
                step_ms += 1000 * one.think_s * math.exp(random.gauss(0, 0.7))
        now_ms += step_ms
        hold_ms = one.holds_ms[key] * math.exp(random.gauss(0, 0.2))
        yield Struck(key, int(now_ms), int(now_ms + hold_ms))
        before = key


def _text(one: Typist, random: Random) -> Iterator[str]:
    words = 0
    while True:
        for character in random.choice(WORDS):
            if random.random() < one.errors:
                yield random.choice(LETTERS)
                yield BACKSPACE
            yield character
        words += 1
        if random.random() < 1 / one.line_words:
            yield ENTER
            if random.random() < 0.2:
                yield from DOWN * random.randrange(2, 6)
        else:
            yield " "


def collected(strokes: list[Struck]) -> list[Event]:
    """What is collected of it, in an editor that is recorded: the events that the shaper tells."""
    keyboard = KeysDown(Keymap(_FIRST, [(symbol, 0) for symbol in _SYMBOLS], [[0, 0]] * 8))
    shaper = Shaper(Grant(1, frozenset(Kind), ()), _clocks(0))
    shaper.front(_clocks(0), Front(SurfaceId("editor"), 1))
    shaper.role(_clocks(0), FieldRole.TEXT)
    inputs = sorted([(one.down_ms, True, one.key) for one in strokes] + [(one.up_ms, False, one.key) for one in strokes])
    events: list[Event] = []
    for ms, down, key in inputs:
        at = _clocks(ms + 2_000)
        while (due_ms := shaper.due_ms()) is not None and due_ms <= at.awake_ms:
            shaper.advance(_clocks(max(due_ms - START_MS, 0)))
        code = _CODES[key]
        shaper.key(keyboard.press(at, code, 0) if down else keyboard.release(at, code))
        if shaper.waiting()[0] > 1_000:
            events += [event for message in shaper.take() for event in message.events]
    shaper.advance(_clocks(inputs[-1][0] + 10_000))
    return events + [event for message in shaper.take() for event in message.events]


def _clocks(ms: int) -> Clocks:
    return Clocks(START_MS + ms, START_MS + ms, WALL_MS + ms)
