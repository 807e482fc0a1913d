"""Events as columns, and back: what makes a batch small. Generic over payload types; refuses nothing by itself. Pure.

Whole numbers become differences to the row before (a release is where its press was: 0, 0), everything else an index into
the column's own list of values; of a list of whole numbers, its length and the differences between its members. All compress to
almost nothing. Rows of the same kind share one table.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import accumulate, islice
from typing import Any, NamedTuple

import msgspec

from consent.event import PAYLOADS, AnyPayload, Event, Payload
from consent.vocabulary import Kind

Numbers = tuple[int, ...]
Word = str | bool | tuple[str, ...]
_CLASSES: dict[str, type[Payload]] = {payload.kind.value: payload for payload in PAYLOADS}


class ColumnError(ValueError):
    """The columns do not fit together; the message names the column, never a value."""


class Words(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A column of words: the different values, in order of first appearance, and for each row the index of its value."""

    values: tuple[Word, ...]
    rows: Numbers


class Lists(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A column of lists of whole numbers: for each row how many it has, and all of them one after the other, as differences."""

    lengths: Numbers
    members: Numbers


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The payloads of one kind: its number fields, its fields that are lists of numbers, its others; each in the payload's order."""

    kind: Kind
    numbers: tuple[Numbers, ...]
    lists: tuple[Lists, ...]
    words: tuple[Words, ...]


class _Fields(NamedTuple):
    """The names of a payload's fields, by the sort of column that they make."""

    numbers: tuple[str, ...]
    lists: tuple[str, ...]
    words: tuple[str, ...]


class Columns(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Some events. Every list has one entry a row, except those in `tables`, which have one a row of their kind.

    Attributes:
        kind: Index into `tables`.
        surface: "" for none.
        window, generation, n: Differences.
        boot_ms: Differences; sleep counts.
        slept_ms: Differences of boot_ms - awake_ms: zeros, but for a suspend.
        offset_ms: Differences of wall_ms - boot_ms: zeros, but for a clock that was set.
    """

    kind: Numbers
    surface: Words
    window: Numbers
    generation: Numbers
    n: Numbers
    boot_ms: Numbers
    slept_ms: Numbers
    offset_ms: Numbers
    tables: tuple[Table, ...]


def to_columns(events: Sequence[Event]) -> Columns:
    """The events as columns."""
    kinds = list(dict.fromkeys(event.kind for event in events))
    places = {kind: place for place, kind in enumerate(kinds)}
    return Columns(
        kind=tuple(places[event.kind] for event in events),
        surface=_words(event.surface or "" for event in events),
        window=_differences(event.window for event in events),
        generation=_differences(event.generation for event in events),
        n=_differences(event.n for event in events),
        boot_ms=_differences(event.at.boot_ms for event in events),
        slept_ms=_differences(event.at.boot_ms - event.at.awake_ms for event in events),
        offset_ms=_differences(event.at.wall_ms - event.at.boot_ms for event in events),
        tables=tuple(_table(kind, [event.payload for event in events if event.kind is kind]) for kind in kinds),
    )


def to_events(columns: Columns) -> tuple[Event, ...]:
    """The events again, each checked against its types.

    Raises:
        ColumnError: lists of different lengths, or an index out of range.
        msgspec.ValidationError: a value that its type does not allow.
    """
    rows = len(columns.kind)
    sizes = Counter(columns.kind)
    if set(sizes) != set(range(len(columns.tables))):
        raise ColumnError("the tables are not those that the events name")
    payloads = [iter(_payloads(table, sizes[place])) for place, table in enumerate(columns.tables)]
    heads = zip(
        _spelled(columns.surface, rows),
        _sums(columns.window, rows),
        _clocks(columns, rows),
        _sums(columns.generation, rows),
        _sums(columns.n, rows),
        strict=True,
    )
    return tuple(
        msgspec.convert([surface or None, *head, next(payloads[place])], Event)
        for place, (surface, *head) in zip(columns.kind, heads, strict=True)
    )


def _table(kind: Kind, payloads: list[AnyPayload]) -> Table:
    fields = _fields(kind)
    return Table(
        kind=kind,
        numbers=tuple(_differences(getattr(payload, name) for payload in payloads) for name in fields.numbers),
        lists=tuple(_lists([getattr(payload, name) for payload in payloads]) for name in fields.lists),
        words=tuple(_words(msgspec.to_builtins(getattr(payload, name)) for payload in payloads) for name in fields.words),
    )


def _payloads(table: Table, rows: int) -> Iterable[list[Any]]:
    """The payloads of a table in the form in which msgspec converts them: tag first, then the fields in order."""
    fields = _fields(table.kind)
    if (len(table.numbers), len(table.lists), len(table.words)) != tuple(map(len, fields)):
        raise ColumnError("a table has not the columns of its kind")
    columns: dict[str, Sequence[Any]] = {name: _sums(column, rows) for name, column in zip(fields.numbers, table.numbers, strict=True)}
    columns |= {name: _told_apart(column, rows) for name, column in zip(fields.lists, table.lists, strict=True)}
    columns |= {name: _spelled(column, rows) for name, column in zip(fields.words, table.words, strict=True)}
    names = [field.name for field in msgspec.structs.fields(_CLASSES[table.kind])]
    return [[table.kind.value, *(columns[name][row] for name in names)] for row in range(rows)]


@cache
def _fields(kind: Kind) -> _Fields:
    columns: dict[str, list[str]] = {name: [] for name in _Fields._fields}
    info = msgspec.inspect.type_info(_CLASSES[kind])
    assert isinstance(info, msgspec.inspect.StructType)
    for field in info.fields:
        columns[_sort(field.type)].append(field.name)
    return _Fields(**{name: tuple(names) for name, names in columns.items()})


def _sort(of: msgspec.inspect.Type) -> str:
    if isinstance(of, msgspec.inspect.IntType):
        return "numbers"
    counts = isinstance(of, msgspec.inspect.VarTupleType) and isinstance(of.item_type, msgspec.inspect.IntType)
    return "lists" if counts else "words"


def _clocks(columns: Columns, rows: int) -> list[Any]:
    boots, slept, offsets = (_sums(column, rows) for column in (columns.boot_ms, columns.slept_ms, columns.offset_ms))
    return [[boot - sleep, boot, boot + offset] for boot, sleep, offset in zip(boots, slept, offsets, strict=True)]


def _differences(values: Iterable[int]) -> Numbers:
    before = 0
    differences = []
    for value in values:
        differences.append(value - before)
        before = value
    return tuple(differences)


def _sums(differences: Numbers, rows: int) -> list[int]:
    if len(differences) != rows:
        raise ColumnError("a column of numbers has another length than its table")
    return list(accumulate(differences))


def _lists(rows: Sequence[Numbers]) -> Lists:
    return Lists(tuple(len(row) for row in rows), _differences(member for row in rows for member in row))


def _told_apart(lists: Lists, rows: int) -> list[Numbers]:
    if len(lists.lengths) != rows or min(lists.lengths, default=0) < 0 or sum(lists.lengths) != len(lists.members):
        raise ColumnError("a column of lists has another length than its table")
    members = iter(accumulate(lists.members))
    return [tuple(islice(members, length)) for length in lists.lengths]


def _words(values: Iterable[Any]) -> Words:
    places: dict[Word, int] = {}
    rows = [places.setdefault(tuple(value) if isinstance(value, list) else value, len(places)) for value in values]
    return Words(tuple(places), tuple(rows))


def _spelled(words: Words, rows: int) -> list[Word]:
    if len(words.rows) != rows:
        raise ColumnError("a column of words has another length than its table")
    if rows and not 0 <= min(words.rows) <= max(words.rows) < len(words.values):
        raise ColumnError("a column of words names a value that is not there")
    return [words.values[row] for row in words.rows]
