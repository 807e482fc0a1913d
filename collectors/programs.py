"""Which surface a process is of, by the file that it runs. Pure; default deny: absence and doubt mean that it is of none."""

from collections.abc import Iterable
from typing import Protocol

from collectors.identity import FileFacts, Identity, Running, is_listed, is_systems_folder
from collectors.pipe import SurfaceRule
from consent.programs import runs_anything

BY_PATH_ALONE = "programs are known by their path alone: this system has no dpkg"


class System(Protocol):
    """What is asked of the machine (`collectors.processes`). None: there is no such thing, or it may not be looked at."""

    def resolved(self, path: str) -> str: ...

    def process(self, pid: int) -> Running | None: ...

    def file(self, path: str) -> FileFacts | None: ...

    def knows_packages(self) -> bool: ...

    def brought(self, path: str, names: Iterable[str]) -> bool | None: ...


class Programs:
    """The programs of these surfaces. A browser may be of several, if each has hosts: its page says of which (`collectors.sites`)."""

    def __init__(self, rules: Iterable[SurfaceRule], system: System) -> None:
        self._system = system
        self._rules: dict[str, tuple[SurfaceRule, ...]] = {}
        self._brought: dict[tuple[str, FileFacts, tuple[str, ...]], bool] = {}
        for rule in rules:
            for path in {system.resolved(path) for path in rule.executables}:
                self._rules[path] = (*self._rules.get(path, ()), rule)
        for path, listed in self._rules.items():
            doubtful = (len(listed) > 1 and not all(rule.hosts for rule in listed)) or runs_anything(path)
            self._rules[path] = () if doubtful else listed

    @property
    def doubt(self) -> str:
        """What is not known of the programs' identity, for people; empty if the system can say all that was asked."""
        asked = any(rule.packages for listed in self._rules.values() for rule in listed)
        return BY_PATH_ALONE if asked and not self._system.knows_packages() else ""

    def of(self, pid: int) -> Identity | None:
        """The surface of this process, if it is surely of one."""
        process = self._system.process(pid) if pid > 0 else None
        rules = self._rules.get(process.path, ()) if process is not None else ()
        if process is None or not rules or not process.ours:
            return None
        listed = self._system.file(process.path)
        if listed is None or not is_listed(process.file, listed) or not self._leads_nowhere_else(process.path):
            return None
        rules = tuple(rule for rule in rules if self._is_of_its_package(rule, process))
        if not rules:
            return None
        found = Identity(rules[0], process, rules if rules[0].hosts else ())
        return found if self.still(found) else None

    def still(self, known: Identity) -> bool:
        """Whether it is still that process, and it still runs that file: it may have ended, or have become another program."""
        return self._system.process(known.process.pid) == known.process

    def _leads_nowhere_else(self, path: str) -> bool:
        parts = path.split("/")
        folders = [self._system.file("/".join(parts[:depth]) or "/") for depth in range(1, len(parts))]
        return all(folder is not None and is_systems_folder(folder) for folder in folders)

    def _is_of_its_package(self, rule: SurfaceRule, process: Running) -> bool:
        """Looked up once for each file; dpkg's records change when the file does."""
        if not rule.packages:
            return True
        key = (process.path, process.file, rule.packages)
        if key not in self._brought:
            self._brought[key] = self._system.brought(process.path, rule.packages) is not False
        return self._brought[key]
