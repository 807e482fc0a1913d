"""Which files are the message catalogues of a program in the language of a session. Pure: paths come in, paths go out.

A family is one catalogue in all its languages, written as its path with `*` in the language's place.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

ENDINGS = (".mo", ".qm", ".pak", ".xpi", "/omni.ja")
WHOLE = (".pak", ".xpi", "/omni.ja")
"""Catalogues that have no source texts, and are whole in each language."""
_FAMILIES = (
    re.compile(r"(?P<head>.*/)(?P<language>[^/]+)(?P<tail>/LC_MESSAGES/[^/]+\.mo)"),
    re.compile(r"(?P<head>.*/locales/)(?P<language>[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)(?P<tail>\.pak)"),
    re.compile(r"(?P<head>.*/(?:[\w.+-]*?_)?)(?P<language>[a-z]{2,3}(?:[_-][A-Za-z]{2,4})?(?:@[a-z]+)?)(?P<tail>\.qm)"),
    re.compile(r"(?P<head>.*/langpack-)(?P<language>[A-Za-z]{2,3}(?:-[A-Za-z]+)*)(?P<tail>@[\w.-]+\.xpi)"),
)
_LOCALE = re.compile(r"([A-Za-z]{2,3})(?:[_-]([A-Za-z0-9]{2,4}))?(?:\.[\w-]+)?(@[a-z]+)?")
_AS_WRITTEN = ("C", "POSIX")
STEADY = frozenset({"cs", "de", "en_GB", "es", "fr", "it", "ja", "pl", "pt_BR", "ru", "sv", "tr", "uk", "zh_CN", "zh_TW"})
"""Languages that hardly any program lacks, and that are kept up: among these the source texts are looked for, not among 120."""
ENGLISH = "en_us"
"""The language in which Chromium and Firefox were written, and come."""
_GETTEXT = "/usr/share/locale/*/LC_MESSAGES/{}.mo"
_QT_5, _QT_6 = "/usr/share/qt5/translations/{}_*.qm", "/usr/share/qt6/translations/{}_*.qm"
TOOLKITS = {
    "libgtk-x11-2.0.so": (_GETTEXT.format("gtk20"),),
    "libgtk-3.so": (_GETTEXT.format("gtk30"),),
    "libgtk-4.so": (_GETTEXT.format("gtk40"),),
    "libadwaita-1.so": (_GETTEXT.format("libadwaita"),),
    "libhandy-1.so": (_GETTEXT.format("libhandy"),),
    "libgtksourceview-3.0.so": (_GETTEXT.format("gtksourceview-3.0"),),
    "libgtksourceview-4.so": (_GETTEXT.format("gtksourceview-4"),),
    "libgtksourceview-5.so": (_GETTEXT.format("gtksourceview-5"),),
    "libgspell-1.so": (_GETTEXT.format("gspell-1"),),
    "libvte-2.91.so": (_GETTEXT.format("vte-2.91"),),
    "libwebkit2gtk-4.1.so": (_GETTEXT.format("WebKitGTK-4.1"),),
    "libgnome-desktop-3.so": (_GETTEXT.format("gnome-desktop-3.0"),),
    "libfm-gtk.so": (_GETTEXT.format("libfm"),),
    "libfm-gtk3.so": (_GETTEXT.format("libfm"),),
    "libexo-2.so": (_GETTEXT.format("exo"),),
    "libxfce4ui-2.so": (_GETTEXT.format("libxfce4ui"),),
    "libQt5Widgets.so": (_QT_5.format("qtbase"), _QT_5.format("qt")),
    "libQt5Quick.so": (_QT_5.format("qtdeclarative"), _QT_5.format("qtquickcontrols2")),
    "libQt6Widgets.so": (_QT_6.format("qtbase"),),
    "libQt6Quick.so": (_QT_6.format("qtdeclarative"),),
    "libKF5XmlGui.so": (_GETTEXT.format("kxmlgui5"),),
    "libKF6XmlGui.so": (_GETTEXT.format("kxmlgui6"),),
    "libKF5ConfigWidgets.so": (_GETTEXT.format("kconfigwidgets5"),),
    "libKF6ConfigWidgets.so": (_GETTEXT.format("kconfigwidgets6"),),
    "libKF5KIOWidgets.so": (_GETTEXT.format("kio5"),),
    "libKF6KIOWidgets.so": (_GETTEXT.format("kio6"),),
}
"""Families that come with a library, by its name without a version. A closed list: what else a program loads is not asked."""


@dataclass(frozen=True, slots=True)
class Found:
    """A catalogue that is there.

    Attributes:
        family: See above.
        language: As its path has it.
    """

    path: str
    family: str
    language: str


def languages(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The languages of a session, the most wanted first, each in the forms that catalogues have. None: texts are shown as written.

    Args:
        environment: Read as gettext does: LANGUAGE, and LC_ALL, LC_MESSAGES or LANG.
    """
    locale = next((environment[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(name)), "C")
    if locale in _AS_WRITTEN:
        return ()
    wanted = [*environment.get("LANGUAGE", "").split(":"), locale]
    return tuple(dict.fromkeys(form for one in wanted for form in _forms(one)))


def _forms(locale: str) -> list[str]:
    """`de_AT.UTF-8@euro` as de_at@euro, de@euro, de_at, de."""
    said = _LOCALE.fullmatch(locale)
    if said is None or said[1].upper() in _AS_WRITTEN:
        return []
    language, country, modifier = said[1].lower(), (said[2] or "").lower(), said[3] or ""
    plain = [f"{language}_{country}", language] if country else [language]
    return [form + modifier for form in plain] * bool(modifier) + plain


def found(path: str) -> Found | None:
    """The catalogue at this path; None if it does not look like one."""
    if path.endswith("/omni.ja"):
        return Found(path, path, ENGLISH)
    for form in _FAMILIES:
        parts = form.fullmatch(path)
        if parts is not None:
            return Found(path, f"{parts['head']}*{parts['tail']}", parts["language"])
    return None


def families_of(libraries: Iterable[str]) -> list[str]:
    """The families that come with these libraries.

    Args:
        libraries: Paths.
    """
    names = {path.rpartition("/")[2].partition(".so")[0] + ".so" for path in libraries}
    return [family for name, families in TOOLKITS.items() if name in names for family in families]


def is_in(languages_wanted: Iterable[str], language: str) -> bool:
    """Whether a catalogue's language is one of these."""
    return language.replace("-", "_").lower() in languages_wanted
