"""What kind of program a path names: one that says what is run, one that runs anything, or one that shows anything. Pure.

A program that runs other programs' text says nothing about what it runs: to list it would be to list everything that is written
for it. A script's identity is its interpreter, so scripts cannot be listed; what they start, if it is a program of its own, can.
A browser shows whatever there is, in private windows too: only sites of it can be listed.
"""

import re

_SHELLS = "sh bash dash zsh fish ksh ksh93 mksh lksh tcsh csh rbash yash busybox toybox elvish nu pwsh powershell"
_LANGUAGES = (
    "python pythonw pypy perl ruby jruby irb lua luajit node nodejs deno bun php php-cgi java javaw javaws jshell mono mono-sgen dotnet "
    "tclsh wish expect guile racket scheme sbcl clisp ecl gforth julia R Rscript octave octave-cli octave-gui erl erlexec beam beam.smp "
    "escript elixir iex scala groovy kotlin gjs gjs-console cjs cjs-console seed qml qmlscene qmlruntime awk gawk mawk nawk sed ghci "
    "runghc ocaml swipl gnuplot m4 make hhvm rakudo raku js js78 js102 d8"
)
_RUNTIMES = (
    "wine wine64 wine32 wine-preloader wine64-preloader wineloader wine-stable wine-development electron nw nwjs adl love love2d "
    "flatpak bwrap snap snap-confine firejail proot fakechroot AppRun appimage-run AppImageLauncher qemu-system pressure-vessel-wrap "
    "ld.so valgrind gdb strace ltrace env sudo su doas pkexec nohup setsid unshare nsenter chroot systemd-run xargs script screen tmux "
    "dtach ssh"
)
RUNS_ANYTHING = frozenset(f"{_SHELLS} {_LANGUAGES} {_RUNTIMES}".lower().split())
"""By name, in lower case and without a version. The one place: the policy and the observer both ask here."""
_BROWSERS = (
    "firefox firefox-bin firefox-esr firefox-developer-edition icecat iceweasel librewolf waterfox palemoon basilisk seamonkey floorp "
    "chromium chromium-browser chrome google-chrome google-chrome-stable msedge microsoft-edge brave brave-browser vivaldi vivaldi-bin "
    "opera yandex_browser thorium ungoogled-chromium epiphany epiphany-browser gnome-web konqueror falkon midori qutebrowser angelfish "
    "surf luakit nyxt eolie badwolf netsurf netsurf-gtk dillo links links2 elinks lynx w3m torbrowser tor-browser mullvad-browser zen"
)
BROWSERS = frozenset(_BROWSERS.split())
"""By name, as above: those that Debian has and the best known others."""
_VERSION = re.compile(r"[-_.]?v?[0-9]")
_BUILD = re.compile(r"-(dbg|debug|bin|static)$")
_LOADER = re.compile(r"ld(-linux[a-z0-9-]*|-musl[a-z0-9_-]*|-[0-9.]+|64|32)?\.so(\.[0-9]+)*$")
_MACHINE = re.compile(r"qemu-[a-z0-9_-]+$")


def runs_anything(path: str) -> bool:
    """Whether the program at this path is an interpreter, a shell, or another that runs whatever it is given."""
    name = _name(path)
    return bool(_bare(name) & RUNS_ANYTHING or _LOADER.fullmatch(name) or _MACHINE.fullmatch(name))


def is_browser(path: str) -> bool:
    """Whether the program at this path is a web browser, as far as its name tells."""
    return bool(_bare(_name(path)) & BROWSERS)


def _name(path: str) -> str:
    return path.rsplit("/", maxsplit=1)[-1].lower()


def _bare(name: str) -> set[str]:
    return {name, _BUILD.sub("", name), _VERSION.split(name, maxsplit=1)[0]}
