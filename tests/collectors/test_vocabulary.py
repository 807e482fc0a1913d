"""Interface vocabulary: what stands in an app's installed catalogues stays readable, to the character, and nothing else ever does."""

import os
import random
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.catalogues import dpkg, places
from collectors.catalogues.index import LONGEST, Index, forms, may_be_word
from collectors.catalogues.installed import Installed, is_systems_file
from collectors.identity import FileFacts, Identity, Running
from collectors.labels import NoLabels, Vocabulary
from collectors.pipe import SurfaceRule
from collectors.vocabularies import MOST, Vocabularies
from consent.vocabulary import SurfaceId
from tests.collectors import catalogue_files as files

STATUS = b"""Package: editor
Status: install ok installed
Architecture: all
Source: editor-src (1.2)

Package: editor-common
Source: editor-src
Architecture: amd64

Package: other
Status: install ok installed

"""


# --- the index -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("_File", "File"),
        ("&File", "File"),
        ("Save _As\u2026", "Save As\u2026"),
        ("Find && Replace", "Find & Replace"),
        ("snake__case", "snake_case"),
        ("ファイル(_F)", "ファイル"),
        ("ファイル(_F)", "ファイル(F)"),
        ("Black & White", "Black & White"),
        ("Cut", "Cut"),
        ("Rechercher\u00a0:", "Rechercher\u00a0:"),
        ("100%", "100%"),
    ],
)
def test_a_text_is_found_as_an_interface_shows_it(text: str, shown: str) -> None:
    """Without the mark of its letter, and with a mark that is a sign."""
    assert shown in set(forms(text))
    assert shown in Index([text])


@pytest.mark.parametrize(
    "text",
    ["Open %s", "%d items", "Close “%1”", "Copy {0}", "{count} files", "Move $1", "${name}", "%n file(s)", "% d", "%(name)s", "%%", "%L1",
     "a\nb", "a\tb", "", "x" * (LONGEST + 1), "\u202eexe.txt", "somebody@example.org", "https://example.org", "\ud800"],
)  # fmt: skip
def test_what_a_program_fills_in_or_what_is_no_line_of_print_is_no_vocabulary(text: str) -> None:
    """Otherwise a file's name could come through."""
    assert not may_be_word(text)
    assert text not in Index([text])
    assert Vocabulary(lambda: [text]).word(text) == ""


def test_only_the_exact_text_is_found() -> None:
    """No other case, no part, nothing added."""
    labels = Vocabulary(lambda: ["_Save As", "Copy"])
    assert [labels.word(text) for text in ("Save As", "save as", "Save", "Save As ", " Copy", "Copy.", "Copy")] == [
        "Save As",
        "",
        "",
        "",
        "",
        "",
        "Copy",
    ]


def test_an_index_of_many_runs_finds_all_and_says_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sorted in runs; bounded, the first texts count."""
    monkeypatch.setattr("collectors.catalogues.index.MOST_TEXTS", 18_000)
    texts = [f"text {number}" for number in range(10_000)]
    index = Index([*texts[:9000], *texts])
    assert all(text in index for text in texts[:9000])
    assert texts[-1] not in index
    assert len(index) == 9000


def test_on_a_system_of_short_numbers_nothing_is_vocabulary(monkeypatch: pytest.MonkeyPatch) -> None:
    """With 32 bits, a text of the subject's would soon have the number of one of the interface's."""
    monkeypatch.setattr("collectors.catalogues.index.BITS", 128)
    assert "Copy" not in Index(["Copy"])


def test_a_word_is_told_in_a_form_that_an_event_takes() -> None:
    """An event's label has only characters that can be shown; French and Persian are printed with others."""
    labels = Vocabulary(lambda: ["Rechercher\u00a0:", "می\u200cخواهم"], ("a\u202eb",))
    assert labels.word("Rechercher\u00a0:") == "Rechercher :"
    assert labels.word("می\u200cخواهم").isprintable()
    assert labels.word("a\u202eb") == labels.word("Rechercher :") == ""


# --- the policy's words, and when catalogues are read ----------------------------------------------------------------


def test_the_policy_s_words_are_added_exactly_and_need_no_catalogue() -> None:
    """No mark is removed of them, nothing is read for them."""

    def never() -> Iterator[str]:
        raise AssertionError("was read")

    labels = Vocabulary(never, ("Ticket %s", "_Case", "x" * (LONGEST + 1)))
    assert labels.word("Ticket %s") == "Ticket %s"
    assert labels.word("_Case") == "_Case"
    assert (labels.word(""), labels.word("x" * (LONGEST + 1))) == ("", "")
    with pytest.raises(AssertionError, match="was read"):
        labels.word("Case")


def test_catalogues_are_read_once_and_only_when_a_label_is_asked_for() -> None:
    """A program whose labels nobody asks for costs nothing."""
    read = []
    labels = Vocabulary(lambda: (read.append(1), iter(["Cut"]))[1])
    assert not read
    assert (labels.word("Cut"), labels.word("Paste"), read) == ("Cut", "", [1])


# --- which catalogues ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, ()),
        ({"LANG": "C"}, ()),
        ({"LANG": "C.UTF-8"}, ()),
        ({"LC_ALL": "C", "LANGUAGE": "de"}, ()),
        ({"LANG": "de_AT.UTF-8"}, ("de_at", "de")),
        ({"LANG": "en_GB.UTF-8", "LC_MESSAGES": "fr_FR.UTF-8"}, ("fr_fr", "fr")),
        ({"LANG": "de_DE.UTF-8", "LANGUAGE": "pt_BR:de"}, ("pt_br", "pt", "de", "de_de")),
        ({"LANG": "sr_RS.UTF-8@latin"}, ("sr_rs@latin", "sr@latin", "sr_rs", "sr")),
        ({"LANG": "../../etc"}, ()),
    ],
)
def test_the_session_s_languages_are_those_that_gettext_would_take(environment: dict[str, str], said: tuple[str, ...]) -> None:
    """And each in all its forms."""
    assert places.languages(environment) == said


@pytest.mark.parametrize(
    ("path", "family", "language"),
    [
        ("/usr/share/locale/pt_BR/LC_MESSAGES/x.mo", "/usr/share/locale/*/LC_MESSAGES/x.mo", "pt_BR"),
        ("/usr/share/qt6/translations/qtbase_zh_TW.qm", "/usr/share/qt6/translations/qtbase_*.qm", "zh_TW"),
        ("/usr/share/app/translations/de.qm", "/usr/share/app/translations/*.qm", "de"),
        ("/usr/lib/chromium/locales/es-419.pak", "/usr/lib/chromium/locales/*.pak", "es-419"),
        ("/usr/lib/firefox-esr/langpack-pt-BR@mozilla.org.xpi", "/usr/lib/firefox-esr/langpack-*@mozilla.org.xpi", "pt-BR"),
        ("/usr/lib/firefox-esr/browser/omni.ja", "/usr/lib/firefox-esr/browser/omni.ja", places.ENGLISH),
    ],
)
def test_a_catalogue_is_known_by_its_path(path: str, family: str, language: str) -> None:
    """Its language stands in it."""
    assert places.found(path) == places.Found(path, family, language)


@pytest.mark.parametrize(
    "path", ["/usr/lib/chromium/resources.pak", "/usr/share/x.mo", "/usr/share/x/LC_MESSAGES", "/usr/lib/chromium/locales/x_y.pak"]
)
def test_what_is_of_no_language_is_no_catalogue(path: str) -> None:
    """A pack of scripts has texts, too."""
    assert places.found(path) is None


def test_packages_that_were_built_together_are_one_app() -> None:
    """A program's texts often lie in a package of their own; another program's are not its."""
    lines = STATUS.splitlines(keepends=True)
    assert dpkg.sources(lines, ["editor"]) == {"editor-src"}
    assert dpkg.sources(lines, ["other", "absent"]) == {"other"}
    assert dpkg.records(lines, {"editor-src"}) == [("editor-common.list", "editor-common:amd64.list"), ("editor.list", "editor:all.list")]
    assert dpkg.records([b"Package:\n", b"Source:\n", b"\n"], dpkg.sources([b"Package: x\n", b"Source:\n"], ["x"])) == []
    assert dpkg.catalogues([b"/a.mo\n", b"/a.txt\n", b"/b.qm\n", b"/c.mo"]) == ["/a.mo", "/b.qm"]


@pytest.fixture
def system(tmp_path: Path) -> Path:
    """dpkg's records of an editor with catalogues in four languages, beside a program that is not its."""
    (tmp_path / "info").mkdir()
    (tmp_path / "status").write_bytes(STATUS)
    listed = []
    for language, messages in {
        "de": {"_Quit": "_Beenden"},
        "fr": {"_Quit": "_Quitter", "Print": "Imprimer"},
        "es": {"_Quit": "_Salir", "Print": "Imprimir", "Zoom": "Zoom", "Old": "Viejo"},
        "xx": {"Secret": "Geheim"},
    }.items():
        path = tmp_path / "locale" / language / "LC_MESSAGES" / "editor.mo"
        path.parent.mkdir(parents=True)
        path.write_bytes(files.mo(messages))
        listed.append(f"{path}\n")
    (tmp_path / "info" / "editor.list").write_text("/usr/bin/editor\n")
    (tmp_path / "info" / "editor-common:amd64.list").write_text("".join(listed))
    (tmp_path / "info" / "other.list").write_text("")
    return tmp_path


def test_an_app_s_texts_are_those_in_the_session_s_language_and_the_source_texts(system: Path) -> None:
    """The source texts from the most complete catalogues, whatever language those are in."""
    installed = Installed({"LANG": "de_DE.UTF-8"}, system, lambda _: True)
    assert set(installed.texts(["editor"], ())) == {"_Quit", "_Beenden", "Print", "Zoom", "Old"}
    assert set(Installed({}, system, lambda _: True).texts(["editor"], ())) == {"_Quit", "Print", "Zoom", "Old"}
    assert set(installed.texts(["other"], ())) == set()


def test_source_texts_are_taken_from_languages_that_are_kept_up_where_there_are_any(system: Path) -> None:
    """Otherwise from any: a file that is long may be old."""
    folder = system / "locale"
    for language in ("de", "fr", "es"):
        (folder / language / "LC_MESSAGES" / "editor.mo").unlink()
    installed = Installed({}, system, lambda _: True)
    assert set(installed.texts(["editor"], ())) == {"Secret"}
    (folder / "de" / "LC_MESSAGES" / "editor.mo").write_bytes(files.mo({"_Quit": "_Beenden"}))
    assert set(installed.texts(["editor"], ())) == {"_Quit"}


def test_a_pack_is_read_in_the_session_s_language_or_else_in_english(system: Path) -> None:
    """Of each language it is whole, and it has no source texts."""
    packs = system / "locales"
    packs.mkdir()
    for language, text in (("de", "Neuer Tab"), ("en-US", "New tab"), ("fr", "Nouvel onglet")):
        (packs / f"{language}.pak").write_bytes(files.pak([text]))
    (system / "info" / "other.list").write_text("".join(f"{path}\n" for path in packs.iterdir()))
    for language, text in (("de_DE.UTF-8", "Neuer Tab"), ("C.UTF-8", "New tab"), ("it_IT.UTF-8", "New tab")):
        assert list(Installed({"LANG": language}, system, lambda _: True).texts(["other"], ())) == [text]


def test_a_catalogue_that_anybody_else_could_have_put_there_is_not_read(system: Path) -> None:
    """Its owner, its mode, and every folder above it; a temporary folder is anybody's."""
    asked: list[str] = []
    assert not set(Installed({}, system).texts(["editor"], ()))
    assert not set(Installed({}, system, lambda path: bool(asked.append(path))).texts(["editor"], ()))
    assert asked
    assert is_systems_file("/etc/debian_version")
    assert not is_systems_file(str(next(system.rglob("*.mo"))))
    assert not is_systems_file("/usr")
    assert not is_systems_file("/absent")


@pytest.mark.parametrize(
    "change", [{"st_uid": 1000}, {"st_mode": stat.S_IFREG | 0o664}, {"st_mode": stat.S_IFREG | 0o646}, {"st_mode": stat.S_IFDIR | 0o755}]
)
def test_one_wrong_owner_or_mode_is_enough(change: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the file itself; folders have the same rule."""

    class Facts:
        st_uid, st_mode = 0, stat.S_IFREG | 0o644

    monkeypatch.setattr(os, "lstat", lambda path: Facts)
    assert is_systems_file("/usr/share/x.mo")
    for name, value in change.items():
        monkeypatch.setattr(Facts, name, value)
    assert not is_systems_file("/usr/share/x.mo")


def test_catalogues_that_are_broken_too_large_or_gone_have_no_texts(system: Path) -> None:
    """And the others still have theirs."""
    broken, large, gone, _ = sorted(system.rglob("*.mo"))
    broken.write_bytes(b"no catalogue")
    with large.open("r+b") as file:
        file.truncate(5 * 1024 * 1024)
    gone.unlink()
    assert set(Installed({"LANG": "de_DE.UTF-8", "LANGUAGE": "de:es:fr:xx"}, system, lambda _: True).texts(["editor"], ())) == {
        "Secret",
        "Geheim",
    }


def test_where_there_is_no_dpkg_there_are_no_texts_of_the_app_s_own(tmp_path: Path) -> None:
    """Its toolkit's are still there: they are found without."""
    assert list(Installed({}, tmp_path / "absent").texts(["editor"], ())) == []


# --- the vocabularies of a generation --------------------------------------------------------------------------------


def _identity(surface: str, inode: int = 1, structure_only: bool = False) -> Identity:
    rule = SurfaceRule(SurfaceId(surface), ("/usr/bin/mousepad",), structure_only, ("mousepad",))
    facts = FileFacts(1, inode, 0, stat.S_IFREG | 0o755, 1, 1)
    return Identity(rule, Running(os.getpid(), 1, "/usr/bin/mousepad", facts, ours=True))


def test_a_window_that_is_not_recorded_or_structure_only_has_no_labels() -> None:
    """Whatever its catalogues say."""
    vocabularies = Vocabularies({})
    assert isinstance(vocabularies.of(None), NoLabels)
    assert vocabularies.of(_identity("mail", structure_only=True)).word("Cut") == ""


def test_a_program_s_vocabulary_is_kept_until_many_others_were_in_front() -> None:
    """And bounded."""
    vocabularies = Vocabularies({})
    first = vocabularies.of(_identity("editor"))
    assert vocabularies.of(_identity("editor")) is first
    for number in range(MOST):
        vocabularies.of(_identity("editor", 2 + number))
    assert vocabularies.of(_identity("editor")) is not first


# --- the subject's own strings ---------------------------------------------------------------------------------------


_FIRST = "Anna Björn Chloé Dmitri Erika Fatima Giovanni Hana Igor Jürgen Kemal Lucía Max Nguyễn Olga Pia Quentin Rosa Søren 太郎".split()
_LAST = "Muster Öztürk Smith Nováková O'Brien García-López Wiśniewski Müller-Lüdenscheidt 山田 Ivanova".split()
_TOPICS = "Invoice Contract Salary Diagnosis Offer Holiday Budget Complaint Termination Password Minutes Draft".split()
_ENDINGS = "txt pdf odt xlsx jpg eml".split()


def _strings_of_a_person(seed: int, count: int) -> Iterator[str]:
    """File names, names, subjects of mails, tabs, addresses and canaries."""
    chance = random.Random(seed)
    for _ in range(count):
        first, last, topic, number = chance.choice(_FIRST), chance.choice(_LAST), chance.choice(_TOPICS), chance.randrange(10_000)
        yield chance.choice(
            [
                f"{topic} {last} {number}.{chance.choice(_ENDINGS)}",
                f"{first} {last}",
                f"Re: {topic} {number}",
                f"Open {topic}-{number}.txt",
                f"{first.lower()}.{last.lower()}@example.org",
                f"canary{chance.getrandbits(64):016x}",
                f"/home/{first.lower()}/{topic}",
                f"_{topic} {number}",
                f"{topic} für {first}",
                f"Save {topic} {number} As…",
            ]
        )


@pytest.mark.parametrize("language", ["C.UTF-8", "de_DE.UTF-8", "ja_JP.UTF-8"])
def test_ten_thousand_strings_of_a_person_s_own_never_come_through(language: str) -> None:
    """Against what is really installed for an editor and a file manager: none is readable, and the interface's own texts are."""
    installed = Installed({"LANG": language})
    libraries = ("/x/libgtk-3.so.0", "/x/libgtk-x11-2.0.so.0", "/x/libfm-gtk.so.4", "/x/libgtksourceview-4.so.0")
    labels = Vocabulary(lambda: installed.texts(["mousepad", "pcmanfm"], libraries))
    assert [text for text in _strings_of_a_person(5, 10_000) if labels.word(text)] == []
    if Path("/usr/share/locale/de/LC_MESSAGES/gtk30.mo").exists():
        assert [labels.word(text) for text in ("Copy", "Cut", "Save As", "_Copy")] == ["Copy", "Cut", "Save As", "_Copy"]
        assert labels.word("Ausschneiden") == ("Ausschneiden" if language.startswith("de") else "")
