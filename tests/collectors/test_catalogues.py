"""The readers of message catalogues: all that was written comes back, and whatever bytes they are, nothing but CatalogueError."""

import contextlib
import gettext
import io
import struct
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.catalogues import ftl, mo, pak, qm
from collectors.catalogues.within import LONGEST_BYTES, CatalogueError
from tests.collectors import catalogue_files as files

HEADER = {"": "Project-Id-Version: x\nContent-Type: text/plain; charset=UTF-8\nLast-Translator: Somebody <somebody@example.org>\n"}
ALL = {"mo": files.mo(HEADER | {"_File": "_Datei"}), "qm": files.qm([("&File", "&Datei")]), "pak": files.pak(["File", "Datei"])}
FLUENT = """\
# Comment
-brand = Firefox
menu-file =
    .label = File
    .accesskey = F
menu-quit =
    .label =
        { PLATFORM() ->
            [windows] Exit
           *[other] Quit
        }
    .accesskey =
        { PLATFORM() ->
           *[other] q
        }
about = About { -brand }
two-lines =
    One
    Two
"""


def archive(packed: int, files_in: dict[str, str]) -> bytes:
    """A ZIP as Firefox has it."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", packed) as whole:
        for name, text in files_in.items():
            whole.writestr(name, text)
    return made.getvalue()


def fluent(data: bytes) -> Iterator[str]:
    """The texts of an archive in memory."""
    return ftl.texts(len(data), lambda at, length: bytes(data[at : at + length]))


ALL["archive"] = archive(zipfile.ZIP_DEFLATED, {"localization/en-US/a.ftl": FLUENT})
READ: dict[str, Callable[[bytes], Iterator[str]]] = {"mo": mo.texts, "qm": qm.texts, "pak": pak.texts, "archive": fluent}
WORDS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0\4"), min_size=1, max_size=60)


@given(st.dictionaries(WORDS, WORDS, max_size=20), st.sampled_from("<>"))
def test_a_mo_gives_back_its_sources_and_translations_in_both_byte_orders(messages: dict[str, str], order: str) -> None:
    """And of its header, which names people, nothing."""
    messages = {source: text for source, text in messages.items() if source not in mo.NOT_LABELS}
    data = files.mo(HEADER | messages, order)
    assert set(mo.texts(data)) == {*messages, *messages.values()}
    assert set(mo.texts(data, translations=False)) == set(messages)
    assert mo.count(data[:28]) == len(messages) + 1


def test_a_mo_s_contexts_are_cut_off_and_plural_forms_are_texts_of_their_own() -> None:
    """As gettext has them: context, \\x04, singular, \\0, plural."""
    data = files.mo(HEADER | {"menu\4Open\0Open all": "Öffnen\0Alle öffnen", "translator-credits": "Erika Muster"})
    assert list(mo.texts(data)) == ["Open", "Open all", "Öffnen", "Alle öffnen", "translator-credits"]


@pytest.mark.parametrize("language", ["de", "ja", "fr", "tr", "pt_BR"])
@pytest.mark.parametrize("domain", ["gtk30", "mousepad", "libfm"])
def test_an_installed_mo_reads_as_python_s_own_gettext_reads_it(domain: str, language: str) -> None:
    """Every short translation that gettext has, and none that it has not."""
    path = Path("/usr/share/locale", language, "LC_MESSAGES", f"{domain}.mo")
    if not path.exists():
        pytest.skip("this system was installed without translations")
    with path.open("rb") as file:
        catalogue = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    theirs = {text for source, text in catalogue.items() if source and source not in mo.NOT_LABELS}
    sources = {part for source in catalogue for part in [source if isinstance(source, str) else source[0]]}
    sources = {source.rpartition("\4")[2] for source in sources if source}
    ours = set(mo.texts(path.read_bytes()))
    assert {text for text in theirs | sources if 0 < len(text.encode()) <= LONGEST_BYTES // 4} <= ours
    assert set(mo.texts(path.read_bytes(), translations=False)) >= {source for source in sources if len(source) < 80}


@given(st.lists(st.tuples(WORDS, WORDS), max_size=20))
def test_a_qm_gives_back_its_sources_and_translations(messages: list[tuple[str, str]]) -> None:
    """UTF-16 and UTF-8, whatever stands in other sections."""
    assert list(qm.texts(files.qm(messages))) == [text for source, translated in messages for text in (translated, source)]
    assert list(qm.texts(files.qm(messages), translations=False)) == [source for source, _ in messages]


@given(st.lists(WORDS, max_size=20), st.sampled_from([4, 5]), st.sampled_from([1, 2]))
def test_a_pak_gives_back_its_texts(texts: list[str], version: int, encoding: int) -> None:
    """Both versions, both encodings."""
    assert list(pak.texts(files.pak(texts, version, encoding))) == texts


@pytest.mark.parametrize("packed", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_firefox_texts_are_the_lines_of_its_fluent_files(packed: int) -> None:
    """Labels, values and variants; no letter of a key, no comment, no other file, no list of countries."""
    data = archive(
        packed,
        {"a.js": "x = Secret", "localization/en-US/a.ftl": FLUENT, "b.ftl": "b = B é\n", "toolkit/intl/regionNames.ftl": "de = Germany\n"},
    )
    texts = [text for text in fluent(data) if "{" not in text and text != "}"]
    assert texts == ["Firefox", "File", "Exit", "Quit", "One", "Two", "B é"]


@pytest.mark.parametrize("size_bytes", [10, 2 * ftl.MOST_FILE_BYTES])
def test_a_file_that_unpacks_to_more_than_it_may_is_left_out(size_bytes: int) -> None:
    """A bomb costs no memory, whatever its directory says of it."""
    data = bytearray(archive(zipfile.ZIP_DEFLATED, {"a.ftl": "a = " + "b" * 2 * ftl.MOST_FILE_BYTES}))
    at = data.index(b"PK\1\2") + 24
    data[at : at + 4] = struct.pack("<I", size_bytes)
    assert list(fluent(bytes(data))) == []


HOSTILE = {
    "an archive without an end": ("archive", ALL["archive"][:-1]),
    "an archive whose directory is elsewhere": ("archive", ALL["archive"][:-6] + struct.pack("<IH", 2**31, 0)),
    "an archive whose directory is huge": ("archive", ALL["archive"][:-10] + struct.pack("<IIH", 2**31, 0, 0)),
    "an archive packed in another way": ("archive", archive(zipfile.ZIP_BZIP2, {"a.ftl": FLUENT})),
    "a .mo with more messages than bytes": ("mo", struct.pack("<7I", 0x950412DE, 0, 2**32 - 1, 28, 28, 0, 0)),
    "a .mo whose text is elsewhere": ("mo", struct.pack("<7I", 0x950412DE, 0, 1, 28, 36, 0, 0) + struct.pack("<4I", 4, 2**31, 4, 44)),
    "a .mo of a later form": ("mo", struct.pack("<7I", 0x950412DE, 2 << 16, 0, 28, 28, 0, 0)),
    "a .mo in Latin 1": ("mo", files.mo({"": "Content-Type: text/plain; charset=ISO-8859-1\n", "a": "b"})),
    "a .qm whose section goes on": ("qm", files.QM_MAGIC + struct.pack(">BI", 0x69, 2**32 - 1)),
    "a .qm whose text goes on": ("qm", files.QM_MAGIC + struct.pack(">BIBI", 0x69, 5, 3, 2**31)),
    "a .qm with an unknown field": ("qm", files.QM_MAGIC + struct.pack(">BIBI", 0x69, 5, 99, 0)),
    "a .pak with more entries than bytes": ("pak", struct.pack("<IIB", 4, 2**32 - 1, 1)),
    "a .pak whose texts run backwards": ("pak", struct.pack("<IB3xHH", 5, 1, 1, 0) + struct.pack("<HIHI", 1, 24, 0, 20) + b"text"),
    "a .pak of pictures": ("pak", files.pak(["x"], encoding=0)),
    "a .pak of another version": ("pak", files.pak(["x"], version=3)),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_catalogue_that_lies_about_itself_is_refused(what: str) -> None:
    """No length and no place is believed before it was looked at."""
    sort, data = HOSTILE[what]
    with pytest.raises(CatalogueError):
        list(READ[sort](data))


@pytest.mark.parametrize("sort", READ)
@pytest.mark.parametrize("head", [0, 4, 16, 40])
@settings(deadline=None, max_examples=100)
@given(tail=st.binary(max_size=200), at=st.integers(0, 200), value=st.integers(0, 255))
def test_whatever_bytes_they_are_nothing_else_is_raised(sort: str, head: int, tail: bytes, at: int, value: int) -> None:
    """Random bytes behind the beginning of a true catalogue, and a true one with one byte changed."""
    changed = bytearray(ALL[sort])
    changed[at % len(changed)] = value
    for data in (ALL[sort][:head] + tail, bytes(changed), ALL[sort][:at]):
        with contextlib.suppress(CatalogueError):
            assert all(isinstance(text, str) for text in READ[sort](memoryview(data)))


def test_a_catalogue_that_says_the_same_huge_text_a_thousand_times_costs_no_memory() -> None:
    """A text that is too long for a label is not decoded, and only one is held at a time."""
    huge = b"x" * 1_000_000
    entries = struct.pack("<2I", len(huge), 28 + 2 * 8 * 1000) * 2000
    data = struct.pack("<7I", 0x950412DE, 0, 1000, 28, 28 + 8000, 0, 0) + entries + huge
    tracemalloc.start()
    try:
        assert not any(mo.texts(data))
        assert tracemalloc.get_traced_memory()[1] < 50_000
    finally:
        tracemalloc.stop()
