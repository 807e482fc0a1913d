"""What dpkg's records say of an app's catalogues: which packages were built together, and what they brought. Pure: lines come in."""

from collections.abc import Iterable, Iterator

from collectors.catalogues.places import ENDINGS

_ENDINGS = tuple(f"{ending}\n".encode() for ending in ENDINGS)


def built_together(status: Iterable[bytes], names: Iterable[str]) -> list[str]:
    """These packages and all that were built from the same sources: a program's texts often lie in a package of their own.

    Args:
        status: The lines of dpkg's `status`.
        names: Of packages, without their architecture.
    """
    wanted, sources = set(names), set()
    of_source: dict[str, list[str]] = {}
    for package, source in _built(status):
        of_source.setdefault(source, []).append(package)
        if package in wanted:
            sources.add(source)
    return sorted({package for source in sources for package in of_source[source]})


def _built(status: Iterable[bytes]) -> Iterator[tuple[str, str]]:
    """Each package and its source, which is only named if it is called otherwise."""
    package = source = ""
    for line in status:
        if line.startswith(b"Package: "):
            package = source = _word(line)
        elif line.startswith(b"Source: "):
            source = _word(line)
        elif line == b"\n" and package:
            yield package, source
            package = ""
    if package:
        yield package, source


def _word(line: bytes) -> str:
    words = line.split()
    return words[1].decode("ascii", "replace") if len(words) > 1 else ""


def catalogues(brought: Iterable[bytes]) -> list[str]:
    """The catalogues among the files that a package brought.

    Args:
        brought: The lines of a `.list`.
    """
    return [line[:-1].decode("utf-8", "surrogateescape") for line in brought if line.endswith(_ENDINGS)]
