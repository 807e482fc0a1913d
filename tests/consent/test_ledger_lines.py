"""Lines of the ledger, its reserve and its errors, to the byte: what the chain covers, what a full disk leaves, what can be salvaged."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from consent.event import Clocks
from consent.ledger import RESERVE_BYTES, Ledger, LedgerError, LedgerUnwritable, salvage
from tests.transport.faults import full_disk

AT = Clocks(5, 6, 7)


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_a_line_is_numbered_chained_and_hashed(tmp_path: Path) -> None:
    """Its hash is that of the line with an empty hash; the first line's predecessor is 64 zeros."""
    ledger = Ledger(tmp_path / "ledger")
    first, second = ledger.append("one", AT, "boot", {"a": 1}), ledger.append("two", AT, "boot")
    assert ledger.entries == [first, second]
    raw = _lines(tmp_path / "ledger")
    assert raw[0] == {"number": 0, "what": "one", "at": [5, 6, 7], "boot": "boot", "data": {"a": 1}, "prev": "0" * 64, "hash": first.hash}
    assert (raw[1]["number"], raw[1]["data"], raw[1]["prev"]) == (1, {}, first.hash)
    bare = (tmp_path / "ledger").read_bytes().splitlines()[0].replace(first.hash.encode(), b"")
    assert hashlib.sha256(bare).hexdigest() == first.hash


def test_files_are_private_and_the_reserve_is_really_written(tmp_path: Path) -> None:
    Ledger(tmp_path / "ledger").close()
    for name in ("ledger", "ledger.reserve"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "ledger.reserve").read_bytes() == bytes(RESERVE_BYTES)
    assert RESERVE_BYTES == 65536


def test_a_full_disk_takes_the_reserve_and_then_says_so(tmp_path: Path) -> None:
    """Nothing of the line that did not fit stays, and it is not among the entries; the next one fits again."""
    ledger = Ledger(tmp_path / "ledger")
    first = ledger.append("one", AT, "boot")
    with full_disk(20), pytest.raises(LedgerUnwritable, match=r"^the ledger cannot be written: No space left on device$"):
        ledger.append("two", AT, "boot")
    assert not (tmp_path / "ledger.reserve").exists()
    assert ledger.entries == [first]
    assert len(_lines(tmp_path / "ledger")) == 1
    third = ledger.append("three", AT, "boot")
    ledger.close()
    again = Ledger(tmp_path / "ledger")
    assert again.entries == [first, third]
    assert (tmp_path / "ledger.reserve").stat().st_size == RESERVE_BYTES


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (b'"what":"two"', b'"what":"TWO"', "line 2 of the ledger was changed, removed or moved"),
        (b'"number":1', b'"number":9', "line 2 of the ledger was changed, removed or moved"),
        (b'"what":"one"', b'"what":1', "line 1 of the ledger does not read"),
        (b'"what":"one"', b'"more":1,"what":"one"', "line 1 of the ledger does not read"),
    ],
)
def test_the_line_that_does_not_hold_is_named(tmp_path: Path, old: bytes, new: bytes, line: str) -> None:
    """And what still reads can be shown."""
    path = tmp_path / "ledger"
    ledger = Ledger(path)
    for what in ("one", "two", "three"):
        ledger.append(what, AT, "boot")
    ledger.close()
    path.write_bytes(path.read_bytes().replace(old, new))
    with pytest.raises(LedgerError) as caught:
        Ledger(path)
    assert str(caught.value) == line
    assert [entry.what for entry in salvage(path)][-1] == "three"
    assert len(salvage(path)) == (2 if "read" in line else 3)
    assert salvage(tmp_path / "none") == []


def test_a_half_line_at_the_end_was_never_said(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    Ledger(path).append("one", AT, "boot")
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"number":1,"wh')
    ledger = Ledger(path)
    assert path.read_bytes() == whole
    ledger.append("two", AT, "boot")
    ledger.close()
    assert [entry.what for entry in Ledger(path).entries] == ["one", "two"]


def test_a_link_in_the_ledgers_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").touch()
    os.symlink(tmp_path / "elsewhere", tmp_path / "ledger")
    with pytest.raises(OSError, match="symbolic"):
        Ledger(tmp_path / "ledger")
