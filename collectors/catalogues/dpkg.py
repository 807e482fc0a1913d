"""What dpkg's records say of an app's catalogues: which packages were built together, and what they brought. Pure: lines come in."""

from collections.abc import Collection, Iterable, Iterator

from collectors.catalogues.places import ENDINGS

_ENDINGS = tuple(f"{ending}\n".encode() for ending in ENDINGS)


def sources(status: Iterable[bytes], names: Collection[str]) -> set[str]:
    """What these packages were built from.

    Args:
        status: The lines of dpkg's `status`.
        names: Of packages, without their architecture.
    """
    return {source for package, source, _ in _built(status) if package in names}


def records(status: Iterable[bytes], built_from: Collection[str]) -> list[tuple[str, str]]:
    """The names that the file lists of all packages built from these may have: a program's texts often lie in a package of their own."""
    built = (each for each in _built(status) if each[1] in built_from)
    return sorted((f"{package}.list", f"{package}:{architecture}.list") for package, _, architecture in built)


def _built(status: Iterable[bytes]) -> Iterator[tuple[str, str, str]]:
    """Each package, its source, which is only named if it is called otherwise, and its architecture."""
    package = source = architecture = ""
    for line in status:
        if line.startswith(b"Package: "):
            package = source = _word(line)
        elif line.startswith(b"Source: "):
            source = _word(line)
        elif line.startswith(b"Architecture: "):
            architecture = _word(line)
        elif line == b"\n" and package:
            yield package, source, architecture
            package = ""
    if package:
        yield package, source, architecture


def _word(line: bytes) -> str:
    words = line.split()
    return words[1].decode("ascii", "replace") if len(words) > 1 else ""


def catalogues(brought: Iterable[bytes]) -> list[str]:
    """The catalogues among the files that a package brought.

    Args:
        brought: The lines of a `.list`.
    """
    return [line[:-1].decode("utf-8", "surrogateescape") for line in brought if line.endswith(_ENDINGS)]
