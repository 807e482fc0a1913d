"""The labels of the programs that are recorded: one vocabulary for each program's file, read when its first label is asked for."""

from collections.abc import Iterator, Mapping

from collectors.catalogues.installed import Installed
from collectors.identity import FileFacts, Identity
from collectors.labels import Labels, NoLabels, Vocabulary

MOST = 16
"""Vocabularies that are kept, of the latest programs: 20 to 300 KB each."""


class Vocabularies:
    """The vocabularies of one generation.

    Args:
        environment: The session's; its language is that of the programs.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._installed = Installed(environment)
        self._known: dict[tuple[str, FileFacts], Vocabulary] = {}

    def of(self, identity: Identity | None) -> Labels:
        """The labels of this program. None: of a window that is not recorded."""
        if identity is None or identity.rule.structure_only:
            return NoLabels()
        key = (identity.rule.surface, identity.process.file)
        vocabulary = self._known.pop(key, None) or self._new(identity)
        self._known[key] = vocabulary
        while len(self._known) > MOST:
            del self._known[next(iter(self._known))]
        return vocabulary

    def _new(self, identity: Identity) -> Vocabulary:
        rule, process = identity.rule, identity.process
        packages = rule.packages or (process.path.rpartition("/")[2],)
        return Vocabulary(lambda: self._installed.texts(packages, _libraries(process.pid)), rule.words)


def _libraries(pid: int) -> Iterator[str]:
    """What a process has loaded. Only names come of this: which catalogues are theirs is a closed list, and these are the system's."""
    try:
        with open(f"/proc/{pid}/maps", "rb") as maps:
            for line in maps:
                if b".so" in line:
                    yield line.split(None, 5)[-1].decode("utf-8", "surrogateescape")
    except OSError:
        return
